from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.conditions import evaluate
from flows.errors import FlowInvalid, FlowLimit
from flows.flow import build
from flows.loader import library, load, read
from tests.flows.play import NOW

CONTRACT = """
flow: passport-hours
kind: poll                      # registration | module | poll | consultation | notice
purpose: {why: plan passport opening hours, owner: consular section, decision: hours from March}
languages: [en, fr]
entry: {en: [hours], fr: [horaires]}
questions:
  - id: when_open
    type: choice
    text: {en: When should the consulate be open for passports?, fr: Quand ouvrir le guichet ?}
    options:
      - {value: mornings, label: {en: Weekday mornings, fr: Matins de semaine}}
      - {value: saturday, label: {en: Saturday, fr: Samedi}, also: {en: [weekend]}}
  - id: why
    type: text
    when: {when_open: saturday}
    required: false
    text: {en: Why Saturday?, fr: Pourquoi le samedi ?}
follow_ups:
  - {when: {when_open: saturday}, start: saturday-consultation, after: 3 days}
"""


def test_the_flow_file_of_the_contract_loads() -> None:
    flow = load(CONTRACT, version=4)
    assert (flow.id, flow.kind, flow.version) == ("passport-hours", "poll", 4)
    assert flow.entry == {"en": ("hours",), "fr": ("horaires",)}
    assert [question.type for question in flow.questions] == ["choice", "text"]
    rule = flow.follow_ups[0]
    assert (rule.start, rule.after.days) == ("saturday-consultation", 3)
    assert rule.when is not None
    assert evaluate(rule.when, {"when_open": "saturday"}.get, NOW)


def test_every_scalar_is_text() -> None:
    assert read("a: NO\nb: yes\nc: 09:00\nd: 1.0\ne: null\nf: 0x1f\ng: 2026-01-01\n") == {
        "a": "NO",
        "b": "yes",
        "c": "09:00",
        "d": "1.0",
        "e": "null",
        "f": "0x1f",
        "g": "2026-01-01",
    }


def test_the_same_flow_as_json_has_numbers_and_booleans() -> None:
    definition = dict(load(CONTRACT).definition)
    why = {**definition["questions"][1], "required": False, "longest": 100}
    definition["questions"] = [definition["questions"][0], why]
    assert not build(definition).questions[1].required


@pytest.mark.parametrize(
    "source",
    [
        "",
        "- a list",
        "a: [",
        "a: 1\na: 2",
        "a: &x [1]\nb: *x",
        "a: !!python/object/apply:os.system [ls]",
        "a: \x01",
        "%YAML 9",
    ],
)
def test_bad_yaml_is_refused_in_words(source: str) -> None:
    with pytest.raises(FlowInvalid):
        read(source)


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(FlowLimit):
        read("a" * 600_000)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(FlowInvalid):
        read("[" * 20_000)


def test_the_library_is_named_by_its_flows() -> None:
    for name, path in library().items():
        assert load(path).id == name


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_text_loads_or_is_refused(source: str) -> None:
    with suppress(FlowInvalid):
        load(source)
