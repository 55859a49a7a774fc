"""What a sending would do, without doing it: who gets it where, who does not and why, and the cost.

It counts what `eligibility.eligible` says, which is what the broadcast then writes down. Its
numbers are exact, and for those who may count people only (ADR 20).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flows.flow import Flow
from flows.sms import measure
from models.broadcast import BroadcastKind
from models.db import read_in_ranges
from services.audiences import prices
from services.audiences.chunks import list_chunks
from services.audiences.eligibility import LeftOut, Sending, eligible
from services.audiences.prices import Prices
from services.broadcasts.ask_messages import Person, Telling, compose
from services.messages.rendering import body_for, render

NOBODY: Final = UUID(int=0)
"""Stands for the ids of a message that is only measured."""
AT_ONCE: Final = 10_000
"""People looked at by one statement, so that a million take no more memory."""
_Alike = tuple[Any, ...]
"""What matters here of somebody: reason, channel, whether by template, language, country."""


@dataclass(frozen=True, slots=True)
class Line:
    """The people of one channel and country (of residence; None: unknown) who get it.

    `parts` are parts of SMS, or messages elsewhere.
    """

    channel: str
    country: str | None
    people: int
    parts: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a sending would do."""

    will_get: Mapping[str, int]
    left_out: Mapping[str, int]
    parts: int
    cost: Decimal
    currency: str
    example_prices: bool
    lines: Sequence[Line]
    missing_languages: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Cell:
    """People alike in everything that matters here."""

    reason: str | None
    channel: str
    kind: str
    language: str
    country: str | None
    people: int


def run(
    db: Session, sending: Sending, flow: Flow, names: Mapping[str, str], *, now: datetime
) -> DryRun:
    """Return what the sending would do now; `names` fills the placeholders of the flow's texts."""
    cells = _count(db, sending, now)
    parts = parts_in(flow, {one.language for one in cells}, names, now=now)
    table = prices.get(db)
    reached = [one for one in cells if one.reason is None]
    lines = _lines(reached, parts, table)
    will_get = {line.channel: 0 for line in lines}
    for line in lines:
        will_get[line.channel] += line.people
    left_out = {reason.value: 0 for reason in LeftOut}
    for one in cells:
        if one.reason is not None:
            left_out[one.reason] += one.people
    missing: Counter[str] = Counter()
    for one in reached:
        if flow.language_for(one.language).split("-")[0] != one.language.split("-")[0]:
            missing[one.language] += one.people
    return DryRun(
        will_get=will_get,
        left_out=left_out,
        parts=sum(line.parts for line in lines),
        cost=sum((line.cost for line in lines), Decimal()),
        currency=table.currency,
        example_prices=table.are_examples,
        lines=lines,
        missing_languages=dict(missing),
    )


def parts_in(
    flow: Flow, languages: Iterable[str], names: Mapping[str, str], *, now: datetime
) -> dict[str, int]:
    """Return how many parts the first message has as SMS, by language: the same for everybody."""
    return {language: _parts(flow, language, names, now) for language in languages}


def _count(db: Session, sending: Sending, now: datetime) -> list[_Cell]:
    read_in_ranges(db)
    people: Counter[_Alike] = Counter()
    for chunk in list_chunks(db, AT_ONCE):
        each = eligible(db, sending, now=now, chunk=chunk).subquery().c
        by = (each.reason, each.channel_kind, each.by_template, each.language, each.country)
        for *alike, count in db.execute(select(*by, func.count()).group_by(*by)):
            people[tuple(alike)] += count
    return [_cell(alike, count) for alike, count in people.items()]


def _cell(alike: _Alike, people: int) -> _Cell:
    reason, channel, by_template, language, country = alike
    kind = "whatsapp_template" if by_template else channel
    return _Cell(reason, str(channel or ""), str(kind or ""), language, country, people)


def _parts(flow: Flow, language: str, names: Mapping[str, str], now: datetime) -> int:
    """How many parts the first message has as SMS in a language, under the organisation's name."""
    telling = Telling(
        kind=BroadcastKind.INVITATION,
        ask_id=NOBODY,
        broadcast_id=NOBODY,
        flow=flow,
        version_id=NOBODY,
        code="",
        asked_by=names["organisation"],
    )
    spoken = flow.language_for(language)
    person = Person(NOBODY, spoken, office_id=None, asker_id=None, tags=0)
    content = compose(telling, person, now).content
    prompt = render(content, flow=flow, language=spoken, names=names)
    return measure(body_for("sms", prompt)).parts


def _lines(cells: Iterable[_Cell], parts: Mapping[str, int], table: Prices) -> list[Line]:
    people: Counter[tuple[str, str | None]] = Counter()
    sent: Counter[tuple[str, str | None]] = Counter()
    cost: defaultdict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    for one in cells:
        key = one.channel, one.country
        each = one.people * (parts[one.language] if one.channel == "sms" else 1)
        people[key] += one.people
        sent[key] += each
        cost[key] += each * table.of(one.kind, one.country)
    in_order = sorted(people, key=lambda key: (key[0], key[1] or ""))
    return [Line(*key, people[key], sent[key], cost[key]) for key in in_order]
