"""Reading a value of Telegram's JSON that may be of any shape."""

import re
from collections.abc import Mapping

from bot.channels.base import PollCount
from flows.inputs import Attachment

LARGEST_ID = 2**63

Fields = Mapping[str, object]
_FILE = re.compile(r"[A-Za-z0-9_-]{1,200}")

# What the app itself writes into a chat: nobody said anything.
SERVICE = (
    "pinned_message",
    "message_auto_delete_timer_changed",
    "write_access_allowed",
    "chat_background_set",
    "boost_added",
    "users_shared",
    "chat_shared",
    "proximity_alert_triggered",
    "connected_website",
    "giveaway_created",
    "video_chat_started",
    "video_chat_ended",
    "successful_payment",
    "refunded_payment",
)


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


def spoken(spoken: Fields) -> Attachment:
    """A voice note by its file, which is fetched later."""
    file = spoken.get("file_id")
    return Attachment(
        "voice",
        file=file if isinstance(file, str) and _FILE.fullmatch(file) else None,
        seconds=integer(spoken.get("duration")),
        size=integer(spoken.get("file_size")),
    )
