"""What cannot be handled, as the quarantine keeps it: sealed there, never logged."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime

from bot.channels.base import Arrival, ChannelView
from bot.knocks import Knock
from flows.inputs import Attachment, Input, Pin, Pressed, Text
from models.sealed import OrganisationKeys, keyed_hash
from services.quarantine import Failed

INPUTS: dict[str, type[Text] | type[Pressed] | type[Pin] | type[Attachment]] = {
    each.__name__: each for each in (Text, Pressed, Pin, Attachment)
}


def failed(knock: Knock, error: Exception) -> Failed:
    """A message whose handling failed; it is tried again."""
    return Failed(
        organisation_id=knock.line.organisation_id,
        channel_id=knock.line.id,
        receipt_key=knock.heard.receipt,
        address_hash=knock.heard.address_hash,
        payload=to_bytes(knock.arrival),
        error_code=type(error).__name__,
        again=True,
    )


def unreadable(keys: OrganisationKeys, view: ChannelView, body: bytes) -> Failed:
    """What a provider signed but no channel can read; nobody tries it again."""
    return Failed(
        organisation_id=view.organisation_id,
        channel_id=view.id,
        receipt_key=keyed_hash(keys.index, "body", hashlib.sha256(body).hexdigest()),
        address_hash=None,
        payload=body,
        error_code="unreadable",
        again=False,
    )


def to_bytes(arrival: Arrival) -> bytes:
    """The arrival as JSON."""
    fields = asdict(arrival)
    fields["input"] = _input_to_json(arrival.input)
    fields["sent_at"] = arrival.sent_at.isoformat() if arrival.sent_at else None
    return json.dumps(fields).encode()


def from_bytes(payload: bytes) -> Arrival:
    """The arrival that ``to_bytes`` wrote; ValueError for what is none."""
    fields = json.loads(payload)
    if not isinstance(fields, dict):
        raise ValueError("not an arrival")
    fields["input"] = _input_from_json(fields["input"])
    if fields["sent_at"]:
        fields["sent_at"] = datetime.fromisoformat(fields["sent_at"])
    fields["aliases"] = tuple(fields["aliases"])
    return Arrival(**fields)


def _input_to_json(given: Input | None) -> dict[str, object] | None:
    return None if given is None else {"type": type(given).__name__, **asdict(given)}


def _input_from_json(fields: dict[str, object] | None) -> Input | None:
    if fields is None:
        return None
    kind = INPUTS[str(fields.pop("type"))]
    return kind(**fields)  # type: ignore[arg-type]


def place_of(error: BaseException) -> str:
    """The file and line an error came from: enough to find it, and no value of it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
