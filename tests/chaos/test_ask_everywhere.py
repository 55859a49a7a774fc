"""A poll in five languages on three channels, by the API alone: each member once, or a reason.

    pytest -s tests/chaos/test_ask_everywhere.py --members 10000

Drafted, translated, dry-run, tested, pushed, held, relayed, reminded of, closed and reported back,
on real processes and providers that speak HTTP; then phones, lists, progress, results and the
public page have to tell the same story. The suite plays it with few members.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.chaos.conftest import Size
from tests.chaos.course import play
from tests.chaos.everywhere import everywhere
from tests.chaos.reckoning import Reckoning

FEWEST = 120


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, size: Size) -> Iterator[Reckoning]:
    """A run that has ended, with everything the API told at its end."""
    many = max(size.members, FEWEST)
    with everywhere(tmp_path_factory.mktemp("ask") / "house", many, seed=size.seed) as run:
        play(run)
        yield Reckoning(run).read()


def test_each_gets_it_once_at_a_permitted_hour_or_is_listed_with_the_reason(
    played: Reckoning,
) -> None:
    run = played.run
    print({"members": len(run.members), "seconds": run.seconds})
    print({kind: one["progress"] for kind, one in run.sendings.items()})
    print("callbacks by how they were answered", run.phones.callbacks())
    refused = run.house.events("message.not_sent")
    print("not sent", Counter((one["channel_kind"], one["code"]) for one in refused))
    faults = played.faults()
    print(faults)
    print({name: told for name, told in played.results.items() if name != "questions"})
    assert faults == {}
    assert run.phones.strange == []
    assert run.phones.twilio.inbound.lost == [], "what a member wrote never reached us"
    for event in ("request.failed", "broadcasts.failed", "message.quarantined"):
        assert run.house.events(event) == []


def test_no_situation_and_no_language_was_missing(played: Reckoning) -> None:
    run = played.run
    arrived = {one.who for one in run.phones.saw if one.kind.endswith("invitation")}
    assert len({one.person.language for one in run.members if one.id in arrived}) == 5
    assert {one.channel for one in run.members if one.id in arrived} == {
        "telegram", "sms", "whatsapp",
    }  # fmt: skip
    kinds = {one.kind for one in run.phones.saw}
    assert {"template:invitation", "template:reminder", "template:result", "test"} <= kinds
    assert run.phones.guests


def _twice(played: Reckoning) -> None:
    saw = played.run.phones.saw
    saw.append(next(one for one in saw if one.kind == "invitation"))


def _never(played: Reckoning) -> None:
    saw = played.run.phones.saw
    saw.remove(next(one for one in saw if one.kind == "template:invitation"))


def _at_night(played: Reckoning) -> None:
    saw = played.run.phones.saw
    first = next(one for one in saw if one.kind == "invitation")
    saw[saw.index(first)] = replace(first, at=first.at + timedelta(hours=12))


def _on_the_wrong_channel(played: Reckoning) -> None:
    saw = played.run.phones.saw
    first = next(one for one in saw if one.kind == "invitation" and one.channel == "sms")
    saw[saw.index(first)] = replace(first, channel="telegram")


def _reminded_in_vain(played: Reckoning) -> None:
    saw, member = played.run.phones.saw, played.run.members[0]
    saw.append(replace(saw[0], who=member.id, kind="reminder"))


def _never_told(played: Reckoning) -> None:
    saw = played.run.phones.saw
    saw.remove(next(one for one in saw if one.kind == "report"))


def _without_reason(played: Reckoning) -> None:
    rows = played.recipients["invitation"]
    who = next(who for who, row in rows.items() if row["status"] == "left_out")
    rows[who] = rows[who] | {"reason": None}


def _counted_wrongly(played: Reckoning) -> None:
    played.results["completed"] += 20


def _delivered_wrongly(played: Reckoning) -> None:
    played.results["delivered"] += 20


def _shown_wrongly(played: Reckoning) -> None:
    assert played.public is not None
    pages = {language: page.replace("</b> <small>", "</b> <small>1") for language, page in
             played.public.pages.items()}  # fmt: skip
    played.public = replace(played.public, pages=pages)


def _relayed_wrongly(played: Reckoning) -> None:
    played.relays = [played.relays[0] | {"answered": 1000}]


@pytest.mark.parametrize(
    ("plant", "promise"),
    [
        (_twice, "once_or_with_a_reason"),
        (_never, "once_or_with_a_reason"),
        (_on_the_wrong_channel, "once_or_with_a_reason"),
        (_without_reason, "once_or_with_a_reason"),
        (_at_night, "at_a_permitted_hour"),
        (_reminded_in_vain, "only_the_silent_reminded"),
        (_never_told, "all_who_answered_told_once"),
        (_counted_wrongly, "results_agree"),
        (_delivered_wrongly, "receipts_agree"),
        (_shown_wrongly, "public_agrees"),
        (_relayed_wrongly, "poll_and_relay_agree"),
    ],
)
def test_the_reckoning_finds_what_is_wrong(
    played: Reckoning, plant: Callable[[Reckoning], None], promise: str
) -> None:
    phones = replace(played.run.phones, saw=list(played.run.phones.saw))
    planted = replace(
        played,
        run=replace(played.run, phones=phones),
        recipients={kind: dict(rows) for kind, rows in played.recipients.items()},
        results=dict(played.results),
    )
    plant(planted)
    assert promise in planted.faults()
