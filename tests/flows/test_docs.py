"""What a flow file may hold is in docs/flows.md, or this fails."""

import re
from pathlib import Path
from typing import Any

import pytest

from flows import questions
from flows.conditions import OPERATORS, RESERVED
from flows.flow import KINDS
from flows.lint import PLACEHOLDERS
from flows.loader import load
from flows.questions import TYPES
from flows.questions.base import Question
from tests.flows.play import Talk, flow_of

DOCS = (Path(__file__).parent.parent.parent / "docs" / "flows.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.type)
def test_each_question_type_and_its_keys_are_explained(kind: type) -> None:
    assert f"| `{kind.type}` |" in DOCS  # type: ignore[attr-defined]
    for key in kind.keys:  # type: ignore[attr-defined]
        assert f"`{key}`" in DOCS


@pytest.mark.parametrize("name", [*KINDS, *OPERATORS, *sorted(RESERVED), *sorted(PLACEHOLDERS)])
def test_each_kind_operator_and_placeholder_is_explained(name: str) -> None:
    assert f"`{name}`" in DOCS or f"{{{name}" in DOCS


def test_the_question_type_in_the_docs_works(monkeypatch: pytest.MonkeyPatch) -> None:
    code = DOCS.partition("```python\n")[2].partition("```")[0]
    made: dict[str, Any] = {}
    exec(code, made)
    kind = made["Rating"]
    monkeypatch.setitem(vars(questions)["BY_NAME"], kind.type, kind)
    assert Talk(flow_of(kind.example)).say("many", kind.sample).state.answers == {"rating": 4}


def test_what_the_docs_say_of_a_type_is_there_to_say() -> None:
    table = DOCS.partition("| the class says |")[2].partition("\n\n")[0]
    names = re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:]))
    assert {"read", "told"} < set(names)
    assert [
        name for name in names if name not in {**vars(Question), **Question.__annotations__}
    ] == []


def test_the_flows_in_the_docs_load() -> None:
    blocks = [block.split("```")[0] for block in DOCS.split("```yaml\n")[1:]]
    flows = [block for block in blocks if block.startswith("flow:")]
    assert flows
    for flow in flows:
        load(flow)
