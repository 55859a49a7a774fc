"""A Twilio account's administration: does it let us in, and where must its webhooks point."""

import json
from dataclasses import dataclass

import aiohttp

from bot.channels.base import ChannelError, ChannelView
from bot.channels.transport import SEND_TIMEOUT
from bot.channels.twilio_sending import RETRIES, account_url, authorization


@dataclass(frozen=True, slots=True)
class AccountState:
    """What Twilio says of the account: its name and active, suspended or closed."""

    name: str
    status: str


def webhook_url(view: ChannelView, public_url: str) -> str:
    """What to enter at Twilio as the address for incoming messages."""
    return f"{public_url.rstrip('/')}/webhooks/twilio/{view.key}{RETRIES}"


async def check(view: ChannelView, api_url: str) -> AccountState:
    """Ask Twilio for the account; raises ChannelError with a sentence for an officer."""
    url = f"{account_url(view, api_url)}.json"
    headers = {"Authorization": authorization(view)}
    try:
        async with (
            aiohttp.ClientSession(timeout=SEND_TIMEOUT) as http,
            http.get(url, headers=headers, allow_redirects=False) as response,
        ):
            status, body = response.status, await response.read()
    except (aiohttp.ClientError, OSError):
        raise ChannelError("Twilio cannot be reached.") from None
    if status in (401, 403, 404):
        raise ChannelError("Twilio refuses the account's credentials.")
    try:
        fields = json.loads(body)
        return AccountState(str(fields["friendly_name"]), str(fields["status"]))
    except (ValueError, KeyError, TypeError):
        raise ChannelError("Twilio did not answer as it should.") from None
