"""`flask templates` submits and tells; the sweep follows what WhatsApp decides, without hurry."""

import json
from datetime import timedelta
from typing import Any

import pytest

from app import create_app
from flows.templates import templates
from jobs.sweeps import Sweeps
from tests.bot.conftest import Desk
from tests.fakes.twilio import FakeTwilio

EVERY_LANGUAGE = len(templates())


def flask(desk: Desk, *words: str) -> Any:
    """What a command prints as JSON; a sentence when it fails."""
    runner = create_app(homeline=desk.homeline).test_cli_runner()
    result = runner.invoke(args=["templates", *words, "--json"])
    return json.loads(result.output) if result.exit_code == 0 else result.output


def stands(desk: Desk, command: str) -> set[str]:
    told = flask(desk, command, "--channel", desk.views["whatsapp"].key)
    assert len(told["templates"]) == EVERY_LANGUAGE, told
    return {one["status"] for one in told["templates"]}


def test_submitted_and_followed_by_command(desk: Desk, twilio: FakeTwilio) -> None:
    assert stands(desk, "submit") == {"submitted"}
    assert stands(desk, "status") == {"submitted"}
    twilio.run(lambda: twilio.review("rejected", "ABUSIVE_CONTENT"))
    assert stands(desk, "status") == {"rejected"}
    assert desk.scalar("select distinct reason from wa_templates") == "ABUSIVE_CONTENT"


@pytest.mark.parametrize("kind", ["telegram", "sms"])
def test_only_whatsapp_has_templates(desk: Desk, kind: str) -> None:
    assert "no WhatsApp channel" in flask(desk, "submit", "--channel", desk.views[kind].key)


def test_a_fault_half_way_costs_nothing(desk: Desk, twilio: FakeTwilio) -> None:
    twilio.script.add("status", method="approval", code=500, times=1)
    key = desk.views["whatsapp"].key
    assert "did not take" in flask(desk, "submit", "--channel", key)
    made = desk.scalar("select sid from wa_templates where status = 'draft'")
    assert stands(desk, "submit") == {"submitted"}
    assert desk.scalar("select count(*) from wa_templates where sid = :sid", sid=made) == 1


def test_the_sweep_asks_often_while_it_waits_and_then_daily(desk: Desk, twilio: FakeTwilio) -> None:
    stands(desk, "submit")
    sweeps = Sweeps(desk.homeline)
    asked = []
    for step in (
        timedelta(minutes=9), timedelta(minutes=1), timedelta(hours=23), timedelta(hours=1),
    ):  # fmt: skip
        twilio.run(lambda: twilio.review("approved"))
        desk.clock.advance(step)
        before = len(twilio.log)
        sweeps.templates()
        asked.append(len(twilio.log) - before)
    assert asked == [0, EVERY_LANGUAGE, 0, EVERY_LANGUAGE]
    assert desk.scalar("select distinct status from wa_templates") == "approved"


def test_the_sweep_outlives_a_provider_that_is_away(desk: Desk, twilio: FakeTwilio) -> None:
    stands(desk, "submit")
    desk.clock.advance(timedelta(hours=1))
    twilio.script.add("status", method="approval", code=500)
    Sweeps(desk.homeline).templates()
    assert desk.scalar("select distinct status from wa_templates") == "submitted"
