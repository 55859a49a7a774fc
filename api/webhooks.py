"""Webhooks: endpoints of yours that are told of events, and the log of what they were told."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.auth import require
from api.fields import Instant, Strict, described, one_of, text
from api.paging import Page, PageQuery, page_of
from api.resource import Resource
from api.scopes import PEOPLE_READ
from api.work import Work
from models.webhook import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint
from services.webhooks import webhooks
from services.webhooks.webhook_targets import checked_url
from services.webhooks.webhooks import ABOUT_NOBODY, EVENTS, Added

resource = Resource("outgoing webhooks", "Endpoints of yours that are told of events.")


class WebhookRow(Strict):
    """An endpoint without its secret."""

    id = fields.UUID(required=True)
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    status = one_of([one.value for one in EndpointStatus], "Whether it is told.", required=True)
    reason = described(
        fields.String(required=True, allow_none=True), "Why it is disabled: gone or failing."
    )
    failing_since = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)


class NewWebhook(Strict):
    """An endpoint to add."""

    url = text(2000, "https, on the public internet.", required=True)
    events = fields.List(
        one_of(list(EVENTS), "What happened."),
        required=True,
        validate=validate.Length(1, len(EVENTS)),
        metadata={"description": "What it wants to be told of."},
    )


class AddedWebhook(WebhookRow):
    """An endpoint with its secret, shown this once."""

    secret = described(fields.String(required=True), "whsec_…; signs every request.")


class WebhookDeliveryRow(Strict):
    """One event told to one endpoint."""

    id = fields.UUID(required=True)
    event_id = described(fields.UUID(required=True), "The webhook-id: the same at every try.")
    type = fields.String(required=True)
    payload = described(fields.Dict(required=True), "The body: ids only.")
    status = one_of([one.value for one in DeliveryStatus], "How far it came.", required=True)
    attempts = fields.Integer(required=True)
    next_try_at = Instant(required=True, allow_none=True)
    last_status = described(
        fields.Integer(required=True, allow_none=True), "The HTTP status of the last answer."
    )
    response_ms = fields.Integer(required=True, allow_none=True)
    error_code = described(
        fields.String(required=True, allow_none=True), "Why there was no answer that counts."
    )
    created_at = Instant(required=True)
    delivered_at = Instant(required=True, allow_none=True)


WebhookPage = page_of(WebhookRow)
DeliveryPage = page_of(WebhookDeliveryRow)


@resource.operation("GET", "/webhooks", query=PageQuery, gives=WebhookPage)
def list_webhooks(work: Work, query: dict[str, Any]) -> Page:
    """List endpoints in the order they were added."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = webhooks.list_endpoints(work.db, after=_id(after), most=limit + 1)
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_told(row) for row in rows[:limit]], page.next_cursor)


@resource.operation("POST", "/webhooks", body=NewWebhook, gives=AddedWebhook, status=201)
def add_webhook(work: Work, body: dict[str, Any]) -> dict[str, Any]:
    """Add an endpoint; its secret is in this answer and nowhere else.

    Events that tell of single people, by their ids, need `people:read` as well.
    """
    if not set(body["events"]) <= set(ABOUT_NOBODY):
        require(work.holder, PEOPLE_READ)
    url = checked_url(body["url"], development=work.line.settings.development)
    added = webhooks.add(work.db, work.keys(), url, body["events"], actor=work.actor, now=work.now)
    return _shown(added)


@resource.operation("GET", "/webhooks/<uuid:webhook_id>", gives=WebhookRow)
def get_webhook(work: Work, webhook_id: UUID) -> dict[str, Any]:
    """Show one endpoint."""
    return _told(webhooks.get(work.db, webhook_id))


@resource.operation("DELETE", "/webhooks/<uuid:webhook_id>", status=204)
def remove_webhook(work: Work, webhook_id: UUID) -> Response:
    """Remove an endpoint and the log of what it was told."""
    webhooks.remove(work.db, webhook_id, actor=work.actor, now=work.now)
    return Response(status=204)


@resource.operation("POST", "/webhooks/<uuid:webhook_id>/rotate", gives=AddedWebhook)
def rotate_webhook(work: Work, webhook_id: UUID) -> dict[str, Any]:
    """Give an endpoint a new secret; both sign for 24 hours."""
    return _shown(webhooks.rotate(work.db, work.keys(), webhook_id, actor=work.actor, now=work.now))


@resource.operation("POST", "/webhooks/<uuid:webhook_id>/enable", gives=WebhookRow)
def enable_webhook(work: Work, webhook_id: UUID) -> dict[str, Any]:
    """Tell a disabled endpoint again; what waited goes out now."""
    return _told(webhooks.enable(work.db, webhook_id, actor=work.actor, now=work.now))


@resource.operation(
    "POST", "/webhooks/<uuid:webhook_id>/test", gives=WebhookDeliveryRow, status=202
)
def test_webhook(work: Work, webhook_id: UUID) -> dict[str, Any]:
    """Tell an endpoint of a made-up event, type webhook.test."""
    return _delivery(webhooks.test(work.db, webhook_id, now=work.now))


@resource.operation(
    "GET", "/webhooks/<uuid:webhook_id>/deliveries", query=PageQuery, gives=DeliveryPage
)
def list_webhook_deliveries(work: Work, query: dict[str, Any], webhook_id: UUID) -> Page:
    """List what an endpoint was told in the last 30 days, the newest first.

    What tells of single people is listed for keys with `people:read` only.
    """
    limit, before = query["limit"], work.cursors.read(query["cursor"])
    rows = webhooks.list_deliveries(
        work.db,
        webhook_id,
        about_people=work.holder.may(PEOPLE_READ),
        before=_id(before),
        most=limit + 1,
    )
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_delivery(row) for row in rows[:limit]], page.next_cursor)


def _id(cursor: str | None) -> UUID | None:
    return None if cursor is None else UUID(cursor)


def _told(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": endpoint.events,
        "status": endpoint.status.value,
        "reason": endpoint.reason,
        "failing_since": endpoint.failing_since,
        "created_at": endpoint.created_at,
    }


def _shown(added: Added) -> dict[str, Any]:
    return _told(added.endpoint) | {"secret": added.secret}


def _delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event_id": delivery.event,
        "type": delivery.kind,
        "payload": delivery.payload,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "next_try_at": delivery.next_try_at,
        "last_status": delivery.last_status,
        "response_ms": delivery.response_ms,
        "error_code": delivery.error_code,
        "created_at": delivery.created_at,
        "delivered_at": delivery.delivered_at,
    }
