"""One arrival at one channel with its keyed hashes, and what became of it."""

from dataclasses import dataclass

from bot.channels.base import Arrival, ChannelView
from flows.inputs import Attachment, Pin, Pressed, Text
from flows.normalising import LONGEST_MATCHED, normalise
from models.sealed import OrganisationKeys, keyed_hash
from services.conversation.scene import Heard, Line


@dataclass(frozen=True, slots=True)
class Knock:
    """One arrival at one channel, with its keyed hashes."""

    arrival: Arrival
    line: Line
    heard: Heard


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one arrival: a repeat has no effect; ``say`` is to be answered at once.

    Only what cannot go through the outbox is answered at once: the receipt of an erasure, whose
    address is gone by then. ``answered``: an answer goes out through the outbox.
    """

    repeated: bool = False
    say: str | None = None
    answered: bool = False


def knock_of(keys: OrganisationKeys, view: ChannelView, arrival: Arrival) -> Knock:
    """The knock of an arrival at a channel, hashed with its organisation's index key."""
    index, number = keys.index, arrival.number
    alias = arrival.aliases[0] if arrival.aliases else None
    heard = Heard(
        kind=arrival.kind,
        input=arrival.input,
        body=_body(arrival),
        entry=arrival.entry,
        language=arrival.language,
        scheme=arrival.address.partition(":")[0],
        address=arrival.address,
        address_hash=keyed_hash(index, "address", arrival.address),
        number_hash=keyed_hash(index, "number", number) if number else None,
        receipt=keyed_hash(index, "receipt", arrival.receipt),
        provider_id=arrival.provider_id,
        pressed_message=arrival.pressed_message,
        alias=alias,
        alias_hash=keyed_hash(index, "address", alias) if alias else None,
        mark=_mark(index, arrival),
        written_at=arrival.sent_at,
    )
    line = Line(view.id, view.organisation_id, view.kind, view.stop_reply, view.default_language)
    return Knock(arrival, line, heard)


def _mark(index: bytes, arrival: Arrival) -> str | None:
    if not isinstance(arrival.input, Text):
        return None
    said = normalise(arrival.input.text[:LONGEST_MATCHED])
    return keyed_hash(index, "said", f"{arrival.address}|{said}")[:9].hex()


def _body(arrival: Arrival) -> str:
    """What the person sent, for the record that is sealed; a pin is not kept (design 5)."""
    match arrival.input:
        case Text(text):
            return text
        case Pressed(payload):
            return payload
        case Pin():
            return "(location)"
        case Attachment(kind=kind):
            return f"({kind})"
        case _:
            return ""
