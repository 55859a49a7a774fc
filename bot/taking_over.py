"""What a worker notes of each outcome, and what another makes of the notes once it is dead."""

from datetime import timedelta

from sqlalchemy import Connection

from bot.begun import Begun, Left, Taken
from bot.outcomes import Outcome
from models.delivery_path import Claimed, delivery_turn, give_back


def note_outcome(begun: Begun, message: Claimed, outcome: Outcome) -> None:
    """Note what became of a message; it may be a moment until the database knows."""
    if outcome.status == "sent" and outcome.provider_id and outcome.at:
        begun.taken(
            Taken(
                message.id,
                message.organisation_id,
                outcome.provider_id,
                outcome.text_hash,
                outcome.at,
            )
        )
    elif outcome.status != "unknown":
        begun.forget([message.id])


def take_over(left: Left, connection: Connection) -> tuple[int, int]:
    """Record what a dead worker's messages came to, and queue again what it never touched.

    Returns how many were queued again, and how many are in doubt.
    """
    if left.taken:
        delivery_turn(
            connection,
            left.worker,
            done=[_row(one) for one in left.taken],
            wanted=0,
            lease=timedelta(),
            now=left.taken[0].at,
        )
    return give_back(connection, left.worker, left.begun)


def _row(taken: Taken) -> dict[str, object]:
    outcome = Outcome("sent", taken.provider_id, text_hash=taken.text_hash, at=taken.at)
    return outcome.of(taken.organisation_id, taken.message_id)
