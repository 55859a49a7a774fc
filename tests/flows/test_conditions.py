from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.conditions import Names, evaluate, fields, may_hold, parse
from flows.errors import FlowInvalid
from flows.sentences import sentence
from flows.state import SEALED, SKIPPED, Value

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = Names(frozenset({"a", "b", "needs", "age"}))


def holds(mapping: object, **known: Value) -> bool:
    return evaluate(parse(mapping, NAMES), known.get, NOW)


@pytest.mark.parametrize(
    ("mapping", "known", "expected"),
    [
        ({"a": "x"}, {"a": "x"}, True),
        ({"a": "x"}, {"a": "y"}, False),
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": {"not": "x"}}, {"a": "y"}, True),
        ({"a": {"not": "x"}}, {"a": "x"}, False),
        ({"a": {"not": ["x", "y"]}}, {"a": "y"}, False),
        ({"needs": {"has": "work"}}, {"needs": ["work", "papers"]}, True),
        ({"needs": {"has": ["housing", "papers"]}}, {"needs": ["work", "papers"]}, True),
        ({"needs": {"has": "housing"}}, {"needs": ["work"]}, False),
        ({"needs": {"not": {"has": "work"}}}, {"needs": ["work"]}, False),
        ({"needs": "work"}, {"needs": ["work"]}, False),
        ({"age": {"at_least": "18"}}, {"age": 18}, True),
        ({"age": {"at_least": 18}}, {"age": 9}, False),
        ({"age": {"at_most": 18}}, {"age": "9"}, True),
        ({"age": {"at_most": 18}}, {"age": "old"}, False),
        ({"joined": {"at_least": "2026-01-01"}}, {"joined": "2026-02-01T10:00:00Z"}, True),
        ({"joined": {"within": "30 days"}}, {"joined": "2026-02-20"}, True),
        ({"joined": {"within": "30 days"}}, {"joined": "2026-01-20"}, False),
        ({"joined": {"within": "30 days"}}, {"joined": "2026-03-20"}, False),
        ({"joined": {"within": "30 days"}}, {"joined": "long ago"}, False),
        ({"joined": {"within": "30 days"}}, {"joined": "2026-02"}, True),
        ({"joined": {"within": "30 days"}}, {"joined": "20260220"}, False),
        ({"joined": {"within": "30 days"}}, {"joined": "2026-02-30"}, False),
        ({"joined": {"at_most": "2026-03-02T09:00+02:00"}}, {"joined": "2026-03-02 07:00"}, True),
        ({"age": {"at_least": "3"}}, {"age": "٣"}, False),
        ({"age": {"at_least": "3"}}, {"age": "1e5"}, False),
        ({"age": {"at_least": "0.3"}}, {"age": "0.30"}, True),
        ({"a": {"known": "false"}}, {"a": "x"}, False),
        ({"a": {"known": False}}, {}, True),
        ({"a": {"known": "true"}}, {"a": SEALED}, True),
        ({"a": {"known": "true"}}, {"a": SKIPPED}, False),
        ({"all": [{"a": "x"}, {"b": "y"}]}, {"a": "x", "b": "y"}, True),
        ({"any": [{"a": "x"}, {"b": "y"}]}, {"b": "y"}, True),
        ({"all": []}, {}, True),
        ({"any": []}, {}, False),
        ({"not": {"a": "x"}}, {"a": "x"}, False),
        ({"a": "x", "b": "y"}, {"a": "x"}, False),
        ({"a": "yes"}, {"a": True}, True),
        ({"a": True}, {"a": "yes"}, True),
        ({"a": "3"}, {"a": 3.0}, True),
    ],
)
def test_each_form_of_the_contract(
    mapping: object, known: dict[str, Value], expected: bool
) -> None:
    assert holds(mapping, **known) is expected


@pytest.mark.parametrize(
    "comparison",
    ["x", ["x", "y"], {"has": "x"}, {"at_least": 3}, {"at_most": 3}, {"within": "3 days"}],
)
@pytest.mark.parametrize("known", [{}, {"a": SKIPPED}])
def test_a_comparison_with_the_unknown_is_false_and_its_not_true(
    comparison: object, known: dict[str, Value]
) -> None:
    assert holds({"a": comparison}, **known) is False
    assert holds({"a": {"not": comparison}}, **known) is True
    assert holds({"not": {"a": comparison}}, **known) is True


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        ({"zzz": "x"}, "when.zzz"),
        ({}, "when"),
        ("a", "when"),
        ({"a": {}}, "when.a"),
        ({"a": {"is": "x"}}, "when.a"),
        ({"a": {"not": "x", "has": "y"}}, "when.a"),
        ({"a": []}, "when.a"),
        ({"a": {"within": "soon"}}, "when.a.within"),
        ({"a": {"known": "maybe"}}, "when.a.known"),
        ({"a": {"at_least": "many"}}, "when.a.at_least"),
        ({"all": {"a": "x"}}, "when.all"),
        ({"all": [{"a": "x"}, {"q": 1}]}, "when.all[1].q"),
        ({"not": {"any": [{"q": 1}]}}, "when.not.any[0].q"),
    ],
)
def test_a_fault_is_named_with_its_place(mapping: object, place: str) -> None:
    with pytest.raises(FlowInvalid) as fault:
        parse(mapping, NAMES)
    assert fault.value.place == place


def test_a_condition_nested_without_end_is_refused() -> None:
    nested: dict[str, Any] = {"a": "x"}
    for _ in range(500):
        nested = {"not": nested}
    with pytest.raises(FlowInvalid):
        parse(nested, NAMES)


@pytest.mark.parametrize(
    "name",
    ["a", "country", "language", "channel", "joined", "passport-hours.when", "consent.polls"],
)
def test_names_of_questions_profile_flows_and_consents_are_known(name: str) -> None:
    assert fields(parse({name: "x"}, NAMES)) == {name}


def test_reserved_names_are_no_fields() -> None:
    assert not any(
        name in Names(frozenset({"all", "any", "not"})) for name in ("all", "any", "not")
    )


VALUES = st.one_of(
    st.sampled_from(["x", "y", "3", "2026-02-20", SEALED, SKIPPED]),
    st.integers(-5, 5),
    st.booleans(),
    st.lists(st.sampled_from(["x", "y"]), max_size=2),
)
OPERANDS = st.one_of(
    st.sampled_from(["x", "y", "3"]),
    st.lists(st.sampled_from(["x", "y", "3"]), min_size=1, max_size=3),
    st.builds(lambda v: {"has": v}, st.sampled_from(["x", "y"])),
    st.builds(lambda v: {"at_least": v}, st.integers(-5, 5)),
    st.builds(lambda v: {"within": f"{v} days"}, st.integers(0, 50)),
    st.builds(lambda v: {"known": v}, st.booleans()),
    st.builds(lambda v: {"not": v}, st.sampled_from(["x", {"has": "x"}])),
)
CONDITIONS = st.recursive(
    st.builds(lambda name, operand: {name: operand}, st.sampled_from(["a", "b"]), OPERANDS),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(CONDITIONS, st.dictionaries(st.sampled_from(["a", "b"]), VALUES))
def test_not_is_the_opposite_and_what_holds_may_hold(
    mapping: dict[str, Any], known: dict[str, Value]
) -> None:
    condition, negated = parse(mapping, NAMES), parse({"not": mapping}, NAMES)
    held = evaluate(condition, known.get, NOW)
    assert evaluate(negated, known.get, NOW) is not held
    assert all(sentence(condition, language) for language in ("en", "fr", "es", "pt", "ar"))
    unanswered = frozenset({"a", "b"} - known.keys())
    assert may_hold(condition, known.get, NOW, frozenset()) is held
    if held:
        assert may_hold(condition, known.get, NOW, unanswered)
