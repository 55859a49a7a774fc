"""Polls: made as drafts, opened, closed, and reported back on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate
from sqlalchemy import select

from api.fields import Instant, Strict, described, one_of
from api.paging import Page, PageQuery, page_of
from api.resource import PREFIX, Resource
from api.work import Work
from models.ask import Ask, AskerKind, AskKind, AskMode, AskStatus
from services import ask_checks, asks, closing, organisations
from services.asks import NewAsk, NewAsker
from services.errors import Invalid, NotFound

resource = Resource("polls", "One to five questions put to many, and what came of them.")
_STATUSES = [status.value for status in AskStatus]
_MODES = [mode.value for mode in AskMode]
_MOST_WANTED = 10_000_000


class FlowOrName(fields.Raw):
    """A flow file as JSON, or the id of a published flow."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict | str):
            return value
        raise ValidationError("Give a flow as an object, or the id of a published one.")


class ByLanguage(fields.Dict):
    """A text in each language."""

    def __init__(self, **more: Any) -> None:
        super().__init__(keys=fields.String(), values=fields.String(), **more)


class PollAsker(Strict):
    """One of several who may be named as the sender."""

    kind = one_of([kind.value for kind in AskerKind], "Who it is.", required=True)
    name = described(ByLanguage(required=True), "What members read, by language.")


class PollChange(Strict):
    """A poll, or what is to change of it; what is left out stays as it is."""

    flow = FlowOrName(
        metadata={"description": "A flow file as JSON (docs/flows.md), or a published flow's id."}
    )
    mode = one_of(_MODES, "secret: one choice question, and nobody can link a vote to a person.")
    audience = described(
        fields.Dict(allow_none=True), "Whom it is pushed to: a condition; null for nobody."
    )
    opens_at = described(Instant(allow_none=True), "When it opens by itself; null for by hand.")
    closes_at = described(Instant(allow_none=True), "When it closes by itself; null: after 7 days.")
    report_back_on = described(
        fields.Date(allow_none=True), "When people hear what came of it; null: 28 days later."
    )
    breakdowns = described(
        fields.List(fields.List(fields.String())),
        "Lists of one or two profile fields; nothing else is ever shown apart.",
    )
    askers = described(
        fields.List(fields.Nested(PollAsker)), "Who is named as sender: two or more, by chance."
    )
    quota = fields.Integer(
        allow_none=True,
        validate=validate.Range(1, _MOST_WANTED),
        metadata={"description": "How many answers are hoped for."},
    )
    previous_id = described(fields.UUID(allow_none=True), "The wave before this one.")
    office_id = described(fields.UUID(allow_none=True), "The office that asks.")


class PollOrder(PollChange):
    """A new poll."""

    flow = FlowOrName(required=True, metadata=PollChange().fields["flow"].metadata)


class MissingRow(Strict):
    """A language in which something is missing."""

    language = fields.String(required=True)
    places = described(
        fields.List(fields.String(), required=True),
        "The texts; none: the flow does not speak this language of the organisation at all.",
    )


class PollRow(Strict):
    """A poll."""

    id = fields.UUID(required=True)
    code = described(fields.String(required=True), "What people send to answer it.")
    url = described(fields.URL(required=True), "The page that opens a chat with it.")
    result_url = described(fields.URL(required=True), "The page of its public result.")
    status = one_of(_STATUSES, "How far it is.", required=True)
    mode = one_of(_MODES, "Whether an answer stays tied to who gave it.", required=True)
    flow = fields.String(required=True)
    flow_version_id = fields.UUID(required=True)
    office_id = fields.UUID(required=True, allow_none=True)
    previous_id = fields.UUID(required=True, allow_none=True)
    audience = fields.Dict(required=True, allow_none=True)
    breakdowns = fields.List(fields.List(fields.String()), required=True)
    quota = fields.Integer(required=True, allow_none=True)
    opens_at = Instant(required=True, allow_none=True)
    closes_at = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)
    opened_at = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)
    report_back_on = fields.Date(required=True)
    report_back = described(ByLanguage(required=True, allow_none=True), "What will be done.")
    later_by = described(fields.Date(required=True, allow_none=True), "Promised for this date.")
    reported_at = Instant(required=True, allow_none=True)
    overdue = described(fields.Boolean(required=True), "Whether a promised word is late.")


class PollDetail(PollRow):
    """A poll with what is asked, by whom and why."""

    purpose = fields.Dict(required=True, metadata={"description": "why, owner, decision"})
    definition = described(fields.Dict(required=True), "What is asked, as its flow file says it.")
    askers = fields.List(fields.Nested(PollAsker), required=True)
    missing_languages = fields.List(fields.Nested(MissingRow), required=True)


class PollQuery(PageQuery):
    """Which polls."""

    status = one_of(_STATUSES, "Only those that are so far.", load_default=None)


class PollOpening(Strict):
    """How to open."""

    allow_missing_languages = described(
        fields.Boolean(load_default=False),
        "Open although texts are missing: people read the flow's first language there.",
    )


class PollClosing(Strict):
    """What people are told: what you will do, or by when you will say it."""

    report_back = described(
        ByLanguage(load_default=None), "What you will do, by language; goes to all who answered."
    )
    later_by = described(fields.Date(load_default=None), "The date you promise it for.")


class PollReport(Strict):
    """What you will do."""

    report_back = described(ByLanguage(required=True), "By language; goes to all who answered.")


PollPage = page_of(PollRow)


@resource.operation("GET", "/polls", query=PollQuery, gives=PollPage)
def list_polls(work: Work, query: dict[str, Any]) -> Page:
    """List polls in the order they were made."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    wanted = select(Ask).where(
        Ask.organisation_id == work.holder.organisation_id, Ask.kind == AskKind.POLL
    )
    if query["status"] is not None:
        wanted = wanted.where(Ask.status == AskStatus(query["status"]))
    if after is not None:
        wanted = wanted.where(Ask.id > UUID(after))
    rows = work.db.scalars(wanted.order_by(Ask.id).limit(limit + 1)).all()
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_row(work, row) for row in rows[:limit]], page.next_cursor)


@resource.operation("POST", "/polls", body=PollOrder, gives=PollDetail, status=201)
def create_poll(work: Work, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make a draft, asked of nobody yet; faults come back with their places."""
    ask = asks.create(work.db, _new(NewAsk(), body), actor=work.actor, now=work.now)
    _check_kind(ask)
    return _detail(work, ask), 201, {"Location": f"{PREFIX}/polls/{ask.id}"}


@resource.operation("GET", "/polls/<uuid:poll_id>", gives=PollDetail)
def get_poll(work: Work, poll_id: UUID) -> dict[str, Any]:
    """Read one poll."""
    return _detail(work, _poll(work, poll_id))


@resource.operation("PATCH", "/polls/<uuid:poll_id>", body=PollChange, gives=PollDetail)
def change_poll(work: Work, body: dict[str, Any], poll_id: UUID) -> dict[str, Any]:
    """Change a draft; what is left out stays as it is."""
    new = _new(asks.as_new(work.db, _poll(work, poll_id)), body)
    ask = asks.change(work.db, poll_id, new, actor=work.actor, now=work.now)
    _check_kind(ask)
    return _detail(work, ask)


@resource.operation(
    "POST", "/polls/<uuid:poll_id>/open", body=PollOpening, gives=PollRow, status=202
)
def open_poll(work: Work, body: dict[str, Any], poll_id: UUID) -> dict[str, Any]:
    """Let people answer from now on, and push it to its audience, if it has one."""
    allow = body["allow_missing_languages"]
    keys = work.line.ballots
    return _done(work, poll_id, asks.open_ask, ballot_keys=keys, allow_missing_languages=allow)


@resource.operation("POST", "/polls/<uuid:poll_id>/cancel", gives=PollRow, status=202)
def cancel_poll(work: Work, poll_id: UUID) -> dict[str, Any]:
    """End a poll without a result; nothing more is sent."""
    return _done(work, poll_id, asks.cancel)


@resource.operation(
    "POST", "/polls/<uuid:poll_id>/close", body=PollClosing, gives=PollRow, status=202
)
def close_poll(work: Work, body: dict[str, Any], poll_id: UUID) -> dict[str, Any]:
    """Take no more answers; needs what you will do, or the date you promise it for."""
    return _done(work, poll_id, closing.close, **body)


@resource.operation(
    "POST", "/polls/<uuid:poll_id>/report-back", body=PollReport, gives=PollRow, status=202
)
def report_back_on_poll(work: Work, body: dict[str, Any], poll_id: UUID) -> dict[str, Any]:
    """Say what you will do, when it was not known at close."""
    return _done(work, poll_id, closing.report_back, texts=body["report_back"])


def _done(work: Work, poll_id: UUID, verb: Callable[..., Ask], **more: Any) -> dict[str, Any]:
    _poll(work, poll_id)
    return _row(work, verb(work.db, poll_id, actor=work.actor, now=work.now, **more))


def _poll(work: Work, poll_id: UUID) -> Ask:
    """Return a poll; NotFound for no ask, or an ask of another kind."""
    ask = asks.get(work.db, poll_id)
    if ask.kind is not AskKind.POLL:
        raise NotFound("There is no such poll.")
    return ask


def _check_kind(ask: Ask) -> None:
    if ask.kind is not AskKind.POLL:
        raise Invalid("This is the place for polls: say kind poll.", place="flow.kind")


def _new(before: NewAsk, body: dict[str, Any]) -> NewAsk:
    """Return what was there with what a body changes of it."""
    given = dict(body)
    if "flow" in given:
        flow = given.pop("flow")
        named = isinstance(flow, str)
        given |= {"flow": flow if named else None, "definition": None if named else flow}
    if "mode" in given:
        given["mode"] = AskMode(given["mode"])
    if "askers" in given:
        given["askers"] = [NewAsker(AskerKind(a["kind"]), a["name"]) for a in given["askers"]]
    return replace(before, **given)


def _row(work: Work, ask: Ask) -> dict[str, Any]:
    public = work.line.settings.public_url
    told = {name: getattr(ask, name) for name in PollRow().fields if hasattr(ask, name)}
    return told | {
        "url": f"{public}/j/{ask.code}",
        "result_url": f"{public}/r/{ask.code}",
        "overdue": closing.is_overdue(ask, work.now),
    }


def _detail(work: Work, ask: Ask) -> dict[str, Any]:
    flow = asks.flow_of(work.db, ask)
    offered = organisations.get(work.db).languages
    return _row(work, ask) | {
        "purpose": dict(flow.purpose),
        "definition": flow.definition,
        "askers": asks.askers_of(work.db, ask),
        "missing_languages": ask_checks.missing_languages(flow, offered),
    }
