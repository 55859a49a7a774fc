"""The consent a flow rests on."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from flows.errors import FlowInvalid
from flows.events import ConsentGranted, ConsentRefused, Event
from flows.matching import find
from flows.questions.base import Answer, At, Frame, Page, Problem, Reading, Shown
from flows.questions.choice import Listed, Option
from flows.spec import Spec
from flows.state import Value

_LABELS: Final = {
    "yes": {
        "en": "I agree",
        "fr": "Je suis d'accord",
        "es": "Estoy de acuerdo",
        "pt": "Concordo",
        "ar": "أوافق",
    },
    "no": {
        "en": "I do not agree",
        "fr": "Je refuse",
        "es": "No estoy de acuerdo",
        "pt": "Discordo",
        "ar": "لا أوافق",
    },
    "more": {
        "en": "Tell me more",
        "fr": "En savoir plus",
        "es": "Quiero detalles",
        "pt": "Quero saber mais",
        "ar": "أخبرني أكثر",
    },
}
_ALSO: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "yes": {
        "en": ("yes", "agree", "yes i agree", "agreed"),
        "fr": ("oui", "d'accord", "j'accepte"),
        "es": ("sí", "acepto", "de acuerdo"),
        "pt": ("sim", "aceito"),
        "ar": ("نعم", "موافق", "موافقة"),
    },
    "no": {
        "en": ("no", "disagree", "refuse"),
        "fr": ("non", "pas d'accord", "je ne suis pas d'accord"),
        "es": ("no", "no acepto", "rechazo"),
        "pt": ("não", "não concordo", "recuso"),
        "ar": ("لا", "غير موافق", "أرفض"),
    },
    "more": {
        "en": ("more",),
        "fr": ("plus",),
        "es": ("más",),
        "pt": ("mais",),
        "ar": ("اكثر", "المزيد"),
    },
}
_EMOJI: Final = frozenset({"👍", "✅", "👎", "❌"})
_MORE_PAGE: Final = 1
_FIRST: Final = "registration"
"""The purpose without which nothing is kept; any other can be declined by somebody who stays."""


class Consent(Listed):
    """I agree, I do not agree, tell me more; a refusal ends the flow and nothing is stored.

    The reason is `refused` for registration itself, else `declined`: who declines a module stays.

    The answer is never guessed from spelling, and no emoji counts. Page 1 is the longer text.
    """

    type = "consent"
    keys: ClassVar[tuple[str, ...]] = ("purpose", "more", "labels")
    help = ("help_consent", "example_consent")
    counted = False
    returns = False
    repeats = False
    strict = True
    example: ClassVar[Mapping[str, object]] = {
        "id": "consent",
        "type": "consent",
        "purpose": "registration",
        "text": {"en": "May {organisation} keep your answers?"},
        "more": {"en": "Only staff see them. STOP stops, DELETE erases."},
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        if not frame.required:
            raise FlowInvalid(spec.at("required"), "a consent is always required")
        self.purpose = spec.name("purpose")
        self.more = spec.texts("more", required=False)
        values = ("yes", "no", "more") if self.more else ("yes", "no")
        labels = Spec(spec.raw("labels") or {}, spec.at("labels"), frame.languages)
        options = tuple(
            Option(value, labels.texts(value, required=False) or _LABELS[value], _ALSO[value])
            for value in values
        )
        labels.done()
        super().__init__(frame, spec, options)

    def style(self, at: At) -> str:
        return "choice"

    def said(self, at: At) -> str:
        return self.in_language(self.more if at.page == _MORE_PAGE else self.text, at.language)

    def shown(self, at: At) -> tuple[Shown, ...]:
        options = super().shown(at)
        return options[:2] if at.page == _MORE_PAGE else options

    def read(self, text: str, normalised: str, at: At) -> Reading:
        if normalised in _EMOJI:
            return Problem()
        hit = find(self.table, normalised, shown=self.page(at), language=at.language)
        return Problem() if hit is None else self._meant(self.options[hit.index].value, at)

    def press(self, value: str, at: At) -> Reading | None:
        return self._meant(value, at, edit=False) if value in self.index else None

    def effects(self, value: Value, before: Value | None) -> tuple[Event, ...]:
        if value == "yes":
            return (ConsentGranted(self.purpose, self.id),)
        return (ConsentRefused(self.id),)

    def other_texts(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        return (("more", self.more),) if self.more else ()

    def ends(self, value: Value) -> str | None:
        if value != "no":
            return None
        return "refused" if self.purpose == _FIRST else "declined"

    def _meant(self, value: str, at: At, *, edit: bool = False) -> Reading:
        return Page(_MORE_PAGE, edit) if value == "more" else Answer(value)
