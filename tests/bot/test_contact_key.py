"""The key that sends the own number on Telegram: webhook, database, delivery, and back."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from flows.flow import build
from services import flows
from tests.bot.conftest import TOKEN, Desk
from tests.bot.test_webhooks import post_update
from tests.factories import Factory
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_people import Person

NUMBER = "+27821234567"
FLOW: dict[str, Any] = {
    "flow": "call",
    "kind": "module",
    "languages": ["en"],
    "purpose": {"why": "call back", "owner": "the desk", "decision": "whom to call"},
    "questions": [
        {"id": "own", "type": "contact", "required": "no", "text": {"en": "Your number?"}},
        {"id": "calls", "type": "yes_no", "text": {"en": "May we call?"}},
    ],
}


class Chat:
    """One person with the app, whose updates come in by the webhook."""

    def __init__(self, client: FlaskClient, desk: Desk, person: Person) -> None:
        self._client, self._desk, self.person = client, desk, person
        self._ids = iter(range(1, 1000))

    def send(self, **content: Any) -> None:
        number = next(self._ids)
        message = {"message_id": number, "date": 1_700_000_000, "chat": self.person.chat.fields}
        update = {"update_id": number, "message": message | {"from": self.person.user} | content}
        assert post_update(self._client, self._desk, json.dumps(update).encode()).status_code == 200
        self._desk.deliver()

    def share(self, owner: int) -> None:
        """Send a contact card with this person's id in it."""
        card = {"phone_number": NUMBER.removeprefix("+"), "first_name": "A", "user_id": owner}
        self.send(contact=card)

    @property
    def keys(self) -> list[str]:
        return [str(key["text"]) for key in self.person.chat.keyboard]

    @property
    def last(self) -> str:
        return self.person.last.text


@pytest.fixture
def chat(
    desk: Desk, making: Callable[[], AbstractContextManager[Factory]], telegram: FakeTelegram
) -> Chat:
    with making() as make:
        flows.publish(make.db, build(FLOW), now=make.now)
        code = flows.create_code(make.db, "call", now=make.now).code
    account = telegram.bot(TOKEN)
    person = telegram.person(987_654, bot=account)
    account.chats[person.id] = person.chat
    chat = Chat(create_app(homeline=desk.homeline).test_client(), desk, person)
    for text in ("hello", "1", "1", "Kenya", "1,2", "Nairobi", f"/start {code}"):
        chat.send(text=text)
    return chat


def test_the_key_is_offered_and_taken_away_with_the_number(chat: Chat, desk: Desk) -> None:
    assert chat.last.endswith("Your number?")
    assert chat.keys[0] == "Send my number"
    chat.share(chat.person.id)
    assert chat.last.endswith("May we call?")
    assert chat.keys == []
    rows = desk.ask("select sealed is not null, value from answers where question = 'own'")
    assert rows == [(True, None)]
    everything = "".join(
        desk.scalar(f"select string_agg(cast(t.* as text), '') from {table} t") or ""
        for table in ("answers", "messages", "profiles", "conversations")
    )
    assert NUMBER[1:] not in everything, "the number is sealed"


def test_somebody_elses_card_is_not_taken_and_the_key_stays(chat: Chat, desk: Desk) -> None:
    chat.share(42)
    assert chat.last.endswith("Your number?")
    assert chat.keys[0] == "Send my number"
    assert desk.scalar("select count(*) from answers where question = 'own'") == 0


def test_the_key_can_be_left_alone(chat: Chat) -> None:
    chat.send(text="Skip")
    assert chat.last.endswith("May we call?")
    assert chat.keys == []
