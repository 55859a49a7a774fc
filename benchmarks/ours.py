"""Homeline as a target: one set-up, and a row for each of two channels.

Everything is as in production: two database roles, sealed values, the outbox with its worker.
Only the budgets are raised, since providers' limits would be measured otherwise.
"""

import base64
import json
import pathlib
import secrets
import subprocess
from collections.abc import Mapping

from benchmarks.deliveries import Telegram, Twilio
from benchmarks.processes import NotStarted
from benchmarks.targets import HERE, SECRET, Command, Place, Stored, Target

DATABASE = "bench_homeline"
PUBLIC_URL = "https://homeline.test"
FLOW = HERE / "registration-bench.yaml"
MANY = 1_000_000_000
_ROLE = (
    "do $$ begin create role {0} login nosuperuser nobypassrls nocreaterole;"
    " exception when duplicate_object then null; end $$"
)
_BUDGETS = (
    "update channel_budgets set rate = 100000, burst = 100000, tokens = 100000,"
    f" unconsented_limit = {MANY}",
    """update channels set config = config || '{"chat_rate": 100000, "chat_burst": 100000}'""",
    "update organisations set catalogue_version = catalogue_version + 1,"
    """ settings = settings || '{"default_flow": "registration-bench"}'""",
)


def build(place: Place, project_python: str) -> dict[str, Target]:
    """Rows `ours` (Telegram) and `ours-sms` (Twilio), set up on one database.

    Raises NotStarted with the output of the command that failed.
    """
    home = Homeline(place, project_python)
    return home.targets(home.set_up())


class Homeline:
    """An installation on a database of its own; `python` is the project's interpreter."""

    def __init__(self, place: Place, python: str) -> None:
        self._place, self.python = place, python
        self._bin = pathlib.Path(python).parent
        self._data = place.cluster.folder / "homeline"
        self._master_key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._env = self._settings()
        self._organisation = ""

    def _settings(self) -> dict[str, str]:
        cluster, ballots = self._place.cluster, self._data / "ballots"
        ballots.mkdir(parents=True)
        return {
            "DATABASE_URL": cluster.url(DATABASE, "homeline_app"),
            "DATABASE_OWNER_URL": cluster.url(DATABASE, "homeline_owner"),
            "HOMELINE_ENV": "production",
            "HOMELINE_DATA": str(self._data),
            "HOMELINE_SECRET_KEY": secrets.token_urlsafe(48),
            "HOMELINE_MASTER_KEYS": f"bench:{self._master_key}",
            "HOMELINE_BALLOT_KEYS": str(ballots),
            "HOMELINE_PUBLIC_URL": PUBLIC_URL,
            "TELEGRAM_API_URL": self._place.api,
            "TWILIO_API_URL": self._place.api,
            "PORT": str(self._place.port),
        }

    def set_up(self) -> dict[str, str]:
        """Migrate, create the organisation and its channels, publish the flow; keys by kind."""
        cluster = self._place.cluster
        roles = [_ROLE.format(role) for role in ("homeline_owner", "homeline_app")]
        database = f"create database {DATABASE} owner homeline_owner"
        cluster.execute("postgres", *roles, database)
        self._flask("db", "upgrade")
        organisation = self._created(
            "organisation", "create", "Benchmark", "--short", "Bench", "--languages", "en"
        )
        self._organisation = organisation["id"]
        own = ("--organisation", self._organisation)
        telegram = self._created(
            "channel", "add", "telegram", *own, "--token", "123:benchmark", "--secret", SECRET
        )
        account = ("--account-sid", "AC" + "0" * 32, "--auth-token", SECRET)
        sender = ("--from", "+15550000000", "--stop-reply", "ours")
        twilio = self._created("channel", "add", "twilio-sms", *own, *account, *sender)
        self._flask("flows", "publish", str(FLOW), *own)
        cluster.execute(DATABASE, *_BUDGETS)
        return {"telegram": telegram["key"], "twilio": twilio["key"]}

    def api_key(self) -> str:
        """A new key to everything, once ``set_up`` is done."""
        own = ("--organisation", self._organisation)
        return self._created("key", "create", "benchmark", *own, "--scope", "*")["key"]

    def targets(self, keys: Mapping[str, str]) -> dict[str, Target]:
        """The two rows, over the channels that ``set_up`` made."""
        host, stored = f"127.0.0.1:{self._place.port}", self.stored()
        telegram, twilio = (f"/webhooks/{kind}/{keys[kind]}" for kind in ("telegram", "twilio"))
        return {
            "ours": Target(
                title="**Homeline, Telegram**",
                reply="sendMessage from the outbox",
                commands=self.commands(),
                deliveries=Telegram(host, telegram, SECRET),
                stored=stored,
            ),
            "ours-sms": Target(
                title="**Homeline, Twilio SMS**",
                reply="Messages.json from the outbox",
                commands=self.commands(),
                deliveries=Twilio(host, twilio, SECRET, PUBLIC_URL + twilio),
                stored=stored,
            ),
        }

    def readable(self) -> dict[str, str]:
        """What it takes to read and write sealed values beside the walls."""
        return {
            "database": self._place.cluster.url(DATABASE),
            "master_key": self._master_key,
        }

    def commands(self) -> tuple[Command, ...]:
        """The worker, then the web process, as the Procfile starts them."""
        granian = (str(self._bin / "granian"), "--interface", "wsgi", "--factory")
        bind = ("--host", "127.0.0.1", "--port", str(self._place.port), "--log-level", "warning")
        sizes = ("--workers", "1", "--blocking-threads", "64")
        sizes += ("--backlog", "4096", "--backpressure", "16384")
        return (
            Command((self.python, "-m", "jobs"), self._env, listens=False),
            Command((*granian, *bind, *sizes, "app:create_web"), self._env),
        )

    def stored(self) -> Stored:
        """Reads the answers in a process of the project, which can open sealed values."""
        order = self.readable() | {"after": "00000000-0000-0000-0000-000000000000"}

        def stored(members: range) -> Mapping[int, Mapping[str, list[str]]]:
            done = subprocess.run(
                [self.python, "-m", "benchmarks.ours_answers"],
                input=json.dumps(order),
                cwd=HERE.parent,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise NotStarted(f"stored answers cannot be read: {done.stderr[-2000:]}")
            found = json.loads(done.stdout)
            order["after"] = found["last"]  # contact ids grow with time
            return {
                int(member): answers
                for member, answers in found["answers"].items()
                if int(member) in members
            }

        return stored

    def _created(self, *arguments: str) -> dict[str, str]:
        last_line = self._flask(*arguments, "--json").strip().splitlines()[-1]
        created: dict[str, str] = json.loads(last_line)
        return created

    def _flask(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._bin / "flask"), *arguments],
            env={"PATH": f"{self._bin}:/usr/bin:/bin", **self._env},
            cwd=HERE.parent,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = f"{done.stdout[-1000:]}\n{done.stderr[-2000:]}"
            raise NotStarted(f"flask {' '.join(arguments[:3])} failed:\n{said}")
        return done.stdout
