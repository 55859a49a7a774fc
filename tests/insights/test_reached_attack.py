"""Made-up sendings against the attacker: no handful between heads, and none behind a relay."""

from collections.abc import Mapping

import pytest

from insights.heads import Heads, told_heads
from tests.insights.reached import Gate, Secrets, Sending, made_up

SENDINGS, AT_ONCE = 1000, 100


@pytest.mark.parametrize("first", range(0, SENDINGS, AT_ONCE))
def test_no_handful_is_known_to_less_than_ten_people(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        assert narrowest(made_up(seed, Gate())) is None, f"sending {seed}"


def narrowest(sending: Sending) -> tuple[str, float] | None:
    secrets = [Secrets(sending, final=final) for final in (False, True)]
    found = [one.attacker.narrowest(one.hidden()) for one in secrets]
    return found[0] or found[1]


def all_large(counted: Mapping[str, int], earlier: Mapping[str, int]) -> Heads:
    return Heads({}, {name: people for name, people in counted.items() if people >= 10})


def now_only(counted: Mapping[str, int], earlier: Mapping[str, int]) -> Heads:
    return told_heads(counted, {})


def all_large_rows(came: Mapping[str, int], by_none: int) -> frozenset[str]:
    return frozenset(one for one, people in came.items() if people >= 10)


@pytest.mark.parametrize(
    "faulty",
    [
        pytest.param(Gate(heads=all_large), id="heads that do not know each other"),
        pytest.param(Gate(heads=now_only), id="an end that does not know what was told before"),
        pytest.param(Gate(rows=all_large_rows), id="a handful left over beside relays"),
    ],
)
def test_the_attacker_finds_the_fault_of(faulty: Gate) -> None:
    assert any(narrowest(made_up(seed, faulty)) for seed in range(100))
