"""Liveness, readiness and figures; headers, limits and fault pages of the whole application."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from models.db import make_engine
from settings import MasterKey
from tests.conftest import MadeUp, MovedByHand, Urls
from tests.web import served

TOKEN = "a token that is long enough to be one"


@pytest.fixture
def app(urls: Urls, engine: Engine, clock: MovedByHand, tmp_path: Path) -> Iterator[Flask]:
    with served(urls, tmp_path, clock, metrics_token=TOKEN) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_a_migrated_database_with_fitting_keys_is_ready(
    client: FlaskClient, organisation: MadeUp
) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "ready": True,
        "checks": {"database": True, "migrations": True, "keys": True},
    }


def test_other_master_keys_are_not_ready(
    urls: Urls, organisation: MadeUp, clock: MovedByHand, tmp_path: Path
) -> None:
    other = (MasterKey("other", bytes(range(32))),)
    with served(urls, tmp_path, clock, master_keys=other) as app:
        answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"]["keys"] is False


def test_a_database_that_is_behind_is_not_ready(
    urls: Urls, client: FlaskClient, organisation: MadeUp
) -> None:
    owner = make_engine(urls.owner)
    with owner.begin() as connection:
        head = connection.scalar(text("select version_num from alembic_version"))
        connection.execute(text("update alembic_version set version_num = '0001'"))
    try:
        assert client.get("/readyz").status_code == 503
    finally:
        with owner.begin() as connection:
            connection.execute(text("update alembic_version set version_num = :h"), {"h": head})
        owner.dispose()


def test_an_unreachable_database_is_told_and_does_not_hang(
    urls: Urls, clock: MovedByHand, tmp_path: Path
) -> None:
    nowhere = f"postgresql://nobody@/nothing?host={tmp_path}"
    with served(urls, tmp_path, clock, database_url=nowhere) as app:
        client = app.test_client()
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 404),
        ("192.0.2.7", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("192.0.2.7", {"Authorization": "Bearer wrong"}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 404),
    ],
)
def test_figures_are_for_this_machine_or_the_token(
    client: FlaskClient, address: str, headers: dict[str, str], status: int
) -> None:
    answer = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_every_page_carries_the_headers(client: FlaskClient) -> None:
    for path in ("/healthz", "/nothing-here"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "max-age" in headers["Strict-Transport-Security"]


def test_what_breaks_tells_a_number_and_no_trace(
    app: Flask, client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down() -> str:
        raise RuntimeError("the answer of Amal")

    app.add_url_rule("/broken", view_func=break_down)
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "Amal" not in answer.text
    assert "Traceback" not in answer.text
    said = capsys.readouterr().out
    assert "request.failed" in said
    assert "Amal" not in said


@pytest.mark.parametrize(("path", "size", "status"), [("/webhooks/telegram/x", 257, {404, 413})])
def test_a_large_body_is_refused(
    client: FlaskClient, path: str, size: int, status: set[int]
) -> None:
    answer = client.post(path, data=b"x" * size * 1024, content_type="application/json")
    assert answer.status_code in status
