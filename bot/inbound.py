"""Taking messages in: the waiting batch, the decision of each, one transaction for all.

    take_many -> per message: open_scene, handle, rows_of -> apply_many -> commit

A message that cannot be handled with the others is handled alone, by the same steps; one that
fails alone is kept sealed in quarantine and answered kindly, so that it is never lost and never
blocks its chat.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

import logs
from bot import kept
from bot.alone import Alone
from bot.batches import Batches
from bot.channels.base import Arrival, ChannelView
from bot.doorbell import Ringer
from bot.knocks import Knock, Taken, knock_of
from bot.metrics import BATCH, GUARDED, QUARANTINED
from bot.patience import GIVE_UP_SOON, Patience
from bot.statements import Statements
from flows.wording import say
from models.ballot_keys import BallotKeys
from models.clock import Clock
from models.message_path import AlreadyTaken, ConversationMoved, Standing, is_away
from models.sealed import Keyring
from services import quarantine
from services.asks.findings import Findings
from services.asks.voting import VoteNotTaken, hide_votes, kept_nowhere
from services.catalogue import Catalogue, Catalogues, read_catalogue
from services.conversation.changes import rows_of
from services.conversation.changing import read_memory
from services.conversation.conversations import handle
from services.conversation.opening import open_scene
from services.conversation.rows import Rows
from services.conversation.scene import Line, Memory, Scene
from services.errors import Unavailable
from services.messages.rendering import body_as_sent
from services.organisations import OrganisationKeyring

ATTEMPTS = 6
TOGETHER = 3


class Intake:
    """Takes arrivals in for one web process."""

    def __init__(
        self,
        engine: Engine,
        path_engine: Engine,
        keyring: Keyring,
        keys: OrganisationKeyring,
        clock: Clock,
        ringer: Ringer,
        ballots: BallotKeys,
    ) -> None:
        self._engine = engine
        self._statements = Statements(path_engine, ringer)
        self._keyring = keyring
        self._keys = keys
        self._clock = clock
        self._ringer = ringer
        self._by_itself = Alone(engine, keyring, keys, ballots)
        self._catalogues = Catalogues()
        self._findings = Findings(engine)
        self._patience = Patience()
        self._batches: Batches[Knock, Taken] = Batches(self._work)

    def take(self, view: ChannelView, arrival: Arrival) -> Taken:
        """Take one arrival in; returns after the commit that holds it. Unavailable: try again."""
        waits = view.kind in GIVE_UP_SOON
        return self._patience.run(lambda: self._take(view, arrival), waits=waits)

    def _take(self, view: ChannelView, arrival: Arrival) -> Taken:
        knock = self._knock(view, arrival)
        return self._batches.handle(
            knock, group=(view.organisation_id, view.id), place=knock.heard.address_hash
        )

    def close(self) -> None:
        """Give up the leader's connection, which its engine cannot: it is always taken out."""
        self._statements.forget()

    # --- one batch, led by one thread ---

    def _knock(self, view: ChannelView, arrival: Arrival) -> Knock:
        try:
            return knock_of(self._keys.open(view.organisation_id), view, arrival)
        except SQLAlchemyError as error:
            raise Unavailable from error

    def _work(self, knocks: Sequence[Knock]) -> list[Taken | BaseException]:
        BATCH.observe(len(knocks))
        for _ in range(TOGETHER):
            try:
                return self._together(knocks, self._clock.now())
            except (ConversationMoved, AlreadyTaken):
                continue  # another process was quicker with one of them: read all again
            except Exception as error:  # noqa: BLE001 - each is handled alone and reports there
                if is_away(error):
                    self._statements.forget()
                    return [Unavailable() for _ in knocks]
                logs.event("batch.split", error=type(error).__name__, count=len(knocks))
                break
        return [self._alone(knock) for knock in knocks]

    def _together(self, knocks: Sequence[Knock], now: datetime) -> list[Taken | BaseException]:
        """Handle a batch by two statements, and after it those that cannot go with the others."""
        standings = self._statements.standings(knocks, now)
        taken: list[Taken | None] = []
        written: list[Rows] = []
        for knock, standing in zip(knocks, standings, strict=True):
            if standing.repeated:
                taken.append(Taken(repeated=True))
            elif rows := self._for_batch(knock, standing, now):
                written.append(rows)
                taken.append(Taken(answered=bool(rows.outgoing)))
            else:
                taken.append(None)
        self._statements.write(knocks[0], written, now)
        return [
            self._alone(knock) if one is None else one
            for knock, one in zip(knocks, taken, strict=True)
        ]

    def _for_batch(self, knock: Knock, standing: Standing, now: datetime) -> Rows | None:
        """The rows of a message that can be written with others; None for one that cannot."""
        try:
            scene, rows = self._play(knock, standing, now)
        except Exception as error:
            if is_away(error):
                raise
            return None
        return None if scene.stands_alone else rows

    def _play(
        self, knock: Knock, standing: Standing, now: datetime, memory: Memory | None = None
    ) -> tuple[Scene, Rows]:
        catalogue = self._catalogue(knock.line, standing)
        scene = open_scene(knock.heard, knock.line, standing, catalogue, now)
        scene.memory = memory
        scene.findings = self._findings.of(catalogue, now)
        hide_votes(scene)
        with kept_nowhere(scene):
            handle(scene)
            rows = rows_of(scene, self._keyring, body_as_sent)
        if rows.guarded:
            GUARDED.labels(knock.line.kind).inc()
        return scene, rows

    def _alone(self, knock: Knock) -> Taken | BaseException:
        """Handle one message by itself; whatever it does, it hurts nobody else."""
        try:
            for _ in range(ATTEMPTS):
                try:
                    return self._once(knock, self._clock.now())
                except ConversationMoved:
                    continue
                except AlreadyTaken:
                    return Taken(repeated=True)
        except VoteNotTaken as lost:
            logs.event("vote.not_taken", level="error", channel_kind=knock.line.kind)
            return Taken(say=say("vote_not_taken", lost.language))
        except Exception as error:  # noqa: BLE001 - kept, told once, tried again by a sweep
            if is_away(error):
                self._statements.forget()
                return Unavailable()
            return self._keep(knock, error)
        return Unavailable()

    def _once(self, knock: Knock, now: datetime) -> Taken:
        standing = self._statements.standings([knock], now)[0]
        if standing.repeated:
            return Taken(repeated=True)
        scene, rows = self._play(knock, standing, now)
        if scene.needs_memory:
            memory = read_memory(self._engine, scene.catalogue, scene.contact_id)
            scene, rows = self._play(knock, standing, now, memory)
        with kept_nowhere(scene):
            settled = self._by_itself.settle(scene, now=now)
            if settled is None:
                self._statements.write(knock, [rows], now)
                return Taken(answered=bool(rows.outgoing))
        if settled.answered:
            self._ringer.ring()
        return settled

    # --- what cannot be handled ---

    def _keep(self, knock: Knock, error: Exception) -> Taken | BaseException:
        """Keep a message that failed alone; the person is told kindly and need not repeat it."""
        QUARANTINED.labels(knock.line.kind).inc()
        logs.event(
            "message.quarantined",
            level="error",
            channel_kind=knock.line.kind,
            error=type(error).__name__,
            line=kept.place_of(error),
        )
        try:
            failed = kept.failed(knock, error)
            quarantine.keep(self._engine, self._keys, failed, now=self._clock.now())
        except Exception as second:  # noqa: BLE001 - not kept, so the provider shall say it again
            logs.event("message.refused", level="error", error=type(second).__name__)
            return Unavailable()
        return Taken(say=say("failed", knock.line.default_language))

    def keep_unreadable(self, view: ChannelView, body: bytes) -> None:
        """Keep what a provider signed but no channel can read; nobody tries it again.

        Unavailable: the provider shall say it again.
        """
        failed = kept.unreadable(self._keys.open(view.organisation_id), view, body)
        try:
            quarantine.keep(self._engine, self._keys, failed, now=self._clock.now())
        except SQLAlchemyError as error:
            raise Unavailable from error

    def take_again(self, view: ChannelView, waiting: quarantine.Kept) -> bool:
        """Try a kept message once more; True when it has had its effect."""
        knock = self._knock(view, kept.from_bytes(waiting.payload))
        again = replace(
            knock,
            heard=replace(knock.heard, receipt=quarantine.second_receipt(knock.heard.receipt)),
        )
        for _ in range(ATTEMPTS):
            try:
                self._once(again, self._clock.now())
            except ConversationMoved:
                continue
            except AlreadyTaken:
                return True
            except Exception as error:  # noqa: BLE001 - it stays kept
                self._statements.forget()
                logs.event("message.failed", kind="quarantined", error=type(error).__name__)
                return False
            return True
        return False

    def _catalogue(self, line: Line, standing: Standing) -> Catalogue:
        found = self._catalogues.find(line.organisation_id, standing.catalogue_version)
        if found is None:
            found = read_catalogue(self._engine, line.organisation_id)
            self._catalogues.keep(found)
        return found
