"""Rows for elsewhere: as a table whose cells no spreadsheet will run, and on record.

Nothing of an export is kept here: it is written into one answer, and what stays is a link of the
audit chain. Source of the cell rules: OWASP, CSV injection; RFC 4180 for the form.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.flow_version import FlowVersion
from models.walls import organisation_of
from services import audit
from services.audit import Actor

BOM = "\ufeff"
_STARTS = frozenset("=+-@")
_MINUS = "\u2212"
_BREAKS = frozenset("\t\r\n")
# Where a reader that takes another separator than ours would begin a cell.
_SEPARATORS = frozenset("\t\r\n;")
# Blanks and controls, and what a reader may not know and leave out: unassigned, private.
_INVISIBLE = ("Z", "C")


def inert(text: str) -> str:
    """Return a cell's text so that it is text in every spreadsheet.

    An apostrophe goes before what would begin a formula: = + - @ in any width, after whatever
    blanks, marks and quotes; before a cell that begins with a tab or a line break; and inside a
    cell after `;`, tab and line breaks, where a reader with another separator begins a cell.
    """
    told: list[str] = []
    start: int | None = 0
    for letter in text:
        if start is not None:
            if _runs(letter) or (start == 0 and letter in _BREAKS):
                told.insert(start, "'")
                start = None
            elif letter != '"' and not unicodedata.category(letter).startswith(_INVISIBLE):
                start = None
        told.append(letter)
        if letter in _SEPARATORS:
            start = len(told)
    return "".join(told)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]], *, bom: bool) -> str:
    """Return a table by RFC 4180, every field quoted and inert; what a row lacks is empty.

    With `bom` it begins with the mark by which spreadsheets know UTF-8.
    """
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([inert(column) for column in columns])
    for row in rows:
        writer.writerow([inert(_cell(row.get(column))) for column in columns])
    return (BOM if bom else "") + written.getvalue()


def list_questions(db: Session, flow: str | None) -> list[str]:
    """Return the questions of every version of a flow, or of all registrations, newest order first.

    They are the columns of an export, the same on each of its pages whatever people answered.
    """
    query = select(FlowVersion.definition).where(
        FlowVersion.organisation_id == organisation_of(db),
        FlowVersion.kind == "registration" if flow is None else FlowVersion.flow == flow,
    )
    definitions = db.scalars(query.order_by(FlowVersion.version.desc(), FlowVersion.flow))
    asked = (question["id"] for each in definitions for question in each["questions"])
    return list(dict.fromkeys(asked))


def record(
    db: Session,
    actor: Actor,
    kind: str,
    ids: Sequence[UUID],
    *,
    form: str,
    reason: str,
    now: datetime,
) -> None:
    """Record an export: how many rows, the first and the last, and why; also of none."""
    detail: dict[str, audit.Detail] = {"rows": len(ids), "format": form, "reason": reason}
    if ids:
        detail |= {"first": str(ids[0]), "last": str(ids[-1])}
    audit.record(db, actor, f"{kind}s.exported", (kind, None), detail=detail, now=now)


def flat(row: Mapping[str, object], name: str, apart: Collection[str]) -> dict[str, object]:
    """Return a row with the mapping under `name` spread over columns such as `answers.country`.

    What is not among `apart` stays together, as JSON, in the column `name.more`.
    """
    found = {column: value for column, value in row.items() if column != name}
    inner = row[name]
    assert isinstance(inner, Mapping)
    found |= {f"{name}.{key}": value for key, value in inner.items() if key in apart}
    more = {key: value for key, value in inner.items() if key not in apart}
    return found | ({f"{name}.more": more} if more else {})


def _runs(letter: str) -> bool:
    return letter == _MINUS or unicodedata.normalize("NFKC", letter)[:1] in _STARTS


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(_cell(one) for one in value)
    return json.dumps(value, ensure_ascii=False)
