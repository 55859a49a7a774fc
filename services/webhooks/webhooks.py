"""Endpoints that are told of events: who they are, what they want to know, what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.base import new_id
from models.sealed import OrganisationKeys, open_sealed, seal
from models.walls import organisation_of
from models.webhook import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint
from services import audit, retention
from services.audit import Actor
from services.errors import Conflict, Invalid, NotFound
from services.webhooks.webhook_signing import new_secret

EVENTS = (
    "registration.completed",
    "contact.stopped",
    "contact.erased",
    "consent.changed",
    "case.opened",
    "message.failed",
    "poll.opened",
    "poll.answered",
    "poll.closed",
    "broadcast.finished",
)
"""What an endpoint may be told; each is written by a trigger of migration 0007 or 0008."""

ABOUT_NOBODY = ("poll.opened", "poll.closed", "broadcast.finished")
"""Those that tell of no single person; each of the others is a row about one."""

TEST_EVENT = "webhook.test"
MOST_ENDPOINTS = 20
ROTATION = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Added:
    """A new endpoint with its secret, which is shown this once."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


def add(
    db: Session,
    keys: OrganisationKeys,
    url: str,
    events: Sequence[str],
    *,
    actor: Actor = audit.SYSTEM,
    now: datetime,
) -> Added:
    """Add an endpoint; `url` has passed ``webhook_targets.checked_url``.

    Invalid for an event nobody knows, Conflict from the twenty-first endpoint on.
    """
    unknown = set(events) - set(EVENTS)
    if unknown or not events:
        raise Invalid("Name events of the list.", place="events")
    if len(list_endpoints(db, after=None, most=MOST_ENDPOINTS)) >= MOST_ENDPOINTS:
        raise Conflict(f"An organisation has at most {MOST_ENDPOINTS} endpoints.")
    secret, endpoint_id = new_secret(), new_id(now)
    endpoint = WebhookEndpoint(
        organisation_id=organisation_of(db),
        id=endpoint_id,
        url=url,
        secret=_seal(keys, secret, organisation_of(db), endpoint_id),
        events=sorted(set(events)),
        status=EndpointStatus.ACTIVE,
        created_at=now,
    )
    db.add(endpoint)
    db.flush()
    audit.record(db, actor, "webhook.added", ("webhook", endpoint_id), now=now)
    return Added(endpoint, secret)


def get(db: Session, endpoint_id: UUID) -> WebhookEndpoint:
    """Return an endpoint of the session's organisation; NotFound otherwise."""
    endpoint = db.get(WebhookEndpoint, (organisation_of(db), endpoint_id))
    if endpoint is None:
        raise NotFound("There is no such webhook.")
    return endpoint


def list_endpoints(db: Session, *, after: UUID | None, most: int) -> Sequence[WebhookEndpoint]:
    """Return endpoints in the order they were added, those after a given one."""
    wanted = select(WebhookEndpoint).where(WebhookEndpoint.organisation_id == organisation_of(db))
    if after is not None:
        wanted = wanted.where(WebhookEndpoint.id > after)
    return db.scalars(wanted.order_by(WebhookEndpoint.id).limit(most)).all()


def remove(db: Session, endpoint_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Remove an endpoint with everything it was told; NotFound when there is none."""
    endpoint = get(db, endpoint_id)
    db.execute(
        delete(WebhookEndpoint).where(
            WebhookEndpoint.organisation_id == endpoint.organisation_id,
            WebhookEndpoint.id == endpoint_id,
        )
    )
    audit.record(db, actor, "webhook.removed", ("webhook", endpoint_id), now=now)


def rotate(
    db: Session, keys: OrganisationKeys, endpoint_id: UUID, *, actor: Actor, now: datetime
) -> Added:
    """Give an endpoint a new secret; the old one signs beside it for 24 hours more."""
    endpoint = get(db, endpoint_id)
    secret = new_secret()
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + ROTATION
    endpoint.secret = _seal(keys, secret, endpoint.organisation_id, endpoint_id)
    db.flush()
    audit.record(db, actor, "webhook.rotated", ("webhook", endpoint_id), now=now)
    return Added(endpoint, secret)


def enable(db: Session, endpoint_id: UUID, *, actor: Actor, now: datetime) -> WebhookEndpoint:
    """Tell a disabled endpoint again; what waits for it goes out, what happened meanwhile not."""
    endpoint = get(db, endpoint_id)
    if endpoint.status is EndpointStatus.DISABLED:
        endpoint.status, endpoint.reason, endpoint.failing_since = EndpointStatus.ACTIVE, None, None
        db.flush()
        audit.record(db, actor, "webhook.enabled", ("webhook", endpoint_id), now=now)
    return endpoint


def test(db: Session, endpoint_id: UUID, *, now: datetime) -> WebhookDelivery:
    """Tell an endpoint something that did not happen; Conflict for a disabled one."""
    endpoint = get(db, endpoint_id)
    if endpoint.status is EndpointStatus.DISABLED:
        raise Conflict("This webhook is disabled; enable it first.")
    told = WebhookDelivery(
        organisation_id=endpoint.organisation_id,
        id=new_id(now),
        endpoint_id=endpoint_id,
        event=new_id(now),
        kind=TEST_EVENT,
        payload={
            "type": TEST_EVENT,
            "timestamp": now.isoformat().replace("+00:00", "Z"),
            "data": {"webhook_id": str(endpoint_id)},
        },
        status=DeliveryStatus.WAITING,
        next_try_at=now,
        created_at=now,
        expires_at=retention.expires_at("webhook_deliveries", now),
    )
    db.add(told)
    db.flush()
    return told


def list_deliveries(
    db: Session,
    endpoint_id: UUID,
    *,
    about_people: bool = True,
    before: UUID | None = None,
    most: int,
) -> Sequence[WebhookDelivery]:
    """Return what an endpoint was told, the newest first; NotFound when there is no endpoint."""
    wanted = select(WebhookDelivery).where(
        WebhookDelivery.organisation_id == organisation_of(db),
        WebhookDelivery.endpoint_id == get(db, endpoint_id).id,
    )
    if not about_people:
        wanted = wanted.where(WebhookDelivery.kind.in_((*ABOUT_NOBODY, TEST_EVENT)))
    if before is not None:
        wanted = wanted.where(WebhookDelivery.id < before)
    return db.scalars(wanted.order_by(WebhookDelivery.id.desc()).limit(most)).all()


def open_secrets(
    keys: OrganisationKeys, endpoint: WebhookEndpoint, *, now: datetime
) -> tuple[str, ...]:
    """Return the secrets that sign at this moment, the newest first."""
    sealed = [endpoint.secret]
    if endpoint.previous_secret and endpoint.previous_until and now < endpoint.previous_until:
        sealed.append(endpoint.previous_secret)
    return tuple(
        open_sealed(
            keys.data,
            one,
            table="webhook_endpoints",
            column="secret",
            organisation_id=endpoint.organisation_id,
            row_id=endpoint.id,
        ).decode()
        for one in sealed
    )


def _seal(keys: OrganisationKeys, secret: str, organisation_id: UUID, endpoint_id: UUID) -> bytes:
    return seal(
        keys.data,
        secret.encode(),
        table="webhook_endpoints",
        column="secret",
        organisation_id=organisation_id,
        row_id=endpoint_id,
    )
