"""Templates: the few sentences WhatsApp lets us say when a person has not written for 24 hours.

Their words are data (templates.yaml beside this file). A message that a template may say names it
in its content: {"template": {"name": "reminder", "params": {}}}.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from flows.loader import read
from flows.wording import Choice, Prompt

FILE: Final = Path(__file__).parent / "templates.yaml"
_VARIABLE: Final = re.compile(r"\{\{(\w+)\}\}")
_PRESSED: Final = re.compile(r"template\.([a-z]+)\.(answer|later|stop)")


@dataclass(frozen=True, slots=True)
class Template:
    """One template in one language.

    `variables` have names in order, each with the sample WhatsApp is shown; `buttons` are pairs of
    what pressing means and the label.
    """

    name: str
    language: str
    category: str
    body: str
    variables: Mapping[str, str]
    buttons: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> bytes:
        """The hash of everything WhatsApp approves."""
        said = [self.category, self.body, dict(self.variables), self.buttons]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).digest()

    @property
    def provider_name(self) -> str:
        """The name WhatsApp knows it by; another wording has another name."""
        return f"homeline_{self.name}_{self.language}_{self.digest.hex()[:8]}"

    @property
    def numbered_body(self) -> str:
        """The body with numbers for variables, as the provider takes it."""
        places = {name: number for number, name in enumerate(self.variables, start=1)}
        return _VARIABLE.sub(lambda found: f"{{{{{places[found[1]]}}}}}", self.body)

    def payload(self, button: str) -> str:
        """What pressing a button sends back."""
        return f"template.{self.name}.{button}"

    def values(self, names: Mapping[str, str]) -> dict[str, str] | None:
        """The variables by number; None when one of them is unknown."""
        found = [names.get(name, "").strip() for name in self.variables]
        if not all(found):
            return None
        return {str(number): value for number, value in enumerate(found, start=1)}

    def prompt(self, names: Mapping[str, str]) -> Prompt:
        """What stands on the person's screen."""
        text = _VARIABLE.sub(lambda found: names.get(found[1], ""), self.body)
        choices = [Choice(label, self.payload(value), "") for value, label in self.buttons]
        return Prompt(text, tuple(choices), "choice")


@cache
def templates() -> Mapping[tuple[str, str], Template]:
    """Every template by name and language."""
    return {
        (name, language): _template(name, language, told)
        for name, told in read(FILE).items()
        for language in told["body"]
    }


def _template(name: str, language: str, told: Mapping[str, Any]) -> Template:
    return Template(
        name=name,
        language=language,
        category=told["category"],
        body=told["body"][language],
        variables=told["variables"],
        buttons=tuple((value, labels[language]) for value, labels in told["buttons"].items()),
    )


def named_in(content: Mapping[str, Any], language: str) -> Template | None:
    """The template that may say a message, in the person's language or else in English."""
    named = content.get("template")
    name = named.get("name") if isinstance(named, Mapping) else None
    known = templates()
    return known.get((str(name), language)) or known.get((str(name), "en"))


def names_in(content: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """What fills the variables: the organisation's names, and what the message itself gives."""
    named = content.get("template")
    params = named.get("params", {}) if isinstance(named, Mapping) else {}
    return {**names, **params}


def pressed(payload: str) -> tuple[str, str] | None:
    """Which template's button this is, and what it means: answer, later or stop; None if none."""
    found = _PRESSED.fullmatch(payload)
    return (found[1], found[2]) if found else None
