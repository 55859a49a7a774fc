"""The demo's providers: small fakes of Telegram and Twilio in a process of their own."""

import json
import socket
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bot.channels.twilio_templates import definition
from composition import Homeline
from services.demo import seeding
from settings import TELEGRAM_API, TWILIO_API

HOST = "127.0.0.1"
FILE = "phones.json"


def prepare(line: Homeline) -> Mapping[str, str]:
    """Write what the fakes need to know; return the settings that lead all processes to them.

    Empty when somebody named providers of their own, or nothing is seeded.
    """
    settings = line.settings
    named = (settings.telegram_api_url, settings.twilio_api_url) != (TELEGRAM_API, TWILIO_API)
    organisation_id = None if named else seeding.find(line.engine)
    if organisation_id is None:
        return {}
    base = f"http://{HOST}:{settings.port}"
    channels = seeding.open_channels(line.engine, line.keys, organisation_id)
    seeding.forget_contents(line.engine, organisation_id)
    approved = seeding.approve_templates(line.engine, organisation_id, now=line.clock.now())
    telegram, sms, whatsapp = (channels[kind] for kind in ("telegram", "sms", "whatsapp"))
    given = {
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
        "TELEGRAM_API_URL": f"http://{HOST}:{given['telegram']['port']}",
        "TWILIO_API_URL": f"http://{HOST}:{given['twilio']['port']}",
        "HOMELINE_PUBLIC_URL": base,
    }


def command(data: Path) -> list[str]:
    """Return the command of their process."""
    return [sys.executable, "-m", "tests.fakes.phones", str(data / FILE)]


def _free_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
