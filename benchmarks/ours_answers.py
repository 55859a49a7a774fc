"""What Homeline has stored of the members of a benchmark, opened with the benchmark's own key.

A process of its own, run with the project's interpreter: an order as JSON on standard input, the
answers on standard output. It reads as superuser, past the walls.
"""

import base64
import json
import sys
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from models.sealed import Keyring, open_sealed

_ANSWERS = """
select n.organisation_id, n.contact_id, c.wrapped_key, d.id, d.sealed,
       n.session_id, n.question, n.value, n.sealed
  from answers n
  join contacts c on c.organisation_id = n.organisation_id and c.id = n.contact_id
  join addresses d on d.organisation_id = n.organisation_id and d.contact_id = n.contact_id
 where n.contact_id > %s
 order by n.contact_id
"""


@dataclass(frozen=True, slots=True)
class _MasterKey:
    id: str
    key: bytes


def main() -> None:
    """Answer one order: {"database", "master_key", "after": contact id}."""
    order = json.load(sys.stdin)
    keyring = Keyring([_MasterKey("bench", base64.b64decode(order["master_key"]))])
    answers: dict[str, dict[str, list[str]]] = {}
    last = order["after"]
    with psycopg.connect(order["database"]) as connection:
        for row in connection.execute(_ANSWERS, (order["after"],)):
            member, question, value = _opened(keyring, *row)
            answers.setdefault(member, {}).setdefault(question, []).append(value)
            last = str(row[1])
    json.dump({"last": last, "answers": answers}, sys.stdout)


def _opened(
    keyring: Keyring,
    organisation: UUID,
    contact: UUID,
    wrapped: bytes,
    address: UUID,
    sealed_address: bytes,
    session: UUID,
    question: str,
    value: Any,
    sealed: bytes | None,
) -> tuple[str, str, str]:
    """Member, question and what was answered, as text."""
    key = keyring.unwrap(wrapped, organisation, contact)

    def plain(sealed: bytes, table: str, row: UUID | str) -> str:
        opened = open_sealed(
            key, sealed, table=table, column="sealed", organisation_id=organisation, row_id=row
        )
        return opened.decode()

    member = plain(sealed_address, "addresses", address).split(":")[-1].lstrip("+")
    if sealed is None:
        return member, question, value if isinstance(value, str) else json.dumps(value)
    return member, question, plain(sealed, "answers", f"{session}:{question}")


if __name__ == "__main__":
    main()
