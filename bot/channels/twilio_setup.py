"""A Twilio account's administration: does it let us in, and where must its webhooks point."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

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
    fields = await _get(view, f"{account_url(view, api_url)}.json")
    try:
        return AccountState(str(fields["friendly_name"]), str(fields["status"]))
    except KeyError:
        raise ChannelError("Twilio did not answer as it should.") from None


async def find_webhook(view: ChannelView, api_url: str) -> str | None:
    """Return where Twilio brings what comes to the channel's number; None where it does not tell.

    It tells of SMS numbers; senders of WhatsApp and Messaging Services are set up elsewhere. Empty
    when a number has none, or one that is not called by POST.
    """
    if view.kind != "sms" or not view.sender.startswith("+"):
        return None
    wanted = f"IncomingPhoneNumbers.json?PhoneNumber={quote(view.sender, safe='')}"
    fields = await _get(view, f"{account_url(view, api_url)}/{wanted}")
    numbers = fields.get("incoming_phone_numbers")
    if not isinstance(numbers, list) or not numbers or not isinstance(numbers[0], dict):
        raise ChannelError(f"This account has no number {view.sender}.")
    number = numbers[0]
    if number.get("sms_application_sid") or number.get("sms_method") != "POST":
        return ""
    return str(number.get("sms_url") or "")


async def _get(view: ChannelView, url: str) -> dict[str, Any]:
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
        fields: dict[str, Any] = dict(json.loads(body))
    except (ValueError, TypeError):
        raise ChannelError("Twilio did not answer as it should.") from None
    return fields
