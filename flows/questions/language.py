"""The language of the conversation."""

from collections.abc import Mapping
from typing import ClassVar, Final

from flows.events import Event, LanguageChosen
from flows.questions.base import At, Frame
from flows.questions.choice import Choice, Listed, Option
from flows.spec import Spec
from flows.state import Value

NAMES: Final = {
    "en": "English",
    "fr": "Français",
    "es": "Español",
    "pt": "Português",
    "ar": "العربية",
}
_ASKED: Final = {
    "en": "Your language?",
    "fr": "Votre langue ?",
    "es": "¿Su idioma?",
    "pt": "Sua língua?",
    "ar": "ما لغتك؟",
}
_ALSO: Final = {
    "en": ("anglais", "inglés", "inglês", "الإنجليزية", "انجليزي"),
    "fr": ("french", "francés", "francês", "الفرنسية", "فرنسي"),
    "es": ("spanish", "espagnol", "castellano", "espanhol", "الإسبانية"),
    "pt": ("portuguese", "portugais", "portugués", "البرتغالية"),
    "ar": ("arabic", "arabe", "árabe", "عربي"),
}


class Language(Choice):
    """Which of the flow's languages, each in its own name; asked in all of them at once."""

    type = "language"
    told = False
    keys: ClassVar[tuple[str, ...]] = ()
    counted = False
    needs_text = False
    help = ("", "")
    example: ClassVar[Mapping[str, object]] = {"id": "language", "type": "language"}

    def __init__(self, frame: Frame, spec: Spec) -> None:
        options = tuple(
            Option(one, dict.fromkeys(frame.languages, NAMES.get(one, one)), {"": _also(one)})
            for one in frame.languages
        )
        Listed.__init__(self, frame, spec, options)
        self._all = "\n".join(_ASKED[one] for one in frame.languages if one in _ASKED)

    def said(self, at: At) -> str:
        return super().said(at) or self._all

    def effects(self, value: Value, before: Value | None) -> tuple[Event, ...]:
        return (LanguageChosen(str(value)),)


def _also(language: str) -> tuple[str, ...]:
    return (language, *_ALSO.get(language, ()))
