"""`flask demo`: the whole system on this machine, with made-up people, until Ctrl-C."""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

import click
from flask import current_app
from flask.cli import with_appcontext

from commands import demo_phones
from commands.seed import KEY_FILE
from commands.terminal import homeline, refuse
from composition import Homeline
from services.demo import seeding

HOST = "127.0.0.1"
_READY_SECONDS = 60.0
_STOP_SECONDS = 15.0
_QUICK_DEATHS = 3
_QUICK_SECONDS = 5.0


@dataclass
class Part:
    """One process of the demo, started again when it ends by itself."""

    name: str
    command: Sequence[str]
    log: Path
    root: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    quick_deaths: int = 0

    def start(self) -> None:
        """Start the process, its lines going to its log."""
        self.started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops its parts
                preexec_fn=_end_with_parent,
            )

    def look(self) -> None:
        """Start the process again if it ended; click.ClickException when it keeps ending."""
        if self.process is None or self.process.poll() is None:
            return
        quick = time.monotonic() - self.started < _QUICK_SECONDS
        self.quick_deaths = self.quick_deaths + 1 if quick else 0
        self._end_group()
        if self.quick_deaths >= _QUICK_DEATHS:
            raise refuse(f"The {self.name} process keeps ending. See {self.log}:\n{self.tail()}")
        self.start()

    def tail(self) -> str:
        """Return the last lines of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-12:])

    def stop(self) -> None:
        """Ask the process to end, and wait; end it when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        self._end_group()
        self.process.wait()

    def _end_group(self) -> None:
        """End what is left of the process and of its children, which would keep the port."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class Stop:
    """Remembers that somebody asked the demo to stop."""

    asked: bool = False
    signals: tuple[signal.Signals, ...] = field(default=(signal.SIGINT, signal.SIGTERM))

    def listen(self) -> None:
        """From now on the signals only set `asked`."""
        for each in self.signals:
            signal.signal(each, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


@click.command("demo")
@with_appcontext
@click.pass_context
def demo(context: click.Context) -> None:
    """Serve everything with made-up people on this machine, until Ctrl-C."""
    line = homeline()
    if not line.settings.development:
        raise refuse("The demo is for HOMELINE_ENV=development.")
    stop = Stop()
    stop.listen()
    with ExitStack() as cleanup:
        cleanup.callback(line.close)
        _alone(line, cleanup)
        _free_port(line.settings.port)
        click.echo("Preparing the database ...")
        for names in (("db", "upgrade"), ("seed",)):
            _invoke(context, *names)
        parts = _parts(line)
        for part in parts:
            part.start()
            cleanup.callback(part.stop)
        _wait_until_ready(line, parts, stop)
        if not stop.asked:
            click.echo(_welcome(line))
        while not stop.asked:
            for part in parts:
                part.look()
            time.sleep(0.2)
        click.echo("Stopping ...")
    click.echo("Stopped. The data stays; ./homeline demo goes on with it.")


def _alone(line: Homeline, cleanup: ExitStack) -> None:
    line.settings.data.mkdir(mode=0o711, parents=True, exist_ok=True)
    lock = cleanup.enter_context((line.settings.data / demo_phones.LOCK).open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        told = "The demo is already running with this data folder. One beside it:"
        raise refuse(f"{told} HOMELINE_DATA=var2 PORT=8001 ./homeline demo") from None


def _free_port(port: int) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            other = port + 1 if port < 65535 else 8000
            raise refuse(f"Port {port} is in use. Try: PORT={other} ./homeline demo") from None


def _invoke(context: click.Context, *names: str) -> None:
    """Run another command of ours, if it is there."""
    group: click.Command | None = current_app.cli
    for name in names:
        group = group.get_command(context, name) if isinstance(group, click.Group) else None
    if group is not None:
        context.invoke(group)


def _parts(line: Homeline) -> list[Part]:
    logs = line.settings.data / "log"
    logs.mkdir(mode=0o700, exist_ok=True)
    web = ["granian", "--interface", "wsgi", "--factory", "--host", HOST, "--no-ws"]
    web += ["--port", str(line.settings.port), "--workers", "1", "--blocking-threads", "64"]
    web += ["--backlog", "4096", "--backpressure", "16384"]
    web += ["--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "10"]
    named = demo_phones.prepare(line)
    ours = ["env", *(f"{name}={value}" for name, value in named.items()), sys.executable, "-m"]
    commands = {"web": [*ours, *web, "app:create_web"], "worker": [*ours, "jobs"]}
    if named:  # first, so that nothing is sent before somebody listens
        commands = {"phones": demo_phones.command(line.settings.data)} | commands
    return [
        Part(name, command, logs / f"{name}.log", line.root) for name, command in commands.items()
    ]


def _wait_until_ready(line: Homeline, parts: list[Part], stop: Stop) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    address = f"http://{HOST}:{line.settings.port}/readyz"
    while not stop.asked:
        for part in parts:
            part.look()
        try:
            with urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            pass
        if time.monotonic() > deadline:
            raise refuse(f"The web process does not serve. Its last words:\n{parts[-2].tail()}")
        time.sleep(0.1)


def _welcome(line: Homeline) -> str:
    base = f"http://{HOST}:{line.settings.port}"
    wanted = {"/sim": "three phones to try", "/console/": "for officers", "/api/docs": "the API"}
    known = {rule.rule for rule in current_app.url_map.iter_rules()}
    pages = [(base + path, what) for path, what in wanted.items() if known & {path, path + "/"}]
    pages += [(base + path, what) for path, what in _polls(line).items()]
    pages.append((base + "/readyz", "whether all is well"))
    width = max(len(address) for address, _ in pages)
    lines = [f"  {address:<{width}}  {what}" for address, what in pages]
    return "\n".join(
        [
            "",
            "Homeline serves. All people and figures in it are made up. Open:",
            *lines,
            "",
            f"API key with all scopes: {_key(line)}",
            f"Logs: {line.settings.data / 'log'}. Ctrl-C stops it.",
        ]
    )


def _polls(line: Homeline) -> dict[str, str]:
    """Return pages of the demo's polls that anybody may open."""
    organisation_id = seeding.find(line.engine)
    codes = seeding.pages(line.engine, organisation_id) if organisation_id else {}
    told = {
        "result": ("r", "what came of a poll, for everybody"),
        "live": ("r", "a poll that people answer now"),
        "join": ("j", "the page of a poll: its code opens a chat"),
    }
    return {f"/{told[name][0]}/{code}": told[name][1] for name, code in codes.items()}


def _key(line: Homeline) -> str:
    """Return the key that the seed made; only the owner of the data folder can read its file."""
    file = line.settings.data / KEY_FILE
    return file.read_text(encoding="ascii").strip() if file.is_file() else "none"


def _end_with_parent() -> None:
    """On Linux: let a part end when the demo is killed, instead of staying behind."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


COMMANDS = (demo,)
