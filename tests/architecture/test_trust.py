"""Each promise of the trust standard that holds from the first release has a test that attacks it.

A test names the item in its docstring; here stands what each promises.
"""

import ast
import re
from pathlib import Path

import pytest

from tests.databases import ROOT

ITEMS = {
    "A-01": "a webhook without its signature, or with one byte changed, opens and writes nothing",
    "A-03": "known and unknown numbers hear the same at the same cost",
    "A-06": "five tries of a code, then none, however many come at one moment",
    "C-01": "a consent is proved by the bytes that were shown, for one purpose, append-only",
    "C-03": "STOP in sixty wordings stops everything, whatever was going on",
    "C-05": "MYDATA shows every personal column, and who looked",
    "C-06": "a number that may have changed hands opens nothing for a day",
    "C-07": "DELETE leaves no byte in live tables but a tombstone",
    "C-10": "every personal row ends on time",
    "D-01": "an answered delivery has its effect exactly once",
    "K-01": "kill -9 at any moment loses and doubles nothing",
    "N-01": "garbage of every kind is inert and breaks nothing",
    "O-04": "a restored backup is whole, and whoever was erased stays erased",
    "S-01": "the files of the database hold numbers and words only sealed",
    "S-07": "no log names anybody",
    "T-01": "no table, route or role shows another organisation's rows",
}
NAMED = re.compile(r"\b[A-Z]-\d\d\b")


def attacks(file: Path) -> set[str]:
    """The items that tests of a file name in their docstrings."""
    tree = ast.parse(file.read_text("utf-8"))
    tests = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    return {item for test in tests for item in NAMED.findall(ast.get_docstring(test) or "")}


@pytest.fixture(scope="module")
def attacked() -> set[str]:
    found = [attacks(file) for file in (ROOT / "tests").rglob("test_*.py")]
    return set().union(*found)


@pytest.mark.parametrize("item", ITEMS)
def test_a_promise_is_attacked_by_a_test(attacked: set[str], item: str) -> None:
    assert item in attacked, ITEMS[item]


def test_a_promise_without_a_test_is_found(tmp_path: Path) -> None:
    named = tmp_path / "test_named.py"
    named.write_text('"""C-01 in a module counts for none of its tests."""\ndef test_x(): "C-02"\n')
    assert attacks(named) == {"C-02"}
