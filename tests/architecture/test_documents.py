"""Whatever exists is documented."""

import re
from pathlib import Path

import click
import pytest

from app import create_app
from settings import read
from tests.architecture.sources import ROOT, files, name

DOCS = ROOT / "docs"


def _commands(group: click.Group, before: str = "") -> list[str]:
    found = []
    for word, command in group.commands.items():
        if isinstance(command, click.Group):
            found += _commands(command, f"{before}{word} ")
        else:
            found.append(f"{before}{word}")
    return found


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every flask command of ours."""
    app = create_app(read({"HOMELINE_DATA": str(tmp_path_factory.mktemp("var"))}))
    return _commands(app.cli)


def test_every_command_is_documented(ours: list[str]) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.glob("*.md"))
    missing = [command for command in ours if f"flask {command}" not in text]
    assert not missing


def test_every_word_of_the_script_is_documented() -> None:
    script = (ROOT / "homeline").read_text(encoding="utf-8")
    words = re.findall(r"^ {4}(\w+)\) ", script, flags=re.MULTILINE)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert words
    assert not [word for word in words if f"./homeline {word}" not in text]


def test_every_folder_is_on_the_map() -> None:
    folders = {name(path).split("/")[0] for path in files() if "/" in name(path)}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [
        folder for folder in folders if not folder.startswith(".") and f"{folder}/" not in text
    ]


def test_the_readme_is_short_and_begins_with_two_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 150
    top = "\n".join(lines[:20])
    assert "./homeline demo" in top
    assert "./homeline test" in top


@pytest.mark.parametrize("document", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_paths_in_documents_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml))`", text)
    known = {name(path) for path in files()}
    folders = {f"{parent.as_posix()}/" for one in known for parent in Path(one).parents}
    missing = [
        path
        for path in named
        if path.split("/")[0] in {one.split("/")[0] for one in known}
        and path not in known
        and f"{path.rstrip('/')}/" not in folders
    ]
    assert not missing


def test_a_decision_record_is_under_a_page() -> None:
    for record in (DOCS / "adr").glob("*.md"):
        assert len(record.read_text(encoding="utf-8").splitlines()) <= 60, record.name


NAMED_TESTS = re.findall(
    r"`(tests/[a-z_/]+\.py)(?:::(\w+))?`", (DOCS / "quality.md").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("path", "test"), sorted(set(NAMED_TESTS)))
def test_what_shows_a_promise_is_there(path: str, test: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"def {test or 'test_'}" in text
