"""Channels: the ways messages travel. Credentials go in and never come out."""

import secrets
from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from sqlalchemy import select

from api.errors import Fault, Problem
from api.fields import LANGUAGE, Instant, Strict, described, one_of, text, word
from api.paging import Page, PageQuery, page_of
from api.resource import Resource
from api.work import Work
from models.channel import Channel, ChannelKind, StopReply
from services import channels
from services.channels import FASTEST, NewChannel

resource = Resource("channels", "The ways messages travel.")
PROVIDERS = {
    ChannelKind.TELEGRAM: "telegram",
    ChannelKind.SMS: "twilio",
    ChannelKind.WHATSAPP: "twilio",
    ChannelKind.SIMULATOR: "simulator",
}
ADDED = [ChannelKind.TELEGRAM.value, ChannelKind.SMS.value, ChannelKind.WHATSAPP.value]
_NEEDED = {"telegram": ("token",), "twilio": ("account_sid", "auth_token")}
_ALLOWED = {
    "telegram": {"token", "secret"},
    "twilio": {"account_sid", "auth_token", "shared_key"},
}
_SECRET_BYTES = 32


class ChannelRow(Strict):
    """A channel without its credentials."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    key = described(fields.String(required=True), "The random part of its webhook's address.")
    url = described(fields.URL(required=True), "Where the provider sends what people write.")
    status_url = described(
        fields.URL(required=True, allow_none=True), "Where Twilio sends what became of messages."
    )
    sender = described(fields.String(required=True), "The number or bot people see.")
    stop_reply = one_of([one.value for one in StopReply], "Who confirms STOP.", required=True)
    default_language = fields.String(required=True)
    status = fields.String(required=True)
    created_at = Instant(required=True)


class Credentials(Strict):
    """Telegram: token, secret. Twilio: account_sid, auth_token, shared_key."""

    token = text(200, "From BotFather.")
    secret = word(r"[A-Za-z0-9_-]{16,256}", "What Telegram sends with each update.")
    account_sid = text(64, "AC…")
    auth_token = text(200, "Of the account.")
    shared_key = text(400, "ID:SECRET, where webhooks are signed with one.")


class NewChannelOrder(Strict):
    """A channel to add."""

    kind = one_of(ADDED, "How messages travel.", required=True)
    name = text(80, "What officers call it.", required=True)
    credentials = fields.Nested(Credentials, required=True)
    sender = text(64, "Number, messaging service or bot name; needed with Twilio.", load_default="")
    stop_reply = one_of(
        [one.value for one in StopReply],
        "Who confirms STOP; by default the provider for SMS.",
        load_default=None,
    )
    default_language = word(LANGUAGE, "For who has no language yet.", load_default=None)
    rate = fields.Float(
        load_default=None,
        validate=validate.Range(min=0, max=FASTEST, min_inclusive=False),
        metadata={"description": "Messages a second."},
    )


class AddedChannel(ChannelRow):
    """A channel just added."""

    secret = fields.String(
        metadata={"description": "Telegram only, shown once: the secret for setWebhook."}
    )


ChannelPage = page_of(ChannelRow)


@resource.operation("GET", "/channels", query=PageQuery, gives=ChannelPage)
def list_channels(work: Work, query: dict[str, Any]) -> Page:
    """List channels in the order they were added."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    wanted = select(Channel).where(Channel.organisation_id == work.holder.organisation_id)
    if after is not None:
        wanted = wanted.where(Channel.id > UUID(after))
    rows = work.db.scalars(wanted.order_by(Channel.id).limit(limit + 1)).all()
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_told(work, row) for row in rows[:limit]], page.next_cursor)


@resource.operation("POST", "/channels", body=NewChannelOrder, gives=AddedChannel, status=201)
def add_channel(work: Work, body: dict[str, Any]) -> dict[str, Any]:
    """Add a channel; its credentials are sealed."""
    kind = ChannelKind(body["kind"])
    credentials = _credentials(kind, body["credentials"])
    if PROVIDERS[kind] == "twilio" and not body["sender"]:
        raise Problem(422, faults=[Fault("sender", "is needed: whose number people see")])
    usual = StopReply.PROVIDER if kind is ChannelKind.SMS else StopReply.OURS
    new = NewChannel(
        kind=kind,
        name=body["name"],
        credentials=credentials,
        sender=body["sender"].lstrip("@"),
        stop_reply=StopReply(body["stop_reply"] or usual),
        default_language=body["default_language"],
        rate=body["rate"],
    )
    made = channels.add(work.db, work.keys(), new, actor=work.actor, now=work.now)
    secret = {"secret": credentials["secret"]} if kind is ChannelKind.TELEGRAM else {}
    return _told(work, made) | secret


def _credentials(kind: ChannelKind, given: dict[str, str]) -> dict[str, str]:
    """Return credentials fit for a kind; Problem 422 for missing and foreign ones."""
    provider = PROVIDERS[kind]
    missing = [name for name in _NEEDED[provider] if name not in given]
    foreign = sorted(given.keys() - _ALLOWED[provider])
    faults = [Fault(f"credentials.{name}", "is needed") for name in missing]
    faults += [Fault(f"credentials.{name}", f"is not for {provider}") for name in foreign]
    if faults:
        raise Problem(422, faults=faults)
    made_up = {"secret": secrets.token_urlsafe(_SECRET_BYTES)} if provider == "telegram" else {}
    return made_up | given


def _told(work: Work, channel: Channel) -> dict[str, Any]:
    provider = PROVIDERS[channel.kind]
    url = f"{work.line.settings.public_url}/webhooks/{provider}/{channel.key}"
    return {
        "id": channel.id,
        "kind": channel.kind.value,
        "name": channel.name,
        "key": channel.key,
        "url": url,
        "status_url": f"{url}/status" if provider == "twilio" else None,
        "sender": channel.sender,
        "stop_reply": channel.stop_reply.value,
        "default_language": channel.default_language,
        "status": channel.status.value,
        "created_at": channel.created_at,
    }
