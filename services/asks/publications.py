"""Publications: every release of an ask's numbers, each protected against all before it.

Whoever asks for results gets the last release; a new one is made when figures may move, and one
last when the ask is closed. What was released stays as it was, whatever is erased or corrected
afterwards.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flows.flow import Flow
from insights import breaking, publishing, tallies
from insights.comparing import askers, comparisons
from insights.comparison_words import sentences
from insights.disclosure import Figure, Reason
from insights.heads import Heads, told_heads
from insights.results import (
    AsOf,
    Document,
    Ledger,
    Suppressed,
    always_asked,
    asked,
    document,
    marked,
)
from insights.tables import Line
from insights.tallies import ASKER, Tallied
from models.ask import Ask, AskMode, AskStatus
from models.db import transaction
from models.publication import Publication
from models.sealed import OrganisationKeys, open_sealed, seal
from models.walls import organisation_of, system_scope
from services.asks import asks, pacing
from services.organisations import OrganisationKeyring
from services.relays import flagging

NOTHING_YET = Ledger({}, {})
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
    before = NOTHING_YET if last is None else _open(keys, last)
    flow = asks.flow_of(db, ask)
    ledger = _moved(db, ask, flow, before, final=final, now=now)
    if last is not None and not final and ledger == before:
        return dict(last.released)
    told = _document(db, ask, flow, ledger, final=final)
    marks = marked(tallies.flagged(db, ask.id)) if final else Figure(None, Reason.AT_CLOSE)
    told["flagged"] = Suppressed(told["suppressed"]).value("flagged", marks)
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


def _moved(
    db: Session, ask: Ask, flow: Flow, before: Ledger, *, final: bool, now: datetime
) -> Ledger:
    counted = tallies.tallied(flow)
    if ask.mode is AskMode.SECRET:
        return _secret(db, ask, counted, before, final=final, now=now)
    heads = _heads(before, tallies.heads(db, ask.id), final=final)
    so_far = replace(before, heads=heads.told, figures=heads.figures)
    if final:
        return replace(so_far, lines=_closed(tallies.lines(db, ask.id, counted), before, now))
    always = always_asked(flow)
    asked_all = [one for one in counted if one.id in always]
    moved = replace(so_far, lines=_live(db, ask.id, asked_all, before))
    return _by_rows(db, ask, counted, moved) if asked_all == list(counted) else moved


def _by_rows(db: Session, ask: Ask, counted: Sequence[Tallied], moved: Ledger) -> Ledger:
    """Let breakdowns move while people answer, of an ask with a single question of one answer.

    Of several questions or answers the tables are as of different moments; they wait for the end.
    """
    if len(counted) != 1 or counted[0].many or not ask.breakdowns:
        return moved
    told = moved.lines.get(counted[0].id)
    if told is None:
        return moved
    if not moved.history or moved.history[-1] != told:
        moved = replace(moved, history=(*moved.history, told))
    living = breaking.live(db, ask.id, ask.breakdowns, counted[0], moved)
    return replace(moved, living=living)


def _heads(before: Ledger, counted: Mapping[str, int], *, final: bool) -> Heads:
    moved = {
        name: publishing.head_count(counted.get(name, 0), before.heads.get(name), final=final)
        for name in counted.keys() | before.heads.keys()
    }
    some = {name: people for name, people in sorted(moved.items()) if people is not None}
    return told_heads(some, before.heads)


def _live(
    db: Session, ask_id: UUID, questions: Sequence[Tallied], before: Ledger
) -> Mapping[str, AsOf]:
    """Move the lines that may move while people answer."""
    found = dict(before.lines)
    now = tallies.lines(db, ask_id, questions)
    last = {name: one.told for name, one in found.items()}
    ready = {name for name in now if publishing.ready(now[name], last.get(name))}
    newest = tallies.newest(db, ask_id, questions) if ready else {}
    for name in ready:
        at = publishing.moment(now[name], newest[name], last.get(name))
        if at is not None:
            then = tallies.lines(db, ask_id, questions, before=at)[name]
            told = publishing.moved(then, now[name], last.get(name))
            if told is not None:
                found[name] = AsOf(told, at)
    return found


def _closed(lines: Mapping[str, Line], before: Ledger, now: datetime) -> Mapping[str, AsOf]:
    found = {}
    for name, line in lines.items():
        last = before.lines.get(name)
        told = publishing.closed(line, last.told if last else None)
        if told is not None:
            found[name] = last if last and told is last.told else AsOf(told, now)
    return found


def _secret(
    db: Session,
    ask: Ask,
    counted: Sequence[Tallied],
    before: Ledger,
    *,
    final: bool,
    now: datetime,
) -> Ledger:
    """A secret poll tells whom it reached, and at its end the votes; nothing in between."""
    seen = {name: people for name, people in tallies.heads(db, ask.id).items() if name in _REACHED}
    if not final or not counted:
        heads = _heads(before, seen, final=final)
        return Ledger(heads.told, {}, figures=heads.figures)
    votes = ask.tally or {}
    line = {option: int(votes.get(option, 0)) for option in counted[0].options}
    voted = {f"n.{counted[0].id}": sum(line.values()), "completed": sum(line.values())}
    heads = _heads(before, {**seen, **voted}, final=True)
    lines = _closed({counted[0].id: line}, before, now)
    return Ledger(heads.told, lines, figures=heads.figures)


_REACHED = frozenset({"sent", "delivered", "read"})


def _document(db: Session, ask: Ask, flow: Flow, ledger: Ledger, *, final: bool) -> Document:
    secret = ask.mode is AskMode.SECRET
    questions = asked(flow, ledger, secret=secret, final=final)
    if secret or not final:
        name = next((one.id for one in questions if one.options), "")
        rows = breaking.live_rows(name, ledger)
        told = document(questions, ledger, rows, final=final)
        return told | {"askers": [], "comparisons": []}
    names = _askers(db, ask)
    always = always_asked(flow)
    counted = [one for one in tallies.tallied(flow) if one.id in always]
    declared = [*ask.breakdowns, *([[ASKER]] if names else [])]
    tables = list(breaking.rows(db, ask.id, declared, counted, ledger))
    rates = breaking.rates(db, ask.id) if names else []
    by_asker = [one for one in tables if one.by == ASKER and one.within is None]
    told = document(questions, ledger, tables, final=True)
    told["askers"] = [{**one, **names.get(one["asker"], {})} for one in askers(rates)]
    called = {who: one["name"] for who, one in names.items()}
    told["comparisons"] = [
        {**one, "sentences": sentences(one, flow, called)} for one in comparisons(rates, by_asker)
    ]
    return told


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
        "people": ledger.heads.get("completed", 0),
        "released": released,
        "exact": exact,
        "published_at": now,
    }
    written = db.execute(
        insert(Publication).values(**row).on_conflict_do_nothing().returning(Publication.number)
    ).first()
    last = None if written else _last(db, ask.id)
    return dict(last.released) if last else released


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
