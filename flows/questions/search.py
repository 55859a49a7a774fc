"""What questions answered by typing a name share: the matches they offer."""

from collections.abc import Callable, Sequence

from flows.figures import read_ordinal
from flows.questions.base import Shown


def offered(values: Sequence[str], label: Callable[[str], str]) -> tuple[Shown, ...]:
    """The matches as options; payloads are in small letters."""
    return tuple(
        Shown(label(value), value.lower(), str(digit)) for digit, value in enumerate(values, 1)
    )


def typed_number(normalised: str, values: Sequence[str]) -> str | None:
    """The offered match a typed number chooses, or None."""
    number = read_ordinal(normalised)
    return values[number - 1] if number and number <= len(values) else None
