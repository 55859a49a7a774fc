"""The demo's polls, each in another state; made up like everybody who answers them.

They are made, pushed, closed and reported back on by the services themselves, at moments of the
past; only what people did with their phones is written by services/demo/seeded_answers.py.
"""

import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, exists, func, select
from sqlalchemy.orm import Session

from flows.loader import read
from flows.wording import LANGUAGES
from models.ask import Ask, AskerKind, AskMode, AskStatus
from models.ballot_keys import BallotKeys
from models.broadcast import BroadcastStatus
from models.db import transaction
from models.sealed import OrganisationKeys
from services import audit
from services.asks import asks, ballots, closing, publications, pushing
from services.asks.asks import NewAsk, NewAsker
from services.asks.ballots import NoBallotKeys
from services.broadcasts import broadcasts
from services.broadcasts.broadcasts import NewBroadcast
from services.broadcasts.casting import telling_of
from services.broadcasts.expanding import expand, sending_of
from services.broadcasts.feeding import feed
from services.demo.seeded_answers import Answering, answer, deliver, guests
from services.demo.seeded_relays import lead
from services.rules import firings
from services.rules.rules import list_rules

FILE = Path(__file__).parent / "seeded_polls.yaml"
FLOWS = frozenset({"passport-hours", "remote-appointments"})
"""Flows of the library that polls of the demo ask."""
SEED = 1984
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EVERYBODY_THEN = {"not": {"joined": {"within": "1 day"}}}
"""Whoever had registered by then: people of the demo came at different times."""
ALL_AT_ONCE = 10_000
REPORT = {
    "en": "From January you can pay by card at every counter.",
    "fr": "Dès janvier, la carte est acceptée à tous les guichets.",
    "es": "Desde enero se puede pagar con tarjeta en todas partes.",
    "pt": "A partir de janeiro aceitamos cartão em todos os balcões.",
    "ar": "من يناير يمكنكم الدفع بالبطاقة في كل الشبابيك.",
}
MONTHLY = {
    "en": "The council will meet each quarter, beginning in March.",
    "fr": "Le conseil se réunira chaque trimestre dès mars.",
    "es": "El consejo se reunirá cada trimestre desde marzo.",
    "pt": "O conselho vai reunir-se cada trimestre desde março.",
    "ar": "سيجتمع المجلس كل ثلاثة أشهر ابتداء من مارس.",
}


@dataclass(frozen=True, slots=True)
class Tools:
    """What making a poll needs besides the database."""

    keys: OrganisationKeys
    answering: Answering
    ballot_keys: BallotKeys
    now: datetime

    @property
    def dice(self) -> random.Random:
        """Chance that is the same every time."""
        return self.answering.dice


def flow_of(name: str) -> dict[str, Any]:
    """Return one of the demo's polls as a flow file says it."""
    told: Mapping[str, Any] = read(FILE)[name]
    options = [{"value": value, "label": label} for value, label in told["options"].items()]
    asked = {"id": "answer", "type": "choice", "text": told["text"], "options": options}
    purpose = {"why": told["why"], "owner": "consular section", "decision": told["decision"]}
    return {
        "flow": name,
        "kind": "poll",
        "purpose": purpose,
        "about": told["about"],
        "languages": list(LANGUAGES),
        "questions": [asked],
    }


def make_all(db: Session, tools: Tools) -> int:
    """Make every poll of the demo; return how many. No secret one where no keys can be kept."""
    for make in (_reported, _overdue, _relayed, _open, _paused, _scheduled, _draft):
        make(db, tools)
    with suppress(NoBallotKeys), db.begin_nested():
        _secret(db, tools)
    return db.scalar(select(func.count()).select_from(Ask)) or 0


def _reported(db: Session, tools: Tools) -> None:
    """Closed, reported back on, asked in two names, and broken down by country."""
    askers = [
        NewAsker(AskerKind.CONSULATE, dict.fromkeys(LANGUAGES, "Consulate")),
        NewAsker(AskerKind.ASSOCIATION, dict.fromkeys(LANGUAGES, "Examplia Abroad")),
    ]
    at = tools.now - 60 * DAY
    ask = _pushed(db, tools, flow_of("fees"), at, breakdowns=[["country"]], askers=askers)
    answer(db, tools.answering, ask, share=0.72, shares=(5, 3, 2), start=at, over=6 * DAY)
    closing.close(db, ask.id, report_back=REPORT, now=at + 7 * DAY)
    _released(db, tools, ask, at + 7 * DAY)


def _overdue(db: Session, tools: Tools) -> None:
    """Closed with a promise that was not kept."""
    at = tools.now - 45 * DAY
    ask = _pushed(db, tools, flow_of("national-day"), at)
    answer(db, tools.answering, ask, share=0.6, shares=(6, 3, 2), start=at, over=6 * DAY)
    promised = (tools.now - 9 * DAY).date()
    closing.close(db, ask.id, later_by=promised, now=at + 7 * DAY)
    _released(db, tools, ask, at + 7 * DAY)


def _secret(db: Session, tools: Tools) -> None:
    """A secret vote that was counted, with its keys destroyed."""
    at = tools.now - 30 * DAY
    flow = flow_of("council")
    ask = _pushed(db, tools, flow, at, mode=AskMode.SECRET)
    values = [option["value"] for option in flow["questions"][0]["options"]]
    voters = answer(db, tools.answering, ask, share=0.7, shares=(), start=at, over=6 * DAY)
    for voter in voters:
        value = tools.dice.choices(values, weights=(4, 5, 4))[0]
        ballots.cast(db, tools.ballot_keys, ask.id, voter, value)
    closing.close(db, ask.id, report_back=MONTHLY, now=at + 7 * DAY)


def _relayed(db: Session, tools: Tools) -> None:
    """Passed on by leaders of two communities, pushed to nobody."""
    at = tools.now - 9 * DAY
    ask = _opened(db, tools, flow_of("classes"), at, audience=None, for_days=16)
    for relay, share in lead(db, tools.keys, ask, at, tools.dice):
        guests(db, tools.answering, ask, relay, share=share, shares=(5, 4, 1), start=at)


def _open(db: Session, tools: Tools) -> None:
    """Open, with answers that come in, texts to be read and a rule that has fired."""
    at = tools.now - 4 * DAY
    ask = _pushed(db, tools, "passport-hours", at, for_days=10)
    shares = (5, 3, 4, 2)
    answer(db, tools.answering, ask, share=0.62, shares=shares, start=at, over=4 * DAY - 2 * HOUR)
    for rule in list_rules(db):
        firings.fire(db, rule.id, lambda: tools.keys, now=tools.now)


def _paused(db: Session, tools: Tools) -> None:
    """Opened this morning, and held while it was being sent."""
    at = tools.now - 3 * HOUR
    ask = _opened(db, tools, flow_of("warnings"), at)
    (sending,) = broadcasts.of_ask(db, ask.id)
    while expand(db, sending, ALL_AT_ONCE, now=at):
        pass
    feed(db, sending, sending_of(db, sending), telling_of(db, sending), now=at)
    deliver(db, sending, tools.dice, at)
    pushing.pause(db, ask.id, actor=audit.SYSTEM, now=at + HOUR)
    answer(db, tools.answering, ask, share=0.3, shares=(5, 2, 2), start=at, over=2 * HOUR)


def _scheduled(db: Session, tools: Tools) -> None:
    new = NewAsk(
        definition=flow_of("newsletter"),
        audience=EVERYBODY_THEN,
        opens_at=tools.now + 3 * DAY,
        closes_at=tools.now + 10 * DAY,
    )
    asks.create(db, new, now=tools.now - DAY)


def _draft(db: Session, tools: Tools) -> None:
    new = NewAsk(flow="remote-appointments", audience={"country": ["ZA", "FR"]})
    asks.create(db, new, now=tools.now - 2 * HOUR)


def _opened(
    db: Session,
    tools: Tools,
    flow: Mapping[str, Any] | str,
    at: datetime,
    *,
    for_days: int = 7,
    **more: Any,
) -> Ask:
    what = {"flow": flow} if isinstance(flow, str) else {"definition": flow}
    new = NewAsk(
        **what,
        **{"audience": EVERYBODY_THEN, "closes_at": at + for_days * DAY, **more},
    )
    ask = asks.create(db, new, now=at - DAY)
    return pushing.open_and_push(
        db,
        ask.id,
        new=NewBroadcast(undo=timedelta()),
        ballot_keys=tools.ballot_keys,
        may_be_small=True,
        now=at,
    )


def _pushed(
    db: Session, tools: Tools, flow: Mapping[str, Any] | str, at: datetime, **more: Any
) -> Ask:
    """An ask that reached everybody it was meant for, each at an hour of their day."""
    ask = _opened(db, tools, flow, at, **more)
    (sending,) = broadcasts.of_ask(db, ask.id)
    while expand(db, sending, ALL_AT_ONCE, now=at):
        pass
    what, telling = sending_of(db, sending), telling_of(db, sending)
    for hour in range(0, 26, 2):
        while feed(db, sending, what, telling, now=at + hour * HOUR):
            pass
    deliver(db, sending, tools.dice, at)
    sending.status, sending.finished_at = BroadcastStatus.FINISHED, at + 26 * HOUR
    db.flush()
    return ask


def _released(db: Session, tools: Tools, ask: Ask, at: datetime) -> None:
    publications.results_of(db, tools.keys, ask, now=at)


def is_there(db: Session) -> bool:
    """Whether the demo has polls already."""
    return db.scalar(select(exists().where(Ask.id.is_not(None)))) or False


def count_votes(
    engine: Engine, organisation_id: UUID, keys: OrganisationKeys, ballot_keys: BallotKeys
) -> None:
    """Count the secret poll that is closing, as a worker would have on that day."""
    closing_ones = (Ask.mode == AskMode.SECRET, Ask.status == AskStatus.CLOSING)
    with transaction(engine, organisation_id) as db:
        found = [(row.id, row.closed_at) for row in db.scalars(select(Ask).where(*closing_ones))]
    for ask_id, closed_at in found:
        assert closed_at is not None
        ballots.settle(engine, ballot_keys, (organisation_id, ask_id), now=closed_at)
        with transaction(engine, organisation_id) as db:
            publications.results_of(db, keys, asks.get(db, ask_id), now=closed_at)


def pages(db: Session) -> Mapping[str, str]:
    """Return codes worth opening: `result` of a poll that was reported back on, `join` of one open.

    Empty before there are any.
    """
    rows = db.execute(select(Ask.flow, Ask.code)).all()
    known = {row.flow: row.code for row in rows}
    wanted = {"result": "fees", "live": "passport-hours", "join": "classes"}
    return {name: known[flow] for name, flow in wanted.items() if flow in known}
