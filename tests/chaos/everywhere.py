"""An ask from its draft to its report-back, by the API alone, on the real processes."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

from bot import approvals
from tests.chaos import poll_words
from tests.chaos.balancer import balance_telegram, balance_twilio
from tests.chaos.house import Asked, House
from tests.chaos.officer import Officer, hired
from tests.chaos.phones_of_all import Phones
from tests.chaos.roll import LANGUAGES, Member, enrol, make
from tests.chaos.storm import connect
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

BEGINS = 5, 30
"""The hour (UTC) at which everything begins: night in America, morning in Africa."""
UNSENT = "select count(*) from messages where status in ('queued', 'sending') and due_at <= '{now}'"
DUE = """select count(*) from recipients r join broadcasts b on b.id = r.broadcast_id
          where r.status = 'waiting' and r.send_at <= '{now}'
            and b.status in ('opening', 'sending')"""
NEXT = "select min(send_at) from recipients where status = 'waiting' and broadcast_id = '{id}'"


@dataclass
class Everywhere:
    """One run and what the API told along its way."""

    house: House
    officer: Officer
    phones: Phones
    members: list[Member]
    poll: dict[str, Any] = field(default_factory=dict)
    relay: dict[str, Any] = field(default_factory=dict)
    dry_run: dict[str, Any] = field(default_factory=dict)
    sendings: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def of(self, *situations: str) -> list[Member]:
        """Everybody who stands so."""
        return [one for one in self.members if one.situation in situations]

    def advance(self, minutes: int) -> None:
        """Let time pass everywhere."""
        now = self.officer.advance(minutes)
        for clock in (self.phones.telegram.clock, self.phones.twilio.clock):
            clock.advance(minutes * 60)
        self.phones.ahead = now - datetime.now(UTC)
        time.sleep(0.25)  # every process reads the clock five times a second

    def settle(self, seconds: float = 300) -> None:
        """Wait until nothing is on its way any more at this moment."""
        deadline = time.monotonic() + seconds
        before: tuple[int, ...] = ()
        while time.monotonic() < deadline:
            now = self.phones.now.isoformat()
            unsent = self.house.ask(UNSENT.format(now=now))[0][0]
            due = self.house.ask(DUE.format(now=now))[0][0]
            heard = self.house.ask("select count(*) from messages")[0][0]
            state = (unsent, due, self.phones.acting, len(self.phones.saw), heard)
            if state == before and state[:3] == (0, 0, 0):
                return
            before = state
            time.sleep(0.4)
        raise AssertionError(f"it does not come to rest: {before}")

    def finish(self, sending: dict[str, Any]) -> dict[str, Any]:
        """Let a sending go on, hour by hour where members live, until nothing is left to send."""
        path = f"/broadcasts/{sending['id']}"
        for _ in range(120):
            self.settle()
            found: dict[str, Any] = self.officer.get(path)
            if found["status"] == "finished":
                return found
            (following,), *_ = self.house.ask(NEXT.format(id=sending["id"]))
            if following is not None and following > self.phones.now:
                self.advance(ceil((following - self.phones.now).total_seconds() / 60) + 1)
            else:
                time.sleep(0.2)
        raise AssertionError(f"{path} has no end")

    def sending(self, kind: str) -> dict[str, Any]:
        """The sending of the poll of this kind, as soon as there is one."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            rows = self.officer.get(f"/broadcasts?poll_id={self.poll['id']}")["data"]
            for row in rows:
                if row["kind"] == kind:
                    return dict(row)
            time.sleep(0.3)
        raise AssertionError(f"no {kind} began")

    def do(self, verb: str, body: Any = None) -> dict[str, Any]:
        """One thing done with the poll."""
        told: dict[str, Any] = self.officer.post(f"/polls/{self.poll['id']}/{verb}", body)
        return told


@contextmanager
def everywhere(data: Path, many: int, *, seed: int = 1) -> Iterator[Everywhere]:
    """Providers, house, officer and members; nothing is asked yet."""
    with ExitStack() as stack:
        telegram = stack.enter_context(FakeTelegram(limits=False, seed=seed))
        twilio = stack.enter_context(FakeTwilio(seed=seed))
        asked = Asked(webs=1, workers=2, telegram_api=telegram.url, twilio_api=twilio.url)
        house = stack.enter_context(House(data, asked))
        balance_telegram(telegram, house.ports)
        balance_twilio(twilio, house.ports)
        connect(house, telegram, twilio)
        run = Everywhere(house, hired(house), Phones(telegram, twilio, seed), [])
        _begin_in_a_new_month(run)
        run.members = make(many, seed, run.phones.now)
        enrol(house, run.members)
        telegram.run(lambda: run.phones.join(run.members))
        _approve(run)
        run.advance(2 * 24 * 60)
        yield run


def _begin_in_a_new_month(run: Everywhere) -> None:
    """Caps are counted by the month: nothing may cross its end."""
    now = datetime.now(UTC)
    following = (now.replace(day=1) + timedelta(days=32)).replace(day=3)
    begins = following.replace(hour=BEGINS[0], minute=BEGINS[1], second=0, microsecond=0)
    run.advance(ceil((begins - now).total_seconds() / 60))


def _approve(run: Everywhere) -> None:
    """Let WhatsApp approve every template but the Arabic invitation."""
    line, twilio = run.house.homeline, run.phones.twilio
    view = line.directory.by_key(run.house.lines["whatsapp"].key)
    assert view is not None
    url, now = line.settings.twilio_api_url, line.clock.now
    asyncio.run(approvals.submit(line.engine, view, url, languages=LANGUAGES, now=now))
    twilio.run(twilio.review)
    for content in twilio.contents.values():
        if content.name.startswith("homeline_invitation_ar"):
            content.approval, content.reason = "rejected", "made up"
    asyncio.run(approvals.refresh(line.engine, view, url, now=now))


def draft(run: Everywhere) -> None:
    """Write the poll in two languages; it may open once it has learnt what it says is missing."""
    run.poll = run.officer.post("/polls", {"flow": poll_words.flow(), "audience": {"all": []}})
    missing = [one["language"] for one in run.poll["missing_languages"]]
    assert sorted(missing) == sorted(LANGUAGES[2:])
    for language in missing:
        path = f"/polls/{run.poll['id']}/languages/{language}"
        run.poll = run.officer.put(path, {"texts": poll_words.translation(language)})
    assert run.poll["missing_languages"] == []
