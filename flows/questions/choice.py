"""One option of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import factorial
from typing import ClassVar, Final
from zlib import crc32

from flows.errors import FlowInvalid, FlowLimit
from flows.figures import Maybe, read_count
from flows.matching import build_table, find
from flows.questions.base import Answer, At, Frame, Guess, Page, Problem, Question, Reading, Shown
from flows.spec import Spec
from flows.state import Value

ONE_PAGE: Final = 7
"""As many options as digits can choose."""
PER_PAGE: Final = 6
"""Options on a page of a longer list, where 7 shows more."""
_MOST: Final = 60
_NO_END: Final = 999_999
_UNDECIDED: Final = "dont_know"
"""The value of an option that is always the last one."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a question; `ends` is the reason when choosing it ends the flow.

    `numbers` are those the option stands for, such as the ages of a band. A `last` one keeps its
    place behind shuffled ones.
    """

    value: str
    label: Mapping[str, str]
    also: Mapping[str, tuple[str, ...]]
    ends: str | None = None
    numbers: range = range(0)
    last: bool = False

    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Everything the option is called, by language."""
        languages = dict.fromkeys((*self.label, *self.also))
        return {
            one: (*((self.label[one],) if one in self.label else ()), *self.also.get(one, ()))
            for one in languages
        }


def read_options(spec: Spec) -> tuple[Option, ...]:
    """The options of a question in a flow file."""
    options: list[Option] = []
    for item in spec.items("options"):
        options.append(
            Option(
                value=item.value("value"),
                label=item.texts("label"),
                also=item.words("also"),
                ends=item.string("ends", "") or None,
                numbers=_numbers(item),
                last=item.flag("last", default=item.raw("value") == _UNDECIDED),
            )
        )
        item.done()
    place = spec.at("options")
    if len(options) < 2:
        raise FlowInvalid(place, "needs at least two options")
    if len(options) > _MOST:
        raise FlowLimit(place, f"has more than {_MOST} options")
    if len({option.value for option in options}) < len(options):
        raise FlowInvalid(place, "has two options of the same value")
    return tuple(options)


def _numbers(item: Spec) -> range:
    """The numbers from `from` to `to`; none when the option has neither."""
    if not (item.has("from") or item.has("to")):
        return range(0)
    least = item.number("from", default=0, least=0, most=_NO_END)
    most = item.number("to", default=_NO_END, least=0, most=_NO_END)
    if least > most:
        raise item.fault("from", "is more than to")
    return range(least, most + 1)


def _chance(order: int, place: int) -> bytes:
    return sha256(f"{order}.{place}".encode()).digest()


class Listed(Question):
    """What questions with a list of options share: labels, digits, pages, orders.

    Shuffled options stand in an order of chance, one for each passage. It is a number below the
    count of all orders; up to seven options each order is as likely as any other.
    """

    digits = True
    strict: bool = False
    """Whether only exact labels and synonyms count, never a guess."""

    def __init__(
        self, frame: Frame, spec: Spec, options: tuple[Option, ...], *, shuffle: bool = False
    ) -> None:
        super().__init__(frame, spec)
        self.options = options
        places = tuple(range(len(options)))
        self._moving = tuple(one for one in places if shuffle and not options[one].last)
        self._fixed = tuple(one for one in places if one not in self._moving)
        self._orders = factorial(min(len(self._moving), ONE_PAGE))
        self.index = {option.value: place for place, option in enumerate(options)}
        self.table = build_table([option.names() for option in options], strict=self.strict)
        self._labels = {
            one: tuple(self.in_language(option.label, one) for option in options)
            for one in frame.languages
        }

    def order(self, seed: int) -> int:
        return (seed + crc32(self.id.encode())) % self._orders if self._moving else 0

    def arranged(self, order: int) -> tuple[int, ...]:
        """The indexes of all options in the order of this number."""
        if not self._moving:
            return self._fixed
        left, found = list(self._moving), []
        if len(left) > ONE_PAGE:
            return (*sorted(left, key=lambda one: _chance(order, one)), *self._fixed)
        for count in range(len(left), 0, -1):
            order, place = divmod(order, count)
            found.append(left.pop(place))
        return (*found, *self._fixed)

    def page(self, at: At) -> Sequence[int]:
        """The indexes of the options on the page; a page that does not exist is the first."""
        arranged = self.arranged(at.order)
        if len(self.options) <= ONE_PAGE:
            return arranged
        start = at.page * PER_PAGE
        start = start if 0 <= start < len(self.options) else 0
        return arranged[start : start + PER_PAGE]

    def turned(self, at: At, *, edit: bool) -> Page | None:
        """The next page, after the last the first; None when there is only one."""
        if len(self.options) <= ONE_PAGE:
            return None
        pages = -(-len(self.options) // PER_PAGE)
        return Page((at.page + 1) % pages, edit)

    def shown(self, at: At) -> tuple[Shown, ...]:
        labels = self._labels.get(at.language) or self._labels[self.languages[0]]
        return tuple(
            Shown(labels[index], self.options[index].value, str(digit))
            for digit, index in enumerate(self.page(at), start=1)
        )

    def beside(self, at: At) -> tuple[tuple[str, str, str], ...]:
        return (("more", "more", "7"),) if len(self.options) > ONE_PAGE else ()

    def label(self, value: str, language: str) -> str:
        index = self.index.get(value)
        return value if index is None else self.in_language(self.options[index].label, language)

    def values(self) -> tuple[str, ...]:
        return tuple(self.index)


class Choice(Listed):
    """Exactly one option of two to sixty; more than seven are shown in pages of six.

    A `secret` one is a vote: taken exactly as labelled, and held by no state, answer or echo.
    """

    type = "choice"
    told = True
    keys: ClassVar[tuple[str, ...]] = (
        *("options", "value", "label", "also", "ends", "from", "to"),
        *("secret", "shuffle", "last"),
    )
    help = ("help_choice", "example_choice")
    example: ClassVar[Mapping[str, object]] = {
        "id": "when_open",
        "type": "choice",
        "text": {"en": "When should the consulate be open?", "fr": "Quand ouvrir le consulat ?"},
        "options": [
            {"value": "mornings", "label": {"en": "Mornings", "fr": "Le matin"}},
            {
                "value": "saturday",
                "label": {"en": "Saturday", "fr": "Samedi"},
                "also": {"en": ["weekend"]},
            },
        ],
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        # A guess that is read back would be a vote that waits in the conversation's state.
        self.secret = self.sealed = self.strict = spec.flag("secret", default=False)
        shuffle = spec.flag("shuffle", default=False)
        super().__init__(frame, spec, read_options(spec), shuffle=shuffle)
        if self.secret and any(option.ends or option.numbers for option in self.options):
            raise spec.fault("secret", "does not go with options that end the flow or mean numbers")

    def style(self, at: At) -> str:
        return "choice"

    def read(self, text: str, normalised: str, at: At) -> Reading:
        hit = find(self.table, normalised, shown=self.page(at), language=at.language)
        if hit is None:
            more = self.turned(at, edit=False) if normalised == "7" else None
            return more or self._with_number(text) or Problem()
        value = self.options[hit.index].value
        return Answer(value) if hit.sure else Guess(value)

    def _with_number(self, text: str) -> Guess | None:
        """The option that stands for a typed number, such as 38 among age bands; read back."""
        if not any(option.numbers for option in self.options):
            return None
        found = read_count(text)
        number = found.value if isinstance(found, Maybe) else found
        value = next((one.value for one in self.options if number in one.numbers), None)
        return None if value is None else Guess(value)

    def press(self, value: str, at: At) -> Reading | None:
        if value in self.index:
            return Answer(value)
        return self.turned(at, edit=True) if value == "more" else None

    def ends(self, value: Value) -> str | None:
        index = self.index.get(str(value))
        return None if index is None else self.options[index].ends
