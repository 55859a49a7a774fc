"""STOP, MYDATA, CHANGE and DELETE in sixty wordings, in any state, channel and language (C-03)."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.services.talking import NAMES, Talk

STOP = (
    "STOP|stop|Stop.|  stop  |/stop|ＳＴＯＰ|STOP!!|unsubscribe|Stop all|opt out|désabonner|arrêter"
    "|darme de baja|descadastrar|توقف|إيقاف|stopp|"
    "стоп|Arret|baja|sair"
)
STOP_IN_A_SENTENCE = (
    "stop please|please stop texting me|ne m'écrivez plus|no me escriban más|لا ترسلوا"
)
MYDATA = (
    "MYDATA|my data|My answers|/mydata|mes données|MESDONNEES|mes réponses|mis datos|Mis respuestas"
    "|meus dados|minhas respostas|بياناتي"
)
CHANGE = (
    "CHANGE|change|/change|Changer|modifier|corriger|cambiar|Corregir|mudar|alterar|تغيير|تعديل"
)
DELETE = (
    "DELETE|delete|Delete me|/delete|erase|forget me|supprimer|effacer|tout effacer|borrar|eliminar"
    "|apagar|excluir|حذف|امسح"
)
WORDINGS = {
    "stop": STOP.split("|"),
    "sentence": STOP_IN_A_SENTENCE.split("|"),
    "mydata": MYDATA.split("|"),
    "change": CHANGE.split("|"),
    "delete": DELETE.split("|"),
}
KINDS = ("telegram", "sms", "whatsapp", "simulator")
LANGUAGES = ("en", "fr", "es", "pt", "ar")


def _to_consent(talk: Talk) -> Talk:
    return talk.say("hello").say(NAMES[talk.language])


STATES: dict[str, Callable[[Talk], Talk]] = {
    "a stranger": lambda talk: talk,
    "asked for the language": lambda talk: talk.say("hello"),
    "asked for consent": _to_consent,
    "asked for a country": lambda talk: _to_consent(talk).say("1"),
    "asked for a town": lambda talk: _to_consent(talk).say("1").say("South Africa").say("1"),
    "registered": lambda talk: talk.registered(),
    "in the menu": lambda talk: talk.registered().say("MENU"),
    "asked whether to erase": lambda talk: talk.registered().say("DELETE"),
    "asked whether to stop": lambda talk: talk.registered().say("please stop texting me"),
    "reading their data": lambda talk: talk.registered().say("MYDATA"),
    "correcting": lambda talk: talk.registered().say("CHANGE").say("1"),
    "with a case": lambda talk: talk.registered().say("PERSON"),
    "stopped": lambda talk: talk.registered().say("STOP"),
}


@cache
def _prepared(state: str, kind: str, language: str) -> Talk:
    return STATES[state](Talk(kind=kind, language=language))


def test_there_are_sixty_wordings() -> None:
    assert sum(map(len, WORDINGS.values())) >= 60


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", STATES)
def test_rights_hold_in_any_state(state: str, kind: str, language: str) -> None:
    """C-03: sixty wordings, whatever was going on, on every channel and in every language."""
    ready = _prepared(state, kind, language)
    for meaning, wordings in WORDINGS.items():
        for wording in wordings:
            talk = ready.again().say(wording)
            MEANS[meaning](talk, state)
            assert not talk.rows or not talk.rows.back, "none of these brings anybody back"


def _stops(talk: Talk, state: str) -> None:
    if "?stop" in talk.phrases:  # END, BAJA, SAIR may be answers: on chat channels we ask
        talk.say("1")
    assert talk.rows is not None
    assert talk.rows.stop is not None
    assert talk.standing.contact_status == "stopped"
    assert talk.phrases == ["stopped"]
    assert talk.reply is not None
    assert (talk.reply["lane"], talk.reply["kind"]) == (0, "rights")
    assert not talk.rows.answered


def _is_asked(talk: Talk, state: str) -> None:
    if state == "stopped":
        assert talk.reply is None
        return
    assert talk.phrases == ["?stop"]
    assert talk.say("1").standing.contact_status == "stopped"


def _tells(talk: Talk, state: str) -> None:
    assert talk.rows is not None
    if state == "a stranger":
        assert talk.phrases == ["nothing_kept"]
    else:
        assert talk.phrases == ["mydata", "?mydata"]
        assert talk.rows.link is not None
    assert talk.reply is not None
    assert talk.reply["lane"] == 0


def _changes(talk: Talk, state: str) -> None:
    registered = list(STATES).index(state) >= list(STATES).index("registered")
    if registered or state == "asked for a town":
        assert talk.phrases == ["?change"]
    else:
        assert talk.phrases[0] == "nothing_to_change"


def _erases(talk: Talk, state: str) -> None:
    if state == "a stranger":
        assert talk.phrases == ["nothing_to_erase"]
        return
    assert talk.phrases == ["?erase"]
    talk.say("1")
    assert talk.scene is not None
    assert talk.scene.erase


MEANS: dict[str, Callable[[Talk, str], None]] = {
    "stop": _stops,
    "sentence": _is_asked,
    "mydata": _tells,
    "change": _changes,
    "delete": _erases,
}


@pytest.mark.parametrize(
    ("word", "said"),
    [("STOP", []), ("unsubscribe", []), ("توقف", ["stopped"]), ("baja", ["stopped"])],
)
def test_the_provider_confirms_its_own_words_and_we_the_others(word: str, said: list[str]) -> None:
    talk = Talk(kind="sms", stop_reply="provider").registered().say(word)
    assert talk.standing.contact_status == "stopped"
    assert talk.phrases == said
