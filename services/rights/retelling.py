"""What is kept about a person, told in their language: from rows to sentences they know."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from flows.questions.base import At, Question
from flows.state import SKIPPED
from flows.wording import compose
from services.catalogue import Catalogue, Published
from services.conversation.changing import label_of
from services.messages.rendering import body_for, render
from services.rights.mydata import Rows
from services.rights.telling import value_in_words

NEWEST = 100


@dataclass(frozen=True, slots=True)
class Told:
    """One line: what it is about, what is kept, and since when."""

    about: str
    what: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Allowed:
    """One consent event with the words that were agreed to."""

    purpose: str
    action: str
    wording: str
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Retold:
    """Everything a person will want to see first; times are UTC."""

    answers: Sequence[Told]
    consents: Sequence[Allowed]
    addresses: Sequence[Told]
    messages: Sequence[Told]
    cases: Sequence[Told]
    viewings: Sequence[Told]
    kept_until: datetime
    stopped: bool


def retell(rows: Rows, catalogue: Catalogue, language: str) -> Retold:
    """Tell the rows of services.rights.mydata in a language."""
    contact = max(rows["contacts"], key=lambda row: str(row["last_seen_at"]))
    return Retold(
        answers=[told for row in rows["answers"] if (told := _answer(row, catalogue, language))],
        consents=[_consent(row, catalogue) for row in rows["consent_events"]],
        addresses=[
            Told(row["scheme"], _without_scheme(row), _instant(row["created_at"]))
            for row in rows["addresses"]
        ],
        messages=[_message(row, catalogue) for row in rows["messages"][-NEWEST:]],
        cases=[
            Told(row["status"], row["reason"], _instant(row["opened_at"])) for row in rows["cases"]
        ],
        viewings=[
            Told(row["who"], row["action"], _instant(row["at"]))
            for row in rows["audit_events"][-NEWEST:]
        ],
        kept_until=_instant(contact["expires_at"]),
        stopped=contact["status"] == "stopped",
    )


def _answer(row: dict[str, Any], catalogue: Catalogue, language: str) -> Told | None:
    published, question = _question(row, catalogue)
    if published is None or question is None:
        return Told(row["question"], str(row["value"]), _instant(row["answered_at"]))
    if not question.waits:
        return None
    if "sealed" in row:
        what = str(row["sealed"])
    else:
        empty = row["skipped"] or row["value"] is None
        what = value_in_words(question, SKIPPED if empty else row["value"], language)
    return Told(label_of(question, language), what, _instant(row["answered_at"]))


def _question(
    row: dict[str, Any], catalogue: Catalogue
) -> tuple[Published | None, Question | None]:
    published = catalogue.version(UUID(row["flow_version_id"]))
    return published, published.flow.question(row["question"]) if published else None


def _consent(row: dict[str, Any], catalogue: Catalogue) -> Allowed:
    """The words are those of the version agreed to, in the language it was shown in."""
    published = next(
        (
            one
            for one in catalogue.versions.values()
            if one.flow.id == row["flow"] and one.flow.version == row["version"]
        ),
        None,
    )
    question = published.flow.question(row["question"]) if published else None
    wording = ""
    if published and question:
        asked = {"ask": question.id, "rung": 0, "page": 0, "picked": []}
        wording = compose(
            [asked],
            flow=published.flow,
            language=row["language"],
            tag="",
            names=catalogue.names(None),
        ).text or question.said(At(row["language"]))
    return Allowed(row["purpose"], row["action"], wording, row["channel_kind"], _instant(row["at"]))


def _message(row: dict[str, Any], catalogue: Catalogue) -> Told:
    at = _instant(row["created_at"])
    if row["direction"] == "in":
        return Told("in", str(row.get("sealed") or ""), at)
    version = row["flow_version_id"]
    published = catalogue.version(UUID(version)) if version else None
    content = row["content"]
    if not isinstance(content, dict) or "parts" not in content:
        return Told("out", "", at)
    prompt = render(
        content,
        flow=published.flow if published else None,
        language=row["language"],
        names=catalogue.names(content.get("office")),
        told=row.get("sealed") or {},
    )
    return Told("out", body_for("sms", prompt), at)


def _without_scheme(row: dict[str, Any]) -> str:
    return str(row.get("sealed") or "").partition(":")[2]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
