"""People who hear nothing say the same again: that answers no question they have not seen."""

from datetime import timedelta

from services.conversation.scene import Scene

# Nobody waits for us so briefly; what is being sent may be on the screen before we know it.
IMPATIENT_AFTER = {
    "queued": timedelta(seconds=0.5),
    "sending": timedelta(seconds=2),
    "unknown": timedelta(seconds=2),
}
ONE_SECOND = timedelta(seconds=1)
STILL_ON_ITS_WAY = timedelta(hours=1)


def is_echo(scene: Scene) -> bool:
    """Whether somebody says again what they said lately, and cannot have seen our answer.

    For all we know it has not reached them for a while, or they wrote this before we had heard
    the message before it. Our answer keeps its place and is all that they get.
    """
    before, answer = scene.standing.last_in_at, scene.standing.answer
    if answer is None or before is None:
        return False
    written_at = scene.heard.written_at
    if written_at and ONE_SECOND < before - written_at < STILL_ON_ITS_WAY:
        return True
    patience = IMPATIENT_AFTER.get(answer)
    return patience is not None and scene.now - before > patience
