"""What import-linter does not see: single files, and whether every folder is in its contracts."""

import ast
import tomllib

import pytest

from tests.architecture.sources import ROOT, files, name

TOP = {name(path).removesuffix(".py") for path in files() if name(path).endswith(".py")}
OURS = {one.split("/")[0] for one in TOP}
NOT_SERVED = {"tests", "benchmarks", "tools", "migrations"}
# A file at the top, and what of ours it may import.
ALONE: dict[str, set[str]] = {
    "settings": set(),
    "logs": set(),
    "private_place": set(),
    "private_server": {"private_place"},
}


def imported(file: str) -> set[str]:
    """Return the first names of what a file at the top imports."""
    tree = ast.parse((ROOT / f"{file}.py").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("file", ALONE)
def test_files_at_the_top_stand_alone(file: str) -> None:
    assert imported(file) & OURS <= ALONE[file]


def test_the_composition_knows_no_edge() -> None:
    assert not imported("composition") & {"app", "api", "console", "public", "commands", "jobs"}


def test_only_jobs_and_channels_know_their_libraries() -> None:
    for file in ("app", "composition"):
        assert not imported(file) & {"telegram", "twilio", "procrastinate"}


def test_every_folder_is_in_the_import_contracts() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    known = set(config["tool"]["importlinter"]["root_packages"])
    folders = {one.split("/")[0] for one in TOP if "/" in one}
    assert folders - NOT_SERVED == known
