"""What an office does with a poll while somebody talks with us: pushes, closes, reports back."""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import approvals
from flows.loader import library, read
from flows.wording import LANGUAGES
from models import Ask, AskMode, BroadcastKind
from models.ask import Asker, AskerKind
from models.base import new_id
from models.db import transaction
from services import audit, organisations
from services.asks import asks, ballots, closing, publications, pushing
from services.asks.asks import NewAsk
from services.broadcasts import broadcasts
from services.broadcasts.broadcasts import EVERYBODY, NewBroadcast
from services.broadcasts.casting import Caster
from tests.answered import answer
from tests.factories import Factory

if TYPE_CHECKING:
    from tests.transcripts.stage import Stage

SOON = timedelta(seconds=15)
"""After so long what was published has reached every process."""
PROMISED = timedelta(days=30)
NOW = NewBroadcast(condition=EVERYBODY, undo=timedelta())
OUTCOME: Mapping[str, str] = {
    "en": "From 1 March we open one Saturday a month.",
    "fr": "À partir du 1er mars, nous ouvrons un samedi par mois.",
    "es": "Desde el 1 de marzo abrimos un sábado al mes.",
    "pt": "A partir de 1 de março abrimos um sábado por mês.",
    "ar": "من 1 مارس نفتح يوم سبت كل شهر.",
}


class Asking:
    """The poll of a transcript. `happens` does what one line in brackets says."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage
        self._engine = stage.line.engine
        self._caster = Caster(self._engine)

    def open_poll(self, db: Session, flow: str, mode: AskMode) -> str:
        """Open a poll of the library and return its code."""
        now = self._stage.clock.now()
        asked = asks.create(db, NewAsk(definition=read(library()[flow]), mode=mode), now=now)
        keys = self._stage.line.ballots
        return asks.open_ask(db, asked.id, ballot_keys=keys, now=now).code

    def approve_templates(self) -> None:
        """Let WhatsApp approve what we may say outside its window."""
        stage = self._stage
        view = stage.line.directory.read_channel(stage.organisation_id, stage.channel.id)
        assert view is not None
        fake, now = stage.fakes.twilio, stage.clock.now
        work = approvals.submit(self._engine, view, fake.url, languages=LANGUAGES, now=now)
        asyncio.run(work)
        fake.run(lambda: fake.review("approved"))
        asyncio.run(approvals.refresh(self._engine, view, fake.url, now=now))

    def happens(self, text: str) -> bool:
        """Do what the office does by this line; False when it is no line about a poll."""
        for pattern, act in _LINES.items():
            if found := re.fullmatch(pattern, text):
                with self._transaction() as db:
                    act(self, db, *found.groups())
                self._go_on()
                return True
        return False

    def _transaction(self) -> Any:
        return transaction(self._engine, self._stage.organisation_id)

    def _go_on(self) -> None:
        """Let the worker do what follows, until nothing is left to do at this moment."""
        now, line = self._stage.clock.now(), self._stage.line
        ballots.settle_all(self._engine, line.ballots, now=now)
        publications.release_ends(self._engine, line.keys, now=now)
        pushing.follow(self._engine, line.ballots, now=now)
        while self._caster.turn(now):
            self._stage.settle()
        self._stage.move_on(SOON)

    def push(self, db: Session, which: str = "") -> None:
        """Invite everybody who may be asked to the poll, or to the other one."""
        ask = _ask(db, 1 if which else 0)
        broadcasts.begin(db, ask, BroadcastKind.INVITATION, NOW, now=self._stage.clock.now())

    def push_named(self, db: Session, name: str) -> None:
        """Invite everybody in somebody's name."""
        asker = Asker(
            organisation_id=self._stage.organisation_id,
            id=new_id(self._stage.clock.now()),
            ask_id=_ask(db).id,
            position=0,
            kind=AskerKind.LEADER,
            name=dict.fromkeys(LANGUAGES, name),
        )
        db.add(asker)
        db.flush()
        organisations.renew_catalogue(db)
        self.push(db)

    def remind(self, db: Session) -> None:
        """Remind the silent."""
        pushing.remind(db, _ask(db).id, actor=audit.SYSTEM, now=self._stage.clock.now())

    def others_answer(self, db: Session, counts: str) -> None:
        """Let made-up people answer the first question: "saturday 40, sunday 20"."""
        ask = _ask(db)
        question = asks.flow_of(db, ask).questions[0].id
        make = Factory(db, self._stage.line.keyring, self._stage.clock.now())
        given = [one.rsplit(" ", 1) for one in counts.split(", ")]
        options = _mixed({option: int(count) for option, count in given})
        secret = ask.mode is AskMode.SECRET
        people = answer(make, ask, ({} if secret else {question: one} for one in options))
        if secret:
            for contact_id, option in zip(people, options, strict=True):
                ballots.cast(db, self._stage.line.ballots, ask.id, contact_id, option)
        keys = self._stage.line.keys.open(self._stage.organisation_id)
        self._stage.move_on(make.now - self._stage.clock.now())
        publications.results_of(db, keys, ask, now=make.now)

    def close(self, db: Session) -> None:
        """Take no more answers, and say what will be done."""
        pushing.close(db, _ask(db).id, report_back=OUTCOME, now=self._stage.clock.now())

    def close_and_promise(self, db: Session) -> None:
        """Take no more answers, and say by when people hear what will be done."""
        now = self._stage.clock.now()
        pushing.close(db, _ask(db).id, later_by=(now + PROMISED).date(), now=now)

    def report_back(self, db: Session) -> None:
        """Say what will be done after all."""
        now = self._stage.clock.now()
        closing.report_back(db, _ask(db).id, OUTCOME, actor=audit.SYSTEM, now=now)

    def cancel(self, db: Session) -> None:
        """End the poll without a result."""
        pushing.cancel(db, _ask(db).id, now=self._stage.clock.now())


_LINES: Mapping[str, Callable[..., None]] = {
    "the (other )?poll is pushed": Asking.push,
    "the poll is pushed in the name of (.+)": Asking.push_named,
    "the silent are reminded": Asking.remind,
    "others answer: (.+)": Asking.others_answer,
    "the poll is closed": Asking.close,
    "the poll is closed with a promise": Asking.close_and_promise,
    "what is done is told": Asking.report_back,
    "the poll is withdrawn": Asking.cancel,
}


def _ask(db: Session, place: int = 0) -> Ask:
    """The poll of the transcript, or the other one."""
    return db.scalars(select(Ask).order_by(Ask.id)).all()[place]


def _mixed(counts: Mapping[str, int]) -> list[str]:
    """So many of each option, evenly mixed, as if all kinds of people answered all the time."""
    places = [
        ((number + 0.5) / count, option)
        for option, count in counts.items()
        for number in range(count)
    ]
    return [option for _, option in sorted(places)]
