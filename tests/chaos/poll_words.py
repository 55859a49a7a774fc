"""The poll that is asked everywhere, in five languages, and how its messages are told apart."""

from functools import cache
from typing import Any

from flows.templates import templates
from flows.wording import say
from tests.chaos.roll import LANGUAGES

ASKER = "Chaos"
MARK = "No. 7"
"""Stands in every text of the poll, in no other one."""
QUESTION = {
    "en": f"{MARK}: when should we be open?",
    "fr": f"{MARK} : quand ouvrir le guichet ?",
    "es": f"{MARK}: cuando debemos abrir?",
    "pt": f"{MARK}: quando devemos abrir?",
    "ar": f"{MARK}: متى نفتح؟",
}
WHY = {
    "en": f"{MARK}: why Saturday?",
    "fr": f"{MARK} : pourquoi samedi ?",
    "es": f"{MARK}: por que el fin de semana?",
    "pt": f"{MARK}: por que no fim de semana?",
    "ar": f"{MARK}: لماذا السبت؟",
}
LABELS = {
    "mornings": {
        "en": "Mornings",
        "fr": "Le matin",
        "es": "Temprano",
        "pt": "De dia",
        "ar": "صباحا",
    },
    "evenings": {
        "en": "Evenings",
        "fr": "Le soir",
        "es": "De noche",
        "pt": "De noite",
        "ar": "مساء",
    },
    "saturday": {"en": "Weekend", "fr": "Samedi", "es": "El finde", "pt": "O fim", "ar": "السبت"},
}
ABOUT = {
    "en": f"opening hours {MARK} of the year",
    "fr": f"les horaires {MARK} du guichet",
    "es": f"el horario {MARK} del consulado",
    "pt": f"o horário {MARK} do consulado",
    "ar": f"ساعات العمل {MARK} للقنصلية",
}
OUTCOME = {
    "en": f"{MARK}: one Saturday a month from May.",
    "fr": f"{MARK} : un samedi par mois en mai.",
    "es": f"{MARK}: un fin de semana al mes.",
    "pt": f"{MARK}: um fim de semana por mês.",
    "ar": f"{MARK}: سبت واحد كل شهر.",
}
FIRST = ("en", "fr")
BECAUSE = "I work all week"


def flow() -> dict[str, Any]:
    """The poll as its officer writes it first: in two languages."""

    def first(texts: dict[str, str]) -> dict[str, str]:
        return {one: texts[one] for one in FIRST}

    options = [{"value": value, "label": first(labels)} for value, labels in LABELS.items()]
    return {
        "flow": "hours-everywhere",
        "kind": "poll",
        "purpose": {"why": "plan opening hours", "owner": "consul", "decision": "hours from May"},
        "about": first(ABOUT),
        "languages": list(FIRST),
        "questions": [
            {"id": "when_open", "type": "choice", "text": first(QUESTION), "options": options},
            {
                "id": "why",
                "type": "text",
                "required": False,
                "when": {"when_open": "saturday"},
                "text": first(WHY),
            },
        ],
    }


def translation(language: str) -> dict[str, str]:
    """The texts of the poll in a language, by their places."""
    labels = {
        f"questions.when_open.options.{value}.label": label[language]
        for value, label in LABELS.items()
    }
    return {
        "about": ABOUT[language],
        "questions.when_open.text": QUESTION[language],
        "questions.why.text": WHY[language],
        **labels,
    }


def earlier() -> dict[str, Any]:
    """Another poll of the same month."""
    label = {"en": "Fine"}, {"en": "Poor"}
    options = [{"value": value, "label": one} for value, one in zip("ab", label, strict=True)]
    asked = {"id": "how", "type": "choice", "text": {"en": "How was it?"}, "options": options}
    return flow() | {
        "flow": "earlier",
        "about": {"en": "your last visit to us"},
        "languages": ["en"],
        "questions": [asked],
    }


@cache
def told_apart() -> tuple[tuple[str, str], ...]:
    """What stands in a message of each kind, in any language; the first that fits is the kind."""
    found = []
    for language in LANGUAGES:
        for name in ("invitation", "reminder", "result"):
            body = templates()[name, language].body
            found.append((f"template:{name}", body.split("{{organisation}}")[1].split("{{")[0]))
        found.append(("test", say("poll_test", language)))
        found.append(("report", OUTCOME[language]))
        found.append(("reminder", say("asks_again", language, asker=ASKER)))
        found.append(("invitation", say("asks_you", language, asker=ASKER)))
    order = ("test", "template:result", "report", "template:reminder", "reminder")
    rank = {kind: place for place, kind in enumerate(order)}
    plain = [(kind, _plain(words)) for kind, words in found]
    return tuple(sorted(plain, key=lambda one: rank.get(one[0], len(rank))))


def kind_of(text: str) -> str:
    """What a message of the poll is: invitation, reminder, report, test, or other."""
    plain = _plain(text)
    for kind, words in told_apart():
        if words in plain:
            known = MARK in plain or kind in ("template:reminder", "reminder")
            return kind if known else "other"
    return "other"


def _plain(text: str) -> str:
    """The text without the marks that keep names apart in Arabic."""
    return text.replace("\u2068", "").replace("\u2069", "")
