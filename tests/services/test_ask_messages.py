"""What a sending says to one person: who asks, and by SMS how to get no more."""

from typing import Any
from uuid import UUID

import pytest

from flows.lengths import LONGEST_NAMES
from flows.loader import library, load
from flows.sms import measure
from flows.wording import LANGUAGES
from models import BroadcastKind
from services.audiences.dry_run import parts_in
from services.broadcasts.ask_messages import Person, Telling, compose
from services.messages.rendering import body_for, render
from tests.conftest import BEGINNING

ID = UUID(int=1)
FLOW = load(library()["yearly-meeting"])
WAY_OUT = {
    "en": "STOP to stop.",
    "fr": "STOP pour terminer.",
    "es": "STOP para terminar.",
    "pt": "STOP para parar.",
    "ar": "STOP للتوقف.",
}


def telling(kind: BroadcastKind) -> Telling:
    return Telling(
        kind=kind,
        ask_id=ID,
        broadcast_id=ID,
        flow=FLOW,
        version_id=ID,
        code="k7m2pq",
        asked_by=LONGEST_NAMES["organisation"],
    )


def person(language: str, **more: Any) -> Person:
    return Person(ID, language, None, None, tags=0, channel_kind="sms", **more)


def body(kind: BroadcastKind, channel: str, person: Person) -> str:
    content = compose(telling(kind), person, BEGINNING).content
    prompt = render(content, flow=FLOW, language=person.language, names=LONGEST_NAMES)
    return body_for(channel, prompt)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_push_by_sms_ends_with_the_way_out_and_a_chat_has_none(language: str) -> None:
    asked = body(BroadcastKind.INVITATION, "sms", person(language))
    assert asked.splitlines()[-1] == WAY_OUT[language]
    assert "STOP" not in body(BroadcastKind.INVITATION, "telegram", person(language))
    length = measure(asked)
    assert length.parts == {"en": 1, "fr": 2, "es": 3, "pt": 3, "ar": 2}[language], asked
    told = parts_in(FLOW, [language], LONGEST_NAMES, now=BEGINNING)
    assert told == {language: length.parts}, "a dry run counts what is sent"


def test_a_reminder_ends_with_it_too() -> None:
    state = compose(telling(BroadcastKind.INVITATION), person("en"), BEGINNING).state
    reminded = body(BroadcastKind.REMINDER, "sms", person("en", session_id=ID, state=state))
    assert reminded.startswith("A reminder from ")
    assert reminded.splitlines()[-1] == WAY_OUT["en"]
