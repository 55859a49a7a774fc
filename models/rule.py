"""Follow-up rules, and each time one fired with the figures that fired it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Word, belongs, of_organisation, one_of


class RuleStatus(StrEnum):
    """Whether a rule fires."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class FiringStatus(StrEnum):
    """What became of a firing."""

    WAITING = "waiting"
    FOR_APPROVAL = "for_approval"
    DONE = "done"
    SKIPPED = "skipped"
    REFUSED = "refused"


class Rule(Identified, Base):
    """A condition on a person's answers or on gated figures, and what follows from it.

    `flow` or `ask_id` say what is listened to; `definition` is the rule as written (docs/rules.md),
    checked when it was saved. `origin` names the flow version it came with, if any. Whatever fell
    due up to `looked_until` has been looked at.
    """

    __tablename__ = "rules"
    __table_args__ = (
        of_organisation(),
        belongs("ask_id", "asks", cascade=True),
        one_of("status", RuleStatus),
        Index(None, "ask_id", postgresql_where=text("ask_id IS NOT NULL")),
        Index(
            "ix_rules_active",
            "flow",
            "organisation_id",
            postgresql_where=text("status = 'active'"),
        ),
    )

    ask_id: Mapped[UUID | None]
    flow: Mapped[str | None]
    origin: Mapped[UUID | None]
    name: Mapped[str]
    status: Mapped[RuleStatus] = mapped_column(Word(RuleStatus))
    definition: Mapped[Json]
    created_at: Mapped[datetime]
    looked_until: Mapped[datetime]


class Firing(Identified, Base):
    """A rule that held: for one person (`session_id` says after what), or for an ask's figures.

    `figures` are those that fired it; `reason` says why nothing came of it.
    """

    __tablename__ = "firings"
    __table_args__ = (
        belongs("rule_id", "rules", cascade=True),
        belongs("contact_id", "contacts", cascade=True),
        one_of("status", FiringStatus),
        UniqueConstraint("rule_id", "cause", "organisation_id"),
        Index(None, "contact_id", postgresql_where=text("contact_id IS NOT NULL")),
    )

    rule_id: Mapped[UUID]
    contact_id: Mapped[UUID | None]
    cause: Mapped[str]
    status: Mapped[FiringStatus] = mapped_column(Word(FiringStatus))
    reason: Mapped[str | None]
    figures: Mapped[Json]
    fired_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
