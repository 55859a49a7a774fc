"""The files the architecture tests read."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".git", ".venv", "var", "__pycache__", ".cache", "results"}


@cache
def files() -> tuple[Path, ...]:
    """Return every file of the repository, also those not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return tuple(sorted(ROOT / name for name in set(names) if (ROOT / name).is_file()))
    return tuple(
        sorted(
            path
            for path in ROOT.rglob("*")
            if path.is_file() and not _NOT_OURS & set(path.relative_to(ROOT).parts)
        )
    )


def python_files(*, without: tuple[str, ...] = ()) -> list[Path]:
    """Return the Python files that do not lie in one of these folders."""
    return [
        path for path in files() if path.suffix == ".py" and name(path).split("/")[0] not in without
    ]


def name(path: Path) -> str:
    """Return a path as the documents write it."""
    return path.relative_to(ROOT).as_posix()
