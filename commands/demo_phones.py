"""The demo's providers: small fakes of Telegram and Twilio in a process of their own."""

import fcntl
import json
import socket
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.channels.base import ChannelView
from bot.channels.twilio_templates import definition
from commands.terminal import refuse
from composition import Homeline
from services.demo import seeding
from settings import TELEGRAM_API, TWILIO_API, Settings

HOST = "127.0.0.1"
FILE = "phones.json"
LOCK = "demo.lock"
"""Held by the running demo, in the data folder."""


def settings_for(line: Homeline, view: ChannelView) -> Settings:
    """Return the settings under which a channel's provider is asked.

    For a channel of the demo these are the running demo's; while none runs the command ends with a
    sentence, since no real provider knows a made-up channel.
    """
    settings = line.settings
    made_up = view.sender in seeding.SENDERS and seeding.find(line.engine) == view.organisation_id
    if not made_up or _named(settings):
        return settings
    file = settings.data / FILE
    if not _runs(settings.data) or not file.exists():
        told = "This channel is made up, and no provider knows it: only the running demo answers."
        raise refuse(f"{told} Start ./homeline demo and try again.")
    given = json.loads(file.read_text(encoding="utf-8"))
    return replace(
        settings,
        telegram_api_url=_at(given["telegram"]["port"]),
        twilio_api_url=_at(given["twilio"]["port"]),
        public_url=given["base"],
    )


def prepare(line: Homeline) -> Mapping[str, str]:
    """Write what the fakes need to know; return the settings that lead all processes to them.

    Empty when somebody named providers of their own, or nothing is seeded.
    """
    settings = line.settings
    organisation_id = None if _named(settings) else seeding.find(line.engine)
    if organisation_id is None:
        return {}
    base = _at(settings.port)
    channels = seeding.open_channels(line.engine, line.keys, organisation_id)
    seeding.forget_contents(line.engine, organisation_id)
    approved = seeding.approve_templates(line.engine, organisation_id, now=line.clock.now())
    telegram, sms, whatsapp = (channels[kind] for kind in ("telegram", "sms", "whatsapp"))
    given: dict[str, Any] = {
        "base": base,
        "telegram": {
            "port": _free_port(),
            "token": telegram.credentials["token"],
            "username": telegram.sender,
            "secret": telegram.credentials["secret"],
            "webhook": f"{base}/webhooks/telegram/{telegram.key}",
        },
        "twilio": {
            "port": _free_port(),
            "account_sid": sms.credentials["account_sid"],
            "auth_token": sms.credentials["auth_token"],
            "senders": {
                sms.sender: f"{base}/webhooks/twilio/{sms.key}",
                f"whatsapp:{whatsapp.sender}": f"{base}/webhooks/twilio/{whatsapp.key}",
            },
            "templates": {sid: definition(one) for sid, one in approved.items()},
        },
    }
    file = settings.data / FILE
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(given), encoding="utf-8")
    return {
        "TELEGRAM_API_URL": _at(given["telegram"]["port"]),
        "TWILIO_API_URL": _at(given["twilio"]["port"]),
        "HOMELINE_PUBLIC_URL": base,
    }


def command(data: Path) -> list[str]:
    """Return the command of their process."""
    return [sys.executable, "-m", "tests.fakes.phones", str(data / FILE)]


def _named(settings: Settings) -> bool:
    """Whether somebody named providers of their own."""
    return (settings.telegram_api_url, settings.twilio_api_url) != (TELEGRAM_API, TWILIO_API)


def _runs(data: Path) -> bool:
    """Whether the demo with this data folder runs: it holds its lock."""
    try:
        with (data / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _at(port: int) -> str:
    return f"http://{HOST}:{port}"


def _free_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
