"""JSON under /api/v1: one file a resource, schemas on top and operations below."""

from flask import Flask

from api import (
    audiences,
    audit_events,
    bodies,
    broadcasts,
    cases,
    channels,
    consents,
    contacts,
    dry_runs,
    errors,
    exports,
    flows,
    insights,
    leaders,
    messages,
    organisations,
    poll_languages,
    poll_tests,
    poll_texts,
    polls,
    recipients,
    recordings,
    reference,
    registrations,
    relays,
    results,
    rules,
    webhooks,
    work,
)
from api.scopes import MEANINGS

RESOURCES = (
    registrations.resource,
    rules.resource,
    contacts.resource,
    consents.resource,
    messages.resource,
    broadcasts.resource,
    recipients.resource,
    cases.resource,
    recordings.resource,
    exports.resource,
    insights.resource,
    flows.resource,
    polls.resource,
    poll_languages.resource,
    poll_tests.resource,
    poll_texts.resource,
    results.resource,
    audiences.resource,
    leaders.resource,
    relays.resource,
    dry_runs.resource,
    channels.resource,
    webhooks.resource,
    organisations.resource,
    audit_events.resource,
)


def register(app: Flask) -> None:
    """Serve the API, its OpenAPI document and its reference page; tell what keys may be allowed."""
    app.extensions["api_scopes"] = MEANINGS
    work.share(app)
    errors.register(app)
    app.after_request(bodies.read_rest)
    reference.register(app, RESOURCES)


def answers(path: str) -> bool:
    """Return whether a request to this path is told its faults as JSON."""
    return path.startswith("/api/") and not path.startswith(errors.REFERENCE)
