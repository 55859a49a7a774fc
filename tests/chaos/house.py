"""The real thing on one machine: private server, two web and two worker processes, killed at will.

    with House(tmp_path) as house:
        house.kill(house.webs[0])          # kill -9 of the whole process group
        house.restart_database()           # immediate shutdown, crash recovery, up again

Only processes this module started are ever ended, by their number.
"""

import ctypes
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen
from uuid import UUID

import private_server
import settings
from composition import Homeline, upgrade
from flows import loader
from models.base import new_id
from models.channel import ChannelKind
from models.db import transaction
from services import channels, flows, organisations
from services.channels import NewChannel

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 30.0
PLENTY = 5_000.0
PUBLIC_URL = "http://127.0.0.1:1"  # where the providers think we are; the balancer knows better
SIGNED = {"account_sid": "AC" + "0" * 32, "auth_token": "t" * 32}
TOKEN, SECRET = "1001:chaos-token", "chaos-secret"
NUMBER = "+447700900999"


@dataclass
class Part:
    """One process with its log; started again after each kill."""

    name: str
    command: list[str]
    environ: Mapping[str, str]
    log: Path
    port: int | None = None
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def start(self) -> None:
        """Start it in a group of its own."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=dict(self.environ), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                preexec_fn=_end_with_parent,
            )  # fmt: skip

    def kill(self) -> None:
        """End the whole group at once, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.kills += 1

    def stop(self, seconds: float = 15) -> int:
        """Ask it to end; its return code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None


@dataclass(frozen=True)
class Line:
    """One channel of the house."""

    id: UUID
    key: str

    def webhook(self, provider: str) -> str:
        """The path providers post to."""
        return f"/webhooks/{provider}/{self.key}"


@dataclass
class Asked:
    """What a run wants to be different from two of each on wide budgets."""

    webs: int = 2
    workers: int = 2
    telegram_api: str = ""
    twilio_api: str = ""
    rate: float = PLENTY
    telegram_config: Mapping[str, Any] = field(default_factory=lambda: {"chat_rate": 1000})


class House:
    """Everything that runs; leaving it stops all, the server included."""

    def __init__(self, data: Path, asked: Asked) -> None:
        self.data = data
        self.asked = asked
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOMELINE_ENV": "development",
            "HOMELINE_DATA": str(data),
            "HOMELINE_PUBLIC_URL": PUBLIC_URL,
            "TELEGRAM_API_URL": asked.telegram_api,
            "TWILIO_API_URL": asked.twilio_api,
        }
        self.lines: dict[str, Line] = {}
        self.webs: list[Part] = []
        self.workers: list[Part] = []

    def __enter__(self) -> Self:
        self.membership = private_server.join(self.data)
        self.homeline = Homeline(settings.read(self.environ))
        upgrade(self.homeline)
        self._furnish()
        self.webs = [self._web(number) for number in range(self.asked.webs)]
        self.workers = [self._worker(number) for number in range(self.asked.workers)]
        for part in self.parts:
            part.start()
        for web in self.webs:
            self.wait_ready(web)
        return self

    def __exit__(self, *_: object) -> None:
        for part in self.parts:
            if part.alive:
                assert part.process is not None
                part.process.terminate()
        for part in self.parts:
            if part.alive:
                part.stop()
        self.homeline.close()
        self.membership.leave()

    @property
    def parts(self) -> list[Part]:
        """All processes but the server."""
        return [*self.webs, *self.workers]

    @property
    def ports(self) -> list[int]:
        """Where the web processes listen."""
        return [web.port for web in self.webs if web.port]

    # --- what happens to it ---

    def kill(self, part: Part) -> None:
        """Kill one process and start it again."""
        part.kill()
        part.start()

    def restart_database(self) -> float:
        """Immediate shutdown of the server, and up again; seconds until it answered."""
        began = time.monotonic()
        os.kill(self.postmaster, signal.SIGQUIT)
        private_server.join(self.data).leave()
        return time.monotonic() - began

    @property
    def postmaster(self) -> int:
        """The server's own process, which this house started."""
        place = self.membership._place
        lines = (place.cluster / "postmaster.pid").read_text(encoding="utf-8").split()
        return int(lines[0])

    @property
    def cluster(self) -> Path:
        """The server's files."""
        return self.membership._place.cluster

    def output(self) -> str:
        """All that the processes wrote, the server's own log included."""
        logs = [part.log for part in self.parts]
        logs.append(self.membership._place.folder / "server.log")
        texts = (log.read_text(encoding="utf-8", errors="replace") for log in logs if log.exists())
        return "\n".join(texts)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        found = []
        for line in self.output().splitlines():
            if f'"event":"{name}"' in line:
                found.append(json.loads(line))
        return found

    @contextmanager
    def system(self) -> Iterator[Any]:
        """A superuser's connection, for looking and for nothing else."""
        import psycopg

        with psycopg.connect(self.membership.urls.superuser, autocommit=True) as connection:
            yield connection

    def ask(self, query: str) -> list[Any]:
        """What a superuser reads."""
        with self.system() as connection:
            rows: list[Any] = connection.execute(query).fetchall()
            return rows

    # --- furniture ---

    def _furnish(self) -> None:
        homeline = self.homeline
        now = homeline.clock.now()
        with transaction(homeline.engine, new_id(now)) as db:
            organisations.create(
                db, "Consulate of Chaos", short_name="Chaos", keyring=homeline.keyring, now=now
            )
            keys = organisations.open_keys(db, homeline.keyring)
            flows.publish(db, loader.load(loader.library()["registration-express"]), now=now)
            for name, new in self._channels().items():
                made = channels.add(db, keys, new, now=now)
                self.lines[name] = Line(made.id, made.key)
        with self.system() as connection:
            connection.execute("update channel_budgets set unconsented_limit = 1000000")

    def _channels(self) -> dict[str, NewChannel]:
        telegram = {"token": TOKEN, "secret": SECRET}
        rate = self.asked.rate
        return {
            "telegram": NewChannel(
                ChannelKind.TELEGRAM, "Telegram", telegram, "chaos_bot",
                config=self.asked.telegram_config, rate=rate,
            ),
            "sms": NewChannel(ChannelKind.SMS, "SMS", SIGNED, NUMBER, rate=rate),
            "whatsapp": NewChannel(
                ChannelKind.WHATSAPP, "WhatsApp", SIGNED, f"whatsapp:{NUMBER}", rate=rate
            ),
        }  # fmt: skip

    def _web(self, number: int) -> Part:
        port = free_port()
        command = [sys.executable, "-m", *_line_of_procfile("web", port)]
        name = f"web{number}"
        return Part(name, command, self.environ, self.data / f"{name}.log", port)

    def _worker(self, number: int) -> Part:
        name = f"worker{number}"
        command = [sys.executable, "-m", "jobs"]
        return Part(name, command, self.environ, self.data / f"{name}.log")

    def wait_ready(self, web: Part) -> None:
        """Wait until a web process answers; AssertionError with its last words."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if not web.alive:
                break
            try:
                with urlopen(f"http://127.0.0.1:{web.port}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(web.log.read_text(encoding="utf-8", errors="replace")[-2000:])


def _line_of_procfile(name: str, port: int) -> list[str]:
    """How production starts it, here for this machine alone."""
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    (line,) = (each.partition(": ")[2] for each in lines if each.startswith(f"{name}: "))
    for there, here in (
        ("0.0.0.0", "127.0.0.1"),
        ("${PORT:-8000}", str(port)),
        ("${WEB_CONCURRENCY:-1}", "1"),
    ):
        line = line.replace(there, here)
    return shlex.split(line)


def _end_with_parent() -> None:
    """Let the processes of a run that is killed end too, instead of staying behind."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
