"""An organisation with people, a key, and a client that speaks to the API as a stranger would."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from api.errors import PROBLEMS
from models.db import transaction
from services import api_keys
from tests.conftest import MadeUp, MovedByHand

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Caller:
    """Somebody with one key."""

    client: FlaskClient
    secret: str
    key_id: UUID

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self.headers(headers))

    def delete(self, path: str, **headers: str) -> TestResponse:
        return self.client.delete(f"/api/v1{path}", headers=self.headers(headers))

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json=body, headers=self.headers(headers))

    def patch(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.client.patch(f"/api/v1{path}", json=body, headers=self.headers(headers))

    def post_raw(self, path: str, body: bytes, kind: str = "application/json") -> TestResponse:
        sent = self.headers({"Content-Type": kind})
        return self.client.post(f"/api/v1{path}", data=body, headers=sent)

    def headers(self, more: Mapping[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self.secret}"} | named


@dataclass(frozen=True)
class Api:
    """The application and whose keys it can make."""

    app: Flask
    engine: Engine
    organisation: MadeUp
    clock: MovedByHand

    def caller(
        self,
        *scopes: str,
        organisation: MadeUp | None = None,
        lasts: timedelta = timedelta(days=30),
    ) -> Caller:
        owner = (organisation or self.organisation).id
        with transaction(self.engine, owner) as db:
            key = api_keys.create(
                db, "made up", scopes=scopes or ("*",), lasts=lasts, now=self.clock.now()
            )
        return Caller(self.app.test_client(), key.secret, key.id)


def all_pages(caller: Caller, path: str, limit: int = 2) -> Iterable[dict[str, Any]]:
    """Every row of a list, page by page."""
    mark = "&" if "?" in path else "?"
    cursor = ""
    while True:
        answer = caller.get(f"{path}{mark}limit={limit}{cursor}")
        assert answer.status_code == 200, answer.text
        yield from answer.get_json()["data"]
        following = answer.get_json()["next_cursor"]
        if following is None:
            return
        cursor = f"&cursor={following}"


def problem(answer: TestResponse, status: int, code: str | None = None) -> dict[str, Any]:
    """The body of an answer that must be a problem."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == PROBLEM
    told: dict[str, Any] = answer.get_json(force=True)
    assert told["status"] == status
    assert told["type"] == f"/api/docs#{told['code']}"
    assert told["title"]
    assert PROBLEMS.get(told["code"], (status,))[0] == status
    assert code is None or told["code"] == code
    return told
