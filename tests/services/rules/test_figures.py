"""Rules about figures: they see what left by the gate, act once, and keep what made them act."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from flows.loader import library, load
from models import Ask, AskStatus, Firing, FlowVersion, Rule
from services import audit, flows
from services.asks import publications
from services.catalogue import read_inside
from services.errors import Conflict
from services.rules import firings, rules
from services.rules.rehearsing import rehearse
from services.rules.rules import NewRule
from tests.answered import answer, split, version
from tests.asks import ask
from tests.factories import Factory

DAY = timedelta(days=1)
DRAFT = {"draft": "saturday-opening"}
SHARE: Mapping[str, Any] = {"question": "when_open", "option": "saturday", "at_least": 40}


@pytest.fixture
def asked(make: Factory) -> Ask:
    flows.publish(make.db, load(library()["saturday-opening"]), now=make.now)
    return ask(make, version=version(make))


def saved(make: Factory, asked: Ask, figures: Mapping[str, Any], **more: Any) -> Rule:
    definition = {"figures": figures, **DRAFT, **more}
    new = NewRule("made up", definition, ask_id=asked.id)
    return rules.create(
        make.db, new, read_inside(make.db), actor=audit.SYSTEM, now=make.now - timedelta(minutes=1)
    )


def close(make: Factory, asked: Ask) -> None:
    asked.status, asked.closed_at = AskStatus.CLOSED, make.now
    make.db.flush()


def fire(make: Factory, rule: Rule, later: timedelta = timedelta(seconds=1)) -> list[Firing]:
    make.now += later
    firings.fire(make.db, rule.id, lambda: make.keys, now=make.now)
    wanted = select(Firing).where(Firing.rule_id == rule.id).order_by(Firing.id)
    return list(make.db.scalars(wanted))


def drafts(make: Factory) -> list[Ask]:
    return list(make.db.scalars(select(Ask).where(Ask.flow == "saturday-opening")))


@pytest.mark.parametrize(("saturdays", "fires"), [(40, True), (39, False)])
def test_a_share_at_the_end_makes_a_draft(
    make: Factory, asked: Ask, saturdays: int, fires: bool
) -> None:
    rule = saved(make, asked, SHARE, audience={"country": "ZA"})
    answer(make, asked, split(saturday=saturdays * 5, mornings=(80 - saturdays) * 5, evenings=100))
    close(make, asked)
    found = fire(make, rule)
    assert [(one.status.value, one.reason) for one in found] == [("done", None)] * fires
    assert len(drafts(make)) == fires
    if fires:
        [draft] = drafts(make)
        assert (draft.status, draft.audience) == (AskStatus.DRAFT, {"country": "ZA"})
        told = {"publication": 1, "share": 40, "at_least": 40, "draft": str(draft.id)}
        assert found[0].figures == told
        assert fire(make, rule, 40 * DAY) == found, "once only"


def test_what_the_gate_hides_makes_nothing_happen(make: Factory, asked: Ask) -> None:
    rule = saved(make, asked, SHARE)
    answer(make, asked, split(saturday=9))
    assert fire(make, rule) == [], "all nine want Saturday, and nobody may know"
    close(make, asked)
    assert fire(make, rule) == []


def test_a_live_share_counts_once_it_is_told(make: Factory, asked: Ask) -> None:
    rule = saved(make, asked, {**SHARE, "at_least": 30})
    answer(make, asked, split(saturday=15, mornings=15, evenings=15))
    assert fire(make, rule) == [], "not told yet"
    answer(make, asked, split(saturday=15, mornings=15, evenings=15))
    [held] = fire(make, rule)
    told = publications.results_of(make.db, make.keys, asked, now=make.now)
    [shown] = [
        one["share"] for one in told["questions"][0]["options"] if one["value"] == "saturday"
    ]
    assert held.figures["share"] == shown


@pytest.mark.parametrize(
    ("saturdays", "answers", "fires"), [(30, 50, True), (29, 50, False), (30, 150, False)]
)
def test_a_jump_of_ten_points_against_the_wave_before(
    make: Factory, asked: Ask, saturdays: int, answers: int, fires: bool
) -> None:
    answer(make, asked, split(saturday=20, mornings=40, evenings=40))
    close(make, asked)
    publications.results_of(make.db, make.keys, asked, now=make.now)
    wave = ask(make, version=asked_version(make, asked), code="hours8", previous_id=asked.id)
    figures = {"question": "when_open", "option": "saturday", "jump": 10, "answers": answers}
    rule = saved(make, wave, figures)
    people = split(saturday=saturdays * 5, mornings=100, evenings=(80 - saturdays) * 5)
    answer(make, wave, people)
    close(make, wave)
    found = fire(make, rule)
    assert [one.figures["was"] for one in found] == ([20] if fires else [])
    if fires:
        assert found[0].figures["share"] == 30
        assert found[0].figures["answers"] == [100, 500]


def asked_version(make: Factory, asked: Ask) -> FlowVersion:
    return make.db.scalars(select(FlowVersion).where(FlowVersion.id == asked.flow_version_id)).one()


def test_without_a_wave_before_there_is_no_jump(make: Factory, asked: Ask) -> None:
    rule = saved(make, asked, {"question": "when_open", "option": "saturday", "jump": 10})
    answer(make, asked, split(saturday=100, mornings=50))
    close(make, asked)
    assert fire(make, rule) == []


@pytest.mark.parametrize(("mornings", "fires"), [(50, True), (60, False)])
def test_two_options_close_to_each_other(
    make: Factory, asked: Ask, mornings: int, fires: bool
) -> None:
    figures = {"question": "when_open", "options": ["saturday", "mornings"], "within": 10}
    rule = saved(make, asked, figures)
    answer(make, asked, split(saturday=40, mornings=mornings, evenings=100 - 40 - mornings + 50))
    close(make, asked)
    found = fire(make, rule)
    assert bool(found) is fires
    if fires:
        assert abs(found[0].figures["shares"][0] - found[0].figures["shares"][1]) <= 10


@pytest.mark.parametrize(("answers", "fires"), [(20, True), (45, True), (60, False)])
def test_under_half_of_the_quota_after_two_days(
    make: Factory, asked: Ask, answers: int, fires: bool
) -> None:
    asked.quota = 100
    rule = saved(make, asked, {"under_quota": 50}, after="2 days")
    answer(make, asked, split(saturday=answers))
    assert fire(make, rule, DAY) == [], "not yet two days open"
    found = fire(make, rule, DAY + timedelta(minutes=5))
    assert bool(found) is fires
    if fires:
        assert found[0].figures["answered"] == answers
        assert found[0].figures["quota"] == 100


def test_a_figure_acts_after_its_delay(make: Factory, asked: Ask) -> None:
    rule = saved(make, asked, SHARE, after="1 days")
    answer(make, asked, split(saturday=60, mornings=40))
    close(make, asked)
    publications.results_of(make.db, make.keys, asked, now=make.now)
    assert fire(make, rule, timedelta(hours=23)) == []
    assert len(fire(make, rule, timedelta(hours=1, minutes=5))) == 1


def test_approval_is_asked_given_refused_and_lapses(make: Factory, asked: Ask) -> None:
    made = [saved(make, asked, SHARE, approval="true") for _ in range(3)]
    answer(make, asked, split(saturday=60, mornings=40))
    close(make, asked)
    waiting = [fire(make, rule)[0] for rule in made]
    assert {one.status.value for one in waiting} == {"for_approval"}
    assert drafts(make) == []
    by: dict[str, Any] = {"actor": audit.SYSTEM, "now": make.now}
    assert firings.approve(make.db, made[0].id, waiting[0].id, **by).status.value == "done"
    assert len(drafts(make)) == 1
    assert firings.refuse(make.db, made[1].id, waiting[1].id, **by).status.value == "refused"
    [lapsed] = fire(make, made[2], 15 * DAY)
    assert (lapsed.status.value, lapsed.reason) == ("skipped", "lapsed")
    for rule, one in zip(made, waiting, strict=True):
        with pytest.raises(Conflict):
            firings.approve(make.db, rule.id, one.id, actor=audit.SYSTEM, now=make.now)
    assert len(drafts(make)) == 1


def test_a_rehearsal_of_figures_tells_what_happened(make: Factory, asked: Ask) -> None:
    rule = saved(make, asked, {**SHARE, "at_least": 30}, at_most={"all": 3})
    since = make.now - DAY
    for _ in range(6):
        answer(make, asked, split(saturday=20, mornings=20, evenings=20))
        fire(make, rule)
    close(make, asked)
    happened = fire(make, rule)
    told = rehearse(make.db, rule, read_inside(make.db), since=since, until=make.now)
    assert len(told) == len(happened) == 3
    for one, then in zip(told, happened, strict=True):
        kept = {name: of for name, of in then.figures.items() if name != "draft"}
        assert (one.at, one.ask_id, one.figures) == (then.fired_at, asked.id, kept)


def test_the_same_figures_fire_one_rule_of_a_flow_for_each_of_its_polls(
    make: Factory, asked: Ask
) -> None:
    wave = ask(make, version=asked_version(make, asked), code="hours8")
    new = NewRule("made up", {"figures": SHARE, **DRAFT, "at_most": {"all": 9}}, asked.flow)
    rule = rules.create(make.db, new, read_inside(make.db), actor=audit.SYSTEM, now=make.now - DAY)
    for one in (asked, wave):
        answer(make, one, split(saturday=60, mornings=40))
        close(make, one)
    assert {UUID(one.cause.partition(":")[0]) for one in fire(make, rule)} == {asked.id, wave.id}
