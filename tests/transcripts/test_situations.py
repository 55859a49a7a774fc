"""Which transcript shows which situation, so that none is forgotten.

A situation names the transcripts that show it, by channel where they differ, and phrases of ours
that must be said in each. Consultations and relays are told by the transcripts of their own.
"""

import re
from pathlib import Path

import pytest

from commands.chats import Chat, parse
from flows.loader import library, load
from flows.wording import LANGUAGES, phrase

HERE = Path(__file__).parent
PHONES = {"telegram", "whatsapp", "sms"}
CHAT_APPS = PHONES - {"sms"}
TOGETHER = {"telegram", "sms"}
OF = {
    # Registration, rights and leaving on each channel.
    "registration on Telegram": ("situation-t1-registration", "did_you_mean welcome_at"),
    "registration on WhatsApp": ("situation-w1-registration", "hint_country no_voice"),
    "registration by SMS": ("situation-s1-registration", "help_choice example_choice stuck"),
    "withdrawing on Telegram": ("situation-t4-withdraw", "erased"),
    "withdrawing on WhatsApp": ("situation-w4-withdraw", "stopped erased"),
    "withdrawing by SMS": ("situation-s4-withdraw", "started erased"),
    # Before and around registration.
    "more about the consent": ("tell-me-more", ""),
    "consent refused": ("consent-refused", "refused"),
    "refused, and come back": ("refused-then-start", ""),
    "refused by a number": ("refused-by-number-fr", "refused"),
    "an open question answered by voice": ("voice-answer", "voice_kept no_voice"),
    "under 18": ("under-18", "under_age"),
    "an age in figures": ("age-in-figures", "did_you_mean under_age"),
    "three rungs of help": ("wrong-answers", "help_consent example_consent stuck"),
    "a misspelt answer": ("did-you-mean", "did_you_mean"),
    "back and skip": ("back-and-skip", ""),
    "a required question skipped": ("skip-required", "required"),
    "begun again": ("restart", ""),
    "registered already": ("registered-already", "registered_already nothing_open"),
    "one reminder": ("reminder", "reminder"),
    "no reminder before consent": ("no-reminder-before-consent", ""),
    "back within 14 days": ("resume-after-6-days", "welcome_at"),
    "back after 14 days": ("unfinished-after-14-days", "expired"),
    "another phone": ("link-sms-to-telegram", "link_code merged"),
    # Rights and words for everything.
    "STOP and START": ("stop-and-start", "stopped started"),
    "STOP and START by SMS": ("stop-and-start-sms", "started"),
    "STOP in a sentence": ("stop-in-a-sentence", "stayed"),
    "STOP in a word no provider knows": ("stop-in-arabic-on-sms", "stopped"),
    "less often": ("less-often", "how_often_changed only_urgent"),
    "less often, by its words": ("less-often-in-portuguese", "how_often_changed"),
    "MYDATA": ("mydata", "mydata"),
    "MYDATA in another language": ("mydata-in-french", "mydata"),
    "MYDATA by SMS": ("mydata-on-sms", "mydata sees_sms"),
    "MYDATA of a stranger": ("mydata-stranger", "nothing_kept"),
    "CHANGE": ("change", "which_change thanks"),
    "CHANGE of what we may write": ("change-what-we-write", "which_change"),
    "CHANGE of the country": ("change-in-spanish", "which_change"),
    "CHANGE given up": ("change-your-mind", "kept_as_is"),
    "DELETE": ("delete", "kept erased nothing_to_erase"),
    "PERSON": ("person", "person_told case_noted"),
    "PERSON in Arabic": ("person-in-arabic", "person_told"),
    "danger": ("danger", "danger_told"),
    "PRIVACY on Telegram": ("privacy-on-telegram", "privacy sees_telegram"),
    "PRIVACY on WhatsApp": ("privacy-on-whatsapp", "privacy sees_whatsapp"),
    "PRIVACY by SMS": ("privacy-on-sms", "privacy sees_sms"),
    "PRIVACY in Arabic": ("privacy-in-arabic-on-sms", "privacy sees_sms"),
    "HELP": ("help", "help"),
    "the menu": ("menu-everything", "person_told kept"),
    "the menu by digits": ("help-on-sms", ""),
    "another language later": ("menu-and-language", "language_changed"),
    "renewal": ("renewal", "renewed"),
    "renewal by SMS": ("renewal-by-sms", "number_confirmed"),
    "renewal unanswered": ("renewal-unanswered", ""),
    # Everything people send.
    "voice notes and pins": ("not-text", "no_voice photo_not_kept pin_not_needed"),
    "stickers": ("stickers", "contact_not_kept"),
    "old buttons": ("old-button", "already_answered"),
    "slow answers": ("slow-answers", "already_answered"),
    "other languages": ("other-languages", ""),
    "everything on Telegram": (
        "everything-sent-on-telegram",
        "photo_not_kept contact_not_kept group edited already_answered",
    ),
    "everything on WhatsApp": (
        "everything-sent-on-whatsapp",
        "photo_not_kept contact_not_kept not_text pin_not_needed no_voice",
    ),
    "everything by SMS": ("everything-sent-on-sms", "photo_not_kept did_you_mean"),
    # Passing polls on.
    "a leader on Telegram": (
        "relay-on-telegram",
        "relay_first relay_welcome relay_ready relay_sheet relay_group group_poll group relay_full"
        " relay_goal relay_not_leader code_closed",
    ),
    "a leader on WhatsApp, invited by number": (
        "relay-on-whatsapp",
        "relay_first relay_welcome relay_helper relay_reach relay_few relay_goal code_closed",
    ),
    "a leader by SMS, invited by number": (
        "relay-by-sms",
        "relay_first relay_welcome relay_helper relay_reach relay_few relay_goal code_closed",
    ),
    "a leader in French": ("relay-fr", "relay_first relay_welcome relay_ready relay_about"),
    "a leader in Arabic": ("relay-ar", "relay_first relay_welcome relay_ready relay_about"),
    # A poll from the push to what is done with it.
    "a push on Telegram": (
        "poll-t2-pushed",
        "asks_you poll_named poll_so_far poll_found poll_next",
    ),
    "a push on WhatsApp": ("poll-w2-pushed", "poll_named poll_so_far poll_found poll_next"),
    "a push by SMS": ("poll-s2-pushed", "asks_you poll_said poll_so_far poll_found poll_next"),
    "a poll by its word": ("poll-keyword", "poll_named poll_said poll_answered"),
    "a poll by its code": ("poll-by-code-en", "poll_named poll_result_by"),
    "not now": ("poll-not-now", ""),
    "not now on WhatsApp": ("poll-not-now-pressed", "poll_named"),
    "the silent reminded": ("poll-reminder", "asks_again poll_named poll_hidden"),
    "the silent reminded on WhatsApp": ("poll-reminder-on-whatsapp", "poll_named"),
    "an answer changed": ("poll-change", "poll_answered poll_over poll_next_by"),
    "an answer too late": ("poll-late", "poll_over poll_found poll_next poll_more nothing_open"),
    "a poll that is closed": ("poll-closed", "poll_over poll_hidden poll_next"),
    "a secret poll": (
        "poll-secret",
        "poll_secret vote_taken voted_already reported_vote poll_over poll_found",
    ),
    "an answer too late by SMS": ("poll-late-by-sms", "poll_over poll_found poll_next"),
    "a secret poll by SMS": ("poll-secret-by-sms", "poll_secret vote_taken voted_already"),
    "a secret poll on WhatsApp": ("poll-secret-on-whatsapp", "poll_secret vote_taken"),
    "STOP with a poll waiting": ("poll-stop", "stopped started"),
    "STOP by SMS with a poll waiting": ("poll-stop-by-sms", "started"),
    "several questions": ("poll-several", "redacted thanks"),
    "a leader asks": ("poll-leader-asks", "asks_you asks_again"),
    "a leader asks on WhatsApp": ("poll-leader-asks-on-whatsapp", "asks_you"),
    "an earlier push answered": ("poll-older-button", "poll_answered_all"),
    "two polls at once": ("poll-in-between", "poll_said"),
    "the result, and what is done later": ("poll-promise", "poll_next_by poll_next"),
    "a poll withdrawn": ("poll-withdrawn", "poll_canceled"),
    # More questions, each with its own consent.
    "module A": ("module-a-skills", "thanks"),
    "module B": ("module-b-contribution", "thanks"),
    "module C": ("module-c-needs", "thanks"),
    "module D": ("module-d-organisations", "thanks"),
    "module E": ("module-e-safety", ""),
    "module F": ("module-f-attachment", "thanks"),
    "module G": ("module-g-network", "declined thanks"),
}
ON = {
    "registration on Telegram": {"telegram"},
    "registration on WhatsApp": {"whatsapp"},
    "registration by SMS": {"sms"},
    "withdrawing on Telegram": {"telegram"},
    "withdrawing on WhatsApp": {"whatsapp"},
    "withdrawing by SMS": {"sms"},
    "another phone": {"sms"},
    "STOP and START": CHAT_APPS,
    "STOP and START by SMS": {"sms"},
    "consent refused": CHAT_APPS,
    "refused, and come back": CHAT_APPS,
    "refused by a number": {"sms", "telegram"},
    "STOP in a sentence": set(),
    "STOP in a word no provider knows": {"sms"},
    "PRIVACY on Telegram": {"telegram"},
    "PRIVACY on WhatsApp": {"whatsapp"},
    "PRIVACY by SMS": {"sms"},
    "PRIVACY in Arabic": {"sms"},
    "HELP": CHAT_APPS,
    "MYDATA in another language": CHAT_APPS,
    "MYDATA by SMS": {"sms"},
    "the menu": CHAT_APPS,
    "the menu by digits": {"sms"},
    "renewal": {"telegram"},
    "renewal by SMS": {"sms"},
    "renewal unanswered": {"telegram", "sms"},
    "voice notes and pins": CHAT_APPS,
    "stickers": {"telegram"},
    "old buttons": CHAT_APPS,
    "slow answers": CHAT_APPS,
    "everything on Telegram": {"telegram"},
    "everything on WhatsApp": {"whatsapp"},
    "everything by SMS": {"sms"},
    "a leader on Telegram": {"telegram"},
    "a leader on WhatsApp, invited by number": {"whatsapp"},
    "a leader by SMS, invited by number": {"sms"},
    "a leader in French": {"whatsapp"},
    "a leader in Arabic": {"whatsapp"},
    "a push on Telegram": {"telegram"},
    "a push on WhatsApp": {"whatsapp"},
    "a push by SMS": {"sms"},
    "not now": TOGETHER,
    "not now on WhatsApp": {"whatsapp"},
    "the silent reminded": TOGETHER,
    "the silent reminded on WhatsApp": {"whatsapp"},
    "an answer changed": TOGETHER,
    "an answer too late": {"telegram"},
    "a secret poll": {"telegram"},
    "an answer too late by SMS": {"sms"},
    "a secret poll by SMS": {"sms"},
    "a secret poll on WhatsApp": {"whatsapp"},
    "STOP with a poll waiting": CHAT_APPS,
    "STOP by SMS with a poll waiting": {"sms"},
    "a leader asks": TOGETHER,
    "a leader asks on WhatsApp": {"whatsapp"},
    "an earlier push answered": {"telegram"},
    "two polls at once": TOGETHER,
    "the result, and what is done later": TOGETHER,
}
"""Where a situation is no matter of all three: it exists there only, or goes otherwise."""


def chat(name: str) -> Chat:
    return parse((HERE / f"{name}.chat").read_text(encoding="utf-8"))


def said(name: str) -> str:
    """Everything we say in a transcript, without its line breaks."""
    return " ".join(
        shown.text.replace("\n", " ") for turn in chat(name).turns for shown in turn.shown
    )


@pytest.mark.parametrize("situation", OF)
def test_a_situation_is_shown_on_its_channels_with_our_words(situation: str) -> None:
    name, phrases = OF[situation]
    played = chat(name)
    assert ON.get(situation, PHONES) <= set(played.channels)
    assert "full" in played.runs
    for one in phrases.split():
        fixed = re.split(r"\{\w+\}", phrase(one, played.language))
        for words in filter(None, map(str.strip, fixed)):
            assert words in said(name), f"{one} is not said"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_main_path_is_shown_in_every_language_on_every_phone(language: str) -> None:
    words, digits = chat(f"registration-{language}"), chat(f"registration-by-digits-{language}")
    assert set(words.channels) >= PHONES
    assert set(digits.channels) == {"whatsapp", "sms"}
    for played in (words, digits):
        assert (played.flow, played.language) == ("registration", language)
        answered = [one.split()[1] for turn in played.turns for one in turn.effects]
        asked = [one.id for one in load(library()["registration"]).questions if one.waits]
        assert set(asked) - {"consent"} <= set(answered)
        assert played.turns[-1].effects[-1] == "session complete"


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_a_poll_is_shown_in_every_language_on_every_phone(language: str) -> None:
    names = ("pushed", "pushed-by-sms", "pushed-on-whatsapp", "secret", "by-code")
    played = [chat(f"poll-{name}-{language}") for name in names]
    assert {one.language for one in played} == {language}
    assert set().union(*(one.channels for one in played[:3])) == PHONES
