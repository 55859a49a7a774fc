"""A thousand made-up polls against the attacker, who hears all that is told of them over time.

Polls of one to three questions, some on a condition, some with several answers; sent to people,
passed on by relays, asked by several askers, broken down; looked at up to four times. What is told
is made by the code that serves it. No handful and no hidden cell is known to less than ten people.
Gates with a fault show that the attacker would find one.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from insights import breaking, heads, releases
from insights.comparing import rate_rows
from insights.disclosure import Figure, figure
from insights.heads import HEADS, Heads
from insights.results import Rows
from insights.tables import Table
from tests.insights import polled
from tests.insights.hearing import hear
from tests.insights.passing import made_up
from tests.insights.polled import Poll
from tests.insights.untold import untold

POLLS, AT_ONCE = 1000, 25
told_heads = heads.told_heads


@pytest.mark.parametrize("first", range(0, POLLS, AT_ONCE))
def test_nothing_hidden_is_known_to_less_than_ten_people(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        assert narrowest(made_up(seed)) is None, f"poll {seed}"


def narrowest(poll: Poll) -> tuple[str, float] | None:
    poll.read()
    for final in (False, True):
        known = hear(poll, final=final)
        found = known.attacker.narrowest(untold(known))
        if found:
            return found
    return None


def all_large(now: Mapping[str, int], earlier: Mapping[str, int], **_: Any) -> Heads:
    some = {name: people for name, people in now.items() if people >= 10}
    told = {name: figure(some[name]) if name in some else Figure(None) for name in HEADS}
    return Heads(told, {**earlier, **some})


def without_rows(*given: Any, final: bool, **_: Any) -> Heads:
    return told_heads(*given, final=final)


def without_earlier(now: Mapping[str, int], _: Mapping[str, int], **how: Any) -> Heads:
    return told_heads(now, {}, **how)


def all_rates(invited: Table) -> Rows | None:
    return rate_rows(invited, frozenset())


def anybody(*_: Any) -> bool:
    return True


def n_by_itself(asked: Mapping[str, int], *_: Any) -> Mapping[str, int]:
    return asked


def all_large_relays(came: Mapping[str, int], _: int) -> frozenset[str]:
    return frozenset(one for one, people in came.items() if people >= 10)


def several_questions(poll: Poll) -> bool:
    return len(poll.ask.flow.questions) > 1


def several_askers(poll: Poll) -> bool:
    return bool(poll.ask.askers)


def any_poll(_: Poll) -> bool:
    return True


@pytest.mark.parametrize(
    ("of", "place", "name", "faulty"),
    [
        pytest.param(any_poll, releases, "told_heads", all_large, id="heads on their own"),
        pytest.param(several_questions, releases, "told_heads", without_rows, id="heads and rows"),
        pytest.param(any_poll, releases, "told_heads", without_earlier, id="no memory of heads"),
        pytest.param(any_poll, heads, "_CAME", (), id="heads beside answers"),
        pytest.param(several_questions, heads, "_apart", n_by_itself, id="answers not yet given"),
        pytest.param(several_askers, breaking, "rates", all_rates, id="small askers"),
        pytest.param(several_askers, breaking, "_same_people", anybody, id="rates and answers"),
        pytest.param(any_poll, polled, "told_rows", all_large_relays, id="rest beside relays"),
    ],
)
def test_the_attacker_finds_the_fault_of(
    monkeypatch: pytest.MonkeyPatch,
    of: Callable[[Poll], bool],
    place: Any,
    name: str,
    faulty: Callable[..., Any],
) -> None:
    monkeypatch.setattr(place, name, faulty)
    assert any(narrowest(poll) for poll in map(made_up, range(400)) if of(poll))
