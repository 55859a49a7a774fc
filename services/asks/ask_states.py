"""How far an ask is, and the only ways it moves.

    draft --open--> open --close--> closing --settle--> closed
      \\--cancel--> canceled <--cancel--/

Pausing, reminding and telling belong to the sendings of an ask, which stays open meanwhile.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from models.ask import Ask, AskStatus
from services import audit, organisations
from services.audit import Actor
from services.errors import Conflict

MOVES: Mapping[str, tuple[frozenset[AskStatus], AskStatus]] = {
    "open": (frozenset({AskStatus.DRAFT}), AskStatus.OPEN),
    "close": (frozenset({AskStatus.OPEN}), AskStatus.CLOSING),
    "settle": (frozenset({AskStatus.CLOSING}), AskStatus.CLOSED),
    "cancel": (frozenset({AskStatus.DRAFT, AskStatus.OPEN}), AskStatus.CANCELED),
}
"""Every change of status there is: from which, and to which."""
_IS = {
    AskStatus.DRAFT: "It is a draft: open it first.",
    AskStatus.OPEN: "It is open already.",
    AskStatus.CLOSING: "It is being closed.",
    AskStatus.CLOSED: "It is closed.",
    AskStatus.CANCELED: "It was canceled.",
}


def check_move(ask: Ask, verb: str) -> None:
    """Check that an ask may move so; Conflict says in a sentence why not."""
    if ask.status not in MOVES[verb][0]:
        raise Conflict(_IS[ask.status])


def move(db: Session, ask: Ask, verb: str, *, actor: Actor = audit.SYSTEM, now: datetime) -> None:
    """Move an ask on, for everybody who may enter it; Conflict when it may not."""
    check_move(ask, verb)
    ask.status = MOVES[verb][1]
    db.flush()
    organisations.renew_catalogue(db)
    audit.record(db, actor, f"ask.{ask.status.value}", ("ask", ask.id), now=now)


def settle(db: Session, ask: Ask, *, actor: Actor = audit.SYSTEM, now: datetime) -> None:
    """Count an ask that is closing as closed: its last result stands, and what was said is told."""
    if ask.report_back is not None:
        ask.reported_at = now
    move(db, ask, "settle", actor=actor, now=now)
