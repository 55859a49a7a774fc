"""Twilio, SMS and WhatsApp: signatures, forms, sending; the only file that imports twilio."""

import hmac
import logging
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
    """The URL as it is first; then the library's view with and without port, at twice the cost."""
    url, signed = signed_url(request), _signed_part(request)
    given, validator = request.header(SIGNATURE_HEADER), RequestValidator(secret)
    if not isinstance(signed, str):
        expected: str = validator.compute_signature(url, signed, algorithm)
        if hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            return True
    return bool(validator.validate(url, signed, given, algorithm))


def signed_url(request: WebhookRequest) -> str:
    """The URL Twilio was given: public base, raw path, raw query; never the Host header."""
    url = f"{request.public_url.rstrip('/')}{request.path}"
    return f"{url}?{request.query}" if request.query else url


class _Fields(dict[str, list[str]]):
    """Repeated parameters, in the shape the validator asks for."""

    def getall(self, name: str) -> list[str]:
        return self[name]


def _signed_part(request: WebhookRequest) -> _Fields | str:
    if request.method == "GET":
        return _Fields()
    if not is_form(request):
        if "bodySHA256=" not in request.query:
            raise Malformed("a body that is no form must be hashed in the query")
        return request.body.decode()
    fields = _Fields()
    for name, value in read_fields(request):
        fields.setdefault(name, []).append(value)
    return fields


def _secret(view: ChannelView, request: WebhookRequest) -> tuple[str, str]:
    settings = request.header(SIGNATURE_SETTINGS_HEADER)
    if get_signature_algorithm(settings).upper() != HMAC_SHA256:
        return view.credentials.get("auth_token", ""), HMAC_SHA1
    named = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    key_id, _, secret = view.credentials.get("shared_key", "").partition(":")
    if key_id and named.get("key") == key_id:
        return secret, HMAC_SHA256
    return "", HMAC_SHA256
