"""People who registered and agreed to polls, put into the tables; with a push waiting, or without.

A process of its own, run with the project's interpreter: an order as JSON on standard input. It
writes as superuser, past walls and triggers: how fast people register is not measured here.
"""

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from models.base import new_id
from models.sealed import Keyring, OrganisationKeys, keyed_hash, seal

_TABLES = {
    "contacts": "id wrapped_key language status origin created_at last_seen_at expires_at",
    "addresses": "id contact_id channel_id scheme address_hash number_hash sealed status"
    " last_in_at created_at",
    "profiles": "contact_id country time_zone language channel consents joined_at registered_at"
    " last_seen_at",
    "flow_sessions": "id contact_id flow_version_id flow kind status language channel_kind"
    " started_at updated_at completed_at",
    "conversations": "contact_id seq updated_at",
    "messages": "id contact_id address_id channel_id direction status lane kind content"
    " flow_version_id question language seq due_at created_at expires_at",
}
_AT_ONCE = 5_000
_PLACES = (
    ("NZ", "Pacific/Auckland"),
    ("JP", "Asia/Tokyo"),
    ("IN", "Asia/Kolkata"),
    ("KE", "Africa/Nairobi"),
    ("FR", "Europe/Paris"),
    ("BR", "America/Sao_Paulo"),
    ("CA", "America/Toronto"),
    ("MX", "America/Tijuana"),
)
"""Around the world: at any moment it is day for some of them."""
Rows = dict[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _MasterKey:
    id: str
    key: bytes


@dataclass(frozen=True, slots=True)
class _Line:
    """One channel, and who is written to over it."""

    channel_id: UUID
    kind: str
    members: range


class _Queue:
    """Makes the rows of one person after the other."""

    def __init__(self, keyring: Keyring, organisation: UUID, keys: OrganisationKeys) -> None:
        self._keyring, self._organisation, self._keys = keyring, organisation, keys
        self._now = datetime.now(UTC)
        self._later = self._now + timedelta(days=90)

    def rows(self, line: _Line, member: int, flow_version: UUID, question: str) -> Rows:
        contact, address, passage, message = (new_id(self._now) for _ in range(4))
        key, wrapped = self._keyring.new_key(self._organisation, contact)
        number = f"+{member}" if line.kind == "sms" else str(member)
        where = f"{line.kind}:{number}"
        sealed = seal(
            key, where.encode(), table="addresses", column="sealed",
            organisation_id=self._organisation, row_id=address,
        )  # fmt: skip
        hashes = keyed_hash(self._keys.index, "address", where), None
        if line.kind == "sms":
            hashes = hashes[0], keyed_hash(self._keys.index, "number", number)
        asked = Jsonb({"parts": [{"ask": question}], "tag": "1"})
        now, later = self._now, self._later
        return {
            "contacts": (
                contact, wrapped, "en", "active", Jsonb({"member": member}), now, now, later,
            ),
            "addresses": (
                address, contact, line.channel_id, line.kind, *hashes, sealed, "active", now, now,
            ),
            "profiles": (
                contact, *_PLACES[member % len(_PLACES)], "en", line.kind,
                ["registration", "polls"], now, now, now,
            ),
            "flow_sessions": (
                passage, contact, flow_version, "registration", "registration", "complete", "en",
                line.kind, now, now, now,
            ),
            "conversations": (contact, 1, now),
            "messages": (
                message, contact, address, line.channel_id, "out", "queued", 2, "broadcast", asked,
                flow_version, question, "en", 1, now, now, later,
            ),
        }  # fmt: skip


def main() -> None:
    """Carry out one order.

    {"database", "master_key", "channels": {kind: [first, count]}, "waiting": bool}
    """
    order = json.load(sys.stdin)
    keyring = Keyring([_MasterKey("bench", base64.b64decode(order["master_key"]))])
    tables = {name: columns for name, columns in _TABLES.items() if _wanted(order, name)}
    with psycopg.connect(order["database"]) as connection:
        connection.execute("set session_replication_role = replica")
        row = connection.execute("select id, wrapped_key, wrapped_index_key from organisations")
        (organisation, *wrapped), *_ = row.fetchall()
        queue = _Queue(keyring, organisation, keyring.open_organisation(organisation, *wrapped))
        (version,), *_ = connection.execute("select id from flow_versions").fetchall()
        for line in _lines(connection, order["channels"]):
            for some in _batched(line.members, _AT_ONCE):
                people = [queue.rows(line, member, version, "volunteer") for member in some]
                _copy(connection, organisation, tables, people)


def _wanted(order: dict[str, Any], table: str) -> bool:
    return table != "messages" or bool(order["waiting"])


def _copy(
    connection: psycopg.Connection[Any],
    organisation: UUID,
    tables: dict[str, str],
    people: list[Rows],
) -> None:
    for table, columns in tables.items():
        names = ", ".join(("organisation_id", *columns.split()))
        with connection.cursor().copy(f"copy {table} ({names}) from stdin") as copy:
            for rows in people:
                copy.write_row((organisation, *rows[table]))


def _batched(members: range, most: int) -> Iterator[range]:
    """Parts of a range, in order."""
    for start in range(0, len(members), most):
        yield members[start : start + most]


def _lines(connection: psycopg.Connection[Any], wanted: dict[str, list[int]]) -> Iterator[_Line]:
    for kind, (first, count) in wanted.items():
        found = connection.execute("select id from channels where kind = %s", (kind,)).fetchone()
        assert found, f"no channel of kind {kind}"
        yield _Line(found[0], kind, range(first, first + count))


if __name__ == "__main__":
    main()
