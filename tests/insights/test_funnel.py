"""The funnel counts whoever is there, tells groups of ten and more, and times each step."""

from datetime import timedelta
from typing import Any

import pytest

from insights import funnel
from insights.disclosure import Figure, Reason
from insights.funnel_cells import COUNTS
from insights.passages import Passages
from models import Answer, Contact, FlowSession, FlowVersion, SessionStatus
from models.base import new_id
from tests.factories import Factory

QUESTIONS = [
    {"id": "language", "type": "language"},
    {"id": "consent", "type": "consent", "purpose": "registration"},
    {"id": "country", "type": "country"},
    {"id": "gender", "type": "choice"},
    {"id": "thanks", "type": "note"},
]
FLOW: dict[str, Any] = {"flow": "registration", "kind": "registration", "questions": QUESTIONS}
FEW = Figure(None, Reason.FEW)


@pytest.fixture
def version(make: Factory) -> FlowVersion:
    make.flow_version(1, **FLOW | {"questions": [{"id": "shoe", "type": "text"}]})
    return make.flow_version(2, **FLOW)


def walk(
    make: Factory,
    version: FlowVersion,
    people: int,
    steps: int = 4,
    seconds: int = 20,
    skips: bool = False,
    **session: Any,
) -> None:
    """So many people who answered so many questions, each after so many seconds."""
    contact = make.contact()
    whole = steps == 4
    usual = {"language": "en", "channel_kind": "sms"}
    status = SessionStatus.COMPLETE if whole else SessionStatus.WAITING
    for _ in range(people):
        began = make.now
        row = FlowSession(
            id=new_id(began),
            organisation_id=make.organisation_id,
            contact_id=contact.id,
            flow_version_id=version.id,
            flow=version.flow,
            kind=version.kind,
            started_at=began,
            updated_at=began,
            completed_at=began + timedelta(seconds=seconds * steps) if whole else None,
            **({"status": status} | usual | session),
        )
        make.db.add(row)
        make.db.flush()
        for number, question in enumerate(QUESTIONS[:steps], start=1):
            answer = make.answer(row, question["id"], None if skips and number == 4 else "x")
            answer.skipped = skips and number == 4
            answer.answered_at = began + timedelta(seconds=seconds * number)
    make.db.flush()


def counts(passages: Passages) -> tuple[int | None, ...]:
    return tuple(getattr(passages, name).value for name in COUNTS)


def read(make: Factory, flow: str = "registration") -> funnel.Funnel:
    found = funnel.read(make.db, flow)
    assert found is not None
    return found


def test_people_are_counted_by_how_far_they_came(make: Factory, version: FlowVersion) -> None:
    walk(make, version, 40)
    walk(make, version, 20, steps=3)
    walk(make, version, 10, steps=1)
    walk(make, version, 15, steps=2, status=SessionStatus.STOPPED)
    walk(make, version, 10, skips=True)
    found = read(make)
    assert counts(found.total) == (95, 85, 50, 45, 15, 30)
    steps = [(one.question, one.answered.value, one.skipped.value) for one in found.total.steps]
    assert steps == [
        ("language", 95, None),
        ("consent", 85, None),
        ("country", 70, None),
        ("gender", 40, 10),
    ]
    assert found.languages == {"en": found.total}
    assert found.channels == {"sms": found.total}


def test_that_nobody_stopped_costs_the_least_figure(make: Factory, version: FlowVersion) -> None:
    walk(make, version, 30)
    walk(make, version, 40, steps=3)
    assert counts(read(make).total) == (70, 70, 30, 40, None, None)


def test_groups_of_ten_are_told_apart_and_the_rest_together(
    make: Factory, version: FlowVersion
) -> None:
    walk(make, version, 60)
    walk(make, version, 30, language="fr", channel_kind="telegram")
    for language in ("pt", "ar"):
        walk(make, version, 6, language=language, channel_kind="whatsapp")
    found = read(make)
    assert {name: one.started for name, one in found.languages.items()} == {
        "en": Figure(60),
        "fr": Figure(30),
        "other": Figure(10),
    }
    assert list(found.channels) == ["sms", "telegram", "whatsapp"]


def test_a_small_rest_is_not_told_by_subtraction(make: Factory, version: FlowVersion) -> None:
    walk(make, version, 60)
    walk(make, version, 30, language="fr")
    walk(make, version, 3, language="ar")
    found = read(make)
    assert found.languages["other"].started == FEW
    assert found.languages["fr"].started == Figure(None, Reason.PROTECTS)
    assert found.languages["en"].started == Figure(60)
    assert found.total.started == Figure(95)


def test_steps_are_timed_from_the_answer_before(make: Factory, version: FlowVersion) -> None:
    walk(make, version, 11, seconds=16)
    walk(make, version, 10, seconds=90, language="ar")
    walk(make, version, 3, seconds=5000)
    found = read(make)
    assert {one.median_seconds for one in found.languages["en"].steps} == {Figure(16)}
    assert {one.median_seconds for one in found.languages["ar"].steps} == {Figure(90)}
    assert {one.median_seconds for one in found.total.steps} == {Figure(90)}


def test_a_median_needs_ten_people(make: Factory, version: FlowVersion) -> None:
    walk(make, version, 10, steps=2)
    walk(make, version, 9, steps=4)
    language, consent, country, gender = read(make).total.steps
    assert (language.median_seconds, consent.median_seconds) == (Figure(20), Figure(20))
    assert country.median_seconds == gender.median_seconds == FEW


def test_a_later_correction_takes_no_time(make: Factory, version: FlowVersion) -> None:
    walk(make, version, 13)
    for answer in make.db.query(Answer).filter_by(question="gender"):
        answer.answered_at += timedelta(days=30)
    make.db.flush()
    *_, gender = read(make).total.steps
    assert (gender.answered, gender.median_seconds) == (Figure(15), FEW)


def test_an_empty_flow_tells_nothing(make: Factory, version: FlowVersion) -> None:
    found = read(make)
    assert counts(found.total) == (None,) * 6
    assert found.languages == found.channels == {}


def test_only_registrations_and_modules_have_a_funnel(make: Factory, version: FlowVersion) -> None:
    make.flow_version(kind="poll")
    assert funnel.read(make.db, "passport-hours") is None
    assert funnel.read(make.db, "nothing") is None


def test_erased_people_leave_the_funnel(make: Factory, version: FlowVersion) -> None:
    walk(make, version, 12)
    assert read(make).total.started == Figure(10)
    make.db.query(Contact).delete()
    assert read(make).total.started == FEW
