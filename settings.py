"""Settings: the only reader of the environment.

`read()` gives one frozen object; every fault in the environment is told at once. In
development missing secrets are made once and kept in the data folder. `docs/settings.md` explains
each variable.
"""

import base64
import binascii
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

PREFIX = "HOMELINE_"
TELEGRAM_API = "https://api.telegram.org"
TWILIO_API = "https://api.twilio.com"
SECRET_BYTES = 32
KEY_BYTES = 32
# The harmless values of .env.example open nothing: production refuses them.
EXAMPLE_SECRET = "example-only-example-only-example-only"  # noqa: S105 - refused as a secret
EXAMPLE_KEY = base64.b64encode(b"example-only-example-only-32byte").decode()


class MasterKey(NamedTuple):
    """One key that seals people's data keys; `id` is stored beside what it sealed."""

    id: str
    key: bytes


class SettingsInvalid(ValueError):
    """The environment cannot be used; `faults` holds every reason, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("Settings:\n" + "\n".join(f"- {fault}" for fault in faults))


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides; see docs/settings.md."""

    env: str
    data: Path
    secret_key: bytes = field(repr=False)
    master_keys: tuple[MasterKey, ...] = field(repr=False)
    database_url: str | None = field(default=None, repr=False)
    database_owner_url: str | None = field(default=None, repr=False)
    ballot_keys: Path | None = None
    public_url: str = "http://127.0.0.1:8000"
    telegram_api_url: str = TELEGRAM_API
    twilio_api_url: str = TWILIO_API
    metrics_token: str | None = field(default=None, repr=False)
    polis_data: Path | None = None
    port: int = 8000

    @property
    def development(self) -> bool:
        """True where generated secrets, the movable clock and the simulator are allowed."""
        return self.env == "development"


# Variable -> field. The order is the order of docs/settings.md and .env.example.
VARIABLES = {
    "DATABASE_URL": "database_url",
    "DATABASE_OWNER_URL": "database_owner_url",
    "HOMELINE_ENV": "env",
    "HOMELINE_DATA": "data",
    "HOMELINE_SECRET_KEY": "secret_key",
    "HOMELINE_MASTER_KEYS": "master_keys",
    "HOMELINE_BALLOT_KEYS": "ballot_keys",
    "HOMELINE_PUBLIC_URL": "public_url",
    "HOMELINE_METRICS_TOKEN": "metrics_token",
    "HOMELINE_POLIS_DATA": "polis_data",
    "TELEGRAM_API_URL": "telegram_api_url",
    "TWILIO_API_URL": "twilio_api_url",
    "PORT": "port",
}


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of an environment, by default the process's own.

    Raises SettingsInvalid with all faults together.
    """
    return _Reader(os.environ if environ is None else environ).read()


class _Reader:
    """Reads variable after variable and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = {name: text.strip() for name, text in environ.items() if text.strip()}
        self.faults: list[str] = []
        self.env = self.environ.get("HOMELINE_ENV", "development")
        self.data = Path(self.environ.get("HOMELINE_DATA", "var")).absolute()

    def read(self) -> Settings:
        self._names()
        port = self._port()
        values = {
            "database_url": self._database("DATABASE_URL"),
            "database_owner_url": self._database("DATABASE_OWNER_URL"),
            "ballot_keys": self._folder("HOMELINE_BALLOT_KEYS"),
            "polis_data": self._folder("HOMELINE_POLIS_DATA"),
            "public_url": self._public_url(port),
            "telegram_api_url": self._address("TELEGRAM_API_URL", TELEGRAM_API),
            "twilio_api_url": self._address("TWILIO_API_URL", TWILIO_API),
            "metrics_token": self._token(),
            "port": port,
        }
        secret, keys = self._secret_key(), self._master_keys()
        if self.faults:
            raise SettingsInvalid(self.faults)
        if secret is None or keys is None:
            made = _development_secrets(self.data)
            secret = secret or made["secret_key"].encode()
            keys = keys or (MasterKey("dev", base64.b64decode(made["master_key"])),)
        return Settings(
            env=self.env,
            data=self.data,
            secret_key=secret,
            master_keys=keys,
            **values,  # type: ignore[arg-type]
        )

    def _names(self) -> None:
        for name in sorted(self.environ):
            if name.startswith(PREFIX) and name not in VARIABLES:
                self.faults.append(f"{name} is not a setting of Homeline.")
        if self.env not in {"development", "production"}:
            self.faults.append("HOMELINE_ENV is 'development' or 'production'.")
        if "DYNO" in self.environ and "DATABASE_URL" not in self.environ:
            self.faults.append("DATABASE_URL is needed here: this machine's disk does not last.")

    def _database(self, name: str) -> str | None:
        url = self.environ.get(name)
        if url is None:
            return None
        scheme, mark, rest = url.partition("://")
        if scheme not in {"postgres", "postgresql"} or not mark:
            self.faults.append(f"{name} begins with postgresql:// (PostgreSQL 15 or newer).")
        return f"postgresql://{rest}"

    def _folder(self, name: str) -> Path | None:
        text = self.environ.get(name)
        if text is None:
            return None
        path = Path(text).absolute()
        if not path.is_dir():
            self.faults.append(f"{name} names no folder.")
        return path

    def _address(self, name: str, default: str) -> str:
        url = self.environ.get(name, default).rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query:
            self.faults.append(f"{name} is a web address without a query.")
        return url

    def _public_url(self, port: int) -> str:
        if self.env == "production" and "HOMELINE_PUBLIC_URL" not in self.environ:
            self.faults.append("HOMELINE_PUBLIC_URL is missing: webhooks are checked against it.")
        url = self._address("HOMELINE_PUBLIC_URL", f"http://127.0.0.1:{port}")
        if (
            self.env == "production"
            and "HOMELINE_PUBLIC_URL" in self.environ
            and not url.startswith("https://")
        ):
            self.faults.append("HOMELINE_PUBLIC_URL begins with https:// in production.")
        return url

    def _port(self) -> int:
        text = self.environ.get("PORT", "8000")
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
            self.faults.append("PORT is a number from 1 to 65535.")
            return 8000
        return int(text)

    def _token(self) -> str | None:
        token = self.environ.get("HOMELINE_METRICS_TOKEN")
        if token is not None and len(token) < SECRET_BYTES:
            self.faults.append(f"HOMELINE_METRICS_TOKEN has fewer than {SECRET_BYTES} characters.")
        return token

    def _secret_key(self) -> bytes | None:
        secret = self.environ.get("HOMELINE_SECRET_KEY")
        if secret is None:
            self._missing("HOMELINE_SECRET_KEY")
            return None
        if len(secret.encode()) < SECRET_BYTES:
            self.faults.append(f"HOMELINE_SECRET_KEY has fewer than {SECRET_BYTES} bytes.")
        if secret == EXAMPLE_SECRET and self.env != "development":
            self.faults.append("HOMELINE_SECRET_KEY is the value of the example.")
        return secret.encode()

    def _master_keys(self) -> tuple[MasterKey, ...] | None:
        text = self.environ.get("HOMELINE_MASTER_KEYS")
        if text is None:
            self._missing("HOMELINE_MASTER_KEYS")
            return None
        keys = [
            key
            for number, part in enumerate(text.split(","), start=1)
            if (key := self._master_key(number, part.strip()))
        ]
        if len({key.id for key in keys}) < len(keys):
            self.faults.append("HOMELINE_MASTER_KEYS names one id twice.")
        return tuple(keys)

    def _master_key(self, number: int, part: str) -> MasterKey | None:
        place = f"HOMELINE_MASTER_KEYS, key {number}"
        key_id, _, encoded = part.partition(":")
        if not (key_id.isascii() and key_id.isalnum() and len(key_id) <= 16):
            self.faults.append(f"{place}: write id:base64, an id of 1 to 16 letters and digits.")
            return None
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            self.faults.append(f"{place}: the part after the colon is {KEY_BYTES} bytes in base64.")
        elif self.env != "development" and (encoded == EXAMPLE_KEY or len(set(key)) < 8):
            self.faults.append(f"{place}: this is an example, not a secret.")
        return MasterKey(key_id, key)

    def _missing(self, name: str) -> None:
        if self.env != "development":
            self.faults.append(f"{name} is missing.")


def _development_secrets(data: Path) -> dict[str, str]:
    """Return the secrets kept in the data folder, made by whichever process comes first."""
    file = data / "secrets.json"
    if not file.exists():
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
        made = {
            "secret_key": secrets.token_urlsafe(SECRET_BYTES),
            "master_key": base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode(),
        }
        descriptor, draft = tempfile.mkstemp(dir=data, prefix="secrets.")  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(made, out)
            out.flush()
            os.fsync(out.fileno())
        try:
            Path(file).hardlink_to(draft)  # fails if another process was first
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found
