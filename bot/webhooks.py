"""The providers' doors: verify, parse, take in, acknowledge.

A webhook is answered 200 only after the commit that holds its message. What the provider signed
but nobody can read is kept and answered 200, since a provider would otherwise repeat it and block
its chat; what it did not sign leaves no trace but a counter.
"""

from flask import Blueprint, Response, abort, current_app, request

import logs
from bot.channels import CHANNELS
from bot.channels.base import ChannelView, Malformed, WebhookRejected, WebhookRequest
from bot.directory import Directory
from bot.inbound import Intake
from bot.metrics import REJECTED, TAKEN
from bot.statuses import Statuses
from services.errors import Unavailable

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")
PROVIDERS = {
    "telegram": frozenset({"telegram"}),
    "twilio": frozenset({"sms", "whatsapp"}),
    "simulator": frozenset({"simulator"}),
}
KEPT = frozenset({"message", "blocked", "unblocked", "opted_out", "opted_in", "help_answered"})


@blueprint.post("/<any(telegram, twilio, simulator):provider>/<channel_key>")
def receive(provider: str, channel_key: str) -> Response:
    """Take in one delivery of a provider."""
    view = _channel(provider, channel_key)
    incoming = _request()
    channel = CHANNELS[view.kind]
    try:
        channel.verify(view, incoming)
        arrivals = channel.parse(view, incoming)
    except WebhookRejected as rejected:
        return _reject(view, rejected)
    except Malformed:
        return _keep_unreadable(view, incoming)
    say = None
    try:
        for arrival in arrivals:
            TAKEN.labels(view.kind, arrival.kind).inc()
            if arrival.kind in KEPT and arrival.address:
                say = _intake().take(view, arrival).say or say
    except Unavailable:
        return _try_again()
    content_type, body = channel.acknowledge(arrivals, say)
    return Response(body, content_type=content_type)


@blueprint.post("/twilio/<channel_key>/status")
def receive_status(channel_key: str) -> Response:
    """Take in one status callback; what it says of an unknown message is ignored."""
    view = _channel("twilio", channel_key)
    incoming = _request()
    channel = CHANNELS[view.kind]
    try:
        channel.verify(view, incoming)
        update = channel.parse_status(view, incoming)
    except WebhookRejected as rejected:
        return _reject(view, rejected)
    except Malformed:
        return Response(status=200)
    try:
        if update is not None:
            _statuses().record(view, update)
    except Unavailable:
        return _try_again()
    return Response(status=204)


def _keep_unreadable(view: ChannelView, incoming: WebhookRequest) -> Response:
    TAKEN.labels(view.kind, "unreadable").inc()
    try:
        _intake().keep_unreadable(view, incoming.body)
    except Unavailable:
        return _try_again()
    return Response(status=200)


def _try_again() -> Response:
    return Response(status=503, headers={"Retry-After": "1"})


def _channel(provider: str, channel_key: str) -> ChannelView:
    try:
        view = _directory().by_key(channel_key)
    except Unavailable:
        abort(_try_again())
    if view is None or view.kind not in PROVIDERS[provider]:
        abort(404)
    return view


def _request() -> WebhookRequest:
    return WebhookRequest(
        method=request.method,
        path=request.path,
        query=request.environ.get("QUERY_STRING", ""),
        headers=dict(request.headers),
        body=_body(),
        public_url=current_app.config["PUBLIC_URL"],
    )


def _body() -> bytes:
    """The whole body, or 400 when it was torn off, 413 when it went on past the limit.

    A server that ends the stream by itself (Granian) lets both pass: a torn body looks complete,
    and one without a length is cut at the limit.
    """
    body = request.get_data(cache=False)
    length, most = request.content_length, request.max_content_length
    if length is not None and len(body) < length:
        abort(400)
    if length is None and most is not None and len(body) >= most:
        abort(413)
    return body


def _reject(view: ChannelView, rejected: WebhookRejected) -> Response:
    REJECTED.labels(view.kind).inc()
    logs.event("webhook.rejected", channel_kind=view.kind, status=rejected.status)
    return Response(status=rejected.status)


def _intake() -> Intake:
    intake: Intake = current_app.extensions["homeline"].intake
    return intake


def _directory() -> Directory:
    directory: Directory = current_app.extensions["homeline"].directory
    return directory


def _statuses() -> Statuses:
    statuses: Statuses = current_app.extensions["homeline"].statuses
    return statuses
