"""People who hear nothing say the same again: that answers no question they have not seen."""

from datetime import timedelta

from services.scene import Scene
from services.sessions import ask_again

ARRIVED = frozenset({"sent", "delivered", "read"})
ON_ITS_WAY = frozenset({"queued", "sending", "unknown"})
ONE_SECOND = timedelta(seconds=1)
IMPATIENT_AFTER = timedelta(seconds=2)
STILL_ON_ITS_WAY = timedelta(hours=1)


def is_echo(scene: Scene) -> bool:
    """Whether somebody says again what they said lately, and cannot have seen our answer.

    For all we know it has not reached them for a while, or they wrote this before we had heard
    the message before it.
    """
    before, answer = scene.standing.last_in_at, scene.standing.answer
    if answer is None or before is None:
        return False
    written_at = scene.heard.written_at
    if written_at and ONE_SECOND < before - written_at < STILL_ON_ITS_WAY:
        return True
    return answer in ON_ITS_WAY and scene.now - before > IMPATIENT_AFTER


def hear_again(scene: Scene) -> None:
    """Ask the waiting question of somebody who repeats themselves, if it may not reach them else.

    What they say is no answer to it: they had not seen it.
    """
    if scene.running and scene.standing.answer not in ARRIVED:
        scene.asks_anew = True
        ask_again(scene)
