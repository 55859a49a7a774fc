"""Marks on answers that came by relays: kept beside them, changing nothing that is counted.

A sweep looks at what came lately, and whatever came is looked at once more before the last result
of an ask. Who answered is never told. A leader hears once, kindly, that their goal is reached.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from insights.disclosure import RULE
from insights.invited import has_ended
from models.ask import Ask
from models.db import transaction
from models.flow_session import Answer, FlowSession
from models.relay import Flag, FlagKind, Relay
from models.sealed import Keyring
from models.walls import organisation_of, system_scope
from services.asks import asks
from services.broadcasts.hours import send_time
from services.people import profiles, reaching
from services.relays import leaders
from services.relays.marks import Passage, all_alike, too_quick

LOOKS_BACK: Final = timedelta(hours=2)
MOST_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Marked:
    """How many marks were made, and the relays that have gone beyond their quota by them."""

    marks: int
    full: tuple[Relay, ...]


def flag_recent(engine: Engine, keyring: Keyring, *, now: datetime) -> int:
    """Mark what came by relays lately; return how many marks are new."""
    with system_scope(engine) as db:
        lately = db.execute(
            select(FlowSession.organisation_id, FlowSession.ask_id)
            .where(
                FlowSession.completed_at > now - LOOKS_BACK,
                FlowSession.relay.is_not(None),
                FlowSession.ask_id.is_not(None),
            )
            .distinct()
            .limit(MOST_AT_ONCE)
        ).all()
    made = 0
    for organisation_id, ask_id in lately:
        with transaction(engine, organisation_id) as db:
            assert ask_id is not None
            marked = flag_ask(db, ask_id, since=now - LOOKS_BACK, now=now)
            for relay in marked.full:
                _tell_leader(db, keyring, relay, now=now)
            made += marked.marks
    return made


def flag_ask(db: Session, ask_id: UUID, *, since: datetime | None = None, now: datetime) -> Marked:
    """Mark what came by the relays of an ask, with `since` only what came later; nothing twice."""
    ask = asks.get(db, ask_id)
    mine = (Relay.organisation_id == organisation_of(db), Relay.ask_id == ask_id)
    relays = db.scalars(select(Relay).where(*mine).order_by(Relay.id)).all()
    found: list[tuple[UUID, FlagKind, UUID]] = []
    for relay_id, passages in _passages(db, ask, since).items():
        quick, alike = too_quick(passages), all_alike(asks.flow_of(db, ask), passages)
        found += [(relay_id, FlagKind.VELOCITY, one) for one in quick]
        found += [(relay_id, FlagKind.STRAIGHT_LINE, one) for one in alike]
    full = []
    for relay in (one for one in relays if one.quota is not None):
        first, above = _above(db, relay, relays, since)
        if first is not None and not _is_over(db, first):
            full.append(relay)
        found += [(by, FlagKind.OVER_QUOTA, one) for by, one in above]
    return Marked(_mark(db, found, now), tuple(full))


def _passages(db: Session, ask: Ask, since: datetime | None) -> Mapping[UUID, Sequence[Passage]]:
    """Return by relay, in the order they came to their end, the passages and what they answered."""
    organisation_id = organisation_of(db)
    came = select(FlowSession.id, FlowSession.relay, FlowSession.completed_at).where(
        FlowSession.organisation_id == organisation_id,
        FlowSession.ask_id == ask.id,
        FlowSession.relay.is_not(None),
        FlowSession.completed_at.is_not(None),
    )
    if since is not None:
        came = came.where(FlowSession.completed_at > since)
    sessions = came.cte("sessions")
    answers: dict[UUID, dict[str, str]] = {}
    for session_id, question, value in db.execute(
        select(Answer.session_id, Answer.question, Answer.value[()].astext)
        .join(sessions, sessions.c.id == Answer.session_id)
        .where(
            Answer.organisation_id == organisation_id, ~Answer.skipped, Answer.value.is_not(None)
        )
    ):
        answers.setdefault(session_id, {})[question] = value
    found: dict[UUID, list[Passage]] = {}
    for session_id, relay, at in db.execute(
        select(sessions).order_by(sessions.c.completed_at, sessions.c.id)
    ):
        passage = Passage(session_id, at, answers.get(session_id, {}))
        found.setdefault(UUID(relay), []).append(passage)
    return found


def _above(
    db: Session, relay: Relay, relays: Iterable[Relay], since: datetime | None
) -> tuple[UUID | None, Sequence[tuple[UUID, UUID]]]:
    """Return what came, by a relay or its helpers, after its quota: the first, and the late ones.

    The late ones are by relay. As in a relay's reach, those count who gave an answer.
    """
    family = [str(one.id) for one in relays if relay.id in (one.id, one.parent_id)]
    above = (
        select(FlowSession.relay, FlowSession.id, FlowSession.completed_at)
        .where(
            FlowSession.organisation_id == organisation_of(db),
            FlowSession.relay.in_(family),
            has_ended(FlowSession.__table__),
        )
        .order_by(FlowSession.completed_at, FlowSession.id)
        .offset(relay.quota)
        .cte("above")
    )
    order = (above.c.completed_at, above.c.id)
    first = db.scalar(select(above.c.id).order_by(*order).limit(1))
    late = select(above.c.relay, above.c.id)
    if since is not None:
        late = late.where(above.c.completed_at > since)
    return first, [(UUID(by), session_id) for by, session_id in db.execute(late)]


def _is_over(db: Session, session_id: UUID) -> bool:
    wanted = (Flag.organisation_id == organisation_of(db), Flag.kind == FlagKind.OVER_QUOTA)
    return db.scalar(select(Flag.kind).where(*wanted, Flag.session_id == session_id)) is not None


def _mark(db: Session, found: Sequence[tuple[UUID, FlagKind, UUID]], now: datetime) -> int:
    if not found:
        return 0
    rows = [
        {"session_id": session_id, "kind": kind, "relay_id": relay_id}
        | {"organisation_id": organisation_of(db), "flagged_at": now}
        for relay_id, kind, session_id in dict.fromkeys(found)
    ]
    made = db.execute(insert(Flag).on_conflict_do_nothing().returning(Flag.session_id), rows)
    return len(made.all())


def _tell_leader(db: Session, keyring: Keyring, relay: Relay, *, now: datetime) -> None:
    """Thank a leader whose goal is reached; a goal of few people would tell too much itself.

    Nobody is woken for it.
    """
    if relay.quota is None or relay.quota < RULE.fewest:
        return
    to = leaders.find_address(db, relay.leader_id) if relay.leader_id else None
    if to is not None:
        morning = send_time(profiles.place_of(db, to.contact_id), now)
        told = {"count": str(relay.quota)}
        reaching.tell(db, keyring, to, "relay_full", told, due_at=morning, now=now)
