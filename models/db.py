"""Engines and transactions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import URL, Engine, create_engine, func, make_url, select
from sqlalchemy.orm import Session

from models import walls

PINNED = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_material": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
    "enable_memoize": "off",
}
"""Plans of the message path: young tables and stale statistics cannot turn them into full reads."""
STEADY = {name: state for name, state in PINNED.items() if state == "off"} | {"jit": "off"}
"""The same for statements over many people that are planned anew each time."""
RANGES = STEADY | {"enable_nestloop": "off", "work_mem": "64MB"}
"""The same for statements whose every table is read as one range of an index."""


def make_engine(
    url: str | URL,
    role: str | None = None,
    *,
    pinned_plans: bool = False,
    system: bool = False,
    **options: Any,
) -> Engine:
    """Return an engine over psycopg; `postgres://` and `postgresql://` are both accepted.

    With `role` every connection takes that role on. `pinned_plans` is for the message path only,
    `system` (every connection in the system scope) for delivery only. Other options go to
    SQLAlchemy's create_engine.
    """
    settings = dict(PINNED) if pinned_plans else {}
    if pinned_plans:
        options.setdefault("json_deserializer", orjson.loads)
    if system:
        settings |= walls.SYSTEM_SETTING
    if role:
        settings["role"] = role
    options.setdefault("pool_pre_ping", True)
    return create_engine(_with_settings(driver_url(url), settings), **options)


def open_engine(url: str | URL, *, development: bool, **options: Any) -> Engine:
    """Return an engine whose role respects the walls; walls.RoleTooStrong when it cannot.

    In development a superuser's connections step down to the app role, which migrations have made.
    """
    probe = make_engine(url)
    try:
        with probe.connect() as connection:
            role = walls.check_role(connection, development=development)
    finally:
        probe.dispose()
    return make_engine(url, role, **options)


def driver_url(url: str | URL) -> URL:
    """Return the URL with the driver we use."""
    if isinstance(url, str) and url.startswith("postgres://"):
        url = "postgresql://" + url.removeprefix("postgres://")
    return make_url(url).set(drivername="postgresql+psycopg")


@contextmanager
def transaction(engine: Engine, organisation_id: UUID) -> Iterator[Session]:
    """Give a session that sees one organisation; commits at the end, rolls back on any error."""
    with Session(engine, expire_on_commit=False) as db, db.begin():
        walls.enter(db, organisation_id)
        yield db


def keep_plans_steady(db: Session) -> None:
    """Let the rest of this transaction go by indexes, whatever is known of the tables' sizes."""
    db.execute(_SET_STEADY)


def read_in_ranges(db: Session) -> None:
    """Let the rest of this transaction read about many people by ranges of indexes, and join those.

    Looking up one by one is steady while each look-up is by a key; a range that is read anew for
    each row becomes quadratic, so joins go by hashes, whatever is known of the tables' sizes.
    """
    db.execute(_SET_RANGES)


def _with_settings(url: URL, settings: Mapping[str, str]) -> URL:
    """Add server settings to those the URL already asks for."""
    if not settings:
        return url
    given = url.query.get("options", "")
    given = given if isinstance(given, str) else " ".join(given)
    ours = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return url.update_query_dict({"options": f"{given} {ours}".strip()})


_SET_STEADY = select(*(func.set_config(name, state, True) for name, state in STEADY.items()))
_SET_RANGES = select(*(func.set_config(name, state, True) for name, state in RANGES.items()))
