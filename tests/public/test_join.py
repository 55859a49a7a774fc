"""/j/<code>: the page that opens a chat with a poll, its QR code and its poster."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from flows.flow import build
from models import Ask, AskStatus, FlowVersion
from models.channel import ChannelKind
from models.db import transaction
from models.walls import DoorKind, open_door
from services import audit, flows
from services.relays import relays
from services.relays.relays import NewRelay
from tests.api.test_flows import POLL
from tests.asks import ask
from tests.conftest import BEGINNING, MadeUp, MovedByHand, Urls
from tests.web import served


@pytest.fixture
def codes(making: Any) -> tuple[str, str]:
    """The code of an open poll, and of a relay of it, on three channels."""
    with making() as make:
        make.channel(ChannelKind.TELEGRAM, sender="@CapeTownBot")
        make.channel(ChannelKind.SMS, sender="+27210000001")
        make.channel(ChannelKind.WHATSAPP, sender="whatsapp:+27210000000")
        flows.publish(make.db, build(POLL), now=make.now)
        version = make.db.scalars(select(FlowVersion).filter_by(flow=POLL["flow"])).one()
        asked = ask(make, version=version)
        open_door(make.db, DoorKind.ASK, asked.code, asked.organisation_id, asked.id)
        relay = relays.create(make.db, NewRelay(asked.id), now=make.now)
        return asked.code, relay.code


@pytest.fixture
def client(urls: Urls, clock: MovedByHand, tmp_path: Path, codes: Any) -> Iterator[FlaskClient]:
    with served(urls, tmp_path, clock) as app:
        assert isinstance(app, Flask)
        yield app.test_client()


def test_each_app_opens_with_the_code_of_whoever_gave_it(
    client: FlaskClient, codes: tuple[str, str]
) -> None:
    for code in (codes[1], codes[1].upper()):
        page = client.get(f"/j/{code}", headers={"Accept-Language": "en"}).text
        upper = codes[1].upper()
        assert f'href="https://t.me/CapeTownBot?start={codes[1]}"' in page
        assert f'href="https://wa.me/27210000000?text=JOIN%20{upper}"' in page
        assert f'href="sms:+27210000001?&amp;body=JOIN%20{upper}"' in page
        assert "When should we be open?" in page
        assert "<script" not in page


def test_the_page_speaks_the_languages_of_the_poll(
    client: FlaskClient, codes: tuple[str, str]
) -> None:
    page = client.get(f"/j/{codes[0]}?lang=fr").text
    assert '<html lang="fr" dir="ltr">' in page
    assert "Quand ouvrir ?" in page
    unknown = client.get("/j/nothere", headers={"Accept-Language": "ar"})
    assert unknown.status_code == 404
    assert '<html lang="ar" dir="rtl">' in unknown.text


@pytest.mark.parametrize(("shape", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_the_code_is_drawn(
    client: FlaskClient, codes: tuple[str, str], shape: str, start: bytes
) -> None:
    answer = client.get(f"/j/{codes[1]}.{shape}")
    assert answer.data.startswith(start)
    assert client.get(f"/j/nothere.{shape}").status_code == 404
    assert client.get(f"/j/{codes[1]}.pdf").status_code == 404


def test_the_poster_names_one_number_and_one_address(
    client: FlaskClient, codes: tuple[str, str]
) -> None:
    page = client.get(f"/j/{codes[1]}/poster?size=a5&lang=en").text
    assert '<body class="poster a5">' in page
    assert f"JOIN {codes[1].upper()}" in page
    assert f"/j/{codes[1]}</p>" in page
    assert "poster a4" in client.get(f"/j/{codes[1]}/poster?size=a9").text


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (AskStatus.DRAFT, "not open yet"),
        (AskStatus.CLOSED, "See the result"),
        (AskStatus.CANCELED, "This poll was withdrawn"),
    ],
)
def test_what_is_not_open_offers_no_way_in(
    client: FlaskClient,
    engine: Engine,
    organisation: MadeUp,
    codes: tuple[str, str],
    status: AskStatus,
    told: str,
) -> None:
    with transaction(engine, organisation.id) as db:
        db.scalars(select(Ask)).one().status = status
    page = client.get(f"/j/{codes[1]}?lang=en").text
    assert told in page
    assert "t.me" not in page


@pytest.mark.parametrize("around", ["{}.", "{})", "{}\u2069", "\u2068{}\u2069,"])
def test_what_an_app_took_along_with_the_link_does_no_harm(
    client: FlaskClient, codes: tuple[str, str], around: str
) -> None:
    for name in (codes[0], codes[1].upper(), f"{codes[1]}.svg"):
        assert client.get(f"/j/{around.format(name)}").status_code == 200


def test_a_poll_that_opens_by_itself_says_on_which_day(
    client: FlaskClient, engine: Engine, organisation: MadeUp, codes: tuple[str, str]
) -> None:
    with transaction(engine, organisation.id) as db:
        ask = db.scalars(select(Ask)).one()
        ask.status, ask.opens_at = AskStatus.DRAFT, BEGINNING + timedelta(days=2)
    page = client.get(f"/j/{codes[0]}?lang=en").text
    assert "This poll opens on \u20684 March 2026\u2069. Please come back then." in page


def test_a_closed_code_is_told_kindly_and_offers_no_way_in(
    client: FlaskClient, engine: Engine, organisation: MadeUp, codes: tuple[str, str]
) -> None:
    with transaction(engine, organisation.id) as db:
        [relay] = relays.list_relays(db)
        relays.close(db, relay.id, actor=audit.SYSTEM, now=BEGINNING)
    for path in (f"/j/{codes[1]}?lang=en", f"/j/{codes[1]}/poster?lang=en"):
        page = client.get(path).text
        assert "This invitation is not used any more." in page
        assert "t.me" not in page
        assert "<img" not in page
    assert "t.me" in client.get(f"/j/{codes[0]}?lang=en").text


def test_after_its_hour_a_poll_is_closed_before_any_sweep_comes(
    client: FlaskClient, engine: Engine, organisation: MadeUp, codes: tuple[str, str]
) -> None:
    with transaction(engine, organisation.id) as db:
        db.scalars(select(Ask)).one().closes_at = BEGINNING
    page = client.get(f"/j/{codes[1]}?lang=en").text
    assert "This poll is closed" in page
    assert "t.me" not in page


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
@pytest.mark.parametrize(("size", "height"), [("a4", b"841.89"), ("a5", b"595.28")])
def test_the_poster_is_one_sheet_of_its_size_with_its_letters_inside(
    client: FlaskClient, codes: tuple[str, str], language: str, size: str, height: bytes
) -> None:
    answer = client.get(f"/j/{codes[1]}/poster.pdf?size={size}&lang={language}")
    assert answer.content_type == "application/pdf"
    pdf = answer.data
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 1
    assert height in pdf
    assert b"/FontFile2" in pdf
    assert len(pdf) < 100_000


def test_a_poster_of_what_is_over_is_the_page_that_says_so(
    client: FlaskClient, engine: Engine, organisation: MadeUp, codes: tuple[str, str]
) -> None:
    assert client.get("/j/nothere/poster.pdf").status_code == 404
    with transaction(engine, organisation.id) as db:
        db.scalars(select(Ask)).one().status = AskStatus.CLOSED
    answer = client.get(f"/j/{codes[1]}/poster.pdf?lang=en")
    assert "This poll is closed" in answer.text
