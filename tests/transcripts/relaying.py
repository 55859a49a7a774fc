"""What happens to leaders in transcripts: invited, answered by others, thanked, revoked."""

import re
from datetime import timedelta

from sqlalchemy import delete, select, update

from commands.playing import CannotPlay
from models import Address, Ask, Channel, ChannelKind, SessionStatus
from models.channel import StopReply
from models.db import transaction
from models.flow_version import FlowVersion
from models.relay import Leader, Relay
from services import audit, channels, organisations
from services.relays import flagging, leaders
from tests.factories import CREDENTIALS, Factory
from tests.transcripts.stage import Stage

EVERYWHERE = {
    ChannelKind.TELEGRAM: "fake_desk_bot",
    ChannelKind.WHATSAPP: "whatsapp:+447700900901",
    ChannelKind.SMS: "+447700900900",
}
_COME = re.compile(r"(\d+) people answer through them")
_GOAL = re.compile(r"their goal is (\d+)")
APART = timedelta(seconds=30)


class Relaying:
    """Lets such things happen, and hides in what is said what is another each time."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def happen(self, text: str, number: str) -> dict[str, str]:
        """Let it happen; what the person was given by it. CannotPlay for anything else."""
        if text == "the consulate invites them to pass polls on":
            return {"invitation": self._invite(None)}
        if text == "the consulate invites their number":
            self._invite(number)
        elif found := _COME.fullmatch(text):
            self._come(int(found[1]))
        elif found := _GOAL.fullmatch(text):
            self._aim(int(found[1]))
        elif text == "the consulate takes the right back":
            self._revoke()
        else:
            raise CannotPlay(f"({text}) is not known")
        return {}

    def codes(self) -> dict[str, str]:
        """The relays' codes by what transcripts call them, in the order they were made."""
        with transaction(self._stage.line.engine, self._stage.organisation_id) as db:
            codes = db.scalars(select(Relay.code).order_by(Relay.id)).all()
        return {f"relay{place or ''}": code for place, code in enumerate(codes)}

    def masked(self, text: str) -> str:
        """The words with these names in place of codes and of this run's address."""
        text = text.replace(self._stage.door.url, "https://line.example")
        for name, code in self.codes().items():
            text = text.replace(code, f"{{{name}}}").replace(code.upper(), f"{{{name}}}")
        return text

    def _invite(self, number: str | None) -> str:
        line, now = self._stage.line, self._stage.clock.now()
        with transaction(line.engine, self._stage.organisation_id) as db:
            keys = organisations.open_keys(db, line.keyring)
            there = {one.kind for one in db.scalars(select(Channel))}
            for kind, sender in EVERYWHERE.items():
                if kind in there:
                    db.execute(update(Channel).where(Channel.kind == kind).values(sender=sender))
                else:
                    new = channels.NewChannel(
                        kind=kind,
                        name=kind.value,
                        credentials=CREDENTIALS[kind],
                        sender=sender,
                        stop_reply=StopReply.OURS,
                    )
                    channels.add(db, keys, new, now=now)
            return leaders.invite(db, keys, number, actor=audit.SYSTEM, now=now).code

    def _come(self, many: int) -> None:
        """Others answer, half a minute apart, and the sweep looks at what came."""
        line, clock = self._stage.line, self._stage.clock
        with transaction(line.engine, self._stage.organisation_id) as db:
            make = Factory(db, line.keyring, clock.now())
            relay = db.scalars(select(Relay).order_by(Relay.id)).first()
            assert relay is not None
            ask = db.get_one(Ask, (relay.organisation_id, relay.ask_id))
            version = db.get_one(FlowVersion, (relay.organisation_id, ask.flow_version_id))
            for _ in range(many):
                make.now = clock.advance(APART)
                contact = make.contact()
                db.execute(delete(Address).where(Address.contact_id == contact.id))
                session = make.flow_session(contact, version, SessionStatus.COMPLETE)
                session.origin = {"ask": str(ask.id), "relay": str(relay.id)}
                session.completed_at = make.now
                make.answer(session, "when_open", "saturday")
        flagging.flag_recent(line.engine, line.keyring, now=clock.now())

    def _aim(self, goal: int) -> None:
        with transaction(self._stage.line.engine, self._stage.organisation_id) as db:
            db.execute(update(Relay).values(quota=goal))

    def _revoke(self) -> None:
        with transaction(self._stage.line.engine, self._stage.organisation_id) as db:
            leader = db.scalars(select(Leader)).one()
            leaders.revoke(db, leader.id, actor=audit.SYSTEM, now=self._stage.clock.now())
