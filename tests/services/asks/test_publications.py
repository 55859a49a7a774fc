"""Results leave through the gate: what is told while an ask runs, at its end, and ever after."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update

from models import Ask, AskerKind, AskMode, AskStatus, Contact, Publication, SessionStatus
from models.sealed import Keyring
from services.asks import publications
from services.organisations import OrganisationKeyring
from tests.answered import NEEDS, WHY, answer, send, split, version
from tests.asks import ask, asker
from tests.factories import Factory


def told(make: Factory, asked: Ask) -> dict[str, Any]:
    return publications.results_of(make.db, make.keys, asked, now=make.now)


def close(make: Factory, asked: Ask) -> dict[str, Any]:
    asked.status, asked.closed_at = AskStatus.CLOSED, make.now
    make.db.flush()
    return told(make, asked)


def counts(results: dict[str, Any], question: str = "when_open") -> dict[str, int | None]:
    return {one["value"]: one["count"] for one in options(results, question)}


def options(results: dict[str, Any], question: str = "when_open") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = n_of(results, question)["options"]
    return found


def n_of(results: dict[str, Any], question: str = "when_open") -> dict[str, Any]:
    return next(one for one in results["questions"] if one["id"] == question)


def reasons(results: dict[str, Any]) -> dict[str, str]:
    return {one["figure"]: one["reason"] for one in results["suppressed"]}


@pytest.fixture
def asked(make: Factory) -> Ask:
    return ask(make, version=version(make))


def test_before_ten_people_nothing_is_told(make: Factory, asked: Ask) -> None:
    answer(make, asked, split(mornings=9))
    results = told(make, asked)
    assert (results["completed"], n_of(results)["n"]) == (None, None)
    assert set(counts(results).values()) == {None}
    assert reasons(results)["completed"] == "fewer_than_10"
    assert reasons(results)["questions.when_open.mornings"] == "waits_for_more_answers"


def test_live_numbers_of_people_move_by_ten(make: Factory, asked: Ask) -> None:
    answer(make, asked, split(mornings=12))
    assert told(make, asked)["completed"] == 10
    answer(make, asked, split(mornings=9))
    assert told(make, asked)["completed"] == 10
    answer(make, asked, split(saturday=1))
    assert told(make, asked)["completed"] == 20


def test_the_more_have_answered_the_more_rarely_they_are_counted(make: Factory, asked: Ask) -> None:
    def twelve_more() -> None:
        """As if they came to the hundred thousand whose count is worth twelve seconds."""
        make.db.execute(update(Publication).values(people=100_000))
        answer(make, asked, split(mornings=12))

    answer(make, asked, split(mornings=12))
    assert told(make, asked)["number"] == 1
    twelve_more()
    assert told(make, asked)["number"] == 2
    counted_at = make.now
    twelve_more()
    make.now = counted_at + timedelta(seconds=11)
    assert told(make, asked)["number"] == 2
    make.now = counted_at + timedelta(seconds=12)
    assert told(make, asked)["number"] == 3
    twelve_more()
    final = close(make, asked)
    assert (final["number"], final["final"]) == (4, True)


def test_live_options_are_as_of_a_moment_with_ten_later_answers_of_each(
    make: Factory, asked: Ask
) -> None:
    answer(make, asked, split(mornings=60, saturday=60, evenings=60))
    results = told(make, asked)
    assert counts(results) == {"mornings": 50, "saturday": 50, "evenings": 50}
    assert [one["share"] for one in options(results)] == [33, 33, 33]
    assert (n_of(results)["n"], n_of(results)["of"], results["final"]) == (180, 150, False)
    answer(make, asked, split(mornings=9, saturday=30, evenings=30))
    assert counts(told(make, asked)) == {"mornings": 50, "saturday": 50, "evenings": 50}
    answer(make, asked, split(mornings=1))
    assert counts(told(make, asked))["mornings"] == 60


def test_the_end_tells_everybody_and_stays(make: Factory, asked: Ask) -> None:
    ids = answer(make, asked, split(mornings=60, saturday=33, evenings=41))
    told(make, asked)
    results = close(make, asked)
    assert counts(results) == {"mornings": 60, "saturday": 35, "evenings": 40}
    assert (results["final"], n_of(results)["n"], n_of(results)["of"]) == (True, 135, 135)
    make.db.execute(delete(Contact).where(Contact.id.in_(ids[:50])))
    make.now += timedelta(days=30)
    assert told(make, asked) == results


def test_from_five_hundred_on_counts_are_exact(make: Factory, asked: Ask) -> None:
    answer(make, asked, split(mornings=503, saturday=101))
    assert counts(close(make, asked)) == {"mornings": 503, "saturday": None, "evenings": None}
    more = ask(make, version=version_of(make, asked), code="hours8")
    answer(make, more, split(mornings=503, saturday=101, evenings=12))
    results = close(make, more)
    assert counts(results) == {"mornings": 503, "saturday": 100, "evenings": 10}
    assert (results["completed"], n_of(results)["n"]) == (616, 616)


def version_of(make: Factory, asked: Ask) -> Any:
    class Same:
        flow, id = asked.flow, asked.flow_version_id

    return Same


def test_a_person_counts_once_with_the_newest_passage(make: Factory, asked: Ask) -> None:
    ids = answer(make, asked, split(mornings=30, saturday=30, evenings=30))
    answer(make, asked, [{"when_open": "saturday", "contact": one} for one in ids[:9:3]])
    results = close(make, asked)
    assert counts(results) == {"mornings": 25, "saturday": 35, "evenings": 30}
    assert results["completed"] == 90


def test_answers_that_were_skipped_or_not_finished(make: Factory, asked: Ask) -> None:
    answer(make, asked, split(mornings=30, saturday=30, evenings=30))
    answer(make, asked, [{"when_open": None}] * 20)
    answer(make, asked, [{}] * 20, status=SessionStatus.WAITING)
    results = close(make, asked)
    assert (results["started"], results["completed"], n_of(results)["n"]) == (130, 90, 90)


def test_shares_of_options_that_are_all_told_add_up(make: Factory, asked: Ask) -> None:
    answer(make, asked, split(mornings=28, saturday=13, evenings=13))
    results = close(make, asked)
    assert (n_of(results)["n"], counts(results)["mornings"]) == (55, 30)
    assert [one["share"] for one in options(results)] == [50, 25, 25]


def test_of_several_answers_each_option_has_its_own_share(make: Factory) -> None:
    asked = ask(make, version=version(make, NEEDS))
    people = [{"when_open": "mornings", "needs": ["papers"]}] * 30
    answer(make, asked, people + [{"when_open": "saturday", "needs": ["papers", "work"]}] * 20)
    results = close(make, asked)
    assert counts(results, "needs") == {"papers": None, "work": 20}
    assert options(results, "needs")[1]["share"] == 40


def test_a_question_asked_of_some_does_not_tell_who_they_are(make: Factory) -> None:
    asked = ask(make, version=version(make, WHY))
    answer(make, asked, split(mornings=30, evenings=5))
    saturday = [
        {"when_open": "saturday", "why": "job"},
        {"when_open": "saturday", "why": "children"},
    ]
    answer(make, asked, saturday * 10)
    live = told(make, asked)
    assert (n_of(live, "why")["n"], reasons(live)["questions.why.n"]) == (None, "told_at_close")
    results = close(make, asked)
    assert counts(results) == {"mornings": 30, "saturday": None, "evenings": None}
    assert (n_of(results, "why")["n"], set(counts(results, "why").values())) == (None, {None})


def test_declared_breakdowns_are_told_at_the_end(make: Factory) -> None:
    asked = ask(make, version=version(make), breakdowns=[["country", "gender"]])
    for country, gender in (("ZA", "woman"), ("ZA", "man"), ("IE", "woman"), ("IE", "man")):
        people = split(mornings=40, saturday=20, evenings=15)
        answer(make, asked, people, country=country, gender=gender)
    answer(make, asked, split(mornings=3), country="KE", gender="man")
    answer(make, asked, split(mornings=30, saturday=30, evenings=30), country="FR", gender="man")
    live = told(make, asked)
    assert (live["breakdowns"], reasons(live)["breakdowns"]) == ([], "waits_for_more_answers")
    countries, both = close(make, asked)["breakdowns"]
    rows = {one["row"]["country"]: one for one in countries["questions"][0]["rows"]}
    assert [(name, row["n"]) for name, row in rows.items()] == [
        ("IE", 150),
        ("ZA", 150),
        ("all_others", 95),
    ]
    assert [one["count"] for one in rows["ZA"]["options"]] == [80, 40, 30]
    assert both["by"] == ["country", "gender"]
    assert both["questions"][0]["rows"][0]["row"] == {"country": "IE", "gender": "man"}
    assert [one["count"] for one in both["questions"][0]["rows"][0]["options"]] == [40, 20, 15]


def test_a_row_without_enough_of_an_option_has_only_its_size(make: Factory) -> None:
    asked = ask(make, version=version(make), breakdowns=[["country"]])
    for country in ("ZA", "IE"):
        answer(make, asked, split(mornings=40, saturday=20, evenings=15), country=country)
    answer(make, asked, split(mornings=40, saturday=20, evenings=2), country="KE")
    results = close(make, asked)
    rows = {one["row"]["country"]: one for one in results["breakdowns"][0]["questions"][0]["rows"]}
    assert rows["KE"]["n"] == 60
    assert {one["count"] for one in rows["KE"]["options"]} == {None}
    hidden = "breakdowns.country.when_open.KE.mornings"
    assert reasons(results)[hidden] == "fewer_than_10_here_or_beside"


def test_a_secret_poll_is_told_at_its_end_from_its_votes(make: Factory) -> None:
    asked = ask(make, version=version(make), mode=AskMode.SECRET)
    live = told(make, asked)
    assert reasons(live)["questions.when_open.mornings"] == "told_at_close"
    asked.tally = {"mornings": 40, "saturday": 33, "evenings": 12}
    results = close(make, asked)
    assert counts(results) == {"mornings": 40, "saturday": 35, "evenings": 10}
    assert (results["completed"], results["breakdowns"]) == (85, [])


def test_who_asks_is_compared_with_intervals(make: Factory, asked: Ask) -> None:
    consulate, peer = (asker(make, asked, kind) for kind in (AskerKind.CONSULATE, AskerKind.PEER))
    for who, came in ((consulate, 40), (peer, 90)):
        people = split(mornings=came // 2, saturday=came // 2)
        ids = answer(make, asked, [one | {"asker": who.id} for one in people])
        silent = answer(
            make, asked, [{"asker": who.id}] * (120 - came), status=SessionStatus.WAITING
        )
        send(make, asked, ids + silent, asker_id=who.id)
    results = close(make, asked)
    first, second = results["askers"]
    assert (first["kind"], first["sent"], first["responded"]) == ("consulate", 120, 40)
    assert first["response"] == {"value": 33, "low": 26, "high": 42}
    assert (second["kind"], second["response"]["value"]) == ("peer", 75)
    response = next(one for one in results["comparisons"] if one["what"] == "response")
    assert (response["value"], response["may_be_chance"]) == (-42, False)
    assert response["sentences"]["en"] == (
        "Answered: of 100 people, 42 fewer with consulate than with peer"
        " (-52 to -29, 95 times in 100); this is more than chance."
    )
    assert set(response["sentences"]) == {"en", "fr", "es", "pt", "ar"}
    assert (results["sent"], results["responded"], results["rates"]["response"]) == (240, 130, 54)


def test_the_end_is_released_though_nobody_looks(
    making: Callable[..., AbstractContextManager[Factory]], engine: Engine, keyring: Keyring
) -> None:
    with making() as make:
        asked = ask(make, version=version(make), status=AskStatus.CLOSED, closed_at=make.now)
        answer(make, asked, split(mornings=30, saturday=30, evenings=30))
        now = make.now
    keys = OrganisationKeyring(engine, keyring)
    assert publications.release_ends(engine, keys, now=now) == 1
    assert publications.release_ends(engine, keys, now=now) == 0
    with making() as make:
        release = make.db.scalars(select(Publication)).one()
        assert (release.final, release.people) == (True, 90)


def test_nothing_is_released_twice(make: Factory, asked: Ask) -> None:
    answer(make, asked, split(mornings=60, saturday=60, evenings=60))
    for _ in range(3):
        told(make, asked)
    close(make, asked)
    told(make, asked)
    rows = make.db.scalars(select(Publication).order_by(Publication.number)).all()
    assert [(row.number, row.final) for row in rows] == [(1, False), (2, True)]
    assert all(b"mornings" not in row.exact for row in rows)


def by_country(results: dict[str, Any]) -> dict[str, dict[str, int | None]]:
    [table] = [one for one in results["breakdowns"] if one["by"] == ["country"]]
    [question] = table["questions"]
    return {
        row["row"]["country"]: {one["value"]: one["count"] for one in row["options"]}
        for row in question["rows"]
    }


def test_breakdowns_are_told_while_people_answer_and_move_by_ten(make: Factory) -> None:
    asked = ask(make, version=version(make), breakdowns=[["country"]])
    seen: list[dict[str, Any]] = []
    for _ in range(30):
        for country in ("ZA", "IE"):
            answer(make, asked, split(mornings=4, saturday=3, evenings=3), country=country)
        seen.append(told(make, asked))
    assert seen[0]["breakdowns"] == []
    assert reasons(seen[0])["breakdowns"] == "told_at_close"
    live = [one for one in seen if one["breakdowns"]]
    states = {one["breakdowns"][0]["as_of"]: by_country(one) for one in live}
    assert len(states) > 2
    for before, after in pairwise(states.values()):
        for row, line in before.items():
            for option, count in line.items():
                assert (after[row][option] or 0) - (count or 0) >= 10
    last = list(states.values())[-1]
    end = close(make, asked)
    assert end["breakdowns"][0]["as_of"] is None
    assert by_country(end) == {
        row: {"mornings": 120, "saturday": 90, "evenings": 90} for row in ("ZA", "IE")
    }
    for row, line in last.items():
        assert all(
            (by_country(end)[row][one] or 0) - (count or 0) >= 10 for one, count in line.items()
        )


def test_who_comes_from_a_new_country_at_last_does_not_stand_out(make: Factory) -> None:
    asked = ask(make, version=version(make), breakdowns=[["country"]])
    for _ in range(12):
        for country in ("ZA", "IE"):
            answer(make, asked, split(mornings=4, saturday=3, evenings=3), country=country)
        live = told(make, asked)
    assert set(by_country(live)) == {"ZA", "IE"}
    answer(make, asked, split(mornings=2), country="DE")
    end = close(make, asked)
    assert by_country(end) == by_country(live), "what was told last stays"
    assert end["breakdowns"][0]["as_of"] == live["breakdowns"][0]["as_of"]


def test_breakdowns_of_two_questions_wait_for_the_end(make: Factory) -> None:
    asked = ask(make, version=version(make, NEEDS), breakdowns=[["country"]])
    people = [one | {"needs": ["papers"]} for one in split(mornings=200, saturday=200, evenings=99)]
    answer(make, asked, people[:400], country="ZA")
    told(make, asked)
    answer(make, asked, people[400:], country="ZA")
    assert told(make, asked)["breakdowns"] == []
