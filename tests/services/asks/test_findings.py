"""What came of an ask in a line: only what left by the gate, in as many options as have room."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from flows.flow import build
from flows.lengths import LONGEST_NAMES, room_for
from flows.loader import library, load
from flows.sms import measure
from flows.wording import LANGUAGES, compose
from models.broadcast import BroadcastKind
from services.asks.findings import figures, longest
from services.broadcasts.ask_messages import Person, Telling
from services.broadcasts.ask_messages import compose as told_to
from tests.conftest import BEGINNING

FLOW = load(library()["yearly-meeting"])
ID = UUID(int=7)
SEVERAL = build(
    {
        "flow": "needs",
        "kind": "poll",
        "purpose": FLOW.purpose,
        "questions": [
            {
                "id": "needs",
                "type": "multi",
                "text": {"en": "What do you need?"},
                "options": [
                    {"value": "papers", "label": {"en": "Papers"}},
                    {"value": "work", "label": {"en": "Work"}},
                ],
            }
        ],
        "languages": ["en"],
    }
)


def released(of: int = 520, /, **shares: int | None) -> dict[str, Any]:
    """A release of the yearly meeting with these shares; None is hidden by the gate."""
    rows = [{"value": name, "count": share, "share": share} for name, share in shares.items()]
    return {"final": True, "questions": [{"id": "day", "of": of, "options": rows}]}


ALL = released(saturday=58, sunday=11, evening=31)


def test_the_largest_share_comes_first_with_how_many_answered() -> None:
    assert figures(ALL, FLOW, "en") == (
        "Saturday 58%, A weekday evening 31%, Sunday 11%. 520 answered."
    )


def test_what_the_gate_hides_is_told_only_as_the_rest() -> None:
    told = released(60, saturday=58, sunday=None, evening=None)
    assert figures(told, FLOW, "en") == "Saturday 58%, others 42%. 60 answered."


@pytest.mark.parametrize(
    "told", [None, {}, released(saturday=None, sunday=None), {"questions": []}]
)
def test_nothing_is_said_where_nothing_may_leave(told: dict[str, Any] | None) -> None:
    assert figures(told, FLOW, "en") == ""
    assert longest(told, FLOW, "en", lambda line: True) == ""


def test_fewer_options_are_named_where_there_is_less_room_but_never_none() -> None:
    assert longest(ALL, FLOW, "en", lambda line: "Sunday" not in line) == (
        "Saturday 58%, A weekday evening 31%, others 11%. 520 answered."
    )
    assert longest(ALL, FLOW, "en", lambda line: False) == "Saturday 58%, others 42%. 520 answered."


def test_of_several_answers_nobody_is_the_rest() -> None:
    rows = [{"value": "papers", "share": 80}, {"value": "work", "share": None}]
    told = {"final": True, "questions": [{"id": "needs", "of": 50, "options": rows}]}
    assert figures(told, SEVERAL, "en") == "Papers 80%. 50 answered."


def test_a_question_for_some_only_is_passed_over() -> None:
    flow = load(library()["remote-appointments"])
    rows = [{"value": "papers", "share": 80}]
    told = {"final": True, "questions": [{"id": "topics", "of": 50, "options": rows}]}
    assert figures(told, flow, "en") == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", [{}, dict.fromkeys(LANGUAGES, "We open one day more.")])
def test_the_report_by_sms_has_room_and_says_what_is_done(
    language: str, outcome: dict[str, str]
) -> None:
    telling = Telling(
        kind=BroadcastKind.REPORT_BACK if outcome else BroadcastKind.RESULT,
        ask_id=ID,
        broadcast_id=ID,
        flow=FLOW,
        version_id=ID,
        code="k7m2pq",
        asked_by=LONGEST_NAMES["organisation"],
        outcome=outcome,
        promised_on=date(2026, 9, 30),
        released=ALL,
    )
    person = Person(ID, language, None, None, tags=0, channel_kind="sms")
    content = told_to(telling, person, BEGINNING).content
    prompt = compose(content["parts"], flow=None, language=language, tag="", names=LONGEST_NAMES)
    length = measure(prompt.text)
    assert length.parts <= room_for(length, longer=False), prompt.text
    assert "58" in prompt.text
    assert ("We open" in prompt.text) == bool(outcome)
