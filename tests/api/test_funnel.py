"""GET /insights/registrations/funnel: figures for analysts, and nothing about anybody."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from models.flow_session import SessionStatus
from tests.api.stage import Api, Caller, problem
from tests.conftest import another_organisation
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]
PATH = "/insights/registrations/funnel"
FLOW: dict[str, Any] = {
    "flow": "registration",
    "kind": "registration",
    "questions": [
        {"id": "consent", "type": "consent"},
        {"id": "country", "type": "country"},
    ],
}


def people(make: Factory, completed: int, begun: int) -> None:
    version = make.flow_version(**FLOW)
    contact = make.contact()
    for number in range(completed + begun):
        whole = number < completed
        status = SessionStatus.COMPLETE if whole else SessionStatus.PARTIAL
        session = make.flow_session(contact, version, status)
        make.answer(session, "consent", "yes")
        if whole:
            make.answer(session, "country", "ZA")


def test_the_funnel_is_told_with_what_is_hidden_and_why(caller: Caller, making: Making) -> None:
    with making() as make:
        people(make, completed=12, begun=3)
    told = caller.get(f"{PATH}?flow=registration").get_json()
    total = told["total"]
    assert told["flow"] == "registration"
    assert (total["started"], total["consented"]) == (15, 15)
    for name in ("completed", "not_completed", "stopped", "unfinished"):
        assert total[name] is None
    assert total["steps"] == [
        {"question": "consent", "answered": 15, "skipped": None, "median_seconds": 0},
        {"question": "country", "answered": None, "skipped": None, "median_seconds": None},
    ]
    assert total["suppressed"] == [
        {"figure": "completed", "reason": "protects_another"},
        {"figure": "not_completed", "reason": "fewer_than_10"},
        {"figure": "stopped", "reason": "fewer_than_10"},
        {"figure": "unfinished", "reason": "fewer_than_10"},
        {"figure": "steps.consent.skipped", "reason": "fewer_than_10"},
        {"figure": "steps.country.answered", "reason": "protects_another"},
        {"figure": "steps.country.skipped", "reason": "fewer_than_10"},
        {"figure": "steps.country.median_seconds", "reason": "protects_another"},
    ]
    assert told["languages"] == [{"language": "en"} | total]
    assert told["channels"] == [{"channel": "telegram"} | total]


def test_an_analyst_needs_no_other_scope_and_sees_no_rows(api: Api, making: Making) -> None:
    with making() as make:
        people(make, completed=1, begun=0)
    analyst = api.caller("insights:read")
    assert analyst.get(f"{PATH}?flow=registration").status_code == 200
    problem(analyst.get("/registrations"), 403, "scope_missing")
    problem(api.caller("people:read").get(f"{PATH}?flow=registration"), 403, "scope_missing")


def test_a_flow_must_be_named_and_be_there(api: Api, caller: Caller, keyring: Any) -> None:
    problem(caller.get(PATH), 422)
    problem(caller.get(f"{PATH}?flow=No+Name"), 422)
    problem(caller.get(f"{PATH}?flow=registration"), 404)
    stranger = another_organisation(api.engine, keyring, api.clock.now(), "Another")
    theirs = api.caller("*", organisation=stranger)
    problem(theirs.get(f"{PATH}?flow=registration"), 404)


def test_another_organisation_counts_nobody_of_ours(api: Api, making: Making, keyring: Any) -> None:
    stranger = another_organisation(api.engine, keyring, api.clock.now(), "Another")
    with making() as make:
        people(make, completed=20, begun=0)
    with making(stranger.id) as make:
        make.flow_version(**FLOW)
    theirs = api.caller("*", organisation=stranger).get(f"{PATH}?flow=registration").get_json()
    assert theirs["total"]["started"] is None
    assert theirs["languages"] == []
