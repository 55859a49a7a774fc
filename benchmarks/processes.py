"""Start, account for and stop server processes: only those started here."""

import asyncio
import atexit
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence

TICK = os.sysconf("SC_CLK_TCK")


class NotStarted(Exception):
    """A server did not come up; the message names its log."""


def start(
    command: Sequence[str],
    *,
    cpu: int | str,
    log: pathlib.Path,
    env: Mapping[str, str] | None = None,
    cwd: pathlib.Path | None = None,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """The command running on one core in a session of its own, its output appended to `log`.

    It ends with the driver, even when that is killed: the kernel signals it.
    """
    guard = ["setpriv", "--pdeathsig", "TERM", "--", "taskset", "-c", str(cpu)]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*guard, *command],
            env={**os.environ, **(env or {})},
            cwd=cwd,
            user=user,
            start_new_session=True,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    atexit.register(stop, process, hard=True)
    return process


def stop(
    process: subprocess.Popen[bytes],
    *,
    hard: bool = False,
    wait: float = 15,
    by: signal.Signals = signal.SIGTERM,
) -> None:
    """End the process and its children; after `wait` seconds by force."""
    if process.poll() is not None:
        return
    pids = tree(process.pid)
    if hard:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    else:
        process.send_signal(by)
    try:
        process.wait(wait)
    except subprocess.TimeoutExpired:
        stop(process, hard=True)
    end = time.monotonic() + 5
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.01)  # children may still hold the listening socket


async def wait_port(process: subprocess.Popen[bytes], port: int, timeout: float = 40) -> None:
    """Return once the port answers; NotStarted when the process ends or the time runs out."""
    end = time.monotonic() + timeout
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.3).close()
            return
        except OSError:
            await asyncio.sleep(0.05)
    raise NotStarted(f"nothing listens on port {port}")


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                pid = int(entry.name)
                children.setdefault(int(_stat(pid)[1]), []).append(pid)
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def alive(pid: int) -> bool:
    """Whether the process runs, zombies not counted."""
    try:
        return _stat(pid)[0] != "Z"
    except OSError:
        return False


def cpu_seconds(roots: Iterable[int]) -> float:
    """CPU seconds of whole process trees, children that have ended included."""
    ticks = 0
    for root in roots:
        for pid in tree(root):
            with contextlib.suppress(OSError):
                ticks += sum(int(field) for field in _stat(pid)[11:15])
    return ticks / TICK


def peak_memory(roots: Iterable[int]) -> float:
    """Sum over the trees of each process's peak resident memory, in MiB."""
    kilobytes = 0
    for root in roots:
        for pid in tree(root):
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM"):
                        kilobytes += int(line.split()[1])
    return kilobytes / 1024


def machine_busy() -> float:
    """Busy CPU seconds of the whole machine, to see work that is not ours."""
    total = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0]
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, total.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICK


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on, so 1 is the parent and 11-14 CPU ticks."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()
