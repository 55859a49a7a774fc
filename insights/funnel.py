"""How far people come in a registration: by step, by language and by channel.

Only what is still there is counted: whoever leaves before consenting is erased within a day and
whoever refuses at once, so those who never agreed are in the figures of the last day only.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    Label,
    Select,
    Subquery,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from insights.disclosure import RULE, Figure, release, release_measure
from insights.funnel_cells import ALL, COUNTS, STEPS, Cell, Group, among, fill, sums
from insights.passages import Passages, Step
from models.flow_session import Answer, FlowSession, SessionStatus
from models.flow_version import FlowVersion
from models.walls import organisation_of

KINDS = ("registration", "module")
OTHER = "other"

Columns = TypeVarTuple("Columns")


@dataclass(frozen=True, slots=True)
class Funnel:
    """The passages through all versions of one flow, by groups of ten people or more.

    `told` is what was told of each cell last, exactly; it stays inside.
    """

    flow: str
    total: Passages
    languages: Mapping[str, Passages]
    channels: Mapping[str, Passages]
    told: Mapping[Cell, int]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the newest version asks, and the groups that are told apart."""

    questions: tuple[str, ...]
    consents: frozenset[str]
    groups: tuple[Group, ...]

    @property
    def counts(self) -> tuple[str, ...]:
        steps = (f"{kind}.{one}" for one in self.questions for kind in STEPS)
        return (*COUNTS, "refused", *steps)

    def among(self, kind: str) -> tuple[Group, ...]:
        return among(self.groups, kind)


def read(
    db: Session, flow: str, earlier: Mapping[Cell, int] = MappingProxyType({})
) -> Funnel | None:
    """Return the funnel of a registration or module, after what was told of it earlier.

    None when none of that name is published.
    """
    asked = _asked(db, flow)
    if asked is None:
        return None
    passages = _passages(db, flow, asked)
    counts = _counts(db, passages, asked)
    figures = release(counts, sums(asked.groups, asked.questions), earlier)
    new = {cell: counts[cell] for cell, one in figures.items() if one.value is not None}
    medians = _medians(db, passages, asked)

    def told(group: Group) -> Passages:
        found = {name: figures[group, name] for name in COUNTS}
        steps = tuple(_step(group, one, figures, medians) for one in asked.questions)
        return Passages(**found, steps=steps)

    return Funnel(
        flow,
        told(ALL),
        {group[1]: told(group) for group in asked.among("language")},
        {group[1]: told(group) for group in asked.among("channel")},
        {**earlier, **new},
    )


def _asked(db: Session, flow: str) -> _Asked | None:
    newest = db.scalars(
        select(FlowVersion)
        .where(
            FlowVersion.organisation_id == organisation_of(db),
            FlowVersion.flow == flow,
            FlowVersion.kind.in_(KINDS),
        )
        .order_by(FlowVersion.version.desc())
        .limit(1)
    ).first()
    if newest is None:
        return None
    questions = [one for one in newest.definition["questions"] if one["type"] != "note"]
    return _Asked(
        tuple(one["id"] for one in questions),
        frozenset(one["id"] for one in questions if one["type"] == "consent"),
        (ALL, *_groups(db, flow)),
    )


def _groups(db: Session, flow: str) -> Iterator[Group]:
    """Languages and channels of ten people or more; the rest, if there are any, is "other".

    So no list tells that somebody of a rare language is here, and nobody's empty group costs
    another its figures.
    """
    columns = {"language": FlowSession.language, "channel": FlowSession.channel_kind}
    for kind, column in columns.items():
        people = select(column, func.count()).where(*_ours(db, flow)).group_by(column)
        counted = db.execute(people.order_by(column)).all()
        large = [name for name, count in counted if count >= RULE.fewest]
        yield from ((kind, name) for name in large)
        if len(large) < len(counted):
            yield kind, OTHER


def _ours(db: Session, flow: str) -> tuple[ColumnElement[bool], ...]:
    return (
        FlowSession.organisation_id == organisation_of(db),
        FlowSession.flow == flow,
        FlowSession.kind.in_(KINDS),
    )


def _passages(db: Session, flow: str, asked: _Asked) -> Subquery:
    """Every passage with its groups."""

    def group(kind: str, column: InstrumentedAttribute[str]) -> Label[str]:
        named = [name for _, name in asked.among(kind)]
        return case((column.in_(named), column), else_=literal(OTHER)).label(kind)

    return (
        select(
            FlowSession.organisation_id,
            FlowSession.id,
            FlowSession.status,
            group("language", FlowSession.language),
            group("channel", FlowSession.channel_kind),
            FlowSession.started_at,
            FlowSession.completed_at,
        )
        .where(*_ours(db, flow))
        .subquery()
    )


def _counts(db: Session, passages: Subquery, asked: _Asked) -> Counter[Cell]:
    counts: Counter[Cell] = Counter(
        {(group, name): 0 for group in asked.groups for name in asked.counts}
    )

    def add(language: str, channel: str, names: Iterable[str], people: int) -> None:
        for group in (ALL, ("language", language), ("channel", channel)):
            for name in names:
                counts[group, name] += people

    ours = passages.c
    keys = (ours.language, ours.channel)
    begun = select(*keys, ours.status, func.count()).group_by(*keys, ours.status)
    for language, channel, status, people in db.execute(begun):
        add(language, channel, ("started", *_outcome(status)), people)
    steps = (*keys, Answer.question, Answer.skipped)
    answers = _answers(select(*steps, func.count()), passages, asked).group_by(*steps)
    for language, channel, question, skipped, people in db.execute(answers):
        names = [f"skipped.{question}" if skipped else f"answered.{question}"]
        if question in asked.consents and not skipped:
            names.append("consented")
        add(language, channel, names, people)
    fill(counts, asked.groups, asked.questions)
    return counts


def _outcome(status: SessionStatus) -> tuple[str, ...]:
    if status is SessionStatus.COMPLETE:
        return ("completed",)
    return ("not_completed", "stopped" if status is SessionStatus.STOPPED else "unfinished")


def _answers(query: Select[*Columns], passages: Subquery, asked: _Asked) -> Select[*Columns]:
    return query.join_from(
        passages,
        Answer,
        (Answer.organisation_id == passages.c.organisation_id)
        & (Answer.session_id == passages.c.id),
    ).where(Answer.question.in_(asked.questions))


def _medians(
    db: Session, passages: Subquery, asked: _Asked
) -> Mapping[tuple[Group, str], tuple[float, int]]:
    """Median seconds from one answer to the next, and of how many people, by group and question.

    What was corrected after completing tells nothing of how long it took.
    """
    ours = passages.c
    before = func.lag(Answer.answered_at).over(
        partition_by=Answer.session_id, order_by=(Answer.answered_at, Answer.question)
    )
    took = func.extract("epoch", Answer.answered_at - func.coalesce(before, ours.started_at))
    timed = (
        _answers(
            select(ours.language, ours.channel, Answer.question, took.label("seconds")),
            passages,
            asked,
        )
        .where(or_(ours.completed_at.is_(None), Answer.answered_at <= ours.completed_at))
        .subquery()
    )
    of = timed.c
    rows = db.execute(
        select(
            of.language,
            of.channel,
            of.question,
            func.percentile_cont(0.5).within_group(of.seconds),
            func.count(),
        ).group_by(
            func.grouping_sets(
                tuple_(of.question),
                tuple_(of.question, of.language),
                tuple_(of.question, of.channel),
            )
        )
    )
    return {
        (_group(language, channel), question): (float(seconds), people)
        for language, channel, question, seconds, people in rows
    }


def _group(language: str | None, channel: str | None) -> Group:
    if language is not None:
        return ("language", language)
    return ALL if channel is None else ("channel", channel)


def _step(
    group: Group,
    question: str,
    figures: Mapping[Cell, Figure],
    medians: Mapping[tuple[Group, str], tuple[float, int]],
) -> Step:
    answered = figures[group, f"answered.{question}"]
    median = release_measure(*medians.get((group, question), (None, 0)))
    if answered.value is None:
        median = answered
    return Step(question, answered, figures[group, f"skipped.{question}"], median)
