"""What the benchmark needs on the machine: its own packages, and two cores."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE / ".cache"


class Missing(Exception):
    """Something the machine lacks; the message says what to install."""


def python_peers() -> pathlib.Path:
    """The interpreter of an environment with driver and Python peers, installed when needed.

    It is made from the interpreter that calls, so that every Python target runs on the same one.
    """
    folder, wanted = CACHE / "venv", (HERE / "requirements.txt").read_text() + sys.version
    python = folder / "bin" / "python"
    if not _current(folder, wanted):
        print("benchmark: installing driver and Python peers", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
        _run([*pip, "-r", str(HERE / "requirements.txt")])
        _remember(folder, wanted)
    return python


def node_peers() -> None:
    """Install the Node peer when needed. Raises Missing without node and npm."""
    folder, wanted = CACHE / "node", (HERE / "peers" / "package.json").read_text()
    if not shutil.which("node") or not shutil.which("npm"):
        raise Missing("node and npm are needed for Telegraf (apt install nodejs npm)")
    if not _current(folder, wanted):
        print("benchmark: installing Telegraf", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "peers" / "package.json", folder / "package.json")
        _run(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent"])
        _remember(folder, wanted)


def cores() -> tuple[int, int]:
    """One core for the target and PostgreSQL, one for driver and fake provider."""
    for tool in ("taskset", "setpriv"):
        if not shutil.which(tool):
            raise Missing(f"{tool} is needed (apt install util-linux)")
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Missing("two cores are needed: one for the servers, one for the driver")
    return allowed[0], allowed[1]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"{' '.join(command[:4])} … failed: {done.stderr.strip()[-1000:]}")


def _current(folder: pathlib.Path, wanted: str) -> bool:
    mark = folder / "installed"
    return mark.exists() and mark.read_text() == _digest(wanted)


def _remember(folder: pathlib.Path, wanted: str) -> None:
    (folder / "installed").write_text(_digest(wanted))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
