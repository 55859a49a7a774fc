"""The shapes of polls: what a poll is made of, and what is told of one."""

from typing import Any

from marshmallow import ValidationError, fields, validate

from api.fields import Day, Flag, Instant, Strict, Whole, described, one_of
from api.paging import PageQuery
from models.ask import AskerKind, AskMode, AskStatus

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
        Day(allow_none=True), "When people hear what came of it; null: 28 days later."
    )
    breakdowns = described(
        fields.List(fields.List(fields.String())),
        "Lists of one or two profile fields; nothing else is ever shown apart.",
    )
    askers = described(
        fields.List(fields.Nested(PollAsker)), "Who is named as sender: two or more, by chance."
    )
    quota = Whole(
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
    not_opened = described(
        fields.String(required=True, allow_none=True),
        "Why it did not open by itself: the code of the problem; give it another hour once mended.",
    )
    closes_at = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)
    opened_at = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)
    report_back_on = fields.Date(required=True)
    report_back = described(ByLanguage(required=True, allow_none=True), "What will be done.")
    later_by = described(fields.Date(required=True, allow_none=True), "Promised for this date.")
    reported_at = Instant(required=True, allow_none=True)
    overdue = described(fields.Boolean(required=True), "Whether a promised word is late.")


class WarningRow(Strict):
    """What will not work as it is written, and what to do about it."""

    place = described(fields.String(required=True), "Where the flow says it.")
    problem = fields.String(required=True)


class PollWarned(PollRow):
    """A poll, and what to look at before people meet it."""

    warnings = described(
        fields.List(fields.Nested(WarningRow), required=True),
        "Words that open something else too, follow-ups that cannot start; none once it is over.",
    )


class PollDetail(PollWarned):
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
        Flag(load_default=False),
        "Open although texts are missing: people read the flow's first language there.",
    )

    send_hour = described(
        Whole(load_default=None, validate=validate.Range(8, 19), allow_none=True),
        "The hour of each member's own day from which it may reach them; null: any by day.",
    )
    undo_minutes = described(
        Whole(load_default=10, validate=validate.Range(0, 60)),
        "How long nothing leaves yet, so that a cancel undoes it wholly.",
    )


class PollWords(Strict):
    """Words that go to everybody who answered."""

    allow_missing_languages = described(
        fields.Boolean(load_default=False),
        "Send them although some languages of the poll lack them: people read the first there.",
    )


class PollClosing(PollWords):
    """What people are told: what you will do, or by when you will say it."""

    report_back = described(
        ByLanguage(load_default=None), "What you will do, by language; goes to all who answered."
    )
    later_by = described(Day(load_default=None), "The date you promise it for.")


class PollReport(PollWords):
    """What you will do."""

    report_back = described(ByLanguage(required=True), "By language; goes to all who answered.")
