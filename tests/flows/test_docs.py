"""What a flow file may hold is in docs/flows.md, or this fails."""

from pathlib import Path

import pytest

from flows.conditions import OPERATORS, RESERVED
from flows.flow import KINDS
from flows.lint import PLACEHOLDERS
from flows.loader import load
from flows.questions import TYPES

DOCS = (Path(__file__).parent.parent.parent / "docs" / "flows.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.type)
def test_each_question_type_and_its_keys_are_explained(kind: type) -> None:
    assert f"| `{kind.type}` |" in DOCS  # type: ignore[attr-defined]
    for key in kind.keys:  # type: ignore[attr-defined]
        assert f"`{key}`" in DOCS


@pytest.mark.parametrize("name", [*KINDS, *OPERATORS, *sorted(RESERVED), *sorted(PLACEHOLDERS)])
def test_each_kind_operator_and_placeholder_is_explained(name: str) -> None:
    assert f"`{name}`" in DOCS or f"{{{name}" in DOCS


def test_the_flows_in_the_docs_load() -> None:
    blocks = [block.split("```")[0] for block in DOCS.split("```yaml\n")[1:]]
    flows = [block for block in blocks if block.startswith("flow:")]
    assert flows
    for flow in flows:
        load(flow)
