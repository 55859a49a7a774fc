"""Outgoing webhooks: who wants to be told of what, and every telling with its tries."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Word, belongs, of_organisation, one_of


class EndpointStatus(StrEnum):
    """Whether an endpoint is told anything."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DeliveryStatus(StrEnum):
    """Whether a telling waits for its next try, arrived, or was given up."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


WAITING = text("status = 'waiting'")


class WebhookEndpoint(Identified, Base):
    """An address that is told of events.

    `secret` signs, sealed with the organisation's key; after a rotation `previous_secret` signs as
    well until `previous_until`. `failing_since` is the first failure after the last success;
    `reason` says why it is disabled: gone or failing.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (of_organisation(), one_of("status", EndpointStatus))

    url: Mapped[str]
    secret: Mapped[bytes]
    previous_secret: Mapped[bytes | None]
    previous_until: Mapped[datetime | None]
    events: Mapped[list[str]]
    status: Mapped[EndpointStatus] = mapped_column(Word(EndpointStatus))
    reason: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    created_at: Mapped[datetime]


class WebhookDelivery(Identified, Base):
    """One event on its way to one endpoint; ids only, and gone with its contact.

    `event` is the same for every endpoint and every try. Rows are written by triggers, in the
    transaction of what they tell of (docs/adr/0005-events-by-trigger.md).
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        belongs("endpoint_id", "webhook_endpoints", cascade=True),
        belongs("contact_id", "contacts", cascade=True),
        one_of("status", DeliveryStatus),
        Index(
            "ix_webhook_deliveries_waiting", "endpoint_id", "next_try_at", postgresql_where=WAITING
        ),
        Index(None, "endpoint_id", "id"),
        Index(None, "contact_id"),
        Index(None, "expires_at", postgresql_using="brin"),
    )

    endpoint_id: Mapped[UUID]
    contact_id: Mapped[UUID | None]
    event: Mapped[UUID]
    kind: Mapped[str]
    payload: Mapped[Json]
    status: Mapped[DeliveryStatus] = mapped_column(Word(DeliveryStatus))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_try_at: Mapped[datetime | None]
    last_status: Mapped[int | None] = mapped_column(SmallInteger)
    response_ms: Mapped[int | None]
    error_code: Mapped[str | None]
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
