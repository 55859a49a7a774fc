"""Made-up asks in domain words: `ask(make)` is an open poll, the rest hangs on one."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from models import (
    Ask,
    Asker,
    AskerKind,
    AskKind,
    AskMode,
    AskStatus,
    Broadcast,
    BroadcastKind,
    BroadcastStatus,
    Contact,
    Firing,
    FiringStatus,
    FlowSession,
    Leader,
    LeaderStatus,
    Recipient,
    RecipientStatus,
    ReviewStatus,
    Rule,
    RuleStatus,
    TextReview,
)
from models.base import new_id
from tests.factories import Factory


def ask(make: Factory, **changed: Any) -> Ask:
    """An open named poll on the made-up flow."""
    version = changed.pop("version", None) or make.flow_version()
    made = Ask(
        **{
            "organisation_id": make.organisation_id,
            "id": new_id(make.now),
            "code": "hours7",
            "kind": AskKind.POLL,
            "mode": AskMode.NAMED,
            "status": AskStatus.OPEN,
            "flow": version.flow,
            "flow_version_id": version.id,
            "breakdowns": [],
            "report_back_on": (make.now + timedelta(days=28)).date(),
            "created_at": make.now,
            "opened_at": make.now,
            **changed,
        }
    )
    make.db.add(made)
    make.db.flush()
    return made


def asker(make: Factory, asked: Ask, kind: AskerKind) -> Asker:
    """One more in whose name the ask is sent."""
    place = make.db.scalar(select(func.count()).select_from(Asker))
    made = Asker(
        organisation_id=make.organisation_id,
        id=new_id(make.now),
        ask_id=asked.id,
        position=place,
        kind=kind,
        name={"en": kind.value},
    )
    make.db.add(made)
    make.db.flush()
    return made


def broadcast(make: Factory, asked: Ask, **changed: Any) -> Broadcast:
    """A sending of the ask that is under way."""
    made = Broadcast(
        **{
            "organisation_id": make.organisation_id,
            "id": new_id(make.now),
            "ask_id": asked.id,
            "kind": BroadcastKind.INVITATION,
            "status": BroadcastStatus.SENDING,
            "condition": {"all": []},
            "created_at": make.now,
            "starts_at": make.now,
            **changed,
        }
    )
    make.db.add(made)
    make.db.flush()
    return made


def recipient(make: Factory, sending: Broadcast, contact: Contact, **changed: Any) -> Recipient:
    """Somebody the sending is meant for, waiting for their hour."""
    made = Recipient(
        **{
            "organisation_id": make.organisation_id,
            "ask_id": sending.ask_id,
            "kind": sending.kind,
            "contact_id": contact.id,
            "broadcast_id": sending.id,
            "status": RecipientStatus.WAITING,
            "send_at": make.now,
            **changed,
        }
    )
    make.db.add(made)
    make.db.flush()
    return made


def part_in_everything(make: Factory, contact: Contact, session: FlowSession) -> None:
    """Let somebody be asked, lead, be followed up, and have a text of theirs looked at."""
    version = make.flow_version(7)
    asked = ask(make, version=version)
    owner = {"organisation_id": make.organisation_id, "contact_id": contact.id}
    recipient(make, broadcast(make, asked), contact)
    leads = {"code_hash": b"code", "status": LeaderStatus.ACTIVE, "invited_at": make.now}
    make.db.add(Leader(**owner, **leads, id=new_id(make.now), number_hash=None))
    review = {"status": ReviewStatus.SHOWN, "reviewed_at": make.now}
    make.db.add(TextReview(**owner, **review, session_id=session.id, question="why"))
    firing(make, rule(make, asked), contact)


def rule(make: Factory, asked: Ask) -> Rule:
    """A rule on an ask."""
    made = Rule(
        organisation_id=make.organisation_id,
        id=new_id(make.now),
        ask_id=asked.id,
        name="made up",
        status=RuleStatus.ACTIVE,
        definition={},
        created_at=make.now,
        looked_until=make.now,
    )
    make.db.add(made)
    make.db.flush()
    return made


def firing(make: Factory, fired: Rule, contact: Contact) -> Firing:
    """What a rule did for somebody."""
    made = Firing(
        organisation_id=make.organisation_id,
        id=new_id(make.now),
        rule_id=fired.id,
        contact_id=contact.id,
        cause="made up",
        status=FiringStatus.DONE,
        figures={},
        fired_at=make.now,
    )
    make.db.add(made)
    make.db.flush()
    return made
