"""A person with a phone in front of the whole intake and the real outbox, without a provider.

What is said goes through bot/inbound.py into the database; what is answered is claimed as the
delivery loop claims it and rendered as the sender renders it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import Connection, select

from bot.channels.base import Arrival, ChannelView
from bot.knocks import Taken
from composition import Homeline
from flows.inputs import Text
from flows.loader import library, load
from models import Address, ChannelKind, Contact
from models.db import transaction
from models.delivery_path import delivery_turn
from models.sealed import keyed_hash
from services import flows
from services.messages.rendering import body_for
from tests.conftest import MadeUp, MovedByHand, Urls
from tests.factories import Factory
from tests.web import served

LEASE = timedelta(seconds=8)


@dataclass
class Phone:
    """One address at one channel."""

    line: Homeline
    view: ChannelView
    clock: MovedByHand
    address: str
    serial: int = 0
    taken: Taken | None = None
    heard: list[str] = field(default_factory=list)

    def say(self, text: str) -> str:
        """Send a text and read what is answered; empty when nothing is."""
        self.clock.advance(timedelta(seconds=9))
        self.serial += 1
        name = f"{self.address}:{self.serial}"
        arrival = Arrival("message", name, self.address, input=Text(text), provider_id=name)
        self.taken = self.line.intake.take(self.view, arrival)
        return self.read() or self.taken.say or ""

    def read(self) -> str:
        """What came to this phone since it was last looked at."""
        with self._at_the_outbox() as connection:
            claimed = delivery_turn(
                connection, "tests", done=[], wanted=50, lease=LEASE, now=self.clock.now()
            )
        sender: Any = self.line.sender
        came = []
        for message in claimed:
            prompt = asyncio.run(sender._prompt(message))
            came.append(body_for(self.view.kind, prompt))
            done = {"org": message.organisation_id, "id": message.id, "status": "sent"}
            with self._at_the_outbox() as connection:
                row = done | {"at": self.clock.now(), "refund": False}
                delivery_turn(
                    connection, "tests", done=[row], wanted=0, lease=LEASE, now=self.clock.now()
                )
                connection.commit()
        self.heard += came
        return "\n".join(came)

    @contextmanager
    def _at_the_outbox(self) -> Iterator[Connection]:
        with self.line.open().delivery.connect() as plain:
            yield plain.execution_options(isolation_level="AUTOCOMMIT")

    def register(self) -> "Phone":
        """Go through the express registration."""
        for text in ("hello", "English", "1", "South Africa", "1", "Cape Town"):
            self.say(text)
        return self

    @property
    def contact_id(self) -> UUID:
        """Who this is, to the organisation."""
        keys = self.line.keys.open(self.view.organisation_id)
        with transaction(self.line.engine, self.view.organisation_id) as db:
            found = db.scalar(
                select(Contact.id)
                .join(Address, Address.contact_id == Contact.id)
                .where(Address.address_hash == keyed_hash(keys.index, "address", self.address))
            )
        assert found is not None
        return found


@dataclass
class House:
    """The application with one organisation and a channel of each kind that is asked for."""

    app: Flask
    line: Homeline
    organisation: MadeUp
    clock: MovedByHand
    channels: dict[str, ChannelView] = field(default_factory=dict)

    def phone(self, address: str = "telegram:1001") -> Phone:
        """A phone; its channel is made when the first phone needs it."""
        scheme = address.partition(":")[0]
        kind = ChannelKind.SIMULATOR if scheme == "sim" else ChannelKind(scheme)
        if kind not in self.channels:
            self.channels[kind] = self._channel(kind)
        return Phone(self.line, self.channels[kind], self.clock, address)

    def _channel(self, kind: ChannelKind) -> ChannelView:
        with transaction(self.line.engine, self.organisation.id) as db:
            channel = Factory(db, self.line.keyring, self.clock.now()).channel(
                kind, stop_reply="ours", rate=5000
            )
        view = self.line.directory.read_channel(self.organisation.id, channel.id)
        assert view is not None
        return view


@contextmanager
def housed(
    urls: Urls, data: Path, clock: MovedByHand, organisation: MadeUp, flow: str
) -> Iterator[House]:
    """Give the application with a published flow."""
    with served(urls, data, clock) as app:
        line: Homeline = app.extensions["homeline"]
        with transaction(line.engine, organisation.id) as db:
            flows.publish(db, load(library()[flow]), now=clock.now())
        yield House(app, line, organisation, clock)
