"""What can go wrong, told so that every edge can answer it.

    AppError
    |-- NotFound        what is asked for does not exist, or not for this organisation
    |-- Conflict        it contradicts what is already there
    |-- NotAllowed      the asker may not do this
    |-- Invalid         what was given cannot be understood; `place` says where, `faults` every one
    `-- Unavailable     it would work later: try again

The docstring of a class is its sentence for people, `code` its stable name. No HTTP in here.
"""

from collections.abc import Sequence
from typing import ClassVar


class AppError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, sentence: str | None = None) -> None:
        self.sentence = sentence or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(self.sentence)


class NotFound(AppError):
    """There is nothing of this name here."""

    code = "not_found"


class Conflict(AppError):
    """This contradicts what is already there."""

    code = "conflict"


class NotAllowed(AppError):
    """This key or account may not do that."""

    code = "not_allowed"


class Invalid(AppError):
    """This cannot be understood."""

    code = "invalid"

    def __init__(
        self,
        sentence: str | None = None,
        *,
        place: str | None = None,
        faults: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(sentence)
        self.place = place
        self.faults = tuple(faults) or (((place, self.sentence),) if place else ())


class Unavailable(AppError):
    """This does not work at the moment; please try again shortly."""

    code = "unavailable"
