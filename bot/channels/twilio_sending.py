"""One message through Twilio: a form post; buttons on WhatsApp by content objects.

And the question what became of one, for when Twilio's own word of it got lost.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp

from bot.channels.base import (
    ChannelError,
    ChannelView,
    ContentStore,
    Delivery,
    SendError,
    StatusUpdate,
)
from bot.channels.transport import SEND_TIMEOUT, form_of, post
from bot.channels.twilio_contents import ContentMaker, picture_of
from bot.channels.twilio_errors import error_for
from bot.channels.twilio_forms import read_status
from flows.wording import as_lines

BODY_LIMIT = 1600
# What we answer 5xx, or not at all, Twilio says once more only if the URL asks for it; the fragment
# is neither sent nor signed (reference 3.3).
RETRIES = "#rc=5&rp=ct,rt,5xx"
# The content object is gone or does not like its variables: nothing was sent, lines will do.
GONE = "20404"
CONTENT_FAULTS = frozenset({GONE, "21654", "21655", "21656", "63027", "63028"})


class TwilioSender:
    """The calls that carry out one delivery."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        view: ChannelView,
        delivery: Delivery,
        contents: ContentStore | None,
    ) -> None:
        self._http = http
        self._view = view
        self._delivery = delivery
        self._contents = contents
        self._authorization = authorization(view)
        self._url = f"{account_url(view, delivery.url_base)}/Messages.json"

    async def send(self) -> str:
        """Post the message; return its sid."""
        if template := self._delivery.template:
            return await self._post(_content(template.sid, template.variables))
        sent = await self._send_buttons()
        return sent or await self._post(self._lines())

    async def _send_buttons(self, *, again: bool = False) -> str | None:
        """The sid of the message with buttons; None where lines have to do.

        A content object that somebody has deleted at Twilio is made anew, once.
        """
        buttons = await self._buttons()
        if buttons is None:
            return None
        try:
            return await self._post(buttons)
        except SendError as error:
            if error.code not in CONTENT_FAULTS:
                raise
            if error.code != GONE or again:
                return None
        await self._forget(buttons["ContentSid"])
        return await self._send_buttons(again=True)

    async def _forget(self, sid: str) -> None:
        picture = picture_of(self._delivery.prompt)
        if picture is not None and self._contents is not None:
            await self._contents.forget(self._view, picture.digest, sid)

    async def _post(self, content: dict[str, str]) -> str:
        fields = self._addressed() | content
        body = form_of(fields)
        answer = await post(
            self._http,
            self._url,
            body,
            "application/x-www-form-urlencoded",
            authorization=self._authorization,
        )
        return _sid(answer.status, answer.body)

    def _addressed(self) -> dict[str, str]:
        to = provider_address(self._delivery.address)
        sender = self._view.sender
        fields = {"To": to}
        if sender.startswith("MG"):
            fields["MessagingServiceSid"] = sender
        elif to.startswith("whatsapp:") and not sender.startswith("whatsapp:"):
            fields["From"] = f"whatsapp:{sender}"
        else:
            fields["From"] = sender
        if self._delivery.public_url:
            base = self._delivery.public_url.rstrip("/")
            query = urlencode({"m": self._delivery.reference})
            path = f"/webhooks/twilio/{self._view.key}/status?{query}"
            fields["StatusCallback"] = f"{base}{path}{RETRIES}"
        return fields

    async def _buttons(self) -> dict[str, str] | None:
        """The content object and its variables; None where digits have to serve."""
        if not self._delivery.buttons or self._delivery.address.startswith("sms:"):
            return None
        picture = picture_of(self._delivery.prompt)
        if picture is None or self._contents is None:
            return None
        maker = ContentMaker(self._http, self._view, self._delivery.url_base, self._authorization)
        sid = await maker.find_or_create(picture, self._contents)
        if sid is None:
            return None
        return _content(sid, picture.variables)

    def _lines(self) -> dict[str, str]:
        text = as_lines(self._delivery.prompt)
        if not 0 < len(text) <= BODY_LIMIT:
            raise SendError("bad_length", "The text is empty or too long for Twilio.", alert=True)
        return {"Body": text}


async def fetch_status(
    http: aiohttp.ClientSession, view: ChannelView, api_url: str, sid: str
) -> StatusUpdate | None:
    """Ask Twilio for one message and return where it stands; None if it does not know it.

    The Message resource has the words of the status callbacks, and `error_code` beside them. Raises
    ChannelError when Twilio does not answer, or not for this account.
    """
    url = f"{account_url(view, api_url)}/Messages/{quote(sid, safe='')}.json"
    headers = {"Authorization": authorization(view)}
    try:
        async with http.get(
            url, headers=headers, timeout=SEND_TIMEOUT, allow_redirects=False
        ) as response:
            status, body = response.status, await response.read()
    except (aiohttp.ClientError, OSError):
        raise ChannelError("Twilio cannot be reached.") from None
    if status == 404:
        return None
    fields = _fields(body)
    if status != 200 or not fields:
        raise ChannelError(f"Twilio did not tell of a message (status {status}).")
    told = {"MessageSid": sid, "MessageStatus": str(fields.get("status"))}
    return read_status(told | {"ErrorCode": str(fields.get("error_code") or "")}, "")


def _content(sid: str, variables: Mapping[str, str]) -> dict[str, str]:
    filled = json.dumps(dict(variables), ensure_ascii=False)
    return {"ContentSid": sid, "ContentVariables": filled}


def authorization(view: ChannelView) -> str:
    """The header that names account and token."""
    account, token = view.credentials.get("account_sid", ""), view.credentials.get("auth_token", "")
    return f"Basic {base64.b64encode(f'{account}:{token}'.encode()).decode()}"


def account_url(view: ChannelView, api_url: str) -> str:
    """The account's place in the API, without a suffix."""
    account = quote(view.credentials.get("account_sid", ""), safe="")
    return f"{api_url.rstrip('/')}/2010-04-01/Accounts/{account}"


def provider_address(address: str) -> str:
    """Twilio's form of our address; raises SendError for an address of another channel."""
    scheme, _, path = address.partition(":")
    if scheme == "sms" and path:
        return path
    if scheme in ("whatsapp", "whatsapp-id") and path:
        return f"whatsapp:{path}"
    raise SendError("bad_address", "This is no address Twilio can reach.", dead=True)


def _fields(body: bytes) -> dict[str, Any]:
    """The object that an answer is; empty for anything else."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _sid(status: int, body: bytes) -> str:
    fields = _fields(body)
    if 200 <= status < 300:
        sid = fields.get("sid")
        if isinstance(sid, str) and sid:
            return sid
        raise SendError("bad_answer", "Twilio named no message.", unknown=True, retryable=True)
    code = fields.get("code")
    raise error_for(code if isinstance(code, int) else None, status)
