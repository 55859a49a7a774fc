"""/sim: one made-up person's three phones, over the demo's providers; absent in production."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from bot.channels.twilio_templates import definition
from composition import Homeline
from flows import loader
from models.clock import MovableClock
from models.sealed import Keyring
from services.demo import seeding
from tests.conftest import MovedByHand, Urls
from tests.fakes.phones import TelegramPhones, TwilioPhones
from tests.transcripts.door import FrontDoor
from tests.transcripts.stage import delivering, wait_until
from tests.web import served, settings_for

PERSON = "101"
Client = FlaskClient


class Demo:
    """The application with the demo's providers around it, as `./homeline demo` starts them."""

    def __init__(self, client: Client, line: Homeline) -> None:
        self.client, self.line = client, line

    def do(self, phone: str, **fields: str) -> int:
        given = {"person": PERSON, "phone": phone, **fields}
        headers = {"X-Requested-With": "script"}
        return int(self.client.post("/sim/act", data=given, headers=headers).status_code)

    def screen(self, phone: str) -> str:
        found = self.client.get(f"/sim/screens?person={PERSON}").get_json()
        return unescape(str(found["screens"][phone]))

    def shows(self, phone: str, *words: str) -> str:
        """Wait until the phone shows all of it."""
        wait_until(lambda: all(word in self.screen(phone) for word in words))
        return self.screen(phone)

    def press(self, phone: str, label: str) -> None:
        pressed = re.findall(r'name="press"[^>]* value="(\{.*?\})"', self.screen(phone))
        found = [one for one in pressed if json.loads(one)["text"] == label]
        assert self.do(phone, press=found[-1]) == 204


@pytest.fixture
def demo(urls: Urls, engine: Engine, tmp_path: Path) -> Iterator[Demo]:
    with FrontDoor() as door:
        line = Homeline(settings_for(urls, tmp_path, public_url=door.url))
        library = [loader.load(loader.library()["registration-express"])]
        organisation_id = seeding.seed(
            line.engine, line.keyring, library, ballot_keys=line.ballots, now=line.clock.now()
        ).organisation_id
        channels = seeding.open_channels(line.engine, line.keys, organisation_id)
        approved = seeding.approve_templates(line.engine, organisation_id, now=line.clock.now())
        line.close()
        telegram, sms, whatsapp = (channels[kind] for kind in ("telegram", "sms", "whatsapp"))
        fakes = TelegramPhones(
            {
                "port": 0,
                "token": telegram.credentials["token"],
                "username": telegram.sender,
                "secret": telegram.credentials["secret"],
                "webhook": f"{door.url}/webhooks/telegram/{telegram.key}",
            }
        )
        twilio = TwilioPhones(
            {
                "port": 0,
                "account_sid": sms.credentials["account_sid"],
                "auth_token": sms.credentials["auth_token"],
                "senders": {
                    sms.sender: f"{door.url}/webhooks/twilio/{sms.key}",
                    f"whatsapp:{whatsapp.sender}": f"{door.url}/webhooks/twilio/{whatsapp.key}",
                },
                "templates": {sid: definition(one) for sid, one in approved.items()},
            }
        )
        with fakes, twilio:
            addresses = {"telegram_api_url": fakes.url, "twilio_api_url": twilio.url}
            clock = MovableClock(engine)
            with served(urls, tmp_path, clock, public_url=door.url, **addresses) as app:
                found: Homeline = app.extensions["homeline"]
                with door.leading_to(app), delivering(found, tmp_path):
                    yield Demo(app.test_client(), found)


def test_somebody_registers_on_each_phone(demo: Demo) -> None:
    for phone in ("telegram", "whatsapp", "sms"):
        assert demo.do(phone, do="send", text="hello") == 204
        demo.shows(phone, "English")
        if phone == "sms":
            demo.do(phone, do="send", text="1")
        else:
            demo.press(phone, "English")
        demo.shows(phone, "saved language = en", "STOP")
    demo.press("telegram", "I agree")
    demo.shows("telegram", "consent granted: registration")


def test_stop_on_sms_silences_whatsapp_on_the_same_number(demo: Demo) -> None:
    demo.do("whatsapp", do="send", text="hello")
    demo.shows("whatsapp", "English")
    demo.do("sms", do="send", text="STOP")
    demo.shows("sms", "unsubscribed")
    demo.shows("whatsapp", "stopped: nothing is sent")


def test_without_script_the_page_comes_back_with_the_answer(demo: Demo) -> None:
    given = {"person": PERSON, "phone": "telegram", "do": "send", "text": "hello"}
    answer = demo.client.post("/sim/act", data=given, follow_redirects=True)
    assert answer.status_code == 200
    assert "English" in answer.text
    assert "<script>" not in answer.text
    assert " style=" not in answer.text


def test_words_are_shown_and_never_run(demo: Demo) -> None:
    demo.do("telegram", do="send", text="<img src=x onerror=alert(1)>")
    demo.shows("telegram", "<img")
    raw = demo.client.get(f"/sim?person={PERSON}").text
    assert "<img src=x" not in raw


@pytest.mark.parametrize(
    ("advance", "step"), [("6 days", timedelta(days=6)), ("90 minutes", timedelta(minutes=90))]
)
def test_the_clock_moves_for_everybody(demo: Demo, advance: str, step: timedelta) -> None:
    before = MovableClock(demo.line.engine).now()
    assert demo.client.post("/sim/clock", json={"advance": advance}).status_code == 200
    moved = MovableClock(demo.line.engine).now() - before
    assert step <= moved < step + timedelta(minutes=1)


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"advance": "-1 days"}, {"advance": 6}, {"advance": "6 moons"}, ["6 days"], None),
        {"advance": "521 weeks"},
    ],
)
def test_another_wish_of_the_clock_is_refused_in_words(demo: Demo, body: object) -> None:
    answer = demo.client.post("/sim/clock", json=body)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_the_clock_stops_ten_years_ahead(demo: Demo) -> None:
    """Beyond, nothing that is kept for a while would have a date, and nobody could go back."""
    told = [demo.client.post("/sim/clock", json={"advance": "400 weeks"}) for _ in range(2)]
    assert [one.status_code for one in told] == [200, 400]
    assert demo.client.post("/sim/clock", json={"advance": "1 week"}).status_code == 200


@pytest.mark.parametrize("person", ["9" * 5000, "-1", "1_0", "٣", "²", "x", ""])
def test_a_number_that_is_nobodys_shows_somebody(demo: Demo, person: str) -> None:
    assert demo.client.get("/sim", query_string={"person": person}).status_code == 200


@pytest.mark.parametrize(
    "fields", [{}, {"do": "explode"}, {"do": "send", "text": " "}, {"press": "{"}, {"press": "[]"}]
)
def test_what_nobody_can_do_is_refused(demo: Demo, fields: dict[str, str]) -> None:
    assert demo.do("telegram", **fields) == 400


def test_another_sites_page_may_not_press(demo: Demo) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert demo.client.post("/sim/person", headers=headers).status_code == 403


def test_without_providers_the_page_says_how_to_start_them(
    urls: Urls, engine: Engine, tmp_path: Path
) -> None:
    with served(urls, tmp_path, MovableClock(engine)) as app:
        page = app.test_client().get("/sim")
        assert page.status_code == 200
        assert "./homeline demo" in page.text


def test_there_is_no_simulator_in_production(
    urls: Urls, engine: Engine, tmp_path: Path, clock: MovedByHand, keyring: Keyring
) -> None:
    with served(urls, tmp_path, clock, env="production") as app:
        for path in ("/sim", "/sim/screens", "/sim/static/sim.css"):
            assert app.test_client().get(path).status_code == 404
        assert app.test_client().post("/sim/clock", json={"advance": "1 day"}).status_code == 404
