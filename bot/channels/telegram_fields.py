"""Reading a value of Telegram's JSON that may be of any shape."""

from collections.abc import Mapping

from bot.channels.base import PollCount

LARGEST_ID = 2**63

Fields = Mapping[str, object]


def fields_of(value: object) -> Fields:
    """Return an object's fields; none of anything else."""
    return value if isinstance(value, dict) else {}


def integer(value: object) -> int | None:
    """Return an integer that fits the 64 bits Telegram promises; True is not one."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -LARGEST_ID <= value < LARGEST_ID else None


def poll_count(poll: Fields) -> PollCount | None:
    """Return what Telegram counts of a poll; None for an odd shape."""
    poll_id, options = poll.get("id"), poll.get("options")
    if not isinstance(poll_id, str) or not 0 < len(poll_id) <= 64 or not isinstance(options, list):
        return None
    counts = [integer(fields_of(option).get("voter_count")) for option in options]
    known = tuple(count for count in counts if count is not None and count >= 0)
    if len(known) < len(counts):
        return None
    return PollCount(poll_id, known, poll.get("is_closed") is True)
