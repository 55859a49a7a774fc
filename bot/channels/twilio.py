"""Twilio, SMS and WhatsApp: signatures, forms, sending; the only file that imports twilio."""

import hmac
import logging
from base64 import b64encode
from collections.abc import Sequence
from html import escape

import aiohttp
from twilio.request_validator import (  # type: ignore[import-untyped]
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from bot.channels.base import (
    Arrival,
    ChannelView,
    ContentStore,
    Delivery,
    Malformed,
    StatusUpdate,
    WebhookRejected,
    WebhookRequest,
)
from bot.channels.twilio_forms import is_form, read_fields, read_message, read_status
from bot.channels.twilio_sending import TwilioSender

# The library warns with the header's content, which a stranger chooses.
logging.getLogger("twilio.request_validator").setLevel(logging.ERROR)

_DIGESTS = {HMAC_SHA1: "sha1", HMAC_SHA256: "sha256"}
XML = '<?xml version="1.0" encoding="UTF-8"?>'
EMPTY_TWIML = f"{XML}<Response/>".encode()


class Twilio:
    """Programmable Messaging as a channel; `parse_status` reads its status callbacks."""

    def verify(self, view: ChannelView, request: WebhookRequest) -> None:
        """Check the signature over the public URL as it was requested, and the fields or body.

        HMAC-SHA256 counts only when the channel has the shared key the header names; otherwise a
        sender could choose the weaker secret (reference 3.2).
        """
        secret, algorithm = _secret(view, request)
        try:
            good = bool(secret) and _is_signed(request, secret, algorithm)
        except (ValueError, Malformed):
            # Lone surrogates, a port that is no number, a form of ten thousand fields.
            good = False
        if not good:
            raise WebhookRejected(403, "signature missing or wrong")

    def parse(self, view: ChannelView, request: WebhookRequest) -> list[Arrival]:
        """The one arrival of an inbound message."""
        return [read_message(dict(reversed(read_fields(request))), request.body)]

    def parse_status(self, view: ChannelView, request: WebhookRequest) -> StatusUpdate | None:
        """What became of a message; None when the callback says nothing we act on."""
        return read_status(dict(reversed(read_fields(request))), request.query)

    def acknowledge(self, arrivals: Sequence[Arrival], say: str | None = None) -> tuple[str, bytes]:
        """Empty TwiML: replies go through the outbox, where they have an id and a status."""
        if say is None:
            return "text/xml", EMPTY_TWIML
        twiml = f"{XML}<Response><Message>{escape(say)}</Message></Response>"
        return "text/xml", twiml.encode()

    async def send(
        self,
        http: aiohttp.ClientSession,
        view: ChannelView,
        delivery: Delivery,
        contents: ContentStore | None = None,
    ) -> str:
        """Create the message; return its sid."""
        return await TwilioSender(http, view, delivery, contents).send()


def _is_signed(request: WebhookRequest, secret: str, algorithm: str) -> bool:
    """The URL as it is first; then the library's view with and without port, at ten times the cost.

    What is signed is the URL and then every distinct pair of the form in order (reference 3.2).
    """
    url, given = signed_url(request), request.header(SIGNATURE_HEADER)
    signed = _signed_part(request)
    if not isinstance(signed, str):
        text = url + "".join(name + value for name, value in sorted(set(signed)))
        mac = hmac.digest(secret.encode(), text.encode(), _DIGESTS[algorithm])
        if hmac.compare_digest(b64encode(mac), given.encode("utf-8", "replace")):
            return True
    params = signed if isinstance(signed, str) else _Fields(signed)
    return bool(RequestValidator(secret).validate(url, params, given, algorithm))


def signed_url(request: WebhookRequest) -> str:
    """The URL Twilio was given: public base, raw path, raw query; never the Host header."""
    url = f"{request.public_url.rstrip('/')}{request.path}"
    return f"{url}?{request.query}" if request.query else url


class _Fields(dict[str, list[str]]):
    """Repeated parameters, in the shape the validator asks for."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getall(self, name: str) -> list[str]:
        return self[name]


def _signed_part(request: WebhookRequest) -> list[tuple[str, str]] | str:
    if request.method == "GET":
        return []
    if is_form(request):
        return request.form
    if "bodySHA256=" not in request.query:
        raise Malformed("a body that is no form must be hashed in the query")
    return request.body.decode()


def _secret(view: ChannelView, request: WebhookRequest) -> tuple[str, str]:
    settings = request.header(SIGNATURE_SETTINGS_HEADER)
    if get_signature_algorithm(settings).upper() != HMAC_SHA256:
        return view.credentials.get("auth_token", ""), HMAC_SHA1
    named = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    key_id, _, secret = view.credentials.get("shared_key", "").partition(":")
    if key_id and named.get("key") == key_id:
        return secret, HMAC_SHA256
    return "", HMAC_SHA256
