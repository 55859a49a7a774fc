"""Results of polls: what the gate lets leave, for programs."""

from typing import Any
from uuid import UUID

from marshmallow import fields

from api.fields import Strict, described, one_of
from api.resource import Resource
from api.work import Work
from insights.disclosure import Reason
from models.ask import AskKind
from services.asks import asks, publications
from services.errors import NotFound

resource = Resource("results", "What came of polls: figures of ten people or more, never rows.")
_REASONS = [reason.value for reason in Reason]


def _count(description: str) -> fields.Integer:
    return fields.Integer(required=True, allow_none=True, metadata={"description": description})


def _moment(description: str) -> fields.String:
    """A moment of a publication, which stays as it was written."""
    told = {"description": description, "format": "date-time"}
    return fields.String(required=True, allow_none=True, metadata=told)


class OptionRow(Strict):
    """One option of a question."""

    value = fields.String(required=True)
    count = _count("Who chose it.")
    share = _count("Whole percent of those counted.")


class QuestionResult(Strict):
    """One question."""

    id = fields.String(required=True)
    n = _count("Who answered it so far.")
    of = _count("Who is counted in the options: everybody at the end, an earlier state before.")
    as_of = _moment("The moment whose state the options are.")
    options = described(
        fields.List(fields.Nested(OptionRow), required=True), "None where nothing is counted."
    )


class PlaceRow(Strict):
    """One row of a breakdown."""

    row = described(
        fields.Dict(keys=fields.String(), values=fields.String(), required=True),
        "The value of each variable; all_others for rows too small to be told alone.",
    )
    n = _count("Who is in the row.")
    options = fields.List(fields.Nested(OptionRow), required=True)


class BrokenQuestion(Strict):
    """One question by rows."""

    id = fields.String(required=True)
    rows = fields.List(fields.Nested(PlaceRow), required=True)


class BreakdownResult(Strict):
    """Questions by one variable or two."""

    by = fields.List(fields.String(), required=True)
    as_of = _moment("The moment whose state it is; null at the end.")
    questions = fields.List(fields.Nested(BrokenQuestion), required=True)


class Percents(Strict):
    """A share or difference in whole percent, with its interval of 95 %."""

    value = fields.Integer(required=True)
    low = fields.Integer(required=True)
    high = fields.Integer(required=True)


class AskerResult(Strict):
    """What came of one asker's invitations."""

    asker = described(
        fields.String(required=True), "Its id; unknown for who was invited by nobody."
    )
    kind = fields.String()
    name = fields.Dict(keys=fields.String(), values=fields.String())
    sent = _count("Who was invited in this name.")
    responded = _count("Who of them came to the end, with an answer.")
    response = fields.Nested(Percents, required=True, allow_none=True)
    started = _count("Who of them began.")
    completion = fields.Nested(Percents, required=True, allow_none=True)


class Comparison(Percents):
    """By how many percentage points the first asker is above the second."""

    what = described(fields.String(required=True), "response, completion, or question.option")
    between = described(fields.List(fields.String(), required=True), "Ids of two askers.")
    may_be_chance = described(fields.Boolean(required=True), "Whether the interval holds zero.")
    sentences = described(
        fields.Dict(keys=fields.String(), values=fields.String()),
        "The same in a sentence, by language.",
    )


class Rates(Strict):
    """Whole percents."""

    delivered = _count("Of those sent.")
    read = _count("Of those sent, as far as the channel tells.")
    response = _count("Who of those sent came to the end.")
    completion = _count("Who of those who began came to the end.")


class SuppressedFigure(Strict):
    """A figure that is not told."""

    figure = described(fields.String(required=True), "Such as questions.when_open.saturday.")
    reason = one_of(_REASONS, "Why it is null.", required=True)


class PollResults(Strict):
    """What may be told of a poll."""

    sent = _count("Invitations sent.")
    delivered = _count("Invitations that arrived, as far as the channel tells.")
    read = _count("Invitations that were read, as far as the channel tells.")
    started = _count("Who began.")
    completed = _count("Who came to the end, with an answer.")
    responded = _count("Who was invited and came to the end.")
    flagged = _count(
        "Who of those completed came by a relay and is marked: too quick, too much alike, beyond a "
        "quota. They are counted like everybody; told at the end, if both sides are ten or more."
    )
    rates = fields.Nested(Rates, required=True)
    questions = fields.List(fields.Nested(QuestionResult), required=True)
    breakdowns = described(
        fields.List(fields.Nested(BreakdownResult), required=True),
        "As declared; of some polls not before the end.",
    )
    askers = fields.List(fields.Nested(AskerResult), required=True)
    comparisons = fields.List(fields.Nested(Comparison), required=True)
    suppressed = fields.List(fields.Nested(SuppressedFigure), required=True)
    final = described(fields.Boolean(required=True), "Whether these figures stay as they are.")
    number = described(fields.Integer(required=True), "The how manieth publication this is.")
    published_at = _moment("When it was made.")


@resource.operation("GET", "/polls/<uuid:poll_id>/results", gives=PollResults)
def get_results(work: Work, poll_id: UUID) -> dict[str, Any]:
    """Tell what may be told of a poll now; live figures move by ten people or more."""
    ask = asks.get(work.db, poll_id)
    if ask.kind is not AskKind.POLL:
        raise NotFound("There is no such poll.")
    return publications.results_of(work.db, work.keys(), ask, now=work.now)
