"""Every log call of the source uses listed keys only, also on paths that no test takes (S-07)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import logs
from tests.databases import ROOT

SOURCES = "api bot commands console flows insights jobs migrations models public services".split()
FILES = sorted(
    [*ROOT.glob("*.py"), *(file for name in SOURCES for file in (ROOT / name).rglob("*.py"))]
)
OF_THE_CALL = {"level"}


def strange_keys(source: str) -> Iterator[tuple[int, str]]:
    """Each key of a `logs.event` call that is not allowed, with its line."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "logs.event":
            continue
        for keyword in node.keywords:
            if keyword.arg is not None and keyword.arg not in logs.ALLOWED | OF_THE_CALL:
                yield node.lineno, keyword.arg


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_log_call_uses_listed_keys(file: Path) -> None:
    """S-07: nobody has to run a failing path to find a key that could hold a name."""
    assert list(strange_keys(file.read_text("utf-8"))) == []


def test_a_planted_key_is_found() -> None:
    planted = 'logs.event("message.failed", level="error", count=1, text=heard.body)'
    assert list(strange_keys(planted)) == [(1, "text")]
