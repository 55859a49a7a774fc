"""Liveness, readiness and figures, for whoever watches over the service."""

import hmac
from ipaddress import ip_address

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from composition import Homeline, revisions
from models.organisation import Organisation
from models.sealed import CannotOpen
from models.walls import system_scope

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that this process answers."""
    return jsonify(alive=True)


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether work can be done: database, migrations and keys; 503 with what is missing."""
    checks = readiness(current_app.extensions["homeline"])
    ready = all(checks.values())
    return jsonify(ready=ready, checks=checks), 200 if ready else 503


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Give Prometheus figures to this machine, or to who has the token."""
    if not _may_read_metrics(current_app.extensions["homeline"].settings.metrics_token):
        abort(404)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def readiness(homeline: Homeline) -> dict[str, bool]:
    """Return each condition for serving and whether it holds."""
    checks = {"database": False, "migrations": False, "keys": False}
    try:
        with homeline.engine.connect() as connection:
            connection.execute(text("select 1"))
            checks["database"] = True
            has, expected = revisions(connection)
            checks["migrations"] = has == expected
        checks["keys"] = checks["migrations"] and _keys_open(homeline)
    except SQLAlchemyError:
        pass
    return checks


def _keys_open(homeline: Homeline) -> bool:
    """Say whether our master keys open what every organisation's keys are wrapped with."""
    wanted = select(Organisation.id, Organisation.wrapped_key, Organisation.wrapped_index_key)
    with system_scope(homeline.engine) as db:
        rows = db.execute(wanted).all()
    try:
        for organisation_id, wrapped_key, wrapped_index_key in rows:
            homeline.keyring.open_organisation(organisation_id, wrapped_key, wrapped_index_key)
    except CannotOpen:
        return False
    return True


def _may_read_metrics(token: str | None) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token is not None and hmac.compare_digest(given.encode(), token.encode()):
        return True
    # A proxy on this machine speaks for somebody else.
    forwarded = {"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} & set(request.headers.keys())
    try:
        local = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        local = False
    return local and not forwarded
