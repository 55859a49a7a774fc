"""The demo as a person starts it: it serves, mends itself, stops, and goes on with its data."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import Request, urlopen

import psutil
import pytest

import private_place

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "HOMELINE_ENV")


def a_free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    """One running demo."""

    def __init__(self, data: Path, port: int) -> None:
        self.port, self.data = port, data
        environ = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        self.environ = environ | {"HOMELINE_DATA": str(data), "PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flask", "demo"],
            cwd=ROOT,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def read_until(self, words: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if words in line:
                break
        assert words in self.said
        return self.said

    def ready(self) -> bool:
        with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
            return bool(json.load(answer)["ready"])

    def run(self, *words: str) -> str:
        """What a command prints, from a terminal beside the demo's that knows nothing of PORT."""
        environ = {name: value for name, value in self.environ.items() if name != "PORT"}
        command = [sys.executable, "-m", "flask", *words]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
        return done.stdout + done.stderr

    def channels(self) -> dict[str, str]:
        """The keys of the demo's channels by kind, as the API tells them."""
        key = (self.data / "demo-key").read_text(encoding="ascii").strip()
        address = f"http://127.0.0.1:{self.port}/api/v1/channels"
        asked = Request(address, headers={"Authorization": f"Bearer {key}"})
        with urlopen(asked, timeout=10) as answer:
            return {row["kind"]: row["key"] for row in json.load(answer)["data"]}

    def family(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def stop(self, sign: signal.Signals) -> int:
        self.process.send_signal(sign)
        return self.ended()

    def ended(self) -> int:
        assert self.process.stdout is not None
        self.said += self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(30)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "with a space"
    yield folder
    private_place.forget(folder, private_place.place_for(folder))


def test_it_serves_alone_mends_itself_stops_and_goes_on(data: Path) -> None:
    demo = Demo(data, a_free_port())
    demo.read_until("Ctrl-C stops it")
    assert demo.ready()
    assert f"http://127.0.0.1:{demo.port}/" in demo.said

    second = Demo(data, a_free_port())
    assert second.ended() == 1
    assert "already running" in second.said
    assert "HOMELINE_DATA=" in second.said
    keys = demo.channels()
    checked = demo.run("channel", "check", keys["telegram"])
    assert f"bot: examplia_desk_bot\nwebhook: http://127.0.0.1:{demo.port}/" in checked
    assert "webhook_is_ours: True" in checked
    assert "webhook_is_ours: True" in demo.run("channel", "check", keys["sms"])
    assert "asked about" in demo.run("templates", "status", "--channel", keys["whatsapp"])

    before = demo.family()
    for child in psutil.Process(demo.process.pid).children():
        child.kill()
    psutil.wait_procs(before, timeout=30)
    assert not [process for process in before if process.is_running()]

    assert demo.stop(signal.SIGINT) == 0
    assert "The data stays" in demo.said
    for words in (("check", keys["telegram"]), ("check", keys["sms"])):
        assert "made up" in demo.run("channel", *words), "no real provider is asked"
    assert "made up" in demo.run("templates", "status", "--channel", keys["whatsapp"])
    again = Demo(data, demo.port)
    again.read_until("Ctrl-C stops it")
    assert again.ready()
    family = again.family()
    assert again.stop(signal.SIGTERM) == 0
    psutil.wait_procs(family, timeout=30)
    assert not [process for process in family if process.is_running()]


def test_a_port_in_use_is_told_with_another(data: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        demo = Demo(data, port)
        assert demo.ended() == 1
    assert f"PORT={port + 1}" in demo.said
