"""Exact counts of an ask, for the gate only: nothing here may leave as it is.

A person counts once, with the newest passage through the ask; merged people are one already. A line
is a question, or with several answers allowed each option of it ("topics/work": yes or no).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    Subquery,
    case,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    union_all,
    values,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from insights.counted import (
    ASKER,
    BEGAN,
    RESPONDED,
    SILENT,
    STEPS,
    UNKNOWN,
    VARIABLES,
    Newest,
    Place,
    Tallied,
)
from insights.disclosure import RULE
from insights.invited import NEWEST, answers_of, has_begun, has_ended, invited_to
from insights.tables import Line, Table
from models.flow_session import Answer, FlowSession
from models.profile import Profile
from models.relay import Flag
from models.walls import organisation_of

COLUMNS: Mapping[str, ColumnElement[Any]] = MappingProxyType(
    {name: getattr(Profile, name) for name in VARIABLES if name != "office"}
    | {"office": cast(Profile.office_id, String)}
)


@dataclass(frozen=True, slots=True)
class Tallies:
    """The counts of an ask from the database (insights.counted.Counts)."""

    db: Session
    ask_id: UUID

    def heads(self) -> Mapping[str, int]:
        """Return how many people were sent the ask, got and read it, began, ended and answered."""
        passages = _passages(self.db, self.ask_id)
        began, done = or_(~passages.c.pushed, has_begun(passages)), has_ended(passages)
        came = select(func.count().filter(began), func.count().filter(done)).select_from(passages)
        started, completed = self.db.execute(came).one()
        invited = invited_to(self.db, self.ask_id)
        sent, delivered, read, responded = self.db.execute(
            select(
                func.count(),
                func.count().filter(invited.c.arrived),
                func.count().filter(invited.c.read),
                func.count().filter(invited.c.completed),
            ).select_from(invited)
        ).one()
        answered = select(Answer.question, func.count()).join_from(
            passages, Answer, answers_of(passages)
        )
        counted = self.db.execute(answered.where(~Answer.skipped).group_by(Answer.question))
        found = {"sent": sent, "delivered": delivered, "read": read, "responded": responded}
        came_far = {"started": started, "completed": completed}
        return found | came_far | {f"n.{one}": people for one, people in counted}

    def lines(
        self, questions: Sequence[Tallied], before: datetime | None = None
    ) -> dict[str, Line]:
        """Return the people of each option, by line; with `before` of what was answered then."""
        cells = _cells(_passages(self.db, self.ask_id), questions)
        query = select(cells.c.line, cells.c.option, func.count()).group_by(
            *cells.c["line", "option"]
        )
        if before is not None:
            query = query.where(cells.c.answered_at < before)
        found = _empty(questions)
        for line, option, people in self.db.execute(query):
            if option in found[line]:
                found[line][option] = people
        return {name: dict(line) for name, line in found.items()}

    def newest(self, questions: Sequence[Tallied]) -> Newest:
        """Return when the latest answers of each option were given."""
        cells = _cells(_passages(self.db, self.ask_id), questions)
        place = func.row_number().over(
            partition_by=(cells.c.line, cells.c.option), order_by=cells.c.answered_at.desc()
        )
        ranked = select(cells.c.line, cells.c.option, cells.c.answered_at, place.label("place"))
        late = ranked.subquery()
        rows = self.db.execute(
            select(late.c.line, late.c.option, late.c.answered_at).where(
                late.c.place <= RULE.fewest
            )
        )
        found: dict[str, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
        for line, option, at in rows:
            found[line][option].append(at)
        return found

    def tables(
        self,
        questions: Sequence[Tallied],
        variables: Sequence[str],
        before: datetime | None = None,
    ) -> dict[str, dict[Place, dict[str, int]]]:
        """Return the people of each option by line and by their values of one or two variables.

        With `before` only what was answered earlier.
        """
        passages = _passages(self.db, self.ask_id)
        cells = _cells(passages, questions)
        invited = invited_to(self.db, self.ask_id)
        columns = {**COLUMNS, ASKER: invited.c.asker}
        rows = [func.coalesce(columns[name], UNKNOWN).label(name) for name in variables]
        query = (
            select(cells.c.line, cells.c.option, func.count(), *rows)
            .outerjoin(
                Profile,
                (Profile.organisation_id == organisation_of(self.db))
                & (Profile.contact_id == cells.c.contact_id),
            )
            .group_by(cells.c.line, cells.c.option, *rows)
        )
        if ASKER in variables:
            query = query.outerjoin(invited, invited.c.contact_id == cells.c.contact_id)
        if before is not None:
            query = query.where(cells.c.answered_at < before)
        found: dict[str, dict[Place, dict[str, int]]] = defaultdict(dict)
        options = {line: of for one in questions for line, of in one.lines.items()}
        for line, option, people, *place in self.db.execute(query):
            if option in options[line]:
                row = found[line].setdefault(tuple(place), dict.fromkeys(options[line], 0))
                row[option] = people
        return found

    def askers(self) -> Table:
        """Return how far the invited came by who asked them: responded, began only, or neither."""
        invited = invited_to(self.db, self.ask_id)
        step = case((invited.c.completed, RESPONDED), (invited.c.began, BEGAN), else_=SILENT)
        asker = func.coalesce(invited.c.asker, UNKNOWN)
        found: dict[str, dict[str, int]] = {}
        steps = select(asker, step, func.count()).group_by(asker, step)
        for name, told, people in self.db.execute(steps):
            found.setdefault(name, dict.fromkeys(STEPS, 0))[told] = people
        return found

    def flagged(self) -> Line:
        """Return who came to the end, by whether anything marks their passage (models.relay)."""
        passages = _passages(self.db, self.ask_id)
        marked = exists().where(
            Flag.organisation_id == passages.c.organisation_id, Flag.session_id == passages.c.id
        )
        counts = select(func.count().filter(marked), func.count().filter(~marked))
        rows = counts.select_from(passages).where(has_ended(passages))
        some, others = self.db.execute(rows).one()
        return {"flagged": some, "clear": others}


def _passages(db: Session, ask_id: UUID) -> CTE:
    """The newest passage of each person."""
    return (
        select(
            FlowSession.organisation_id,
            FlowSession.id,
            FlowSession.contact_id,
            FlowSession.status,
            FlowSession.origin.has_key("broadcast").label("pushed"),
        )
        .ext(distinct_on(FlowSession.contact_id))
        .where(FlowSession.organisation_id == organisation_of(db), FlowSession.ask_id == ask_id)
        .order_by(FlowSession.contact_id, *NEWEST)
        .cte("passages")
    )


def _cells(passages: CTE, questions: Sequence[Tallied]) -> Subquery:
    """One row a person and line: the option, and when it was answered."""
    found: list[Select[Any] | CompoundSelect[Any]] = []
    common = (Answer.answered_at, passages.c.contact_id)
    single = [one.id for one in questions if not one.many]
    several = [(one.id, option) for one in questions if one.many for option in one.options]
    found.append(
        select(
            Answer.question.label("line"),
            Answer.value[()].astext.label("option"),
            *common,
        )
        .join_from(passages, Answer, answers_of(passages))
        .where(Answer.question.in_(single), ~Answer.skipped, Answer.value.is_not(None))
    )
    if several:
        listed = values(column("question", String), column("option", String), name="listed").data(
            several
        )
        chosen = case((Answer.value.has_key(listed.c.option), "yes"), else_="no")
        found.append(
            select(
                (listed.c.question + "/" + listed.c.option).label("line"),
                chosen.label("option"),
                *common,
            )
            .join_from(passages, Answer, answers_of(passages))
            .join(listed, listed.c.question == Answer.question)
            .where(~Answer.skipped, Answer.value.is_not(None))
        )
    return union_all(*found).subquery("cells")


def _empty(questions: Sequence[Tallied]) -> dict[str, dict[str, int]]:
    return {
        line: dict.fromkeys(options, 0) for one in questions for line, options in one.lines.items()
    }
