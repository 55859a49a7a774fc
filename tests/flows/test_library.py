import ast
import dataclasses
from pathlib import Path

import pytest

from flows import events, words
from flows.countries import countries
from flows.gazetteer import LIBRARY
from flows.normalising import normalise
from flows.questions import TYPES
from flows.wording import LANGUAGES, phrases

ROOT = Path(__file__).parent.parent.parent
EVENTS = [
    kind
    for kind in vars(events).values()
    if dataclasses.is_dataclass(kind) and kind.__module__ == "flows.events"
]


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_the_example_of_each_event_is_one(kind: type) -> None:
    event = kind(**kind.example)  # type: ignore[attr-defined]
    assert isinstance(event, events.Event)


def test_every_phrase_the_core_says_is_written() -> None:
    known = phrases("en").keys()
    named = {"language_changed"}
    for kind in TYPES:
        named |= {name for name in (*kind.help, kind.hint) if name}
    for path in (ROOT / "flows").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Said", "Problem", "phrase")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                named.add(str(node.args[0].value))
    assert named <= known


def test_every_country_has_a_name_in_every_language() -> None:
    for code in countries().codes:
        for language in LANGUAGES:
            assert countries().name(code, language) != code
    assert countries().name("XX", "en") == "XX"


def test_every_data_file_names_its_source_and_licence() -> None:
    licences = (LIBRARY / "LICENCES.md").read_text(encoding="utf-8")
    for path in LIBRARY.iterdir():
        if path.is_file() and path.suffix not in (".yaml", ".md"):
            assert path.name in licences


def test_stop_words_of_the_providers_are_all_known() -> None:
    known = {normalise(word) for listed in words.STOP.values() for word in listed.split()}
    twilio = "stop stopall unsubscribe cancel end quit revoke optout remove arret arrete arrett"
    assert set(twilio.split()) <= known
