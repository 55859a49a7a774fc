"""The sweeps of one worker, each a call of a service; the clock is asked anew every time."""

import asyncio
from uuid import UUID

import logs
from bot import approvals, unheard
from bot.channels.base import ChannelError
from bot.recordings import Listener
from composition import Homeline
from jobs.engine import Sweep
from models.delivery_path import recover_messages
from models.walls import system_scope
from services import quarantine, retention
from services.asks import ballots, publications, pushing, releasing
from services.catalogue import Catalogue
from services.conversation import dues
from services.messages import templates
from services.relays import flagging
from services.rules import firings

MOST_PASSES = 100


class Sweeps:
    """What each sweep does, with the parts of this worker."""

    def __init__(self, homeline: Homeline) -> None:
        self.engine = homeline.engine
        self.clock = homeline.clock
        self.keys = homeline.keys
        self.keyring = homeline.keyring
        self.groups = homeline.groups
        self.directory = homeline.directory
        self.intake = homeline.intake
        self.ballot_keys = homeline.ballots
        self.statuses = homeline.statuses
        self.twilio_api_url = homeline.settings.twilio_api_url
        urls = {
            "telegram": homeline.settings.telegram_api_url,
            "sms": self.twilio_api_url,
            "whatsapp": self.twilio_api_url,
        }
        self.listener = Listener(
            self.engine, homeline.keyring, self.directory, urls, self.clock.now
        )

    def all(self) -> tuple[Sweep, ...]:
        """Every sweep with its clock (six fields, the last one seconds)."""
        return (
            Sweep("recover_messages", "* * * * * */3", self.recover),
            Sweep("do_what_is_due", "* * * * * */3", self.due),
            Sweep("fetch_recordings", "* * * * * */3", self.recordings),
            Sweep("retry_quarantined", "* * * * * */20", self.quarantined),
            Sweep("follow_asks", "* * * * * */5", self.asks),
            Sweep("settle_ballots", "* * * * * */10", self.ballots),
            Sweep("release_ends", "* * * * * */10", self.results),
            Sweep("post_group_polls", "* * * * * */3", self.group_polls),
            Sweep("flag_relays", "* * * * * 25", self.relays),
            Sweep("release_moving", "* * * * * */30", self.moving),
            Sweep("follow_rules", "* * * * * */15", self.rules),
            Sweep("follow_templates", "*/5 * * * *", self.templates),
            Sweep("ask_what_became_of_messages", "*/5 * * * *", self.unheard),
            Sweep("end_what_expired", "*/10 * * * *", self.expired),
        )

    def recover(self) -> None:
        """Take back messages whose worker died and settle those nobody knows about."""
        with system_scope(self.engine) as db:
            outcomes = recover_messages(db.connection())
        for outcome, count in outcomes.items():
            logs.event("messages.recovered", outcome=outcome, count=count)

    def due(self) -> None:
        """Do what was put off for single contacts."""
        done = dues.run(self.engine, self._catalogue_of, now=self.clock.now())
        if done:
            logs.event("dues.done", count=done)

    def _catalogue_of(self, organisation_id: UUID) -> Catalogue:
        return self.directory.read_catalogue(organisation_id)

    def recordings(self) -> None:
        """Fetch the voice notes that answer open questions."""
        asyncio.run(self.listener.listen())

    def quarantined(self) -> None:
        """Try messages again that could not be handled."""

        def take(waiting: quarantine.Kept) -> bool:
            view = self.directory.read_channel(waiting.organisation_id, waiting.channel_id)
            return view is None or self.intake.take_again(view, waiting)

        tried = quarantine.retry(self.engine, self.keys, take, now=self.clock.now())
        if tried:
            logs.event("quarantine.retried", count=tried)

    def asks(self) -> None:
        """Open and close asks at their hour, and begin to tell what came of them."""
        moved = pushing.follow(self.engine, self.ballot_keys, now=self.clock.now())
        if moved:
            logs.event("asks.followed", count=moved)

    def ballots(self) -> None:
        """Count secret polls that are closing, and destroy keys nobody needs any more."""
        ballots.settle_all(self.engine, self.ballot_keys, now=self.clock.now())

    def results(self) -> None:
        """Release the final results of asks that were closed, before anything more changes."""
        released = publications.release_ends(self.engine, self.keys, now=self.clock.now())
        if released:
            logs.event("results.released", count=released)

    def relays(self) -> None:
        """Mark answers that came by relays too quickly, too much alike, or beyond a quota."""
        made = flagging.flag_recent(self.engine, self.keyring, now=self.clock.now())
        if made:
            logs.event("relays.flagged", count=made)

    def group_polls(self) -> None:
        """Post polls that leaders asked for in their groups, and stop those that are over."""
        moved = self.groups.post()
        if moved:
            logs.event("group_polls.moved", count=moved)

    def moving(self) -> None:
        """Release the figures of open asks that may be told, for those who have answered."""
        releasing.release_moving(self.engine, self.keys, now=self.clock.now())

    def rules(self) -> None:
        """Let follow-up rules act on what was answered and published."""
        fired = firings.fire_all(self.engine, self.keys.open, now=self.clock.now())
        if fired:
            logs.event("rules.fired", count=fired)

    def templates(self) -> None:
        """Ask WhatsApp about templates: often while they wait, once a day when they are settled."""
        with system_scope(self.engine) as db:
            waiting = templates.list_channels_to_check(db, now=self.clock.now())
        for organisation_id, channel_id in waiting:
            view = self.directory.read_channel(organisation_id, channel_id)
            if view is None:
                continue
            try:
                asking = approvals.refresh(
                    self.engine, view, self.twilio_api_url, now=self.clock.now
                )
                logs.event("templates.followed", channel_id=channel_id, count=asyncio.run(asking))
            except ChannelError as error:
                logs.event("templates.unknown", channel_id=channel_id, error=type(error).__name__)

    def unheard(self) -> None:
        """Ask Twilio about messages it took an hour or a day ago and told nothing more of."""
        for organisation_id, channel_id in unheard.list_channels(self.engine):
            view = self.directory.read_channel(organisation_id, channel_id)
            if view is None:
                continue
            asking = unheard.ask(
                self.engine, self.statuses, view, self.twilio_api_url, now=self.clock.now()
            )
            try:
                heard = asyncio.run(asking)
                if heard:
                    logs.event("messages.heard_of", channel_id=channel_id, count=heard)
            except ChannelError as error:
                logs.event("messages.unheard", channel_id=channel_id, error=type(error).__name__)

    def expired(self) -> None:
        """End what has been kept long enough, in passes so that no lock is held long."""
        for _ in range(MOST_PASSES):
            with system_scope(self.engine) as db:
                swept = retention.run(db, now=self.clock.now())
            if any(swept.rows.values()):
                logs.event("retention.run", rows=sum(swept.rows.values()))
            if swept.finished:
                return
