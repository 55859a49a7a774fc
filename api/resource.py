"""One resource of the API: operations with a scope, schemas, one transaction and its errors."""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, current_app, make_response, request
from flask_smorest import Blueprint
from marshmallow import Schema

from api.auth import authenticate, require
from api.bodies import Parser
from api.scopes import SCOPES
from api.work import Work, find_asked, shared
from models.db import transaction
from services import idempotency
from services.idempotency import Answered, Asked

PREFIX = "/api/v1"
_CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_KEPT_HEADERS = ("Location",)

View = Callable[..., Any]


class Resource(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """A part of the API; `operation` is the only way to add a route."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(
            name.replace(" ", "_"), __name__, url_prefix=PREFIX, description=description
        )

    def operation(
        self,
        method: str,
        rule: str,
        *,
        query: type[Schema] | None = None,
        body: type[Schema] | None = None,
        gives: type[Schema] | None = None,
        status: int = 200,
        kept: bool = True,
    ) -> Callable[[View], View]:
        """Serve `view(work, [query], [body], **ids)` at a rule, for keys with the scope listed.

        KeyError for an operation without a line in SCOPES. What the view returns is written by the
        schema `gives`; it may return (what, status, headers). With `kept` false the answer to a
        named POST is not kept for its repetition: what must not stay here is made anew.
        """
        path = _CONVERTER.sub(r"{\1}", rule)
        scope = SCOPES[f"{method} {path}"]

        def register(view: View) -> View:
            told = view
            if body is not None:
                needed = any(field.required for field in body().fields.values())
                told = self.arguments(body, location="json", required=needed)(told)
            if query is not None:
                told = self.arguments(query, location="query")(told)
            told = self.response(status, gives)(told)
            self.add_url_rule(rule, view.__name__, _served(told, scope, kept), methods=[method])
            return view

        return register


def _served(view: View, scope: str, kept: bool) -> View:
    """Return the view behind key and scope, in one transaction that ends before the answer goes."""

    @wraps(view)
    def serve(**ids: Any) -> Response:
        line = current_app.extensions["homeline"]
        now = line.clock.now()
        holder = authenticate(line, shared().limits, now=now)
        require(holder, scope)
        asked = find_asked(holder)
        route = f"{request.method} {request.url_rule}"
        with transaction(line.engine, holder.organisation_id) as db:
            work = Work(db, line, holder, now, route)
            if asked is None or not kept:
                return make_response(view(work, **ids))
            return _once(work, asked, lambda: make_response(view(work, **ids)))

    return serve


def _once(work: Work, asked: Asked, view: Callable[[], Response]) -> Response:
    """Return the answer given before to this very request, or this one, which is then kept.

    A refusal is an exception and rolls everything back: it is not kept, and may be mended and sent
    again under the same key.
    """
    keys = work.keys()
    before = idempotency.begin(work.db, keys, asked, now=work.now)
    if before is not None:
        kept = json.loads(before.body)
        again = Response(kept["body"], before.status, kept["headers"])
        again.headers["Idempotency-Replayed"] = "true"
        return again
    response = view()
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    headers["Content-Type"] = response.headers["Content-Type"]
    body = json.dumps({"body": response.get_data(as_text=True), "headers": headers}).encode()
    answered = Answered(response.status_code, body)
    idempotency.remember(work.db, keys, asked, answered, now=work.now)
    return response
