"""What people wrote in polls in their own words, to be looked at before anybody else reads it."""

from typing import Any
from uuid import UUID

from marshmallow import fields

from api.auth import require
from api.fields import NAME, Instant, Strict, described, one_of, word
from api.paging import Page, PageQuery, page_of
from api.polls import poll_of
from api.resource import Resource
from api.scopes import PEOPLE_READ
from api.work import Work, get_reason
from models.publication import ReviewStatus
from services.asks import poll_texts
from services.asks.poll_texts import STATUSES, Place, PollText
from services.errors import NotFound

resource = Resource("poll texts", "What people wrote in polls in their own words.")
_DECISIONS = [one.value for one in ReviewStatus]


class TextQuery(PageQuery):
    """Which texts."""

    status = one_of(list(STATUSES), "Only those of which this was decided.", load_default=None)
    question = word(NAME, "Only answers to this question.", load_default=None)


class PollTextRow(Strict):
    """One text; who wrote it stays apart."""

    id = described(fields.String(required=True), "Its name in this poll.")
    question = fields.String(required=True)
    text = described(fields.String(required=True), "As it was typed.")
    language = fields.String(required=True)
    status = one_of(list(STATUSES), "waiting, or what was decided.", required=True)
    answered_at = Instant(required=True)
    reviewed_at = Instant(required=True, allow_none=True)


class TextDecision(Strict):
    """What is decided about a text."""

    decision = one_of(
        _DECISIONS, "escalated: a case is opened for whoever wrote it.", required=True
    )


TextPage = page_of(PollTextRow)


@resource.operation("GET", "/polls/<uuid:poll_id>/texts", query=TextQuery, gives=TextPage)
def list_texts(work: Work, query: dict[str, Any], poll_id: UUID) -> Page:
    """List what people wrote in a poll; needs people:read too, and a reason."""
    require(work.holder, PEOPLE_READ)
    ask = poll_of(work, poll_id)
    get_reason()
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = poll_texts.list_texts(
        work.db,
        work.line.keyring,
        ask,
        status=query["status"],
        question=query["question"],
        after=_place(after) if after else None,
        most=limit + 1,
    )
    work.note_rows("text", [row.session_id for row in rows[:limit]])
    page = work.cursors.page(rows, limit, _name)
    return Page([_row(row) for row in rows[:limit]], page.next_cursor)


@resource.operation(
    "POST", "/polls/<uuid:poll_id>/texts/<text_id>", body=TextDecision, gives=PollTextRow
)
def review_text(work: Work, body: dict[str, Any], poll_id: UUID, text_id: str) -> dict[str, Any]:
    """Decide about one text, in place of what was decided before; it stays out of the results."""
    require(work.holder, PEOPLE_READ)
    ask, reason = poll_of(work, poll_id), get_reason()
    decided = poll_texts.decide(
        work.db,
        work.line.keyring,
        ask,
        _place(text_id),
        ReviewStatus(body["decision"]),
        actor=work.actor,
        reason=reason,
        now=work.now,
    )
    return _row(decided)


def _name(text: PollText) -> str:
    return f"{text.session_id}.{text.question}"


def _place(name: str) -> Place:
    session_id, _, question = name.partition(".")
    try:
        return UUID(session_id), question
    except ValueError:
        raise NotFound("There is no such text in this poll.") from None


def _row(text: PollText) -> dict[str, Any]:
    return {
        "id": _name(text),
        "question": text.question,
        "text": text.text,
        "language": text.language,
        "status": text.status,
        "answered_at": text.answered_at,
        "reviewed_at": text.reviewed_at,
    }
