"""Reading a mapping key by key, with the exact place of every fault."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from flows.errors import FlowInvalid

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_VALUE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_DURATION: Final = re.compile(r"(\d{1,4}) (minute|hour|day|week)s?")
_TRUE: Final = frozenset({"true", "yes", "on"})
_FALSE: Final = frozenset({"false", "no", "off"})


def duration(text: str) -> timedelta | None:
    """The duration written as `3 days`, or None; minutes, hours, days and weeks."""
    found = _DURATION.fullmatch(text.strip())
    return timedelta(**{f"{found[2]}s": int(found[1])}) if found else None


class Spec:
    """One mapping of a flow file; remembers which keys were read, so that none is overlooked."""

    def __init__(self, mapping: object, place: str, languages: tuple[str, ...] = ()) -> None:
        if not isinstance(mapping, Mapping):
            raise FlowInvalid(place, "must be a mapping")
        self.mapping: Mapping[str, object] = mapping
        self.place = place
        self.languages = languages
        self._left = set(mapping)

    def at(self, key: str) -> str:
        """The place of a key, as faults name it."""
        return f"{self.place}.{key}" if self.place else key

    def fault(self, key: str, problem: str) -> FlowInvalid:
        """The error that says what is wrong with a key."""
        return FlowInvalid(self.at(key), problem)

    def has(self, key: str) -> bool:
        """Whether the mapping holds the key."""
        return key in self.mapping

    def raw(self, key: str) -> object:
        """The value as it stands, or None."""
        self._left.discard(key)
        return self.mapping.get(key)

    def done(self) -> None:
        """Raises FlowInvalid when a key was never read: it is misspelt or not of this type."""
        if self._left:
            key = sorted(map(str, self._left))[0]
            raise FlowInvalid(self.at(key), "is not a key known here")

    def string(self, key: str, default: str | None = None) -> str:
        """A scalar as text."""
        value = self.raw(key)
        if value is None:
            if default is None:
                raise FlowInvalid(self.at(key), "is missing")
            return default
        if isinstance(value, bool):
            return "yes" if value else "no"
        if not isinstance(value, str | int | float):
            raise FlowInvalid(self.at(key), "must be a single text")
        return str(value)

    def name(self, key: str) -> str:
        """An identifier: small letters, digits, - and _, begun by a letter."""
        value = self.string(key)
        if not _NAME.fullmatch(value):
            raise FlowInvalid(self.at(key), "must be small letters, digits, - and _")
        return value

    def value(self, key: str) -> str:
        """An option's value: small letters, digits, - and _."""
        value = self.string(key)
        if not _VALUE.fullmatch(value):
            raise FlowInvalid(self.at(key), "must be small letters, digits, - and _")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """A yes or no."""
        value = self.string(key, "yes" if default else "no").casefold()
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise FlowInvalid(self.at(key), "must be true or false")

    def number(self, key: str, *, default: int, least: int, most: int) -> int:
        """A whole number between two limits."""
        text = self.string(key, str(default))
        if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
            raise FlowInvalid(self.at(key), f"must be a whole number from {least} to {most}")
        return int(text)

    def items(self, key: str) -> Iterator["Spec"]:
        """Each mapping of a list, with its place."""
        value = self.raw(key)
        if value is None:
            return
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise FlowInvalid(self.at(key), "must be a list")
        for index, item in enumerate(value):
            yield Spec(item, f"{self.at(key)}[{index}]", self.languages)

    def inner(self, key: str) -> "Spec":
        """The mapping under a key."""
        return Spec(self.raw(key), self.at(key), self.languages)

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        value = self.raw(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
            raise FlowInvalid(self.at(key), "must be a list of texts")
        return tuple(value)

    def texts(self, key: str, *, required: bool = True) -> Mapping[str, str]:
        """A text in each language; languages outside the flow's are a fault, missing ones not."""
        if self.raw(key) is None and not required:
            return {}
        inner = self.inner(key)
        found = {language: inner.string(language).strip() for language in inner.mapping}
        self._check_languages(inner, found)
        if not found:
            raise FlowInvalid(self.at(key), "needs a text in at least one language")
        return found

    def words(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """A list of words in each language."""
        if self.raw(key) is None:
            return {}
        inner = self.inner(key)
        found = {language: inner.strings(language) for language in inner.mapping}
        self._check_languages(inner, found)
        return found

    def _check_languages(self, inner: "Spec", found: Mapping[str, object]) -> None:
        for language in found:
            if self.languages and language not in self.languages:
                raise FlowInvalid(inner.at(language), "is not a language of this flow")
