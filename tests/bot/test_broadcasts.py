"""A sending reaches everybody it is meant for once, at a permitted hour, or says why not."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from flows.inputs import Pressed
from models import Ask, AskKind, Broadcast, BroadcastKind, BroadcastStatus
from models.ask import AskerKind
from models.db import transaction
from services import audit
from services.asks import asks, closing, publications
from services.asks.asks import NewAsk, NewAsker
from services.broadcasts import broadcasts
from services.broadcasts.broadcasts import NewBroadcast
from services.broadcasts.casting import Caster
from services.broadcasts.progress import Progress, progress
from services.errors import Conflict
from tests.bot.conftest import Desk
from tests.bot.voters import whose
from tests.fakes.telegram import FakeTelegram

NOON = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
"""Noon in Nairobi, where these people live."""
FLOW: dict[str, Any] = {
    "flow": "passport-hours",
    "kind": "poll",
    "purpose": {"why": "plan opening hours", "owner": "consul", "decision": "hours from May"},
    "about": {"en": "opening hours"},
    "languages": ["en"],
    "questions": [
        {
            "id": "when_open",
            "type": "choice",
            "text": {"en": "When should we be open?"},
            "options": [
                {"value": "mornings", "label": {"en": "Mornings"}},
                {"value": "saturday", "label": {"en": "Saturday"}},
            ],
        },
    ],
}
FIRST = 72_001
NOW = NewBroadcast(undo=timedelta())
OFFICER = audit.SYSTEM


@pytest.fixture
def caster(desk: Desk) -> Caster:
    return Caster(desk.engine)


@pytest.fixture(autouse=True)
def somebody(telegram: FakeTelegram) -> None:
    """Ten people who have opened the bot."""

    def come() -> None:
        for number in range(FIRST, FIRST + 10):
            person = telegram.person(number)
            next(iter(telegram.accounts.values())).chats.setdefault(person.id, person.chat)
            person.chat.blocked = False

    telegram.run(come)


@pytest.fixture(autouse=True)
def at_noon(desk: Desk) -> None:
    desk.clock.advance(NOON - desk.clock.now())


def opened(desk: Desk, **changed: Any) -> UUID:
    """A poll that takes answers."""
    with transaction(desk.engine, desk.organisation_id) as db:
        now = desk.clock.now()
        made = asks.create(db, NewAsk(**{"definition": FLOW, **changed}), now=now)
        return asks.open_ask(db, made.id, allow_missing_languages=True, now=now).id


def begun(
    desk: Desk, ask_id: UUID, kind: BroadcastKind = BroadcastKind.INVITATION,
    new: NewBroadcast = NOW,
) -> UUID:  # fmt: skip
    with transaction(desk.engine, desk.organisation_id) as db:
        return broadcasts.begin(db, asks.get(db, ask_id), kind, new, now=desk.clock.now()).id


def turn(desk: Desk, caster: Caster) -> None:
    """Let the worker take turns until nothing is left to do at this moment."""
    for _ in range(40):
        if not caster.turn(desk.clock.now()):
            return
    raise AssertionError("the turns have no end")


def done(desk: Desk, sending: UUID) -> tuple[Progress, BroadcastStatus]:
    with transaction(desk.engine, desk.organisation_id) as db:
        row = db.scalars(select(Broadcast).where(Broadcast.id == sending)).one()
        return progress(db, row), row.status


def crowd(desk: Desk, *kinds: str) -> list[UUID]:
    """One member on each of these channels, in nothing any more."""
    people = []
    for person, kind in enumerate(kinds, start=FIRST):
        desk.register(person, kind)
        people.append(whose(desk, person, kind))
    desk.deliver()
    desk.clock.advance(timedelta(days=1, minutes=5))
    return people


def test_everybody_is_asked_once_on_their_channel_and_answers(desk: Desk, caster: Caster) -> None:
    people = crowd(desk, "telegram", "sms", "whatsapp")
    ask_id = opened(desk)
    sending = begun(desk, ask_id)
    turn(desk, caster)
    desk.deliver()
    turn(desk, caster)
    told = desk.ask(
        "select contact_id, content->'parts'->0->>'say', status from messages where lane = 2"
    )
    assert {row[0] for row in told if row[2] == "sent"} == set(people[:2])
    assert {row[1] for row in told} == {"asks_you"}
    desk.hear("2", FIRST)
    desk.hear("1", FIRST + 1, kind="sms")
    answers = desk.ask("select contact_id, value from answers where question = 'when_open'")
    assert dict(answers) == {people[0]: "saturday", people[1]: "mornings"}
    assert desk.ask("select distinct ask_id from flow_sessions where kind = 'poll'") == [(ask_id,)]
    found, status = done(desk, sending)
    assert (found.sent, found.waiting, found.queued) == (2, 0, 0)
    assert found.left_out == {"unreachable": 1}, "WhatsApp's window is closed, no template stands"
    assert status is BroadcastStatus.FINISHED


def test_turning_again_and_sending_again_ask_nobody_twice(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram", "sms")
    ask_id = opened(desk)
    for _ in range(2):
        begun(desk, ask_id)
        turn(desk, caster)
        desk.deliver()
        turn(desk, caster)
    assert desk.scalar("select count(*) from messages where lane = 2") == 2


def test_nothing_leaves_before_the_time_to_undo_is_over(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram")
    sending = begun(desk, opened(desk), new=NewBroadcast())
    turn(desk, caster)
    assert done(desk, sending)[0].waiting == 1
    assert desk.scalar("select count(*) from messages where lane = 2") == 0
    with transaction(desk.engine, desk.organisation_id) as db:
        broadcasts.cancel(db, sending, actor=OFFICER, now=desk.clock.now())
    desk.clock.advance(timedelta(minutes=11))
    turn(desk, caster)
    assert desk.scalar("select count(*) from messages where lane = 2") == 0
    assert done(desk, sending) == (
        Progress(answered=0, left_out={"canceled": 1}, by_channel={"telegram": 1}),
        BroadcastStatus.CANCELED,
    )


def test_at_night_people_wait_for_their_own_morning(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram")
    desk.clock.advance(timedelta(hours=10))
    sending = begun(desk, opened(desk), new=NewBroadcast(send_hour=10, undo=timedelta()))
    turn(desk, caster)
    at = desk.scalar("select send_at from recipients")
    assert at.astimezone(UTC).hour == 7, "ten in Nairobi"
    desk.clock.advance(at - desk.clock.now() - timedelta(seconds=1))
    turn(desk, caster)
    assert done(desk, sending)[0].waiting == 1
    desk.clock.advance(timedelta(seconds=2))
    turn(desk, caster)
    assert done(desk, sending)[0].queued == 1


def test_who_is_in_the_middle_of_something_is_asked_later(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram")
    sending = begun(desk, opened(desk))
    caster._expand((desk.organisation_id, sending), desk.clock.now())
    desk.hear("MENU", FIRST)
    turn(desk, caster)
    found = done(desk, sending)[0]
    assert (found.waiting, found.queued) == (1, 0)
    assert desk.scalar("select send_at from recipients") == desk.clock.now() + timedelta(hours=1)


def test_who_was_just_asked_one_thing_is_not_asked_another(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram", "sms")
    begun(desk, opened(desk))
    turn(desk, caster)
    desk.deliver()
    desk.hear("1", FIRST)
    other = FLOW | {"flow": "library-hours"}
    second = begun(desk, opened(desk, definition=other))
    turn(desk, caster)
    found = done(desk, second)[0]
    assert (found.queued, found.left_out) == (1, {"in_conversation": 1}), "who answered, and not"


def test_a_poll_that_was_withdrawn_keeps_nobody_busy(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram")
    first = opened(desk)
    begun(desk, first)
    turn(desk, caster)
    desk.deliver()
    with transaction(desk.engine, desk.organisation_id) as db:
        asks.cancel(db, first, now=desk.clock.now())
    again = begun(desk, opened(desk, definition=FLOW | {"flow": "hours-again"}))
    turn(desk, caster)
    assert done(desk, again)[0].queued == 1


def test_who_stops_before_their_hour_hears_nothing(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram", "sms")
    sending = begun(desk, opened(desk))
    caster._expand((desk.organisation_id, sending), desk.clock.now())
    desk.hear("STOP", FIRST + 1, kind="sms")
    turn(desk, caster)
    desk.deliver()
    turn(desk, caster)
    found = done(desk, sending)[0]
    assert (found.sent, found.left_out) == (1, {"stopped": 1})


def test_pausing_holds_what_waits_in_the_outbox_too(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram")
    sending = begun(desk, opened(desk))
    turn(desk, caster)
    with transaction(desk.engine, desk.organisation_id) as db:
        broadcasts.pause(db, sending, actor=OFFICER, now=desk.clock.now())
    desk.deliver()
    assert desk.scalar("select status from messages where lane = 2") == "queued"
    with transaction(desk.engine, desk.organisation_id) as db:
        broadcasts.resume(db, sending, actor=OFFICER, now=desk.clock.now())
        with pytest.raises(Conflict):
            broadcasts.resume(db, sending, actor=OFFICER, now=desk.clock.now())
    desk.deliver()
    turn(desk, caster)
    assert done(desk, sending)[0].sent == 1


def test_what_was_held_into_the_night_waits_for_the_morning(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram")
    sending = begun(desk, opened(desk), new=NewBroadcast(send_hour=10, undo=timedelta()))
    turn(desk, caster)
    with transaction(desk.engine, desk.organisation_id) as db:
        broadcasts.pause(db, sending, actor=OFFICER, now=desk.clock.now())
    desk.clock.advance(timedelta(hours=14))
    with transaction(desk.engine, desk.organisation_id) as db:
        broadcasts.resume(db, sending, actor=OFFICER, now=desk.clock.now())
    desk.deliver()
    assert done(desk, sending)[0].queued == 1, "two in the morning in Nairobi"
    at = desk.scalar("select due_at from messages where lane = 2")
    assert at.astimezone(UTC).hour == 7, "ten in Nairobi"
    desk.clock.advance(at - desk.clock.now())
    desk.deliver()
    assert done(desk, sending)[0].sent == 1


def test_only_the_silent_are_reminded_and_go_on_where_they_are(desk: Desk, caster: Caster) -> None:
    people = crowd(desk, "telegram", "sms")
    ask_id = opened(desk)
    begun(desk, ask_id)
    turn(desk, caster)
    desk.deliver()
    turn(desk, caster)
    desk.hear("1", FIRST)
    desk.clock.advance(timedelta(days=2))
    reminder = begun(desk, ask_id, BroadcastKind.REMINDER)
    turn(desk, caster)
    desk.deliver()
    turn(desk, caster)
    found, status = done(desk, reminder)
    assert (found.sent, status) == (1, BroadcastStatus.FINISHED)
    desk.hear("2", FIRST + 1, kind="sms")
    assert desk.scalar(
        "select value from answers where question = 'when_open' and contact_id = :who",
        who=people[1],
    ) == "saturday"  # fmt: skip
    assert desk.scalar("select count(*) from flow_sessions where kind = 'poll'") == 2
    with pytest.raises(Conflict):
        begun(desk, ask_id, BroadcastKind.REMINDER)


def test_who_answered_hears_what_will_be_done(desk: Desk, caster: Caster) -> None:
    people = crowd(desk, "telegram", "sms")
    ask_id = opened(desk)
    begun(desk, ask_id)
    turn(desk, caster)
    desk.hear("2", FIRST)
    with transaction(desk.engine, desk.organisation_id) as db:
        now = desk.clock.now()
        closing.close(db, ask_id, report_back={"en": "We open one Saturday a month."}, now=now)
    told = begun(desk, ask_id, BroadcastKind.REPORT_BACK)
    turn(desk, caster)
    assert done(desk, told)[0].waiting == 1, "nothing is told before the result stands"
    publications.release_ends(desk.engine, desk.homeline.keys, now=desk.clock.now())
    turn(desk, caster)
    desk.deliver()
    turn(desk, caster)
    assert done(desk, told)[0].sent == 1
    rows = desk.ask(
        "select contact_id from messages where content->'parts'->0->>'say' = 'reported_thanks'"
    )
    assert rows == [(people[0],)]


def test_who_reads_the_result_of_a_template_hears_the_outcome(desk: Desk, caster: Caster) -> None:
    crowd(desk, "whatsapp")
    desk.hear("hello", FIRST, kind="whatsapp")
    ask_id = opened(desk)
    begun(desk, ask_id)
    turn(desk, caster)
    desk.hear("2", FIRST, kind="whatsapp")
    with transaction(desk.engine, desk.organisation_id) as db:
        now = desk.clock.now()
        closing.close(db, ask_id, report_back={"en": "We open one Saturday a month."}, now=now)
    publications.release_ends(desk.engine, desk.homeline.keys, now=desk.clock.now())
    begun(desk, ask_id, BroadcastKind.REPORT_BACK)
    turn(desk, caster)
    desk.clock.advance(timedelta(days=2))
    desk.hear(Pressed("template.result.answer"), FIRST, kind="whatsapp")
    said = desk.scalar("select content->'parts' from messages order by id desc limit 1")
    outcome = {"outcome": "We open one Saturday a month."}
    assert said[0] == {"say": "reported_thanks"}
    assert said[2] == {"say": "poll_next", "params": outcome}


def test_askers_are_drawn_equally_often_and_recorded_before_anything_leaves(
    desk: Desk, caster: Caster
) -> None:
    crowd(desk, *["telegram"] * 8)
    named = [NewAsker(AskerKind.CONSULATE, {"en": "Consulate"}),
             NewAsker(AskerKind.ASSOCIATION, {"en": "Association"})]  # fmt: skip
    sending = begun(desk, opened(desk, askers=named), new=NewBroadcast())
    turn(desk, caster)
    drawn = desk.ask("select asker_id, count(*) from recipients group by asker_id")
    assert sorted(count for _, count in drawn) == [4, 4]
    desk.clock.advance(timedelta(minutes=11))
    turn(desk, caster)
    assert desk.scalar("select count(*) from messages where lane = 2") == 8
    unlike = desk.scalar(
        "select count(*) from recipients r join flow_sessions s using (contact_id)"
        " where s.kind = 'poll' and s.origin->>'asker' <> r.asker_id::text"
    )
    assert unlike == 0
    assert done(desk, sending)[0].queued == 8


def test_two_workers_share_a_sending_and_double_nothing(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram", "sms")
    ask_id = opened(desk)
    sending = begun(desk, ask_id)
    other = Caster(desk.engine)
    for _ in range(4):
        caster.turn(desk.clock.now())
        other.turn(desk.clock.now())
    assert desk.scalar("select count(*) from messages where lane = 2") == 2
    assert done(desk, sending)[0].queued == 2


def test_who_was_only_going_to_be_asked_stands_where_they_stood(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram")
    ask_id = opened(desk)
    sending = begun(desk, ask_id)
    turn(desk, caster)
    with transaction(desk.engine, desk.organisation_id) as db:
        broadcasts.cancel(db, sending, actor=OFFICER, now=desk.clock.now())
    told = Progress(answered=0, left_out={"canceled": 1}, by_channel={"telegram": 1})
    assert done(desk, sending)[0] == told
    desk.hear("1", FIRST)
    said = desk.scalar("select content->'parts' from messages order by id desc limit 1")
    assert [part["say"] for part in said] == ["nothing_open"], "they were asked nothing"
    again = begun(desk, ask_id)
    turn(desk, caster)
    desk.deliver()
    assert done(desk, again)[0].sent == 1
    asked = desk.scalar("select count(*) from flow_sessions where ask_id = :ask", ask=ask_id)
    assert asked == 1, "by the second sending alone"


def test_an_ask_that_is_closed_is_sent_no_more(desk: Desk) -> None:
    ask_id = opened(desk)
    with transaction(desk.engine, desk.organisation_id) as db:
        ask = db.scalars(select(Ask).where(Ask.id == ask_id)).one()
        assert ask.kind is AskKind.POLL
        sending = broadcasts.begin(db, ask, BroadcastKind.INVITATION, NOW, now=desk.clock.now()).id
        broadcasts.end_all(db, ask, actor=OFFICER, now=desk.clock.now())
    assert done(desk, sending)[1] is BroadcastStatus.CANCELED


def test_who_wrote_before_the_push_left_is_not_asked_a_stale_question(
    desk: Desk, caster: Caster
) -> None:
    crowd(desk, "telegram", "sms")
    sending = begun(desk, opened(desk))
    turn(desk, caster)
    desk.hear("1", FIRST)  # the poll is theirs already: this answers it
    desk.deliver()
    turn(desk, caster)
    found = done(desk, sending)[0]
    assert (found.sent, found.canceled) == (1, 1)
    assert desk.ask("select error_code from messages where lane = 2 and status = 'canceled'") == [
        ("superseded",)
    ]


def test_who_came_by_themselves_meanwhile_is_not_pushed_it_too(desk: Desk, caster: Caster) -> None:
    crowd(desk, "telegram")
    ask_id = opened(desk)
    sending = begun(desk, ask_id)
    caster._expand((desk.organisation_id, sending), desk.clock.now())
    desk.hear(desk.scalar("select code from asks"), FIRST)
    turn(desk, caster)
    assert done(desk, sending)[0].left_out == {"already_asked": 1}


def test_the_question_that_waits_may_be_reminded_of_the_same_day(
    desk: Desk, caster: Caster
) -> None:
    crowd(desk, "telegram")
    ask_id = opened(desk)
    begun(desk, ask_id)
    turn(desk, caster)
    desk.deliver()
    turn(desk, caster)
    desk.clock.advance(timedelta(hours=2))
    reminder = begun(desk, ask_id, BroadcastKind.REMINDER)
    turn(desk, caster)
    assert done(desk, reminder)[0].queued == 1


def test_a_push_leaves_what_is_known_of_who_writes(desk: Desk, caster: Caster) -> None:
    (person,) = crowd(desk, "sms")
    desk.change(
        "update conversations set state = coalesce(state, '{}') || '{\"waits\": \"2099-01-01\"}'"
    )
    begun(desk, opened(desk))
    turn(desk, caster)
    state = desk.scalar("select state from conversations where contact_id = :one", one=person)
    assert (state["waits"], state["session"]["flow"]) == ("2099-01-01", "passport-hours")
