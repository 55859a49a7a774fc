"""The tries of outgoing webhooks: which are due, and what becomes of them and their endpoint."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from sqlalchemy import Engine, exists, func, select
from sqlalchemy.orm import Session

from models.db import transaction
from models.walls import system_scope
from models.webhook import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint
from services import audit
from services.organisations import OrganisationKeyring
from services.webhooks.webhook_signing import headers
from services.webhooks.webhooks import open_secrets

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24, 24, 24)),
)
"""Between the tries of one event; the last one comes a little after DISABLE_AFTER."""

DISABLE_AFTER = timedelta(days=5)
LEASE = timedelta(seconds=60)
GONE = 410
MOST = 64
AT_ONCE = 20
AT_ONCE_WHILE_FAILING = 2


@dataclass(frozen=True, slots=True)
class Try:
    """One signed request to make; whoever holds it has a minute to make it."""

    organisation_id: UUID
    id: UUID
    endpoint_id: UUID
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a try: the answer's status, or a word for why there is none."""

    status: int | None
    error_code: str | None
    took_ms: int

    @property
    def arrived(self) -> bool:
        """Whether the endpoint took it."""
        return self.status is not None and 200 <= self.status < 300 and self.error_code is None


def claim(
    engine: Engine, keys: OrganisationKeyring, *, most: int = MOST, now: datetime
) -> list[Try]:
    """Take what is due, of every endpoint some; nobody else gets it for a minute.

    An endpoint that fails is tried with a few at a time, so that it cannot take all the places.
    """
    with system_scope(engine) as db:
        waiting = (
            WebhookDelivery.endpoint_id == WebhookEndpoint.id,
            WebhookDelivery.organisation_id == WebhookEndpoint.organisation_id,
            WebhookDelivery.status == DeliveryStatus.WAITING,
            WebhookDelivery.next_try_at <= now,
        )
        endpoints = db.scalars(
            select(WebhookEndpoint)
            .where(WebhookEndpoint.status == EndpointStatus.ACTIVE, exists().where(*waiting))
            .order_by(func.random())
            .limit(most)
        ).all()
        claimed: list[tuple[WebhookEndpoint, WebhookDelivery]] = []
        for one in endpoints:
            room = most - len(claimed)
            claimed += [(one, delivery) for delivery in _claim_for(db, one, room, now)]
    return [_signed(keys, endpoint, delivery, now) for endpoint, delivery in claimed]


def _claim_for(
    db: Session, endpoint: WebhookEndpoint, room: int, now: datetime
) -> list[WebhookDelivery]:
    most = AT_ONCE if endpoint.failing_since is None else AT_ONCE_WHILE_FAILING
    found = list(
        db.scalars(
            select(WebhookDelivery)
            .where(
                WebhookDelivery.organisation_id == endpoint.organisation_id,
                WebhookDelivery.endpoint_id == endpoint.id,
                WebhookDelivery.status == DeliveryStatus.WAITING,
                WebhookDelivery.next_try_at <= now,
            )
            .order_by(WebhookDelivery.next_try_at)
            .limit(min(most, room))
            .with_for_update(skip_locked=True)
        )
    )
    for delivery in found:
        delivery.attempts += 1
        delivery.next_try_at = now + LEASE
    db.flush()
    return found


def _signed(
    keys: OrganisationKeyring, endpoint: WebhookEndpoint, delivery: WebhookDelivery, now: datetime
) -> Try:
    body = orjson.dumps(delivery.payload)
    secrets = open_secrets(keys.open(endpoint.organisation_id), endpoint, now=now)
    return Try(
        organisation_id=endpoint.organisation_id,
        id=delivery.id,
        endpoint_id=endpoint.id,
        url=endpoint.url,
        headers=headers(secrets, str(delivery.event), now, body),
        body=body,
    )


def record(engine: Engine, tried: Try, result: Result, *, now: datetime) -> None:
    """Write down what came of a try; an event may be gone by then, with its contact or endpoint."""
    with transaction(engine, tried.organisation_id) as db:
        endpoint = db.get(
            WebhookEndpoint, (tried.organisation_id, tried.endpoint_id), with_for_update=True
        )
        delivery = db.get(WebhookDelivery, (tried.organisation_id, tried.id), with_for_update=True)
        if endpoint is None:
            return
        if delivery is not None:
            _settle(delivery, result, now)
        _follow(db, endpoint, result, now)


def _settle(delivery: WebhookDelivery, result: Result, now: datetime) -> None:
    delivery.last_status, delivery.response_ms = result.status, result.took_ms
    delivery.error_code = result.error_code
    if result.arrived:
        delivery.status, delivery.delivered_at = DeliveryStatus.DELIVERED, now
        delivery.next_try_at = None
    elif delivery.attempts > len(PAUSES):
        delivery.status, delivery.next_try_at = DeliveryStatus.FAILED, None
    else:
        delivery.next_try_at = now + _pause(delivery)


def _pause(delivery: WebhookDelivery) -> timedelta:
    """The pause before the next try, up to a tenth longer: not all events at the same instant."""
    return PAUSES[delivery.attempts - 1] * (1 + delivery.id.int % 1000 / 10_000)


def _follow(db: Session, endpoint: WebhookEndpoint, result: Result, now: datetime) -> None:
    """Let the endpoint follow: well again, failing, or disabled with a link in the audit chain."""
    if endpoint.status is EndpointStatus.DISABLED:
        return
    if result.arrived:
        endpoint.failing_since = None
        return
    endpoint.failing_since = endpoint.failing_since or now
    reason = None
    if result.status == GONE:
        reason = "gone"
    elif now - endpoint.failing_since >= DISABLE_AFTER:
        reason = "failing"
    if reason:
        endpoint.status, endpoint.reason = EndpointStatus.DISABLED, reason
        audit.record(
            db,
            audit.SYSTEM,
            "webhook.disabled",
            ("webhook", endpoint.id),
            detail={"reason": reason},
            now=now,
        )
