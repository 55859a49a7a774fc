"""The end of an ask: no more answers, the last result, and what was done with it."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from models.ask import Ask, AskMode, AskStatus
from services import audit, organisations
from services.asks import ask_checks, ask_states, asks
from services.audit import Actor
from services.errors import Conflict, Invalid


def close(
    db: Session,
    ask_id: UUID,
    *,
    report_back: Mapping[str, str] | None = None,
    later_by: date | None = None,
    allow_missing_languages: bool = False,
    actor: Actor = audit.SYSTEM,
    now: datetime,
) -> Ask:
    """Take no more answers. Who answered is owed what will be done, or the date it is promised for.

    Invalid without either or with both, NotTranslated when it is not said in every language of the
    ask, unless that is allowed; Conflict when the ask is not open.
    """
    ask = asks.get(db, ask_id, for_change=True)
    ask_states.check_move(ask, "close")
    if report_back is None and later_by is None:
        told = (
            "Say what you will do in report_back, or give the date you promise it for in later_by."
        )
        raise Invalid(told, place="report_back")
    if report_back is not None and later_by is not None:
        told = "Say what you will do, or promise it for a date: leave one of them out."
        raise Invalid(told, place="later_by")
    if later_by is not None and later_by < now.date():
        raise Invalid("Promise a date that is still to come.", place="later_by")
    if report_back is not None:
        _check_words(db, ask, report_back, allow_missing_languages)
        ask.report_back = dict(report_back)
    ask.later_by = later_by
    ask.closed_at = now
    ask_states.move(db, ask, "close", actor=actor, now=now)
    if ask.mode is AskMode.NAMED:
        ask_states.settle(db, ask, actor=actor, now=now)
    return ask


def report_back(
    db: Session,
    ask_id: UUID,
    texts: Mapping[str, str],
    *,
    allow_missing_languages: bool = False,
    actor: Actor,
    now: datetime,
) -> Ask:
    """Say what was done with a closed ask; Conflict when it is not closed or was told already.

    NotTranslated as in `close`.
    """
    ask = asks.get(db, ask_id, for_change=True)
    if ask.status is not AskStatus.CLOSED:
        raise Conflict("Close it first: then say what you will do.")
    if ask.reported_at is not None:
        raise Conflict("Everybody who answered was told already what you will do.")
    _check_words(db, ask, texts, allow_missing_languages)
    ask.report_back, ask.reported_at = dict(texts), now
    db.flush()
    organisations.renew_catalogue(db)
    audit.record(db, actor, "ask.reported", ("ask", ask.id), now=now)
    return ask


def _check_words(
    db: Session, ask: Ask, texts: Mapping[str, str], allow_missing_languages: bool
) -> None:
    flow = asks.flow_of(db, ask)
    ask_checks.check_told(texts, flow, "report_back")
    if not allow_missing_languages:
        ask_checks.check_told_to_all(texts, flow, "report_back")


def promised_on(ask: Ask) -> date:
    """Return the date by which people hear what came of an ask."""
    return ask.later_by or ask.report_back_on


def is_overdue(ask: Ask, now: datetime) -> bool:
    """Whether people were promised to hear by now what came of it, and have not."""
    owed = ask.status in (AskStatus.OPEN, AskStatus.CLOSING, AskStatus.CLOSED)
    return owed and ask.report_back is None and promised_on(ask) < now.date()
