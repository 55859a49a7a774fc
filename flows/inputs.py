"""What can arrive from a person, before any channel's shape."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Words somebody typed, exactly as they came."""

    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A pressed button or list row; the payload is `tag.question.value`."""

    payload: str


@dataclass(frozen=True, slots=True)
class Pin:
    """A location on the map, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Attachment:
    """Anything that is not text: voice, sticker, photo, document, contact, video, other.

    Of a voice note: `file` is what its provider calls it, `seconds` and `size` (bytes) how long it
    is, where the provider says so.
    """

    kind: str
    emoji: str | None = None
    number: str | None = None
    file: str | None = None
    seconds: int | None = None
    size: int | None = None


Input: TypeAlias = Text | Pressed | Pin | Attachment
