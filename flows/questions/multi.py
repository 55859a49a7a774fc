"""Several options of several."""

from collections.abc import Mapping
from typing import ClassVar, Final

from flows.errors import FlowInvalid
from flows.events import ConsentGranted, ConsentWithdrawn, Event
from flows.matching import find_many
from flows.normalising import normalise
from flows.questions.base import UNTICK, Answer, At, Frame, Picking, Problem, Reading
from flows.questions.choice import Listed, read_options
from flows.spec import Spec
from flows.state import Value

_ALL: Final = frozenset(map(normalise, ("all", "tous", "toutes", "tout", "todos", "الكل", "tudo")))
_NONE: Final = frozenset(map(normalise, ("none", "aucun", "rien", "ninguno", "nenhum", "لا شيء")))
_DONE: Final = frozenset(map(normalise, ("done", "fini", "terminé", "listo", "pronto", "تم", "ok")))


class Multi(Listed):
    """From `at_least` to `at_most` options; with `grants`, each is a purpose of consent."""

    type = "multi"
    several = True
    told = True
    keys: ClassVar[tuple[str, ...]] = ("options", "at_least", "at_most", "grants", "shuffle")
    help = ("help_multi", "example_multi")
    hint = "hint_multi"
    example: ClassVar[Mapping[str, object]] = {
        "id": "needs",
        "type": "multi",
        "text": {"en": "What do you need most?"},
        "at_most": 2,
        "options": [
            {"value": "work", "label": {"en": "Work"}},
            {"value": "housing", "label": {"en": "Housing"}},
            {"value": "papers", "label": {"en": "Papers"}},
        ],
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        shuffle = spec.flag("shuffle", default=False)
        super().__init__(frame, spec, read_options(spec), shuffle=shuffle)
        count = len(self.options)
        self.at_least = spec.number("at_least", default=1, least=0, most=count)
        self.at_most = spec.number("at_most", default=count, least=1, most=count)
        self.grants = spec.flag("grants", default=False)
        if self.at_least > self.at_most:
            raise FlowInvalid(spec.at("at_least"), "is more than at_most")

    def style(self, at: At) -> str:
        return "multi"

    def beside(self, at: At) -> tuple[tuple[str, str, str], ...]:
        none = (("none", "none", "0"),) if self.at_least == 0 and not at.picked else ()
        done = (("done", "done", ""),) if at.picked else ()
        return (*super().beside(at), *none, *done)

    def read(self, text: str, normalised: str, at: At) -> Reading:
        if normalised in _DONE and at.picked:
            return self._within(at.picked)
        if self.at_least == 0 and (normalised == "0" or normalised in _NONE):
            return Answer([])
        if normalised in _ALL:
            return self._within(tuple(self.index))
        if normalised == "7":
            more = self.turned(at, edit=False)
            if more is not None:
                return more
        found = find_many(self.table, text, shown=self.page(at), language=at.language)
        if found is None:
            return Problem()
        return self._within(tuple(self.options[index].value for index in found))

    def press(self, value: str, at: At) -> Reading | None:
        box = value.removeprefix(UNTICK)
        if box in self.index:
            chosen = set(at.picked) | {box} if box == value else set(at.picked) - {box}
            if len(chosen) > self.at_most:
                return Problem("at_most", self._limits(), counts=False)
            return Picking(tuple(one for one in self.index if one in chosen), edit=True)
        if value == "done":
            return self._within(at.picked)
        if value == "none" and self.at_least == 0:
            return Answer([])
        return self.turned(at, edit=True) if value == "more" else None

    def effects(self, value: Value, before: Value | None) -> tuple[Event, ...]:
        if not self.grants or not isinstance(value, list):
            return ()
        earlier = before if isinstance(before, list) else []
        given = tuple(ConsentGranted(one, self.id) for one in value)
        taken = tuple(ConsentWithdrawn(one, self.id) for one in earlier if one not in value)
        return (*given, *taken)

    def _within(self, values: tuple[str, ...]) -> Reading:
        if len(values) > self.at_most:
            return Problem("at_most", self._limits())
        if len(values) < self.at_least:
            return Problem("at_least", self._limits())
        return Answer(list(values))

    def _limits(self) -> Mapping[str, str]:
        return {"least": str(self.at_least), "most": str(self.at_most)}
