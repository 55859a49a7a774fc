import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.keywords import Keyword, Word, inside, is_providers, recognise
from flows.loader import library, load
from flows.normalising import normalise
from flows.questions.choice import Listed
from flows.wording import LANGUAGES, phrases

ALL = ("en", "fr", "es", "pt", "ar")


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop.",
        " Stop! ",
        "ＳＴＯＰ",
        "\u200fstop",
        "/stop",
        "/stop@SomeBot",
        "STOPALL",
        "opt out",
        "OPT-OUT",
        "Arrêt",
        "ARRETE",
        "désabonner",
        "alto",
        "sair",
        "توقف",
        "إيقاف",
        "ايقاف",
        "стоп",
        "አቁም",
        "रोको",
    ],
)
def test_stop_is_heard_in_every_language_whatever_is_offered(text: str) -> None:
    keyword = recognise(text, ["en"])
    assert keyword is not None
    assert keyword.word is Word.STOP
    assert keyword.sure


@pytest.mark.parametrize("text", ["END", "cancel", "Quit", "baja", "dur", "basta"])
def test_a_word_that_may_be_an_answer_is_marked(text: str) -> None:
    keyword = recognise(text, ALL)
    assert keyword is not None
    assert (keyword.word, keyword.sure, keyword.ambiguous) == (Word.STOP, True, True)


def test_an_ambiguous_word_inside_a_sentence_is_nothing() -> None:
    for text in ("the end", "I cancel my trip", "quit smoking", "at the end of the day"):
        assert recognise(text, ALL) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("please stop", "en"),
        ("Please stop sending me this", "en"),
        ("Stop texting me!", "en"),
        ("don't text me any more", "en"),
        ("Take me off your list", "en"),
        ("ne m'écrivez plus", "fr"),
        ("Arrêtez de m'envoyer des messages", "fr"),
        ("laissez-moi tranquille", "fr"),
        ("no me escriban más", "es"),
        ("quiero darme de baja", "es"),
        ("parem de me enviar mensagens", "pt"),
        ("não quero mais receber isso", "pt"),
        ("لا ترسلوا لي رسائل", "ar"),
        ("توقفوا عن مراسلتي", "ar"),
    ],
)
def test_a_wish_to_stop_in_a_sentence_is_asked_about(text: str, language: str) -> None:
    assert recognise(text, ALL) == Keyword(Word.STOP, language, sure=False)


@pytest.mark.parametrize(
    "text",
    [
        "the bus stop is far",
        "I never stop working",
        "non stop",
        "We should stop corruption",
        "Les messages arrivent bien",
        "no tengo trabajo",
        "more schools please",
        "لا أعرف",
        "yes",
        "1",
        "",
    ],
)
def test_other_sentences_are_answers(text: str) -> None:
    assert recognise(text, ALL) is None


@pytest.mark.parametrize(
    ("text", "word", "language"),
    [
        ("START", Word.START, "en"),
        ("/start", Word.START, "en"),
        ("unstop", Word.START, "en"),
        ("aide", Word.HELP, "fr"),
        ("MENU", Word.MENU, "en"),
        ("القائمة", Word.MENU, "ar"),
        ("delete", Word.DELETE, "en"),
        ("/delete", Word.DELETE, "en"),
        ("effacer", Word.DELETE, "fr"),
        ("confidentialité", Word.PRIVACY, "fr"),
        ("my data", Word.MYDATA, "en"),
        ("cambiar", Word.CHANGE, "es"),
        ("pessoa", Word.PERSON, "pt"),
        ("شخص", Word.PERSON, "ar"),
        ("langue", Word.LANGUAGE, "fr"),
        ("restart", Word.RESTART, "en"),
    ],
)
def test_each_word_is_known_in_each_language(text: str, word: Word, language: str) -> None:
    keyword = recognise(text, ALL)
    assert keyword is not None
    assert (keyword.word, keyword.language, keyword.sure) == (word, language, True)


def test_a_word_shared_by_languages_is_said_in_the_persons() -> None:
    keyword = recognise("menu", ["fr", "en"])
    assert keyword is not None
    assert keyword.language == "fr"


PROMISED = re.compile(r"\b(?!SMS\b|MENU\b)[A-Z]{4,}\b|كلمة \w+|MENU")
NOT_SENT = {"ISCO"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_word_we_ask_for_is_understood(language: str) -> None:
    texts = list(phrases(language).values())
    for file in library().values():
        for question in load(file).questions:
            texts.append(question.text.get(language, ""))
            texts += [each.get(language, "") for _, each in question.other_texts()]
    asked_for = {word for text in texts for word in PROMISED.findall(text)} - NOT_SENT
    assert len(asked_for) >= 5
    for word in asked_for - {"كلمة لنحفظها"}:
        heard = recognise(word, [language]) or recognise(f"{word} CPT4", [language])
        assert heard or inside(normalise(word)), word


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lines_of_the_menu_may_be_typed_anywhere(language: str) -> None:
    """Who has seen the menu once remembers its words rather than ours."""
    lines = [("menu", "person", Word.PERSON), ("stop", "stop", Word.STOP)]
    lines.append(("stop", "less", Word.LESS))
    for asked, value, word in lines:
        aside = load(library()["menu" if asked == "menu" else "stop_or_stay"])
        question = aside.question(asked)
        assert isinstance(question, Listed)
        keyword = recognise(question.label(value, language), [language])
        assert keyword is not None
        assert (keyword.word, keyword.sure) == (word, True)


@pytest.mark.parametrize(("text", "theirs"), [("STOP", True), ("Arret", True), ("توقف", False)])
def test_the_provider_confirms_only_its_own_words(text: str, *, theirs: bool) -> None:
    assert is_providers(text) is theirs


def test_a_misspelt_delete_is_not_delete() -> None:
    assert recognise("delte", ALL) is None


def test_yes_starts_again_only_for_somebody_who_stopped() -> None:
    assert recognise("YES", ALL) is None
    assert recognise("yes", ALL, opted_out=True) == Keyword(Word.START, "en")


@pytest.mark.parametrize("text", ["JOIN CPT4F", "join CPT4F", "Rejoindre CPT4F", "انضم CPT4F"])
def test_join_carries_its_code(text: str) -> None:
    keyword = recognise(text, ALL)
    assert keyword is not None
    assert (keyword.word, keyword.argument) == (Word.JOIN, "CPT4F")


def test_join_without_a_code_is_nothing() -> None:
    assert recognise("join", ALL) is None
    assert recognise("join us tomorrow", ALL) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello!", "en"),
        ("hi", "en"),
        ("Good morning", "en"),
        ("Bonjour", "fr"),
        ("salut", "fr"),
        ("Hola, buenos días", "es"),
        ("Olá", "pt"),
        ("bom dia", "pt"),
        ("مرحبا", "ar"),
        ("السلام عليكم", "ar"),
    ],
)
def test_a_greeting_is_heard_in_its_language(text: str, language: str) -> None:
    assert recognise(text, ALL) == Keyword(Word.HELLO, language)


@pytest.mark.parametrize("text", ["hello I need a passport", "bonjour tristesse", "hi 5", "hill"])
def test_more_than_a_greeting_is_an_answer(text: str) -> None:
    assert recognise(text, ALL) is None


def test_words_inside_a_question() -> None:
    assert [inside(word) for word in ("back", "retour", "skip", "تخطي", "more", "شخص", "1")] == [
        "back",
        "back",
        "skip",
        "skip",
        "more",
        "person",
        None,
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=80))
def test_no_text_breaks_recognition(text: str) -> None:
    recognise(text, ALL)
    recognise(f"/{text}", [])
