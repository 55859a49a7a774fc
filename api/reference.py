"""The OpenAPI document, and the page that shows it without any call to elsewhere."""

import json
from collections.abc import Sequence
from typing import Any

import click
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flask import Blueprint, Flask, Response, current_app, render_template
from flask.cli import with_appcontext
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from marshmallow import fields

from api.errors import MEDIA_TYPE, PROBLEMS
from api.fields import Strict
from api.resource import PREFIX
from api.scopes import MEANINGS, NEED_REASON, PEOPLE_ADDRESSES, PEOPLE_READ, SCOPES
from api.work import IDEMPOTENCY_HEADER, IDEMPOTENCY_NAME, REASON, REASON_HEADER

VERSION = "1.0.0"
ABOUT = (
    "Members of a diaspora register, answer and are heard. Times are RFC 3339 in UTC, countries "
    "ISO 3166-1 alpha-2, languages BCP 47, numbers E.164. Fields nobody knows are refused."
)
_REASON = {
    "in": "header",
    "name": REASON_HEADER,
    "description": "Why: a short word such as asked-by-letter. It is recorded.",
    "schema": {"type": "string", "pattern": f"^{REASON}$"},
}
_IDEMPOTENCY = {
    "in": "header",
    "name": IDEMPOTENCY_HEADER,
    "description": "A name of your own for this request: sent again, it has one effect.",
    "schema": {"type": "string", "pattern": f"^{IDEMPOTENCY_NAME}$"},
}
_EXTENSION = "homeline-api-reference"

pages = Blueprint("reference", __name__, template_folder="templates", static_folder="static")


class FaultRow(Strict):
    """One thing to mend."""

    place = fields.String(required=True)
    problem = fields.String(required=True)


class ProblemRow(Strict):
    """A problem by RFC 9457."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "Stable; switch on this."})
    detail = fields.String()
    errors = fields.List(fields.Nested(FaultRow))


class _Api(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest as far as it describes; faults are told by api/errors.py."""

    ERROR_SCHEMA = ProblemRow

    def _register_error_handlers(self) -> None:
        """Leave faults to api/errors.py."""


def register(app: Flask, resources: Sequence[Any]) -> None:
    """Serve the resources and describe them."""
    about = {"description": ABOUT}
    api = _Api(
        app,
        spec_kwargs={
            "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=_name),
            "title": "Homeline",
            "version": VERSION,
            "openapi_version": "3.1.0",
            "info": about,
            "servers": [{"url": app.config["PUBLIC_URL"]}],
        },
    )
    bearer = {"type": "http", "scheme": "bearer", "description": "A key: hl_…"}
    api.spec.components.security_scheme("key", bearer)
    for resource in resources:
        api.register_blueprint(resource)
    app.extensions[_EXTENSION] = _completed(api.spec.to_dict())
    app.register_blueprint(pages, url_prefix="/api")
    app.cli.add_command(print_document, "openapi")


@pages.get("/v1/openapi.json")
def document() -> ResponseReturnValue:
    """Give the OpenAPI 3.1 document."""
    response = Response(json.dumps(_document()), content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@pages.get("/docs")
def page() -> ResponseReturnValue:
    """Show the reference page."""
    return render_template(
        "reference.html",
        document=_document(),
        operations=list(_by_tag(_document())),
        scopes=MEANINGS,
        problems=PROBLEMS,
        fields_of=_fields_of,
    )


@click.command("openapi")
@with_appcontext
def print_document() -> None:
    """Print the OpenAPI document of the API."""
    click.echo(json.dumps(_document(), indent=2))


def _document() -> dict[str, Any]:
    found: dict[str, Any] = current_app.extensions[_EXTENSION]
    return found


def _completed(spec: dict[str, Any]) -> dict[str, Any]:
    """Add to each operation what holds for all: scope, headers, problems."""
    spec["components"]["schemas"].pop("PaginationMetadataSchema", None)  # not our way to page
    for response in spec["components"]["responses"].values():
        content = response.get("content", {})
        if "application/json" in content:
            content[MEDIA_TYPE] = content.pop("application/json")
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            called = f"{method.upper()} {path.removeprefix(PREFIX)}"
            scope = SCOPES[called]
            operation["security"] = [{"key": [scope]}]
            headers = _headers(called, scope)
            if headers:
                operation["parameters"] = [*operation.get("parameters", []), *headers]
            operation["operationId"] = _operation_id(method, path)
    return spec


def _name(schema: Any) -> str:
    """Return what a schema is called outside."""
    found: Any = resolve_schema_cls(schema)
    return str(found.__name__).removesuffix("Row")


def _headers(operation: str, scope: str) -> list[dict[str, Any]]:
    """Return the headers an operation such as `POST /exports` reads."""
    reason: list[dict[str, Any]] = []
    if operation in NEED_REASON:
        reason = [_REASON | {"required": True}]
    elif operation == "GET /contacts/{contact_id}":
        told = f"Needed, with {PEOPLE_ADDRESSES}, to see addresses. {_REASON['description']}"
        reason = [_REASON | {"description": told}]
    elif scope == PEOPLE_READ or operation.startswith("GET /cases") or "rehearse" in operation:
        reason = [_REASON]
    named = operation.startswith("POST ") and operation != "POST /exports"
    return [*reason, *([_IDEMPOTENCY] if named else [])]


def _operation_id(method: str, path: str) -> str:
    words = path.removeprefix(PREFIX).replace("{", "by_").replace("}", "").strip("/")
    return f"{method}_{words.replace('/', '_').replace('-', '_')}"


def _by_tag(spec: dict[str, Any]) -> Any:
    """Give each tag with its operations, in the order they were registered."""
    for tag in spec["tags"]:
        found = [
            (method.upper(), path, operation, item.get("parameters", []))
            for path, item in spec["paths"].items()
            for method, operation in item.items()
            if method != "parameters" and tag["name"] in operation["tags"]
        ]
        yield tag, found


def _fields_of(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the fields of a schema as rows: name, type, needed, what it says."""
    spec = _document()
    schema = _resolved(spec, schema)
    needed = schema.get("required", [])
    return [
        {
            "name": name,
            "type": _type(spec, inner),
            "needed": name in needed,
            "description": inner.get("description", ""),
            "enum": inner.get("enum", []),
        }
        for name, inner in schema.get("properties", {}).items()
    ]


def _resolved(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: dict[str, Any] = spec["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return found


def _type(spec: dict[str, Any], schema: dict[str, Any]) -> str:
    """Say the type of a field in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    kind = schema.get("type", "any")
    told = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if told == "array" and "items" in schema:
        return f"list of {_type(spec, schema['items'])}"
    return f"{told} ({schema['format']})" if "format" in schema else told
