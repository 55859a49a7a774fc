"""Follow-up rules: written, rehearsed, paused and ended, and each time one fired."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import fields

from api.fields import Flag, Instant, Strict, described, one_of, text
from api.paging import Page, PageQuery, page_of
from api.resource import PREFIX, Resource
from api.scopes import PEOPLE_READ
from api.work import Work, catalogue_of
from models.rule import Firing, FiringStatus, Rule, RuleStatus
from services.rules import firings, rules
from services.rules.rehearsing import Rehearsed, rehearse
from services.rules.rules import LONGEST_NAME, NewRule

resource = Resource("rules", "What follows from answers and figures (docs/rules.md).")
_FIRINGS = [status.value for status in FiringStatus]
_MONTH = timedelta(days=30)
_MOST = 1000
_WHO = "Null for a rule about figures."


class RuleOrder(Strict):
    """A new rule: on a flow, or on one poll."""

    name = text(LONGEST_NAME, "What officers call it.", required=True)
    flow = described(fields.String(load_default=None), "The flow it listens to.")
    poll_id = described(fields.UUID(load_default=None), "Or the one poll it listens to.")
    definition = described(fields.Dict(required=True), "What holds and what follows.")
    paused = described(Flag(load_default=False), "Save it without letting it act.")


class RuleRow(Strict):
    """A rule."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    flow = fields.String(required=True, allow_none=True)
    poll_id = fields.UUID(required=True, allow_none=True)
    from_flow = described(fields.Boolean(required=True), "Whether a flow file brought it.")
    status = one_of([one.value for one in RuleStatus], "Whether it acts.", required=True)
    definition = fields.Dict(required=True)
    created_at = Instant(required=True)


class FiringRow(Strict):
    """One firing, with the figures or answers that made the rule hold."""

    id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True, allow_none=True)
    status = one_of(_FIRINGS, "What became of it.", required=True)
    reason = described(fields.String(required=True, allow_none=True), "Why nothing came of it.")
    figures = fields.Dict(required=True)
    fired_at = Instant(required=True)
    done_at = Instant(required=True, allow_none=True)


class RehearsalOrder(Strict):
    """The time to rehearse; it may end in the future, as if nobody answered anything more."""

    since = described(Instant(load_default=None), "By default 30 days ago.")
    until = described(Instant(load_default=None), "By default 30 days from now.")


class RehearsedRow(Strict):
    """One firing as it would be."""

    at = Instant(required=True)
    contact_id = fields.UUID(required=True, allow_none=True, metadata={"description": _WHO})
    status = one_of(_FIRINGS, "What would become of it.", required=True)
    reason = fields.String(required=True, allow_none=True)
    figures = fields.Dict(required=True)


class Rehearsal(Strict):
    """What a rule would do in that time; rows of people only for keys with people:read."""

    since = Instant(required=True)
    until = Instant(required=True)
    firings = described(
        fields.Integer(required=True, allow_none=True),
        "How many; null for a rule about people, without people:read.",
    )
    data = described(
        fields.List(fields.Nested(RehearsedRow), required=True), "The first thousand of them."
    )


RulePage, FiringPage = page_of(RuleRow), page_of(FiringRow)


@resource.operation("GET", "/rules", query=PageQuery, gives=RulePage)
def list_rules(work: Work, query: dict[str, Any]) -> Page:
    """List rules in the order they were made."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = rules.list_rules(work.db, after=UUID(after) if after else None, most=limit + 1)
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_row(row) for row in rows[:limit]], page.next_cursor)


@resource.operation("POST", "/rules", body=RuleOrder, gives=RuleRow, status=201)
def create_rule(work: Work, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Save a rule; it acts on whatever falls due from now on, unless it is saved paused."""
    new = NewRule(body["name"], body["definition"], body["flow"], body["poll_id"])
    rule = rules.create(work.db, new, catalogue_of(work), actor=work.actor, now=work.now)
    if body["paused"]:
        rules.pause(work.db, rule.id, actor=work.actor, now=work.now)
    return _row(rule), 201, {"Location": f"{PREFIX}/rules/{rule.id}"}


@resource.operation("GET", "/rules/<uuid:rule_id>", gives=RuleRow)
def get_rule(work: Work, rule_id: UUID) -> dict[str, Any]:
    """Read one rule."""
    return _row(rules.get(work.db, rule_id))


@resource.operation("POST", "/rules/<uuid:rule_id>/pause", gives=RuleRow)
def pause_rule(work: Work, rule_id: UUID) -> dict[str, Any]:
    """Let nothing follow for now; what falls due meanwhile never happens."""
    return _row(rules.pause(work.db, rule_id, actor=work.actor, now=work.now))


@resource.operation("POST", "/rules/<uuid:rule_id>/resume", gives=RuleRow)
def resume_rule(work: Work, rule_id: UUID) -> dict[str, Any]:
    """Let it act again on whatever falls due from now on."""
    return _row(rules.resume(work.db, rule_id, actor=work.actor, now=work.now))


@resource.operation("POST", "/rules/<uuid:rule_id>/end", gives=RuleRow)
def end_rule(work: Work, rule_id: UUID) -> dict[str, Any]:
    """End it for good; its firings stay to be read."""
    return _row(rules.end(work.db, rule_id, actor=work.actor, now=work.now))


@resource.operation("POST", "/rules/<uuid:rule_id>/rehearse", body=RehearsalOrder, gives=Rehearsal)
def rehearse_rule(work: Work, body: dict[str, Any], rule_id: UUID) -> dict[str, Any]:
    """Tell what the rule would have done, and will do; nothing but the look itself is recorded."""
    rule = rules.get(work.db, rule_id)
    since: datetime = body["since"] or work.now - _MONTH
    until: datetime = body["until"] or work.now + _MONTH
    found = rehearse(work.db, rule, catalogue_of(work), since=since, until=until)
    told = work.holder.may(PEOPLE_READ) or rules.text_of(rule).figures is not None
    shown = found[:_MOST] if told else []
    work.note_rows("contact", sorted({one.contact_id for one in shown if one.contact_id}))
    return {
        "since": since,
        "until": until,
        "firings": len(found) if told else None,
        "data": [_rehearsed(one) for one in shown],
    }


@resource.operation("GET", "/rules/<uuid:rule_id>/firings", query=PageQuery, gives=FiringPage)
def list_firings(work: Work, query: dict[str, Any], rule_id: UUID) -> Page:
    """List when a rule fired, for whom and by what."""
    rules.get(work.db, rule_id)
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = firings.list_firings(
        work.db, rule_id, after=UUID(after) if after else None, most=limit + 1
    )
    work.note_rows("firing", [row.id for row in rows[:limit]])
    return work.cursors.page(rows, limit, lambda row: row.id)


@resource.operation(
    "POST", "/rules/<uuid:rule_id>/firings/<uuid:firing_id>/approve", gives=FiringRow
)
def approve_firing(work: Work, rule_id: UUID, firing_id: UUID) -> Firing:
    """Let what waits for a yes go on."""
    return firings.approve(work.db, rule_id, firing_id, actor=work.actor, now=work.now)


@resource.operation(
    "POST", "/rules/<uuid:rule_id>/firings/<uuid:firing_id>/refuse", gives=FiringRow
)
def refuse_firing(work: Work, rule_id: UUID, firing_id: UUID) -> Firing:
    """Let nothing follow from what waits for a yes."""
    return firings.refuse(work.db, rule_id, firing_id, actor=work.actor, now=work.now)


def _row(rule: Rule) -> dict[str, Any]:
    told = {name: getattr(rule, name) for name in RuleRow().fields if hasattr(rule, name)}
    return told | {"poll_id": rule.ask_id, "from_flow": rule.origin is not None}


def _rehearsed(one: Rehearsed) -> dict[str, Any]:
    return {name: getattr(one, name) for name in RehearsedRow().fields}
