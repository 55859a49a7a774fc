"""Rules of this house that no tool knows."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, files, name, python_files

READERS = {"settings.py", "migrations/env.py", "private_place.py", "private_server.py"}
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".html", ".css", ".js", ".mako", ".ini", ""}
# Folders of this machine; a path that is ours only by name ("/var/lib" of the launcher) is fine.
OUTSIDE = re.compile(
    r"(?:^|[\s\"'(=:`])(?:/(?:work|home|root|Users|mnt|srv)/\w|(?:\.\./)+shared\b)"
)
ALLOWED_OUTSIDE = {".ci/run"}
HOSTS_OF_PACKAGES = re.compile(r"(?:pypi|pythonhosted|npmjs|index-url)", re.IGNORECASE)
VAGUE = {"utils", "helpers", "manager", "info", "misc"}


def texts() -> list[Path]:
    return [
        path
        for path in files()
        if path.suffix in TEXT and "vectors" not in path.parts and path.name != "LICENSE"
    ]


def test_nothing_but_the_ci_script_names_a_path_outside() -> None:
    found = [
        f"{name(path)}: {line.strip()[:80]}"
        for path in texts()
        if name(path) not in ALLOWED_OUTSIDE and path != Path(__file__)
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if OUTSIDE.search(line)
    ]
    assert not found


def test_requirements_name_no_package_index() -> None:
    for file in ("requirements.txt", "requirements-dev.txt", "homeline", ".ci/run"):
        assert not HOSTS_OF_PACKAGES.search((ROOT / file).read_text(encoding="utf-8")), file


def test_every_requirement_is_pinned() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            wanted = line.partition("#")[0].strip()
            assert not wanted or wanted.startswith("-r ") or "==" in wanted, line


@pytest.mark.parametrize("path", python_files(without=("tests", "benchmarks", "tools")), ids=name)
def test_only_settings_read_the_environment(path: Path) -> None:
    if name(path) in READERS:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    read = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]
    assert not read


@pytest.mark.parametrize("path", python_files(without=("tests", "benchmarks")), ids=name)
def test_names_say_what_a_file_is_about(path: Path) -> None:
    assert not VAGUE & set(path.stem.split("_"))


@pytest.mark.parametrize("path", python_files(without=("tests", "benchmarks")), ids=name)
def test_imports_stand_at_the_top(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = [
        node.lineno
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not inside


@pytest.mark.parametrize("path", python_files(without=("tests", "benchmarks", "tools")), ids=name)
def test_services_never_commit(path: Path) -> None:
    if not name(path).startswith(("services/", "insights/")):
        return
    assert ".commit(" not in path.read_text(encoding="utf-8")


# Where real processes and providers are waited for, and nothing else tells when they are there.
SLEEPERS = ("tests/chaos/", "tests/transcripts/stage.py")


def test_tests_never_sleep() -> None:
    sleeping = [
        f"{name(path)}:{number}"
        for path in python_files()
        if name(path).startswith("tests/")
        and path != Path(__file__)
        and not name(path).startswith(SLEEPERS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"\btime\.sleep\(", line)
    ]
    assert not sleeping
