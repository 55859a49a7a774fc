"""Exact counts of an ask, for the gate only: nothing here may leave as it is.

A person counts once, with the newest passage through the ask; merged people are one already. A line
is a question, or with several answers allowed each option of it ("topics/work": yes or no).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy import CTE, case, exists, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from insights.chosen import Chosen, chosen
from insights.counted import (
    BEGAN,
    RESPONDED,
    SILENT,
    STEPS,
    UNKNOWN,
    Newest,
    Place,
    Tallied,
)
from insights.invited import NEWEST, answers_of, has_begun, has_ended, invited_to
from insights.tables import Line, Table
from models.flow_session import Answer, FlowSession
from models.relay import Flag
from models.walls import organisation_of


class Tallies:
    """The counts of an ask from the database (insights.counted.Counts).

    Of the answers to `questions` by `variables`, which are read once: what they were at first.
    """

    def __init__(
        self,
        db: Session,
        ask_id: UUID,
        questions: Sequence[Tallied],
        variables: Iterable[str] = (),
    ) -> None:
        self.db, self.ask_id = db, ask_id
        self.questions, self.variables = questions, tuple(dict.fromkeys(variables))

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
        """Return the people of each option by line; with `before` of what was answered then."""
        return self._chosen.lines(questions, before)

    def newest(self, questions: Sequence[Tallied]) -> Newest:
        """Return when the latest answers of each option were given."""
        return self._chosen.newest(questions)

    def tables(
        self,
        questions: Sequence[Tallied],
        variables: Sequence[str],
        before: datetime | None = None,
    ) -> dict[str, dict[Place, dict[str, int]]]:
        """Return the people of each option by line and their values of one or two variables."""
        return self._chosen.tables(questions, variables, before)

    @cached_property
    def _chosen(self) -> Chosen:
        passages = _passages(self.db, self.ask_id)
        return chosen(self.db, self.ask_id, passages, self.questions, self.variables)

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
