"""Yes or no."""

from collections.abc import Mapping
from typing import ClassVar, Final

from flows.questions.base import Frame
from flows.questions.choice import Choice, Listed, Option
from flows.spec import Spec

_YES: Final = {
    # The word YES alone re-subscribes at Twilio, so it is never a label.
    "en": "Yes, right",
    "fr": "Oui",
    "es": "Sí",
    "pt": "Sim",
    "ar": "نعم",
}
_NO: Final = {"en": "No", "fr": "Non", "es": "No", "pt": "Não", "ar": "لا"}
_ALSO_YES: Final = {"en": ("yes", "right")}


class YesNo(Choice):
    """Yes or no; `labels` may give both other words. The value is `yes` or `no`."""

    type = "yes_no"
    keys: ClassVar[tuple[str, ...]] = ("labels",)
    example: ClassVar[Mapping[str, object]] = {
        "id": "has_group",
        "type": "yes_no",
        "text": {"en": "Are you in a group of people from home?"},
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        labels = Spec(spec.raw("labels") or {}, spec.at("labels"), frame.languages)
        yes = labels.texts("yes", required=False) or _known(_YES, frame)
        no = labels.texts("no", required=False) or _known(_NO, frame)
        labels.done()
        options = (
            Option("yes", yes, {"en": _ALSO_YES["en"], "": ("oui", "si", "sim", "نعم")}),
            Option("no", no, {"": ("no", "non", "nao", "لا")}),
        )
        Listed.__init__(self, frame, spec, options)


def _known(texts: dict[str, str], frame: Frame) -> dict[str, str]:
    found = {one: texts[one] for one in frame.languages if one in texts}
    return found or {frame.languages[0]: texts["en"]}
