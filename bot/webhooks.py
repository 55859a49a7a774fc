"""The providers' doors: verify, parse, take in, acknowledge.

A webhook is answered 200 only after the commit that holds its message. What the provider signed
but nobody can read is kept and answered 200, since a provider would otherwise repeat it and block
its chat; what it did not sign leaves no trace but a counter.

No framework is needed here: bot/webhook_routes.py brings requests in and answers out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from prometheus_client import Counter

import logs
from bot.channels import CHANNELS
from bot.channels.base import ChannelView, Malformed, WebhookRejected, WebhookRequest
from bot.directory import Directory
from bot.groups import Groups
from bot.inbound import Intake
from bot.metrics import REJECTED, TAKEN
from bot.statuses import Statuses
from services.errors import Unavailable

PROVIDERS = {
    "telegram": frozenset({"telegram"}),
    "twilio": frozenset({"sms", "whatsapp"}),
    "simulator": frozenset({"simulator"}),
}
KEPT = frozenset(
    {"message", "edited", "blocked", "unblocked", "opted_out", "opted_in", "help_answered"}
)


class Front(Protocol):
    """The parts of a process that webhooks lead to."""

    @property
    def directory(self) -> Directory:
        """Finds channels."""

    @property
    def intake(self) -> Intake:
        """Takes messages in."""

    @property
    def groups(self) -> Groups:
        """Hears what is said to us in groups."""

    @property
    def statuses(self) -> Statuses:
        """Records what became of messages sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider is answered."""

    status: int
    content_type: str = ""
    body: bytes = b""
    retry_after: str = ""


NOWHERE = Answer(404)
LATER = Answer(503, retry_after="1")


def receive(front: Front, provider: str, key: str, incoming: WebhookRequest) -> Answer:
    """Take in one delivery of a provider to the channel of this key."""
    return _answer(front, provider, key, incoming, _receive)


def receive_status(front: Front, key: str, incoming: WebhookRequest) -> Answer:
    """Take in one status callback; what it says of an unknown message is ignored."""
    return _answer(front, "twilio", key, incoming, _receive_status)


def _answer(
    front: Front,
    provider: str,
    key: str,
    incoming: WebhookRequest,
    work: Callable[[Front, ChannelView, WebhookRequest], Answer],
) -> Answer:
    try:
        view = front.directory.by_key(key)
        if view is None or view.kind not in PROVIDERS[provider]:
            return NOWHERE
        try:
            CHANNELS[view.kind].verify(view, incoming)
        except WebhookRejected as rejected:
            REJECTED.labels(view.kind).inc()
            logs.event("webhook.rejected", channel_kind=view.kind, status=rejected.status)
            return Answer(rejected.status)
        return work(front, view, incoming)
    except Unavailable:
        return LATER


def _receive(front: Front, view: ChannelView, incoming: WebhookRequest) -> Answer:
    channel, intake = CHANNELS[view.kind], front.intake
    try:
        arrivals = channel.parse(view, incoming)
    except Malformed:
        _taken(view.kind, "unreadable").inc()
        intake.keep_unreadable(view, incoming.body)
        return Answer(200)
    spoken = None
    for arrival in arrivals:
        _taken(view.kind, arrival.kind).inc()
        if arrival.kind in KEPT and arrival.address:
            spoken = intake.take(view, arrival).say or spoken
        elif arrival.kind == "group" and arrival.callback_id is None:
            spoken = front.groups.hear(view, arrival)
        elif arrival.poll is not None:
            front.groups.count(view, arrival.poll)
    return Answer(200, *channel.acknowledge(arrivals, spoken))


def _receive_status(front: Front, view: ChannelView, incoming: WebhookRequest) -> Answer:
    try:
        update = CHANNELS[view.kind].parse_status(view, incoming)
    except Malformed:
        return Answer(200)
    if update is not None:
        front.statuses.record(view, update)
    return Answer(204)


@cache
def _taken(channel_kind: str, arrival_kind: str) -> Counter:
    """The counter of one kind of arrival, looked up once: both words are from short lists."""
    return TAKEN.labels(channel_kind, arrival_kind)
