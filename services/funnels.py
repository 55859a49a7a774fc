"""Funnels as they leave: each release is protected against the one before, and moves by ten people.

Whoever asks gets the last release. A new one is made when ten people more have begun and nearly
all that was told can be told again; what cannot, because few people are new there, is null.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from insights import funnel
from insights.disclosure import Figure
from insights.funnel import Funnel
from insights.funnel_cells import ALL, COUNTS, Cell
from insights.passages import Passages
from models.publication import FunnelRelease
from models.sealed import OrganisationKeys, open_sealed, seal
from models.walls import organisation_of

STARTED: Final[Cell] = (ALL, "started")
NEARLY: Final = 0.8
"""The part of the figures told before that a new release must tell."""
_STEP: Final = ("answered", "skipped", "median_seconds")


def funnel_of(
    db: Session, keys: OrganisationKeys, flow: str, *, now: datetime
) -> dict[str, Any] | None:
    """Return how far people come in a registration or module, as it may leave now.

    None when none of that name is published. The caller commits.
    """
    last = db.get(FunnelRelease, (organisation_of(db), flow), with_for_update=True)
    before = {} if last is None else _open(db, keys, last)
    found = funnel.read(db, flow, before)
    if found is None:
        return None
    told = _told(found) | {"as_of": now.isoformat().replace("+00:00", "Z")}
    if last is not None and before and not _moves(found, before, told, last.released):
        return dict(last.released)
    return _release(db, keys, found, told, now=now)


def _moves(
    found: Funnel, before: Mapping[Cell, int], told: Mapping[str, Any], last: Mapping[str, Any]
) -> bool:
    begun = found.told.get(STARTED) != before.get(STARTED)
    return begun and _figures(told) >= NEARLY * _figures(last)


def _figures(told: Any) -> int:
    """How many numbers a document tells."""
    if isinstance(told, Mapping):
        told = list(told.values())
    return sum(map(_figures, told)) if isinstance(told, list) else isinstance(told, int)


def _told(found: Funnel) -> dict[str, Any]:
    return {
        "flow": found.flow,
        "total": _passages(found.total),
        "languages": [{"language": name} | _passages(one) for name, one in found.languages.items()],
        "channels": [{"channel": name} | _passages(one) for name, one in found.channels.items()],
    }


def _passages(passages: Passages) -> dict[str, Any]:
    figures: dict[str, Figure] = {name: getattr(passages, name) for name in COUNTS}
    steps = []
    for step in passages.steps:
        of = {name: getattr(step, name) for name in _STEP}
        figures |= {f"steps.{step.question}.{name}": figure for name, figure in of.items()}
        steps.append({"question": step.question} | {name: of[name].value for name in _STEP})
    suppressed = [
        {"figure": name, "reason": figure.reason.value}
        for name, figure in figures.items()
        if figure.reason is not None
    ]
    counts = {name: figures[name].value for name in COUNTS}
    return counts | {"steps": steps, "suppressed": suppressed}


def _release(
    db: Session, keys: OrganisationKeys, found: Funnel, told: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Write a release; of two first ones made at one moment the first counts for both."""
    counts = [[*group, name, count] for (group, name), count in found.told.items()]
    exact = seal(keys.data, json.dumps(counts).encode(), **_place(db, found.flow))
    whose = (organisation_of(db), found.flow)
    last = db.get(FunnelRelease, whose)
    if last is not None:
        last.released, last.exact, last.published_at = told, exact, now
        db.flush()
        return told
    row = {"organisation_id": whose[0], "flow": whose[1], "released": told, "exact": exact}
    written = insert(FunnelRelease).values(**row, published_at=now).on_conflict_do_nothing()
    if db.execute(written.returning(FunnelRelease.flow)).first():
        return told
    return dict(db.get_one(FunnelRelease, whose).released)


def _open(db: Session, keys: OrganisationKeys, last: FunnelRelease) -> dict[Cell, int]:
    counts = json.loads(open_sealed(keys.data, last.exact, **_place(db, last.flow)))
    return {((kind, value), name): count for kind, value, name, count in counts}


def _place(db: Session, flow: str) -> dict[str, Any]:
    return {
        "table": "funnel_releases",
        "column": "exact",
        "organisation_id": organisation_of(db),
        "row_id": flow,
    }
