"""The one door for people: a small POSIX script."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "homeline"
SHELL = shutil.which("dash") or "/bin/sh"


def run(*words: str, cwd: Path = ROOT, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": path or os.environ["PATH"]}
    return subprocess.run(
        [SHELL, str(cwd / "homeline"), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=environ,
    )


def copy_to(folder: Path) -> Path:
    """Put the script and what it reads into an otherwise empty folder."""
    folder.mkdir(parents=True)
    for name in ("homeline", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def a_program(folder: Path, name: str, text: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder of programs as on a bare machine: the usual ones and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cat", "cksum", "dirname", "rm", "sh"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def test_the_script_is_small_and_plain() -> None:
    assert subprocess.run([SHELL, "-n", str(SCRIPT)], check=False).returncode == 0
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) < 150
    assert SCRIPT.stat().st_mode & stat.S_IXUSR


def test_alone_it_explains_itself() -> None:
    done = run()
    assert done.returncode == 0
    for word in ("demo", "chat", "test", "check", "accept", "bench", "migration"):
        assert f"./homeline {word}" in done.stdout


def test_an_unknown_word_is_an_error() -> None:
    assert run("dmeo").returncode == 2


def test_without_python_it_says_what_is_missing_where(tmp_path: Path, bare: Path) -> None:
    folder = copy_to(tmp_path / "a clone")
    done = run("check", cwd=folder, path=str(bare))
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_shims_that_run_nothing_and_old_pythons_are_passed_over(tmp_path: Path, bare: Path) -> None:
    folder = copy_to(tmp_path / "a clone")
    a_program(bare, "python3", "exit 127")
    a_program(bare, "python3.12", "exit 1")
    assert "none was found" in run("check", cwd=folder, path=str(bare)).stderr


def test_python_without_venv_is_told_the_package(tmp_path: Path, bare: Path) -> None:
    folder = copy_to(tmp_path / "a clone")
    answers = 'case "$2" in *ensurepip*) exit 1 ;; *print*) echo 3.11 ;; esac'
    a_program(bare, "python3", answers)
    done = run("check", cwd=folder, path=str(bare))
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
