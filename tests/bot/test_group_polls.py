"""A leader's poll in their Telegram group: anonymous, posted once, and kept apart."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.channels.base import WebhookRequest
from bot.webhooks import receive
from models.ask import AskMode
from models.db import transaction
from models.relay import GroupPoll, GroupPollStatus, Leader
from services import audit
from services.asks import closing
from services.relays import leaders
from tests.bot.conftest import TOKEN, Desk
from tests.bot.test_relays import heard, lead
from tests.bot.test_relays import poll as poll
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_people import Group
from tests.fakes.telegram_state import Bubble, Fields, NativePoll

CHAT = -1_002_000_000_777
SECRET = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
def group(desk: Desk, telegram: FakeTelegram) -> Group:
    """A group with the bot in it, which has a name."""
    desk.change("update channels set sender = 'fake_desk_bot' where kind = 'telegram'")
    desk.homeline.directory._by_key.clear()  # the channel is kept for seconds, without its name
    made = telegram.group(CHAT, bot=telegram.bot(TOKEN))
    made.chat.bubbles.clear()
    return made


def say(desk: Desk, text: str, person: int = 1) -> Any:
    """Somebody writes into the group; what the webhook answers."""
    user = {"id": person, "is_bot": False, "first_name": "P", "language_code": "en"}
    chat = {"id": CHAT, "type": "supergroup", "title": "A group"}
    said = {"message_id": 500, "from": user, "chat": chat, "date": 1, "text": text}
    return tell(desk, {"update_id": 1, "message": said})


def tell(desk: Desk, update: Fields) -> Any:
    """Telegram brings an update; what it is answered."""
    view = desk.homeline.directory.read_channel(desk.organisation_id, desk.views["telegram"].id)
    assert view is not None
    headers = {SECRET: view.credentials["secret"]}
    request = WebhookRequest("POST", "/", "", headers, json.dumps(update).encode(), "")
    answer = receive(desk.homeline, "telegram", view.key, request)
    assert answer.status == 200
    return json.loads(answer.body)


def posted(desk: Desk, group: Group) -> Bubble:
    """What the worker posted."""
    desk.homeline.groups.post()
    [bubble] = group.bubbles
    assert bubble.poll is not None
    return bubble


def votes(poll: NativePoll, *counts: int, closed: bool = False) -> Fields:
    """What Telegram tells of it: so many votes for each option."""
    told = poll.as_api()
    options = [
        {"text": text, "voter_count": count}
        for text, count in zip(poll.options, counts, strict=True)
    ]
    return {"update_id": 2, "poll": told | {"options": options, "is_closed": closed}}


def only(desk: Desk) -> GroupPoll:
    with transaction(desk.engine, desk.organisation_id) as db:
        return db.scalars(select(GroupPoll)).one()


def test_a_leader_posts_an_anonymous_poll_with_the_way_to_private(
    desk: Desk, poll: UUID, group: Group
) -> None:
    lead(desk)
    desk.hear("1")
    code = desk.scalar("select code from relays")
    desk.hear("In my Telegram group")
    assert heard(desk)[0].endswith(f"https://t.me/fake_desk_bot?startgroup={code}")
    answer = say(desk, f"/start@fake_desk_bot {code}")
    assert answer["chat_id"] == CHAT
    assert answer["text"].endswith(f"https://t.me/fake_desk_bot?start={code}")
    bubble = posted(desk, group)
    assert bubble.poll is not None
    assert (bubble.poll.question, bubble.poll.anonymous) == ("When should we be open?", True)
    assert bubble.poll.options == ["Mornings", "Saturday"]
    [[button]] = bubble.rows
    assert button == {
        "text": "Answer in private", "url": f"https://t.me/fake_desk_bot?start={code}",
    }  # fmt: skip


def test_it_is_posted_once_though_asked_for_and_delivered_again(
    desk: Desk, poll: UUID, group: Group
) -> None:
    lead(desk)
    assert "follows" in say(desk, "/relay")["text"]
    assert "before" in say(desk, "/relay")["text"]
    posted(desk, group)
    assert "before" in say(desk, "/relay")["text"]
    posted(desk, group)


def test_nobody_but_a_leader_has_anything_posted(desk: Desk, poll: UUID, group: Group) -> None:
    lead(desk)
    desk.hear("1")
    code = desk.scalar("select code from relays")
    desk.register(2)
    for text, person in (("/relay", 2), (f"/start {code}", 2), ("/relay", 3), ("/relay", 777000)):
        assert say(desk, text, person)["text"].startswith("Please write to me in private.")
    lead(desk, 4)
    assert say(desk, f"/start {code}", 4)["text"].startswith("No poll is open")
    assert desk.homeline.groups.post() == 0
    assert desk.scalar("select count(*) from contacts") == 3


def test_what_telegram_counts_stands_apart_and_ends_with_the_poll(
    desk: Desk, poll: UUID, group: Group
) -> None:
    lead(desk)
    say(desk, "/relay")
    native = posted(desk, group).poll
    assert native is not None
    tell(desk, votes(native, 3, 1))
    assert only(desk).tallies == {"mornings": 3, "saturday": 1}
    tell(desk, votes(native, 30, 12, closed=True))
    tell(desk, votes(native, 0, 0))
    kept = only(desk)
    assert (kept.status, kept.tallies) == (
        GroupPollStatus.CLOSED, {"mornings": 30, "saturday": 12},
    )  # fmt: skip
    assert kept.chat is None
    assert desk.scalar("select count(*) from answers where flow = 'passport-hours'") == 0


def test_a_poll_is_stopped_with_its_ask(desk: Desk, poll: UUID, group: Group) -> None:
    lead(desk)
    say(desk, "/relay")
    native = posted(desk, group).poll
    assert native is not None
    native.votes.update(dict.fromkeys(range(11), 1))
    with transaction(desk.engine, desk.organisation_id) as db:
        later = (desk.clock.now() + timedelta(days=9)).date()
        closing.close(db, poll, later_by=later, now=desk.clock.now())
    assert desk.homeline.groups.post() == 1
    assert native.closed
    assert only(desk).tallies == {"mornings": 0, "saturday": 11}
    assert desk.homeline.groups.post() == 0


def test_where_it_may_not_be_posted_the_leader_hears_and_can_ask_again(
    desk: Desk, poll: UUID, group: Group
) -> None:
    lead(desk)
    say(desk, "/relay")
    group.chat.blocked = True
    desk.homeline.groups.post()
    assert heard(desk)[0].startswith("I could not post in your group.")
    group.chat.blocked = False
    assert "follows" in say(desk, "/relay")["text"]
    posted(desk, group)


def test_a_secret_poll_is_not_posted(desk: Desk, poll: UUID, group: Group) -> None:
    lead(desk)
    mode = AskMode.SECRET.value
    desk.change("update asks set mode = :mode", mode=mode)
    desk.change("update organisations set catalogue_version = catalogue_version + 1")
    assert say(desk, "/relay")["text"].startswith("No poll is open")


def test_a_revoked_leader_posts_nothing(desk: Desk, poll: UUID, group: Group) -> None:
    lead(desk)
    with transaction(desk.engine, desk.organisation_id) as db:
        leader = db.scalars(select(Leader)).one()
        leaders.revoke(db, leader.id, actor=audit.SYSTEM, now=desk.clock.now())
    assert say(desk, "/relay")["text"].startswith("Please write to me in private.")
