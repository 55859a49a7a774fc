"""Insights: figures about groups, each as the disclosure rule lets it leave."""

from typing import Any

from marshmallow import fields

from api.fields import NAME, Strict, described, one_of, word
from api.resource import Resource
from api.work import Work
from insights.disclosure import Reason
from services import funnels
from services.errors import NotFound

resource = Resource("insights", "Figures about groups of ten people or more, never rows.")


class FunnelQuery(Strict):
    """Which funnel."""

    flow = word(NAME, "A registration or a module.", required=True)


def _count(description: str) -> fields.Integer:
    return fields.Integer(
        required=True, allow_none=True, metadata={"description": description, "minimum": 0}
    )


class SuppressedRow(Strict):
    """A figure that is not told."""

    figure = described(fields.String(required=True), "Such as stopped, or steps.country.skipped.")
    reason = one_of([one.value for one in Reason], "Why it is null.", required=True)


class StepRow(Strict):
    """One question."""

    question = fields.String(required=True)
    answered = _count("Who answered it.")
    skipped = _count("Who skipped it.")
    median_seconds = _count("Half took no longer, from the answer before.")


class FunnelRow(Strict):
    """How far the people of one group came."""

    started = _count("Who began and is still there; before consent nobody stays longer than a day.")
    consented = _count("Who agreed.")
    completed = _count("Who came to the end.")
    not_completed = _count("The others: stopped and unfinished.")
    stopped = _count("Who said STOP on the way.")
    unfinished = _count("Who may still go on, or has left.")
    steps = fields.List(fields.Nested(StepRow), required=True)
    suppressed = fields.List(fields.Nested(SuppressedRow), required=True)


class LanguageFunnelRow(FunnelRow):
    """How far the people of one language came."""

    language = described(fields.String(required=True), "BCP 47, or other.")


class ChannelFunnelRow(FunnelRow):
    """How far the people of one channel came."""

    channel = described(fields.String(required=True), "Where they began, or other.")


class RegistrationFunnel(Strict):
    """How far people come in one flow; it moves when ten people more have begun."""

    flow = fields.String(required=True)
    as_of = described(fields.String(required=True), "The moment whose state it is.")
    total = fields.Nested(FunnelRow, required=True)
    languages = fields.List(fields.Nested(LanguageFunnelRow), required=True)
    channels = fields.List(fields.Nested(ChannelFunnelRow), required=True)


@resource.operation(
    "GET", "/insights/registrations/funnel", query=FunnelQuery, gives=RegistrationFunnel
)
def get_funnel(work: Work, query: dict[str, Any]) -> dict[str, Any]:
    """Tell how far people come in a registration, by step, language and channel."""
    found = funnels.funnel_of(work.db, work.keys(), query["flow"], now=work.now)
    if found is None:
        raise NotFound("There is no such registration or module.")
    return found
