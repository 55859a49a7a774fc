"""The two statements of a batch: who wrote, and what it changed, on the leader's one connection.

What a batch answers goes out by a worker. If one of this machine hears, its replies are written as
claimed by it and handed over with the commit (docs/adr/0022-handed-over.md); what has to wait, or
could not be handed over, is queued, and the bell rings.
"""

import time
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

import logs
from bot.doorbell import Ringer
from bot.knocks import Knock
from bot.own_connection import OwnConnection
from models.delivery_path import LEASE, claimed_in, hand_back
from models.message_path import Ahead, Standing, apply_many, take_many
from services.conversation.changes import gather
from services.conversation.rows import Rows


class Statements:
    """Reads and writes for one web process, whose leader is the only one to use them."""

    def __init__(self, engine: Engine, ringer: Ringer) -> None:
        self._connection = OwnConnection(engine)
        self._ringer = ringer

    def standings(self, knocks: Sequence[Knock], now: datetime) -> list[Standing]:
        """What is known of the senders, in their order."""
        line = knocks[0].line
        return take_many(
            self._connection.get(),
            line.organisation_id,
            line.id,
            address_hashes=[k.heard.address_hash for k in knocks],
            receipt_keys=[k.heard.receipt for k in knocks],
            today=now.date(),
            number_hashes=[k.heard.number_hash for k in knocks],
            alias_hashes=[k.heard.alias_hash for k in knocks],
            marks=[k.heard.mark for k in knocks],
        )

    def write(self, knock: Knock, written: Sequence[Rows], now: datetime) -> None:
        """Write what messages of this channel changed, all or nothing, and let replies go out.

        Raises what ``apply_many`` raises.
        """
        if not written:
            return
        line, began = knock.line, time.monotonic()
        courier = self._ringer.courier()
        letters = apply_many(
            self._connection.get(),
            line.organisation_id,
            line.id,
            gather(written, now),
            Ahead(courier, LEASE) if courier else None,
        )
        if courier and letters and not self._ringer.hand_over(courier, letters, began):
            self._take_back(knock, courier, letters)
            letters = []
        if len(letters) < sum(len(rows.outgoing) for rows in written):
            self._ringer.ring()

    def forget(self) -> None:
        """Begin anew on another connection."""
        self._connection.give_up()

    def _take_back(self, knock: Knock, courier: str, letters: Sequence[str]) -> None:
        """Queue what no worker took after all; failing that, its lease runs out by itself."""
        ids = [claimed_in(letter).id for letter in letters]
        try:
            hand_back(self._connection.get(), knock.line.organisation_id, courier, ids)
        except SQLAlchemyError as error:
            logs.event("replies.not_handed", error=type(error).__name__)
            self.forget()
