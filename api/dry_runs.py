"""Dry runs: what a push would do, without doing it; and the prices it is reckoned with."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from marshmallow import fields

from api.fields import Strict, described, one_of
from api.poll_shapes import WarningRow
from api.resource import Resource
from api.scopes import AUDIENCES_COUNT, AUDIENCES_SMALL
from api.work import Work, catalogue_of
from flows.flow import Flow
from insights.disclosure import Reason
from models.ask import Ask, AskKind, AskStatus
from models.broadcast import BroadcastKind
from services.asks import asks
from services.audiences import audience_checks, audiences, dry_run, prices
from services.audiences.eligibility import LeftOut, Sending
from services.audiences.prices import Prices
from services.errors import Conflict, NotFound

resource = Resource("dry runs", "What a push would do, without doing it, and what it would cost.")
_OF_PEOPLE = ("will_get", "left_out", "parts", "cost", "by_country", "missing_languages")


def _numbers(told: str) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        allow_none=True,
        metadata={"description": told},
    )


class DryRunLine(Strict):
    """One channel and country."""

    channel = fields.String(required=True)
    country = described(
        fields.String(required=True, allow_none=True), "Of residence; null where it is unknown."
    )
    people = described(fields.Integer(required=True), "Who get it there.")
    parts = described(fields.Integer(required=True), "Parts of SMS; messages elsewhere.")
    cost = fields.Float(required=True)


class DryRunRow(Strict):
    """Who gets a push, who does not and why, and what it costs.

    For keys without audiences:count all that depends on who these people are is null.
    """

    will_get = _numbers("By channel; each person once, on the channel they used last.")
    left_out = _numbers("By the first reason that applies: " + ", ".join(LeftOut))
    parts = described(
        fields.Integer(required=True, allow_none=True), "Of the first message, over all who get it."
    )
    parts_each = described(
        fields.Dict(keys=fields.String(), values=fields.Integer(), required=True),
        "Of the first message as SMS to one person, by language of the poll.",
    )
    cost = described(
        fields.Float(required=True, allow_none=True), "Of the first message, over all who get it."
    )
    currency = fields.String(required=True)
    example_prices = described(
        fields.Boolean(required=True), "True until the organisation gives its own prices."
    )
    by_country = fields.List(fields.Nested(DryRunLine), required=True, allow_none=True)
    missing_languages = _numbers("Who would read it in a language that is not theirs.")
    warnings = described(
        fields.List(fields.Nested(WarningRow), required=True),
        "What will not work as it is written.",
    )
    reason = one_of([Reason.ROLE.value], "Why numbers are null.", required=True, allow_none=True)


class PriceTable(Strict):
    """What a message costs, by kind and country; "*" is any other country."""

    currency = described(fields.String(required=True), "ISO 4217, such as EUR.")
    sms = described(fields.Dict(required=True), "One part.")
    whatsapp_template = described(fields.Dict(), "One message outside WhatsApp's 24 hours.")
    whatsapp = described(fields.Dict(), "One message inside them.")
    telegram = described(fields.Dict(), "One message.")


class PriceRow(PriceTable):
    """The prices in use."""

    simulator = fields.Dict()
    example = described(
        fields.Boolean(required=True), "True: invented figures, until you give your own."
    )


@resource.operation("POST", "/polls/<uuid:poll_id>/dry-run", gives=DryRunRow)
def dry_run_poll(work: Work, poll_id: UUID) -> dict[str, Any]:
    """Say who would get a poll if it were pushed now, who would not and why, and the cost."""
    ask = asks.get(work.db, poll_id)
    if ask.kind is not AskKind.POLL:
        raise NotFound("There is no such poll.")
    sending, flow = _sending(ask), asks.flow_of(work.db, ask)
    names, table = catalogue_of(work).names(ask.office_id), prices.get(work.db)
    told = {
        "parts_each": dry_run.parts_in(flow, flow.languages, names, now=work.now),
        "currency": table.currency,
        "example_prices": table.are_examples,
        "warnings": asks.warnings_of(work.db, ask, now=work.now),
    }
    if not work.holder.may(AUDIENCES_COUNT):
        return told | dict.fromkeys(_OF_PEOPLE) | {"reason": Reason.ROLE}
    return told | _counted(work, ask, sending, flow, names) | {"reason": None}


@resource.operation("GET", "/organisation/prices", gives=PriceRow)
def get_prices(work: Work) -> dict[str, Any]:
    """Read the prices that dry runs reckon with."""
    return _priced(prices.get(work.db))


@resource.operation("PUT", "/organisation/prices", body=PriceTable, gives=PriceRow)
def put_prices(work: Work, body: dict[str, Any]) -> dict[str, Any]:
    """Replace the prices by those of your own contract; decimal numbers as text."""
    return _priced(prices.put(work.db, body, actor=work.actor, now=work.now))


def _sending(ask: Ask) -> Sending:
    if ask.status not in (AskStatus.DRAFT, AskStatus.OPEN):
        raise Conflict("It is over, so nobody is pushed to any more.")
    if ask.audience is None:
        raise Conflict("This poll has no audience yet: nobody is pushed to. Give it a condition.")
    condition = audience_checks.stored(ask.audience)
    return Sending(BroadcastKind.INVITATION, ask.kind, condition, ask.id)


def _counted(
    work: Work, ask: Ask, sending: Sending, flow: Flow, names: Mapping[str, str]
) -> dict[str, Any]:
    """What depends on the people, for who may count them; that they did is recorded."""
    audiences.check_size(
        work.db,
        sending.condition,
        may_be_small=work.holder.may(AUDIENCES_SMALL),
        actor=work.actor,
        now=work.now,
    )
    found = dry_run.run(work.db, sending, flow, names, now=work.now)
    audiences.note_count(work.db, ("ask", ask.id), actor=work.actor, now=work.now)
    told = {name: getattr(found, name) for name in _OF_PEOPLE if name != "by_country"}
    return told | {"by_country": found.lines, "cost": float(found.cost)}


def _priced(table: Prices) -> dict[str, Any]:
    def told(by_country: Any) -> dict[str, str]:
        return {country: _plain(price) for country, price in by_country.items()}

    by_kind = {kind: told(by_country) for kind, by_country in table.by_kind.items()}
    return {"currency": table.currency, "example": table.are_examples} | by_kind


def _plain(price: Decimal) -> str:
    return f"{price:f}"
