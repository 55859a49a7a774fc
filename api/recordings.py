"""Voice notes that answer open questions: who said something, and the recording itself."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from api.fields import Instant, Strict, described
from api.paging import Page, PageQuery, page_of
from api.resource import Resource
from api.work import Work, get_reason
from services.people import recordings

resource = Resource("recordings", "Voice notes that answer open questions, for 30 days.")
_AUDIO = {200: {"content": {"audio/ogg": {"schema": {"type": "string", "format": "binary"}}}}}
_ENDINGS = {
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/amr": "amr",
}


class RecordingQuery(PageQuery):
    """Which voice notes."""

    contact_id = described(fields.UUID(), "Said by one person.")


class RecordingRow(Strict):
    """One voice note; nobody wrote down what is said in it."""

    id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)
    registration_id = described(
        fields.UUID(required=True, attribute="session_id"), "The passage it is an answer in."
    )
    question = described(fields.String(required=True), "The question it answers.")
    channel = fields.String(required=True, attribute="channel_kind")
    content_type = fields.String(required=True)
    size = described(fields.Integer(required=True), "Bytes.")
    said_at = Instant(required=True)
    expires_at = described(Instant(required=True), "When it is erased.")


RecordingPage = page_of(RecordingRow)


@resource.operation("GET", "/recordings", query=RecordingQuery, gives=RecordingPage)
def list_recordings(work: Work, query: dict[str, Any]) -> Page:
    """List voice notes in the order they were kept."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = recordings.list_recordings(
        work.db,
        contact_id=query.get("contact_id"),
        after=UUID(after) if after else None,
        most=limit + 1,
    )
    work.note_rows("recording", [row.id for row in rows[:limit]])
    return work.cursors.page(rows, limit, lambda row: row.id)


@resource.operation("GET", "/recordings/<uuid:recording_id>", kept=False)
@resource.doc(responses=_AUDIO)  # type: ignore[untyped-decorator]  # flask-smorest has no types
def hear_recording(work: Work, recording_id: UUID) -> Response:
    """Fetch one voice note to hear it; needs a reason, which the person sees."""
    heard = recordings.hear(
        work.db,
        work.line.keyring,
        recording_id,
        actor=work.actor,
        reason=get_reason(),
        now=work.now,
    )
    response = Response(heard.data, content_type=heard.content_type)
    name = f"voice-{recording_id}.{_ENDINGS.get(heard.content_type, 'bin')}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
