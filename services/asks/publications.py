"""Publications: every release of an ask's numbers, each protected against all before it.

Whoever asks for results gets the last release; a new one is made when figures may move, and one
last when the ask is closed. What was released stays as it was, whatever is erased or corrected
afterwards.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from insights import releases
from insights.counted import tallied
from insights.heads import QUESTION
from insights.releases import ReleasedAsk
from insights.results import Document, Ledger
from insights.tallies import Tallies
from models.ask import Ask, AskMode, AskStatus
from models.db import transaction
from models.publication import Publication
from models.sealed import OrganisationKeys, open_sealed, seal
from models.walls import organisation_of, system_scope
from services.asks import asks, pacing
from services.organisations import OrganisationKeyring
from services.relays import flagging

MOST_AT_ONCE = 100


def results_of(db: Session, keys: OrganisationKeys, ask: Ask, *, now: datetime) -> Document:
    """Return an ask's results as they may leave now; releases what may be told since the last time.

    The shape is in docs/api.md. Of an ask that is closed the final numbers are released, once; a
    canceled one keeps its last. The caller commits.
    """
    last = _last(db, ask.id)
    if last is not None and (last.final or ask.status is AskStatus.CANCELED):
        return dict(last.released)
    final = ask.status is AskStatus.CLOSED
    if last is not None and not final and not pacing.may_count(db, ask, last.people, now=now):
        return dict(last.released)
    if final:
        flagging.flag_ask(db, ask.id, now=now)
    before = releases.NOTHING_YET if last is None else _open(keys, last)
    asked = _released_ask(db, ask, final=final)
    counts = Tallies(db, ask.id, tallied(asked.flow), asked.variables)
    ledger = releases.moved(asked, counts, before, final=final, now=now)
    if last is not None and not final and ledger == before:
        return dict(last.released)
    told = releases.told(asked, counts, ledger, final=final)
    return _release(db, keys, ask, 1 if last is None else last.number + 1, ledger, told, now=now)


def release_ends(engine: Engine, keys: OrganisationKeyring, *, now: datetime) -> int:
    """Release the final results of closed asks that have none yet; return of how many."""
    with system_scope(engine) as db:
        ended = (
            select(Publication.number)
            .where(Publication.organisation_id == Ask.organisation_id)
            .where(Publication.ask_id == Ask.id, Publication.final)
        )
        waiting = db.execute(
            select(Ask.organisation_id, Ask.id)
            .where(Ask.status == AskStatus.CLOSED, ~ended.exists())
            .limit(MOST_AT_ONCE)
        ).all()
    for organisation_id, ask_id in waiting:
        with transaction(engine, organisation_id) as db:
            results_of(db, keys.open(organisation_id), asks.get(db, ask_id), now=now)
    return len(waiting)


def _released_ask(db: Session, ask: Ask, *, final: bool) -> ReleasedAsk:
    secret = ask.mode is AskMode.SECRET
    several = _askers(db, ask) if final and not secret else {}
    return ReleasedAsk(
        asks.flow_of(db, ask), ask.breakdowns, several, secret=secret, votes=ask.tally
    )


def _askers(db: Session, ask: Ask) -> Mapping[str, Mapping[str, Any]]:
    """Who asked, by id; nobody when there was no choice between several."""
    found = asks.askers_of(db, ask)
    several = found if len(found) > 1 else ()
    return {str(one.id): {"kind": one.kind.value, "name": one.name} for one in several}


def _last(db: Session, ask_id: UUID) -> Publication | None:
    return db.scalars(
        select(Publication)
        .where(Publication.organisation_id == organisation_of(db), Publication.ask_id == ask_id)
        .order_by(Publication.number.desc())
        .limit(1)
    ).first()


def _release(
    db: Session,
    keys: OrganisationKeys,
    ask: Ask,
    number: int,
    ledger: Ledger,
    told: Document,
    *,
    now: datetime,
) -> Document:
    """Write a release; of two made at one moment the first counts for both."""
    released = json.loads(json.dumps(told | {"number": number, "published_at": now}, default=_text))
    place = _place(ask.organisation_id, ask.id, number)
    exact = seal(keys.data, json.dumps(ledger.to_json()).encode(), **place)
    row = {
        "organisation_id": ask.organisation_id,
        "ask_id": ask.id,
        "number": number,
        "final": told["final"],
        "people": _answered(ledger),
        "released": released,
        "exact": exact,
        "published_at": now,
    }
    written = db.execute(
        insert(Publication).values(**row).on_conflict_do_nothing().returning(Publication.number)
    ).first()
    last = None if written else _last(db, ask.id)
    return dict(last.released) if last else released


def _answered(ledger: Ledger) -> int:
    """How many answered the question that most answered, as told last: what counting costs."""
    return max((n for name, n in ledger.heads.items() if name.startswith(QUESTION)), default=0)


def _open(keys: OrganisationKeys, last: Publication) -> Ledger:
    place = _place(last.organisation_id, last.ask_id, last.number)
    return Ledger.from_json(json.loads(open_sealed(keys.data, last.exact, **place)))


def _place(organisation_id: UUID, ask_id: UUID, number: int) -> dict[str, Any]:
    row = f"{ask_id}:{number}"
    return {
        "table": "publications",
        "column": "exact",
        "organisation_id": organisation_id,
        "row_id": row,
    }


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
