"""What one organisation can start: its published flows, entry codes and the words that open them.

A catalogue is read once and kept by each process until ``organisations.catalogue_version`` moves;
``take_many`` returns that number with every message, so a publication reaches all processes with
the next one.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from typing import Final
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from flows.flow import Flow, build
from flows.normalising import normalise
from models.ask import Ask, Asker, AskMode, AskStatus
from models.db import transaction
from models.flow_version import EntryCode, FlowVersion
from models.office import Office
from models.organisation import Organisation
from models.relay import Relay

FALLBACK_REGISTRATION = "registration-express"
_TELLS: Final = {
    AskStatus.CANCELED: 0,
    AskStatus.CLOSING: 2,
    AskStatus.CLOSED: 2,
    AskStatus.OPEN: 4,
}
_NO_ASK: Final = 3
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Published:
    """One published version of a flow."""

    version_id: UUID
    flow: Flow


@dataclass(frozen=True, slots=True)
class Entry:
    """What an entry code opens, and for whom it was given out.

    The code of an ask, or of somebody who passes it on (`relay`, and whose code that came by),
    opens that ask. A closed code is known, and opens nothing.
    """

    code: str
    flow: str
    office_id: UUID | None = None
    language: str | None = None
    asker: str | None = None
    ask_id: UUID | None = None
    relay_id: UUID | None = None
    parent_id: UUID | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """An ask as people may enter it; `told_on` is when they hear what came of it.

    `report_back` says by language what will be done, `askers` are names by language of who asks.
    """

    id: UUID
    code: str
    version_id: UUID
    flow: str
    mode: AskMode
    status: AskStatus
    office_id: UUID | None
    opens_at: datetime | None
    closes_at: datetime | None
    told_on: date
    report_back: Mapping[str, str] = field(default_factory=dict)
    askers: Mapping[UUID, Mapping[str, str]] = field(default_factory=dict)

    def is_open(self, now: datetime) -> bool:
        """Whether an answer given now counts."""
        ended = self.closes_at is not None and self.closes_at <= now
        return self.status is AskStatus.OPEN and not ended


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One organisation's flows and entries, as of one ``catalogue_version``."""

    organisation_id: UUID
    version_number: int
    name: str
    short_name: str
    languages: tuple[str, ...]
    default_flow: str | None
    newest: Mapping[str, Published]
    versions: Mapping[UUID, Published]
    entries: Mapping[str, Entry]
    words: Mapping[str, str]
    offices: Mapping[UUID, str]
    emergency_line: str | None = None
    asks: Mapping[UUID, Asked] = field(default_factory=dict)

    def version(self, version_id: UUID) -> Published | None:
        """The published version with this id."""
        return self.versions.get(version_id)

    def entry(self, code: str) -> Entry | None:
        """What this code opens; case and surrounding blanks do not matter."""
        return self.entries.get(normalise(code))

    def code_of(self, flow: str) -> str | None:
        """A code that begins this flow itself, whatever asks there are on it."""
        found = (one.code for one in self.entries.values() if one.flow == flow and not one.ask_id)
        return next(found, None)

    def opened_by(self, text: str) -> Published | None:
        """The newest version of the flow that this whole message opens as an entry word."""
        flow = self.words.get(normalise(text))
        return self.newest.get(flow) if flow else None

    def newest_ask(self, flow: str) -> Asked | None:
        """The ask that the words of a flow mean: the newest of those that have most to tell."""
        of_flow = [ask for ask in self.asks.values() if ask.flow == flow]
        return max(of_flow, key=_telling, default=None)

    def registration(self) -> Published | None:
        """The flow that somebody who opens nothing in particular is offered."""
        for name in (self.default_flow, "registration", FALLBACK_REGISTRATION):
            if name and name in self.newest:
                return self.newest[name]
        return next((p for p in self.newest.values() if p.flow.kind == "registration"), None)

    def names(self, office_id: UUID | str | None) -> dict[str, str]:
        """The placeholders of every text: who speaks, and for which office."""
        office = self.offices.get(UUID(str(office_id))) if office_id else None
        return {"organisation": self.short_name or self.name, "office": office or self.name}


def read_catalogue(engine: Engine, organisation_id: UUID) -> Catalogue:
    """The catalogue of an organisation as it is now."""
    with transaction(engine, organisation_id) as db:
        return read_inside(db)


def read_inside(db: Session) -> Catalogue:
    """The same, in a transaction of that organisation."""
    organisation = db.scalars(select(Organisation)).one()
    rows = db.scalars(select(FlowVersion).order_by(FlowVersion.flow, FlowVersion.version)).all()
    versions = {
        row.id: Published(row.id, build(row.definition, version=row.version)) for row in rows
    }
    newest = {p.flow.id: p for p in versions.values()}
    askers: dict[UUID, dict[UUID, Mapping[str, str]]] = {}
    for one in db.scalars(select(Asker)):
        askers.setdefault(one.ask_id, {})[one.id] = one.name
    asks = {row.id: _asked(row, askers.get(row.id, {})) for row in db.scalars(select(Ask))}
    return Catalogue(
        organisation_id=organisation.id,
        version_number=organisation.catalogue_version,
        name=organisation.name,
        short_name=organisation.short_name,
        languages=tuple(organisation.languages),
        default_flow=organisation.settings.get("default_flow"),
        newest=newest,
        versions=versions,
        entries={normalise(entry.code): entry for entry in _entries(db, asks)},
        words=_words(newest.values(), asks.values()),
        offices={office.id: office.name for office in db.scalars(select(Office))},
        emergency_line=organisation.settings.get("emergency_line"),
        asks=asks,
    )


def _telling(ask: Asked) -> tuple[int, UUID]:
    """By what asks of one word stand behind each other: open, over with a result, none of both."""
    return _TELLS.get(ask.status, 1), ask.id


def _words(flows: Collection[Published], asks: Collection[Asked]) -> dict[str, str]:
    """What each word opens; of several flows the one whose ask is open, else one without asks."""
    standing = dict.fromkeys((one.flow.id for one in flows), (_NO_ASK, _NOBODY))
    for ask in sorted(asks, key=_telling):
        standing[ask.flow] = _telling(ask)
    ordered = sorted(flows, key=lambda one: standing[one.flow.id])
    return {
        normalise(word): one.flow.id
        for one in ordered
        for words in one.flow.entry.values()
        for word in words
    }


def _entries(db: Session, asks: Mapping[UUID, Asked]) -> Iterator[Entry]:
    for c in db.scalars(select(EntryCode).where(EntryCode.closed_at.is_(None))):
        yield Entry(c.code, c.flow, c.office_id, c.language, c.asker)
    for ask in asks.values():
        yield Entry(ask.code, ask.flow, ask.office_id, ask_id=ask.id)
    for relay in db.scalars(select(Relay)):
        ask = asks[relay.ask_id]
        yield Entry(
            relay.code,
            ask.flow,
            ask.office_id,
            asker=str(relay.asker_id) if relay.asker_id else None,
            ask_id=ask.id,
            relay_id=relay.id,
            parent_id=relay.parent_id,
            closed=relay.closed_at is not None,
        )


def _asked(row: Ask, askers: Mapping[UUID, Mapping[str, str]]) -> Asked:
    return Asked(
        id=row.id,
        code=row.code,
        version_id=row.flow_version_id,
        flow=row.flow,
        mode=row.mode,
        status=row.status,
        office_id=row.office_id,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        told_on=row.later_by or row.report_back_on,
        report_back=row.report_back or {},
        askers=askers,
    )


class Catalogues:
    """Each organisation's catalogue, read again when its version number has moved."""

    def __init__(self) -> None:
        self._kept: dict[UUID, Catalogue] = {}
        self._lock = Lock()

    def find(self, organisation_id: UUID, version_number: int) -> Catalogue | None:
        """The kept catalogue, or None when there is none of this version or a newer one."""
        kept = self._kept.get(organisation_id)
        return kept if kept and kept.version_number >= version_number else None

    def keep(self, catalogue: Catalogue) -> None:
        """Keep a catalogue that was read; an older one never replaces a newer one."""
        with self._lock:
            if self.find(catalogue.organisation_id, catalogue.version_number) is None:
                self._kept[catalogue.organisation_id] = catalogue

    def newest(self, organisation_id: UUID) -> Catalogue | None:
        """The kept catalogue of whatever version."""
        return self._kept.get(organisation_id)
