"""The course of an ask everywhere, step by step; what the API tells is kept for the reckoning."""

import time

from tests.chaos import poll_words
from tests.chaos.everywhere import Everywhere, draft
from tests.chaos.roll import LANGUAGES, Member
from tests.fakes.telegram_people import Person
from tests.fakes.twilio_people import Phone

HOUR = 60
DAY = 24 * HOUR


def play(run: Everywhere) -> None:
    """From the draft to the report-back."""
    for step in (_earlier, _oddities, draft, _look, _push, _relay, _remind, _close):
        began = time.monotonic()
        step(run)
        run.seconds[step.__name__.strip("_")] = round(time.monotonic() - began, 1)


def _earlier(run: Everywhere) -> None:
    """Another poll of the month, to some: whoever wants one a month has had theirs."""
    order = {"flow": poll_words.earlier(), "audience": {"activity": "study"}}
    poll = run.officer.post("/polls", order)
    opening = {"undo_minutes": 0, "allow_missing_languages": True}
    run.officer.post(f"/polls/{poll['id']}/open", opening)
    (sending,) = run.officer.get(f"/broadcasts?poll_id={poll['id']}")["data"]
    run.finish(sending)
    run.advance(25 * HOUR)


def _oddities(run: Everywhere) -> None:
    """What some members did shortly before the poll."""
    for member in run.of("stopped"):
        run.phones.say(member, "STOP")
    for member in run.of("busy"):
        run.phones.say(member, "MENU")
    for member in run.of("window_open"):
        run.phones.say(member, "hello")
    for member in run.of("blocked"):
        _person(run, member).block()
    run.settle()


def _look(run: Everywhere) -> None:
    """The officer tries the poll on their own phone, and asks who would get it."""
    dry = f"/polls/{run.poll['id']}/dry-run"
    before = run.officer.post(dry)
    officer = run.members[0]
    for language in (LANGUAGES[0], LANGUAGES[-1]):
        run.do("test", {"address": officer.person.addresses[0], "language": language})
        run.settle()
    run.dry_run = run.officer.post(dry)
    assert run.dry_run == before, "a test changes nobody's standing"


def _push(run: Everywhere) -> None:
    """Opened, held, gone on with; meanwhile some stop, and some can be reached no more."""
    run.do("open", {"undo_minutes": 10})
    sending = run.sending("invitation")
    run.settle()
    assert not any(one.kind.endswith("invitation") for one in run.phones.saw)
    for member in run.of("stops_later"):
        run.phones.say(member, "STOP")
    for member in run.of("blocks_later"):
        _person(run, member).chat.blocked = True
    for member in run.of("phone_off"):
        _phone(run, member).reachable = False
    run.settle()
    run.do("pause")
    run.advance(11)
    run.settle()
    assert not any(one.kind.endswith("invitation") for one in run.phones.saw)
    run.do("resume")
    run.sendings["invitation"] = run.finish(sending)


def _relay(run: Everywhere) -> None:
    """A code is passed on; some answer by it to whom the poll was not sent."""
    run.relay = run.officer.post("/relays", {"poll_id": run.poll["id"]})
    guests = run.of("no_consent", "capped")
    run.phones.guests |= {one.id for one in guests}
    for member in guests:
        run.phones.say(member, f"JOIN {run.relay['code']}")
    run.settle()


def _remind(run: Everywhere) -> None:
    run.advance(2 * DAY)
    run.do("remind")
    run.sendings["reminder"] = run.finish(run.sending("reminder"))


def _close(run: Everywhere) -> None:
    run.advance(DAY)
    run.do("close", {"report_back": poll_words.OUTCOME})
    run.sendings["report_back"] = run.finish(run.sending("report_back"))
    run.settle()
    run.sendings["invitation"] = run.officer.get(f"/broadcasts/{run.sendings['invitation']['id']}")


def _person(run: Everywhere, member: Member) -> Person:
    hand = run.phones.hand(member)
    assert isinstance(hand, Person)
    return hand


def _phone(run: Everywhere, member: Member) -> Phone:
    hand = run.phones.hand(member)
    assert isinstance(hand, Phone)
    return hand
