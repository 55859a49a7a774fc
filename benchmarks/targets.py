"""What is measured, each target described once: how it starts, how it is spoken to, what it keeps.

A target's processes all run on one core, together with PostgreSQL.
"""

import pathlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg

from benchmarks.database import Cluster
from benchmarks.deliveries import Deliveries, Telegram, Twilio

HERE = pathlib.Path(__file__).resolve().parent
NODE_MODULES = HERE / ".cache" / "node" / "node_modules"
SECRET = "benchmark-secret"

Stored = Callable[[range], Mapping[int, Mapping[str, list[str]]]]
"""What is durable for these members: member -> question -> values (more than one: doubled)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run happens: ports, database server, fake provider, log folder, cores.

    A core is a number, or several as taskset names them ("0,1").
    """

    cluster: Cluster
    port: int
    api: str
    logs: pathlib.Path
    server_cpu: int | str
    driver_cpu: int | str


@dataclass(frozen=True, slots=True)
class Command:
    """One process of a target. `listens`: it is up when the target's port answers."""

    arguments: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: pathlib.Path = HERE.parent
    listens: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """One row of the table."""

    title: str
    reply: str
    commands: tuple[Command, ...]
    deliveries: Deliveries
    in_response: bool = False
    stored: Stored | None = None


def echo(place: Place) -> Target:
    """The driver's ceiling."""
    return Target(
        title="ceiling (no work, nothing stored)",
        reply="sendMessage",
        commands=(_python_peer("echo_app.py", place, db=""),),
        deliveries=Telegram(f"127.0.0.1:{place.port}", "/tg", SECRET),
    )


def ptb_sql(place: Place) -> Target:
    """python-telegram-bot with answers and conversation state in SQL."""
    db = _database(place, "bench_ptb")
    url = place.cluster.url(db, scheme="postgresql+asyncpg")
    return Target(
        title="python-telegram-bot, ConversationHandler + SQLAlchemy",
        reply="sendMessage",
        commands=(_python_peer("ptb_app.py", place, db=url),),
        deliveries=Telegram(f"127.0.0.1:{place.port}", "/tg", SECRET),
        stored=_peer_answers(place, db),
    )


def telegraf_pg(place: Place) -> Target:
    """Telegraf with sessions and answers in PostgreSQL."""
    db = _database(place, "bench_telegraf")
    env = _env(place, place.cluster.url(db)) | {"NODE_PATH": str(NODE_MODULES)}
    return Target(
        title="Telegraf, wizard scene, sessions and answers in PostgreSQL",
        reply="sendMessage",
        commands=(Command(("node", str(HERE / "peers" / "telegraf_app.js")), env),),
        deliveries=Telegram(f"127.0.0.1:{place.port}", "/tg", SECRET),
        stored=_peer_answers(place, db),
    )


def flask_twilio(place: Place) -> Target:
    """Flask, Flask-SQLAlchemy and twilio on gunicorn, the reply in the webhook's response."""
    db = _database(place, "bench_flask")
    gunicorn = str(pathlib.Path(sys.executable).parent / "gunicorn")
    bind = ("-b", f"127.0.0.1:{place.port}", "--backlog", "4096")
    threads = ("-w", "1", "-k", "gthread", "--threads", "16")
    app = ("--pythonpath", str(HERE / "peers"), "flask_twilio_app:app")
    return Target(
        title="Flask + Flask-SQLAlchemy + twilio, gunicorn with 16 threads",
        reply="TwiML in the response",
        commands=(
            Command(
                (gunicorn, *threads, *bind, *app),
                _env(place, place.cluster.url(db, scheme="postgresql+psycopg")),
            ),
        ),
        deliveries=Twilio(f"127.0.0.1:{place.port}", "/sms", SECRET),
        in_response=True,
        stored=_peer_answers(place, db),
    )


def _python_peer(script: str, place: Place, *, db: str) -> Command:
    return Command((sys.executable, str(HERE / "peers" / script)), _env(place, db))


def _env(place: Place, db: str) -> dict[str, str]:
    return {
        "DB": db,
        "API": place.api,
        "PORT": str(place.port),
        "SECRET": SECRET,
        "PTB_INTERVAL": "1",
        "PYTHONPATH": str(HERE.parent),
    }


def _database(place: Place, name: str) -> str:
    place.cluster.execute("postgres", f"create database {name}")
    return name


def _peer_answers(place: Place, database: str) -> Stored:
    def stored(members: range) -> dict[int, dict[str, list[str]]]:
        query = "select member, question, value from answers where member between %s and %s"
        found: dict[int, dict[str, list[str]]] = {}
        with psycopg.connect(place.cluster.url(database)) as connection:
            for member, question, value in connection.execute(query, (members[0], members[-1])):
                found.setdefault(member, {}).setdefault(question, []).append(value)
        return found

    return stored
