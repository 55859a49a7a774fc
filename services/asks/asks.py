"""Asks: made, opened and canceled; ask_checks.py says what one must be, closing.py ends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flows.flow import Flow, build
from flows.lint import Finding
from models.ask import Ask, Asker, AskerKind, AskKind, AskMode, AskStatus
from models.ballot_keys import BallotKeys
from models.base import new_id
from models.flow_version import FlowVersion
from models.office import Office
from models.walls import DoorKind, open_door, organisation_of
from services import audit, flow_warnings, flows, organisations
from services.asks import ask_checks, ask_states, ballots
from services.asks.ballots import NoBallotKeys
from services.audiences import audience_checks
from services.audit import Actor
from services.catalogue import read_inside
from services.codes import free_code
from services.errors import Conflict, Invalid, NotFound

REPORT_BACK_AFTER = timedelta(days=28)
OPEN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class NewAsker:
    """One of several who may be named as the sender; `name` is what members read, by language."""

    kind: AskerKind
    name: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NewAsk:
    """What somebody wants to ask: `definition` is a flow as a mapping, or `flow` a published one.

    None for a moment or date is the usual one: open for 7 days, reported back on 28 days later.
    """

    definition: Mapping[str, Any] | None = None
    flow: str | None = None
    mode: AskMode = AskMode.NAMED
    audience: Mapping[str, Any] | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    report_back_on: date | None = None
    breakdowns: Sequence[Sequence[str]] = ()
    askers: Sequence[NewAsker] = field(default=())
    quota: int | None = None
    previous_id: UUID | None = None
    office_id: UUID | None = None


def create(db: Session, new: NewAsk, *, actor: Actor = audit.SYSTEM, now: datetime) -> Ask:
    """Make a draft with a code of its own; Invalid says in a sentence what is wrong.

    Its flow is published, so that what is asked can never change once people answer.
    """
    ask_id, code = new_id(now), free_code(db)
    ask = Ask(organisation_id=organisation_of(db), id=ask_id, code=code, created_at=now)
    ask.status = AskStatus.DRAFT
    _write(db, ask, new, actor, now)
    open_door(db, DoorKind.ASK, code, ask.organisation_id, ask_id)
    audit.record(db, actor, "ask.created", ("ask", ask_id), detail=_told(ask), now=now)
    return ask


def change(db: Session, ask_id: UUID, new: NewAsk, *, actor: Actor, now: datetime) -> Ask:
    """Write a draft anew; Conflict once it is open, when people may have answered."""
    ask = get(db, ask_id, for_change=True)
    if ask.status is not AskStatus.DRAFT:
        told = "Only a draft can be changed: people may have answered. Cancel it and make another."
        raise Conflict(told)
    _write(db, ask, new, actor, now)
    audit.record(db, actor, "ask.changed", ("ask", ask.id), detail=_told(ask), now=now)
    return ask


def _write(db: Session, ask: Ask, new: NewAsk, actor: Actor, now: datetime) -> None:
    flow, version_id = _published(db, new, actor, now)
    ask_checks.check_mode(flow, new.mode, new.breakdowns)
    if new.audience is not None:
        audience_checks.read(new.audience, read_inside(db), "audience")
    ask_checks.check_breakdowns(new.breakdowns)
    ask_checks.check_askers([(one.kind, one.name) for one in new.askers], flow)
    ask_checks.check_times(new.opens_at, new.closes_at, now)
    _check_kin(db, new)
    ends = new.closes_at or (new.opens_at or now) + OPEN_FOR
    report_back_on = new.report_back_on or (ends + REPORT_BACK_AFTER).date()
    if report_back_on < ends.date():
        told = "What came of it can only be told after it closes: choose a later report_back_on."
        raise Invalid(told, place="report_back_on")
    ask.kind, ask.mode = AskKind(flow.kind), new.mode
    ask.flow, ask.flow_version_id = flow.id, version_id
    ask.audience = dict(new.audience) if new.audience is not None else None
    ask.breakdowns = [list(each) for each in new.breakdowns]
    ask.quota, ask.previous_id, ask.office_id = new.quota, new.previous_id, new.office_id
    ask.opens_at, ask.closes_at, ask.report_back_on = new.opens_at, new.closes_at, report_back_on
    ask.not_opened = None if new.opens_at else ask.not_opened
    db.add(ask)
    db.flush()
    _name_askers(db, ask, new.askers, now)
    organisations.renew_catalogue(db)


def _published(db: Session, new: NewAsk, actor: Actor, now: datetime) -> tuple[Flow, UUID]:
    """Return the flow and its version; a new wording is published as the next version."""
    if new.definition is not None:
        flow = ask_checks.flow_of(ask_checks.as_mode(new.definition, new.mode))
        return flow, flows.publish(db, flow, coded=False, actor=actor, now=now).version_id
    version = flows.find_newest(db, new.flow or "")
    if version is None:
        raise Invalid("Give a flow, or the id of a published one.", place="flow")
    flow = ask_checks.flow_of(version.definition)
    if flow.secret != (new.mode is AskMode.SECRET):
        return _published(db, replace(new, definition=version.definition), actor, now)
    return flow, version.id


def _check_kin(db: Session, new: NewAsk) -> None:
    organisation_id = organisation_of(db)
    if new.office_id and db.get(Office, (organisation_id, new.office_id)) is None:
        raise Invalid("There is no such office.", place="office_id")
    if new.previous_id and db.get(Ask, (organisation_id, new.previous_id)) is None:
        raise Invalid("There is no such earlier ask.", place="previous_id")


def _name_askers(db: Session, ask: Ask, askers: Sequence[NewAsker], now: datetime) -> None:
    mine = (Asker.organisation_id == ask.organisation_id, Asker.ask_id == ask.id)
    db.execute(delete(Asker).where(*mine))
    for position, one in enumerate(askers):
        db.add(
            Asker(
                organisation_id=ask.organisation_id,
                id=new_id(now),
                ask_id=ask.id,
                position=position,
                kind=one.kind,
                name=dict(one.name),
            )
        )
    db.flush()


def get(db: Session, ask_id: UUID, *, for_change: bool = False) -> Ask:
    """Return an ask, locked if it is to change; NotFound when there is none."""
    wanted = select(Ask).where(Ask.organisation_id == organisation_of(db), Ask.id == ask_id)
    if for_change:
        wanted = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    ask = db.scalars(wanted).one_or_none()
    if ask is None:
        raise NotFound("There is no such ask.")
    return ask


def as_new(db: Session, ask: Ask) -> NewAsk:
    """Return what an ask was made of, to change a part of it or ask it again."""
    return NewAsk(
        definition=flow_of(db, ask).definition,
        mode=ask.mode,
        audience=ask.audience,
        opens_at=ask.opens_at,
        closes_at=ask.closes_at,
        report_back_on=ask.report_back_on,
        breakdowns=ask.breakdowns,
        askers=[NewAsker(one.kind, one.name) for one in askers_of(db, ask)],
        quota=ask.quota,
        previous_id=ask.previous_id,
        office_id=ask.office_id,
    )


def flow_of(db: Session, ask: Ask) -> Flow:
    """Return the very wording that an ask asks."""
    version = db.get(FlowVersion, (ask.organisation_id, ask.flow_version_id))
    assert version is not None
    return build(version.definition, version=version.version)


def askers_of(db: Session, ask: Ask) -> Sequence[Asker]:
    """Return those an ask may name as its sender, in their order."""
    mine = (Asker.organisation_id == ask.organisation_id, Asker.ask_id == ask.id)
    return db.scalars(select(Asker).where(*mine).order_by(Asker.position)).all()


def open_ask(
    db: Session,
    ask_id: UUID,
    *,
    actor: Actor = audit.SYSTEM,
    ballot_keys: BallotKeys | None = None,
    allow_missing_languages: bool = False,
    now: datetime,
) -> Ask:
    """Let people answer from now on, whatever `opens_at` said.

    Conflict when it is no draft, NotTranslated for texts that are missing in a language of it,
    NoBallotKeys for a secret poll where no keys can be kept.
    """
    ask = get(db, ask_id, for_change=True)
    ask_states.check_move(ask, "open")
    ask.closes_at = ask.closes_at or now + OPEN_FOR
    ask_checks.check_times(None, ask.closes_at, now)
    flow = flow_of(db, ask)
    ask_checks.check_mode(flow, ask.mode, ask.breakdowns)
    if not allow_missing_languages:
        ask_checks.check_translated(flow)
    if ask.mode is AskMode.SECRET:
        if ballot_keys is None:
            raise NoBallotKeys
        ballots.prepare(db, ballot_keys, ask)
    ask.opened_at, ask.not_opened = now, None
    ask.report_back_on = max(ask.report_back_on, ask.closes_at.date())
    ask_states.move(db, ask, "open", actor=actor, now=now)
    return ask


def warnings_of(db: Session, ask: Ask, *, now: datetime) -> list[Finding]:
    """Return what will not work as an ask says it; nothing once it is over."""
    if ask.status not in {AskStatus.DRAFT, AskStatus.OPEN}:
        return []
    flow, catalogue = flow_of(db, ask), read_inside(db)
    found = flow_warnings.list_warnings(flow, catalogue, ask_id=ask.id, now=now)
    return [replace(one, place=f"flow.{one.place}") for one in found]


def cancel(db: Session, ask_id: UUID, *, actor: Actor = audit.SYSTEM, now: datetime) -> Ask:
    """End an ask without a result; who tries to answer is told. Conflict once it is closed."""
    ask = get(db, ask_id, for_change=True)
    ask.closed_at = now
    ask_states.move(db, ask, "cancel", actor=actor, now=now)
    return ask


def _told(ask: Ask) -> dict[str, audit.Detail]:
    return {"kind": ask.kind.value, "mode": ask.mode.value}
