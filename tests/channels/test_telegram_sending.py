"""What a person sees on Telegram after we have sent, edited and closed."""

import asyncio
from collections.abc import Iterator

import pytest

from bot.channels import CHANNELS
from bot.channels.base import Delivery, SendError
from bot.channels.transport import open_client
from flows.wording import Choice, Prompt
from tests.channels.views import TOKEN, YES_NO, choices, delivery, view
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_people import Person

CHANNEL = view("telegram")
ME = "telegram:1001"


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram(limits=False) as fake:
        fake.bot(TOKEN)
        yield fake


@pytest.fixture
def person(fake: FakeTelegram) -> Person:
    person = fake.person(1001)
    person.send("hello")
    return person


def send(fake: FakeTelegram, *messages: Delivery) -> list[str]:
    async def go() -> list[str]:
        async with open_client() as http:
            return [await CHANNELS["telegram"].send(http, CHANNEL, one) for one in messages]

    return asyncio.run(go())


def test_a_question_arrives_with_its_buttons_and_its_id(fake: FakeTelegram, person: Person) -> None:
    [sent] = send(fake, delivery(ME, base=fake.url))
    assert (person.last.id, person.last.text) == (int(sent), YES_NO.text)
    assert person.last.labels == ["Yes", "No"]
    assert person.last.button("Yes")["callback_data"] == "a1.q1.v1"


def test_words_arrive_exactly_as_they_are(fake: FakeTelegram, person: Person) -> None:
    text = '<b>x</b> & "y" *1* _z_ [k](http://e.example) \u2068عمّان\u2069'
    send(fake, delivery(ME, Prompt(text), base=fake.url))
    assert person.last.text == text
    assert fake.log[-1].fields["link_preview_options"] == {"is_disabled": True}
    assert "parse_mode" not in fake.log[-1].fields


def test_the_answered_question_loses_its_buttons(fake: FakeTelegram, person: Person) -> None:
    [asked] = send(fake, delivery(ME, base=fake.url))
    send(fake, delivery(ME, Prompt("Thank you."), base=fake.url, closes=asked))
    assert [bubble.labels for bubble in person.bubbles] == [[], []]
    assert person.last.text == "Thank you."


NUMBER = Prompt(
    "May we have your phone number?",
    style="contact",
    navigation=(Choice("Send my number", "a1.own.share", ""), Choice("Skip", "a1.own.skip", "")),
)


def test_the_own_number_is_one_key_away(fake: FakeTelegram, person: Person) -> None:
    send(fake, delivery(ME, NUMBER, base=fake.url))
    assert person.chat.keyboard == [
        {"text": "Send my number", "request_contact": True},
        {"text": "Skip"},
    ]
    assert person.last.labels == []


def test_the_keyboard_goes_with_the_next_message(fake: FakeTelegram, person: Person) -> None:
    """A message with buttons of its own cannot take it away, so a short one goes before it."""
    asked = delivery(ME, NUMBER, base=fake.url)
    send(fake, asked, delivery(ME, Prompt("Done."), base=fake.url, parting="Thank you."))
    assert [bubble.text for bubble in person.bubbles] == [NUMBER.text, "Done."]
    assert person.chat.keyboard == []
    send(fake, asked, delivery(ME, base=fake.url, parting="Thank you."))
    assert [bubble.text for bubble in person.bubbles[-2:]] == ["Thank you.", YES_NO.text]
    assert person.last.labels == ["Yes", "No"]
    assert person.chat.keyboard == []


def test_closing_is_best_effort(fake: FakeTelegram, person: Person) -> None:
    fake.script.add("status", method="editmessagereplymarkup", code=500)
    send(fake, delivery(ME, base=fake.url, closes="4711"))
    send(fake, delivery(ME, base=fake.url, closes="not-an-id"))
    assert len(person.bubbles) == 2


def test_ticks_change_only_the_buttons(fake: FakeTelegram, person: Person) -> None:
    done = (Choice("Done", "a1.q1.done", ""),)
    options = choices("News", "Work")
    [asked] = send(fake, delivery(ME, Prompt("?", options, "multi", (), done), base=fake.url))
    ticked = Prompt("?", options, "multi", ("a1.q1.v1",), done)
    [edited] = send(fake, delivery(ME, ticked, base=fake.url, edits=asked))
    assert edited == asked
    assert [b.labels for b in person.bubbles] == [["☑ News", "☐ Work", "Done"]]
    assert fake.log[-1].method == "editmessagereplymarkup"


def test_another_page_replaces_text_and_buttons_of_the_same_message(
    fake: FakeTelegram, person: Person
) -> None:
    [asked] = send(fake, delivery(ME, Prompt("1 of 2", choices("a", "b"), "choice"), base=fake.url))
    page = Prompt("2 of 2", choices("c", "d"), "choice")
    send(fake, delivery(ME, page, base=fake.url, edits=asked))
    assert [(b.text, b.labels) for b in person.bubbles] == [("2 of 2", ["c", "d"])]


def test_an_edit_that_changes_nothing_has_succeeded(fake: FakeTelegram, person: Person) -> None:
    [asked] = send(fake, delivery(ME, base=fake.url))
    assert send(fake, delivery(ME, base=fake.url, edits=asked)) == [asked]


def test_an_edit_of_a_message_that_is_gone_is_sent_anew(fake: FakeTelegram, person: Person) -> None:
    [sent] = send(fake, delivery(ME, base=fake.url, edits="4711"))
    assert person.last.id == int(sent)


def test_a_blocked_bot_is_told_so(fake: FakeTelegram, person: Person) -> None:
    person.block()
    with pytest.raises(SendError) as refused:
        send(fake, delivery(ME, base=fake.url))
    assert refused.value.blocked


def test_a_group_is_answered_in_its_topic(fake: FakeTelegram) -> None:
    group = fake.group(-100200)
    send(fake, delivery("telegram:-100200/45", Prompt("Write to me."), base=fake.url))
    assert [bubble.text for bubble in group.chat.bubbles.values()] == ["Write to me."]
    assert fake.log[-1].fields["message_thread_id"] == 45


@pytest.mark.parametrize("text", ["", "x" * 4097])
def test_an_impossible_text_never_leaves(fake: FakeTelegram, person: Person, text: str) -> None:
    with pytest.raises(SendError) as refused:
        send(fake, delivery(ME, Prompt(text), base=fake.url))
    assert refused.value.alert
    assert not fake.log


@pytest.mark.parametrize("address", ["sms:+44", "telegram:", "telegram:x", "1001"])
def test_an_address_of_another_channel_is_refused(fake: FakeTelegram, address: str) -> None:
    with pytest.raises(SendError) as refused:
        send(fake, delivery(address, base=fake.url))
    assert refused.value.dead
