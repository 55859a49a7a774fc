"""JSON lines with a list of allowed keys: addresses, names, texts and answers have no key.

`event("message.taken", channel="telegram", took_ms=4)` writes one line. A key that is not in
`ALLOWED` raises in tests; in production it is dropped and counted: a log line is never worth
a lost message, nor a leaked name.
"""

import logging
import sys
from datetime import UTC, datetime
from enum import Enum
from typing import TextIO
from uuid import UUID

import orjson
from prometheus_client import Counter

# Ids, kinds, counts, durations and codes. Add a key only if no value of it can name a person.
ALLOWED = frozenset(
    """
    organisation organisation_id office_id staff_id contact_id channel channel_id channel_kind
    message_id session_id flow_id flow flow_version_id version question kind action status lane
    reason code error_code error incident job job_id task queue worker worker_id route method
    endpoint key_id scope role env port path_kind count batch taken repeated stale failed sent
    queued unknown skipped quarantined retries attempts expired erased removed waiting claimed
    parts units encoding rate tokens took_ms wait_ms age_s age_ms pause_s retry_after_s database
    head revision logger level line signal pid commit digest number size due_id rule_id audit_number
    language table rows purpose word outcome alarm limit used poll_id ask_id broadcast_id
    """.split()
)
_LONGEST = 200
_dropped = Counter("homeline_log_keys_dropped", "Keys that were kept out of the log.")

Value = str | int | float | bool | UUID | datetime | Enum | None


class UnknownLogKey(KeyError):
    """A log call used a key that is not in the list of allowed keys."""


class _Output:
    """Where lines go; one for the process, set by `configure`."""

    def __init__(self) -> None:
        self.stream: TextIO | None = None
        self.strict = False


_output = _Output()


def configure(stream: TextIO | None = None, *, strict: bool = False) -> None:
    """Send lines to a stream (standard output if none); `strict` makes an unknown key raise."""
    _output.stream = stream
    _output.strict = strict
    root = logging.getLogger()
    root.handlers[:] = [_LibraryLines()]
    root.setLevel(logging.WARNING)


def event(name: str, *, level: str = "info", **keys: Value) -> None:
    """Write one line: time, level, event name `noun.verbed`, then the keys given."""
    unknown = keys.keys() - ALLOWED
    if unknown:
        if _output.strict:
            raise UnknownLogKey(", ".join(sorted(unknown)))
        _dropped.inc(len(unknown))
    line: dict[str, object] = {"at": datetime.now(UTC), "level": level, "event": name}
    line |= {key: _short(value) for key, value in keys.items() if key not in unknown}
    _write(line)


def _short(value: Value) -> object:
    if isinstance(value, Enum):
        return str(value.value)
    return value[:_LONGEST] if isinstance(value, str) else value


def _write(line: dict[str, object]) -> None:
    stream = _output.stream or sys.stdout
    stream.write(orjson.dumps(line, default=_type_name).decode() + "\n")
    stream.flush()


def _type_name(value: object) -> str:
    """Return what stands in a line for a value that is no plain one: its type, never its text."""
    return f"<{type(value).__name__}>"


class _LibraryLines(logging.Handler):
    """What libraries log, without their texts: those may quote a row, an address or a request."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        event(
            "library.logged",
            level=record.levelname.lower(),
            logger=record.name,
            line=record.lineno,
            **({"error": error} if error else {}),
        )
