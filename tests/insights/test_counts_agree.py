"""The attacks count in memory what the database counts: both agree on made-up polls."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from insights.counted import ASKER, Place, Tallied, tallied
from insights.tables import Line
from insights.tallies import Tallies
from models import Answer, Ask, AskerKind, MessageStatus, SessionStatus
from tests.answered import answer, send
from tests.asks import ask, asker
from tests.factories import Factory
from tests.insights.passing import made_up
from tests.insights.polled import ASKERS, START, CountedAt, Passed

POLLS, PEOPLE = 30, 60
COUNTRIES, GENDERS = ("DE", "FR", "IE", "ZA"), ("man", "woman")
CALLED = {f"country{number}": name for number, name in enumerate(COUNTRIES)}
CALLED |= {f"gender{number}": name for number, name in enumerate(GENDERS)}
FAR = (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ)


@pytest.mark.parametrize("seed", range(POLLS))
def test_the_database_counts_as_the_attacks_do(make: Factory, seed: int) -> None:
    poll = made_up(seed)
    people, questions = poll.people[:PEOPLE], tallied(poll.ask.flow)
    asked = ask(make, version=make.flow_version())
    askers = {kind: asker(make, asked, AskerKind(kind)).id for kind in ASKERS}
    _settle(make, asked, people, questions, askers)
    kept, counts = (
        CountedAt(people, 5000),
        Tallies(make.db, asked.id, questions, ("gender", "country", ASKER)),
    )
    assert _some(counts.heads()) == _some(kept.heads())
    called = CALLED | {kind: str(asker_id) for kind, asker_id in askers.items()}
    assert counts.askers() == {called.get(one, one): line for one, line in kept.askers().items()}
    for before in (None, START + timedelta(seconds=400)):
        assert counts.lines(questions, before) == kept.lines(questions, before)
        for variables in (("country",), ("gender", "country"), (ASKER,)):
            found = kept.tables(questions, variables, before)
            assert counts.tables(questions, variables, before) == _called(found, called)
    newest = counts.newest(questions)
    in_order = {line: {o: sorted(at) for o, at in of.items()} for line, of in newest.items()}
    assert in_order == kept.newest(questions)


def _some(heads: Mapping[str, int]) -> dict[str, int]:
    return {name: people for name, people in heads.items() if people}


def _called(
    tables: Mapping[str, Mapping[Place, Line]], names: Mapping[str, str]
) -> dict[str, dict[Place, Line]]:
    """The tables as the database names their rows; a line that nobody answered is not there."""
    return {
        line: {tuple(names.get(one, one) for one in place): row for place, row in rows.items()}
        for line, rows in tables.items()
        if rows
    }


def _settle(
    make: Factory,
    asked: Ask,
    people: Sequence[Passed],
    questions: Sequence[Tallied],
    askers: Mapping[str, UUID],
) -> None:
    sent: dict[tuple[UUID | None, MessageStatus], list[UUID]] = {}
    many = {one.id for one in questions if one.many}
    for one in people:
        if one.began is None and one.sent is None:
            continue
        contact_id = _pass(make, asked, one, many)
        if one.sent is not None:
            far = FAR[sum(step is not None for step in (one.delivered, one.read))]
            sent.setdefault((askers.get(one.asker or ""), far), []).append(contact_id)
    for (asker_id, far), contacts in sent.items():
        send(make, asked, contacts, asker_id=asker_id, status=far)


def _pass(make: Factory, asked: Ask, one: Passed, many: set[str]) -> UUID:
    given: dict[str, Any] = dict.fromkeys(one.skips)
    for question, (_, chosen) in one.answers.items():
        given[question] = list(chosen) if question in many else chosen[0]
    way = {"broadcast": "made up"} if one.sent is not None else {}
    rows = {name: CALLED[row] for name, row in one.rows.items()}
    status = SessionStatus.WAITING if one.ended is None else SessionStatus.COMPLETE
    [contact_id] = answer(make, asked, [given | way], status=status, **rows)
    for question, (when, _) in one.answers.items():
        at = START + timedelta(seconds=when)
        whose = (Answer.contact_id == contact_id, Answer.question == question)
        make.db.execute(update(Answer).where(*whose).values(answered_at=at))
    return contact_id
