"""Cases: what an officer should look at, answered in the officer's own words.

A key with `cases:read` alone works the queue: how urgent, since when, whose turn. Who the person is
and what they wrote needs `people:read` as well, as every row about single people does; so do cases
that follow from an answer to a question, whose number would tell how many gave it.
"""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from api.fields import Instant, Strict, described, one_of
from api.paging import Page, PageQuery, page_of
from api.recordings import RecordingRow
from api.resource import Resource
from api.scopes import PEOPLE_READ
from api.work import Work, find_reason
from models.case import Case, CaseReason, CaseStatus
from services.errors import Invalid, NotFound
from services.people import cases, recordings
from services.people.cases import LONGEST_ANSWER, CaseMessage

resource = Resource("cases", "What an officer should look at, and answers in their own words.")
REASONS = [one.value for one in CaseReason]
STATUSES = [one.value for one in CaseStatus]
_UNLESS_READER = f"Null for a key without {PEOPLE_READ}."
# Letters of any script with line breaks; nothing else that controls a screen.
_WRITTEN = r"[^\x00-\x09\x0b-\x1f\x7f]*"


class CaseQuery(PageQuery):
    """Which cases."""

    status = one_of(STATUSES, "Open: somebody should look; answered: it is the person's turn.")
    reason = one_of(REASONS, "Why it was opened.")
    assigned_to = described(fields.UUID(), "Given to this officer.")


class CaseRow(Strict):
    """One case."""

    id = fields.UUID(required=True)
    contact_id = described(fields.UUID(required=True, allow_none=True), _UNLESS_READER)
    reason = one_of(REASONS, "Why it was opened; danger comes first.", required=True)
    status = one_of(STATUSES, "Whose turn it is.", required=True)
    assigned_to = described(fields.UUID(required=True, allow_none=True), "The officer, if any.")
    unread = described(fields.Integer(required=True), "Messages nobody has read yet.")
    question = described(
        fields.String(required=True, allow_none=True),
        f"Where they were in a flow when it was opened. {_UNLESS_READER}",
    )
    opened_at = Instant(required=True)
    last_message_at = Instant(required=True)
    answered_at = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)


class CaseMessageRow(Strict):
    """One message of a case."""

    id = fields.UUID(required=True)
    direction = fields.String(required=True)
    status = fields.String(required=True)
    text = described(fields.String(required=True), "In the words it was written in.")
    at = Instant(required=True)


class CaseDetail(CaseRow):
    """One case with what was said in it, oldest first."""

    messages = fields.List(
        fields.Nested(CaseMessageRow),
        required=True,
        allow_none=True,
        metadata={"description": _UNLESS_READER},
    )

    recordings = fields.List(
        fields.Nested(RecordingRow),
        required=True,
        allow_none=True,
        metadata={"description": f"The person's voice notes, by GET /recordings. {_UNLESS_READER}"},
    )


class OfficersAnswer(Strict):
    """What an officer writes to the person."""

    text = fields.String(
        required=True,
        validate=[
            validate.Length(1, LONGEST_ANSWER),
            validate.Regexp(rf"{_WRITTEN}\Z", error="Holds a control character."),
        ],
        metadata={
            "description": "Sent as it is written, in whatever language that is.",
            "pattern": f"^{_WRITTEN}$",
        },
    )


class QueuedAnswer(Strict):
    """An answer on its way."""

    case_id = fields.UUID(required=True)
    message_id = fields.UUID(required=True)
    status = fields.String(required=True)


class Assignment(Strict):
    """Who takes a case."""

    assigned_to = described(fields.UUID(required=True, allow_none=True), "An officer, or null.")


class Closing(Strict):
    """Nothing has to be said to close a case."""


CasePage = page_of(CaseRow)


@resource.operation("GET", "/cases", query=CaseQuery, gives=CasePage)
def list_cases(work: Work, query: dict[str, Any]) -> Page:
    """List cases in the order they were opened; those that follow an answer need `people:read`."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = cases.list_cases(
        work.db,
        status=CaseStatus(query["status"]) if "status" in query else None,
        reason=CaseReason(query["reason"]) if "reason" in query else None,
        staff_id=query.get("assigned_to"),
        follow_ups=work.holder.may(PEOPLE_READ),
        after=UUID(after) if after else None,
        most=limit + 1,
    )
    work.note_rows("case", [row.id for row in rows[:limit]])
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_told(work, row) for row in rows[:limit]], page.next_cursor)


@resource.operation("GET", "/cases/<uuid:case_id>", gives=CaseDetail)
def get_case(work: Work, case_id: UUID) -> dict[str, Any]:
    """Read one case; the view is recorded and shown to the person.

    Its messages are opened, and count as read, for a key that also has `people:read`.
    """
    if not work.holder.may(PEOPLE_READ):
        found = cases.get(work.db, case_id)
        if found.reason is CaseReason.FOLLOW_UP:
            raise NotFound("There is no such case.")
        work.note_view("case.viewed", found.contact_id, case=str(found.id), opened=False)
        return _told(work, found) | {"messages": None, "recordings": None}
    reason = find_reason() or "case"
    opened = cases.read(
        work.db, work.line.keyring, case_id, actor=work.actor, reason=reason, now=work.now
    )
    said = recordings.list_recordings(work.db, contact_id=opened.case.contact_id)
    messages = [_said(one) for one in opened.messages]
    return _told(work, opened.case) | {"messages": messages, "recordings": said}


@resource.operation(
    "POST", "/cases/<uuid:case_id>/answer", body=OfficersAnswer, gives=QueuedAnswer, status=202
)
def answer_case(work: Work, body: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """Send words to the person where they wrote last; they are stored sealed."""
    message = cases.answer(
        work.db, work.line.keyring, case_id, body["text"], actor=work.actor, now=work.now
    )
    return {"case_id": case_id, "message_id": message.id, "status": message.status.value}


@resource.operation("POST", "/cases/<uuid:case_id>/assign", body=Assignment, gives=CaseRow)
def assign_case(work: Work, body: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """Give a case to an officer, or to nobody."""
    cases.get(work.db, case_id)
    staff_id = body["assigned_to"]
    try:
        found = cases.assign(work.db, case_id, staff_id, actor=work.actor, now=work.now)
    except NotFound as fault:
        raise Invalid(fault.sentence, place="assigned_to") from None
    return _told(work, found)


@resource.operation("POST", "/cases/<uuid:case_id>/close", body=Closing, gives=CaseRow)
def close_case(work: Work, body: dict[str, Any], case_id: UUID) -> dict[str, Any]:
    """Close a case; what the person writes from now on opens a new one when it calls for one."""
    return _told(work, cases.close(work.db, case_id, actor=work.actor, now=work.now))


def _told(work: Work, case: Case) -> dict[str, Any]:
    reader = work.holder.may(PEOPLE_READ)
    return {
        "id": case.id,
        "contact_id": case.contact_id if reader else None,
        "reason": case.reason.value,
        "status": case.status.value,
        "assigned_to": case.staff_id,
        "unread": case.unread,
        "question": case.question if reader else None,
        "opened_at": case.opened_at,
        "last_message_at": case.last_message_at,
        "answered_at": case.answered_at,
        "closed_at": case.closed_at,
    }


def _said(message: CaseMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "direction": message.direction.value,
        "status": message.status.value,
        "text": message.text,
        "at": message.at,
    }
