"""What a sending would do, without doing it: who gets it where, who does not and why, and the cost.

It counts what `eligibility.eligible` says, which is what the broadcast then writes down.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from flows.flow import Flow
from flows.sms import measure
from insights.disclosure import Figure, Sum, release
from models.broadcast import BroadcastKind
from services.audiences import prices
from services.audiences.eligibility import LeftOut, Sending, eligible
from services.audiences.prices import Prices
from services.broadcasts.ask_messages import Person, Telling, compose
from services.messages.rendering import body_for, render

NOBODY: Final = UUID(int=0)
"""Stands for the ids of a message that is only measured."""
CENT: Final = Decimal("0.01")
_MEMORY: Final = text("SELECT set_config('work_mem', '64MB', true)")
"""For this transaction: sorting a million people in 4 MB goes by way of the disk."""


@dataclass(frozen=True, slots=True)
class Line:
    """The people of one channel and country (of residence; None: unknown) who get it.

    `parts` are parts of SMS, or messages elsewhere. `people` is null, and nothing is reckoned,
    where so few people are meant that their number may not leave.
    """

    channel: str
    country: str | None
    people: int | None
    parts: int | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a sending would do; numbers are null where they may not leave."""

    will_get: Mapping[str, int | None]
    left_out: Mapping[str, int | None]
    parts: int
    cost: Decimal
    currency: str
    example_prices: bool
    lines: Sequence[Line]
    missing_languages: Mapping[str, int | None]


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
    db: Session,
    sending: Sending,
    flow: Flow,
    names: Mapping[str, str],
    *,
    exact: bool,
    now: datetime,
) -> DryRun:
    """Return what the sending would do now; `exact` for whoever may work with small groups.

    Others get numbers as the disclosure rule lets them leave; parts and cost are then rounded to
    two digits. `names` fills the placeholders of the flow's texts.
    """
    cells = _count(db, sending, now)
    parts = {
        language: _parts(flow, language, names, now) for language in {one.language for one in cells}
    }
    table = prices.get(db)
    reached = [one for one in cells if one.reason is None]
    lines = _lines(reached, parts, table)
    will_get = {line.channel: 0 for line in lines}
    for line in lines:
        will_get[line.channel] += line.people or 0
    left_out = {reason.value: 0 for reason in LeftOut}
    for one in cells:
        if one.reason is not None:
            left_out[one.reason] += one.people
    missing: Counter[str] = Counter()
    for one in reached:
        if flow.language_for(one.language).split("-")[0] != one.language.split("-")[0]:
            missing[one.language] += one.people
    found = DryRun(
        will_get=will_get,
        left_out=left_out,
        parts=sum(line.parts or 0 for line in lines),
        cost=sum((line.cost or Decimal() for line in lines), Decimal()),
        currency=table.currency,
        example_prices=table.are_examples,
        lines=lines,
        missing_languages=dict(missing),
    )
    return found if exact else _as_told(found)


def _count(db: Session, sending: Sending, now: datetime) -> list[_Cell]:
    db.execute(_MEMORY)
    each = eligible(db, sending, now=now).subquery()
    by = (each.c.reason, each.c.channel_kind, each.c.by_template, each.c.language, each.c.country)
    return [_cell(row) for row in db.execute(select(*by, func.count()).group_by(*by))]


def _cell(row: Any) -> _Cell:
    reason, channel, by_template, language, country, people = row
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


def _as_told(found: DryRun) -> DryRun:
    """The same as it may leave: no number under ten, nor one to be had by subtraction."""
    lines = {("line", line.channel, line.country): line for line in found.lines}
    maps = {"will_get": found.will_get, "left_out": found.left_out}
    maps["language"] = found.missing_languages
    counts: dict[tuple[str, str, str | None], int] = {
        (kind, name, None): people or 0
        for kind, told in maps.items()
        for name, people in told.items()
    }
    counts |= {key: line.people or 0 for key, line in lines.items()}
    sums = [
        Sum(
            ("will_get", channel, None),
            tuple(key for key, line in lines.items() if line.channel == channel),
        )
        for channel in found.will_get
    ]
    told = release(counts, sums)
    return replace(
        found,
        will_get={name: told["will_get", name, None].value for name in found.will_get},
        left_out={name: told["left_out", name, None].value for name in found.left_out},
        parts=int(_about(Decimal(found.parts))),
        cost=_about(found.cost),
        lines=[_line_as_told(line, told[key]) for key, line in lines.items()],
        missing_languages={
            name: told["language", name, None].value for name in found.missing_languages
        },
    )


def _line_as_told(line: Line, figure: Figure) -> Line:
    """The line for as many people as may be told, at what one of them costs on average."""
    if figure.value is None or not line.people or line.parts is None or line.cost is None:
        return replace(line, people=None, parts=None, cost=None)
    parts = round(Decimal(line.parts * figure.value) / line.people)
    cost = (line.cost * figure.value / line.people).quantize(CENT, ROUND_UP)
    return replace(line, people=figure.value, parts=parts, cost=cost)


def _about(amount: Decimal) -> Decimal:
    """The amount rounded up to two digits: 12,345 is 13,000."""
    step = Decimal(1).scaleb(max(amount.adjusted() - 1, -2)) if amount else Decimal(1)
    return (amount / step).to_integral_value(ROUND_UP) * step
