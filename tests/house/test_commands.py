"""The commands: what they print for a program, and what they refuse in a sentence."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from commands.terminal import sentences
from composition import Homeline
from flows import loader
from models.walls import system_scope
from settings import MasterKey
from tests.conftest import MadeUp, MovedByHand, Urls
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio
from tests.web import MASTER_KEY, served


@pytest.fixture
def app(urls: Urls, engine: Engine, clock: MovedByHand, tmp_path: Path) -> Iterator[Flask]:
    with served(urls, tmp_path, clock) as app:
        yield app


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(app.cli, words)


def made(app: Flask, *words: str) -> dict[str, Any]:
    done = run(app, *words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


def test_an_organisation_is_found_by_id_name_and_short_name(app: Flask) -> None:
    consulate = made(app, "organisation", "create", "Consulate of Examplia", "--short", "Examplia")
    for wanted in (consulate["id"], "Consulate of Examplia", "examplia"):
        assert made(app, "key", "create", "k", "--organisation", wanted, "--scope", "*")["key"]


def test_a_key_is_shown_once_with_its_scopes(app: Flask, organisation: MadeUp) -> None:
    key = made(
        app,
        *("key", "create", "reports", "--organisation", str(organisation.id)),
        *("--scope", "insights:read", "--scope", "flows:read"),
    )
    assert key["key"].startswith("hl_")
    assert key["scopes"] == ["flows:read", "insights:read"]


@pytest.mark.parametrize(
    ("words", "provider"),
    [
        (("telegram", "--token", "1:made-up"), "telegram"),
        (("twilio-sms", "--account-sid", "AC1", "--auth-token", "t", "--from", "+1555"), "twilio"),
        (
            (
                *("twilio-whatsapp", "--account-sid", "AC1", "--auth-token", "t"),
                *("--from", "MG1", "--shared-key", "KY1:secret"),
                *("--stop-reply", "ours", "--rate", "5"),
            ),
            "twilio",
        ),
    ],
)
def test_a_channel_prints_where_its_webhook_is(
    app: Flask, organisation: MadeUp, words: tuple[str, ...], provider: str
) -> None:
    channel = made(app, "channel", "add", *words, "--organisation", organisation.name)
    assert channel["url"] == f"https://line.example/webhooks/{provider}/{channel['key']}"
    if provider == "twilio":
        assert channel["status_url"] == channel["url"] + "/status"
    else:
        assert channel["secret"]


def test_a_bot_is_set_up_and_checked(
    urls: Urls, clock: MovedByHand, tmp_path: Path, organisation: MadeUp
) -> None:
    ours = {"public_url": "http://127.0.0.1:1"}
    with (
        FakeTelegram() as fake,
        served(urls, tmp_path, clock, telegram_api_url=fake.url, **ours) as app,
    ):
        bot = fake.bot("7:made-up", "desk_bot")
        words = ("channel", "add", "telegram", "--token", "7:made-up")
        channel = made(app, *words, "--organisation", organisation.name)
        assert made(app, "telegram", "setup", channel["key"])["bot"] == "desk_bot"
        assert bot.webhook is not None
        assert (bot.webhook.url, bot.webhook.secret) == (channel["url"], channel["secret"])
        assert "Plus de messages" in str(bot.dressed["commands:fr"])
        assert organisation.short_name in str(bot.dressed["description:ar"])
        told = made(app, "channel", "check", channel["key"])
        assert told["bot"] == "desk_bot"


def test_a_check_of_twilio_tells_where_webhooks_must_go(
    urls: Urls, clock: MovedByHand, tmp_path: Path, organisation: MadeUp
) -> None:
    sid, token, number = f"AC{'1' * 32}", "made-up-token", "+447700900900"
    with (
        FakeTwilio(account_sid=sid, auth_token=token) as fake,
        served(urls, tmp_path, clock, twilio_api_url=fake.url) as app,
    ):
        words = ("channel", "add", "twilio-sms", "--account-sid", sid, "--auth-token", token)
        channel = made(app, *words, "--from", number, "--organisation", organisation.name)
        fake.sender(number, "https://elsewhere.example/in")
        told = made(app, "channel", "check", channel["key"])
        assert (told["webhook"], told["webhook_is_ours"]) == ("https://elsewhere.example/in", False)
        assert told["webhook_to_set"].startswith(f"{channel['url']}#")
        assert told["status_url"] == channel["status_url"]
        fake.sender(number, told["webhook_to_set"])
        assert made(app, "channel", "check", channel["key"])["webhook_is_ours"]


def test_two_organisations_are_not_called_the_same(app: Flask, organisation: MadeUp) -> None:
    for name in (organisation.name, organisation.short_name.upper()):
        answer = app.test_cli_runner().invoke(args=["organisation", "create", name])
        assert answer.exit_code == 1
        assert "already" in answer.output


def test_credentials_are_sealed(app: Flask, organisation: MadeUp, engine: Engine) -> None:
    secret = "1:a-token-nobody-may-read"
    words = ("channel", "add", "telegram", "--token", secret, "--organisation", organisation.name)
    made(app, *words)
    with system_scope(engine) as db:
        rows = db.execute(text("select channels::text from channels")).scalars().all()
    assert not [row for row in rows if secret in row or secret.encode().hex() in row]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("organisation", "create", " "), "needs a name"),
        (("organisation", "create", "A name longer than twenty-four letters"), "short name"),
        (("key", "create", "k", "--organisation", "nobody", "--scope", "*"), "no organisation"),
        (("channel", "check", "nothing"), "no active channel"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    app: Flask, words: tuple[str, ...], sentence: str
) -> None:
    done = run(app, *words)
    assert done.exit_code == 1
    assert sentence in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("key", "create", "k", "--scope", "peple:read"), "There are: *, people:read"),
        (
            (
                "channel",
                "add",
                "twilio-sms",
                "--account-sid",
                "A",
                "--auth-token",
                "t",
                "--from",
                "me",
            ),
            "such as +27821234567",
        ),
    ],
)
def test_what_would_never_work_is_refused(
    app: Flask, organisation: MadeUp, words: tuple[str, ...], sentence: str
) -> None:
    done = run(app, *words, "--organisation", organisation.name)
    assert done.exit_code == 1
    assert sentence in done.output


def test_the_doctor_finds_nothing_to_mend(app: Flask, organisation: MadeUp) -> None:
    found = made(app, "doctor")
    assert found["ok"]
    assert set(found["checks"]) == {
        "settings",
        "database",
        "role",
        "migrations",
        "keys",
        "channels",
    }


def test_the_doctor_tells_of_lost_keys(
    urls: Urls, organisation: MadeUp, clock: MovedByHand, tmp_path: Path
) -> None:
    with served(urls, tmp_path, clock, master_keys=(MasterKey("k2", bytes(range(32))),)) as app:
        done = run(app, "doctor")
    assert done.exit_code == 1
    assert "NO  keys" in done.output


def test_an_unreachable_database_is_told_in_a_sentence(
    urls: Urls, clock: MovedByHand, tmp_path: Path
) -> None:
    nowhere = f"postgresql://nobody@/nothing?host={tmp_path}"
    with served(urls, tmp_path, clock, database_url=nowhere) as app:
        done = run(app, "organisation", "create", "Examplia")
    assert done.exit_code == 1
    assert "cannot be reached" in done.output


def test_after_rotation_the_old_master_key_may_go(
    urls: Urls, organisation: MadeUp, making: Any, clock: MovedByHand, tmp_path: Path
) -> None:
    new = MasterKey("k2", bytes(range(32)))
    with making() as make:
        make.contact()
    with served(urls, tmp_path, clock, master_keys=(new, MASTER_KEY)) as app:
        assert made(app, "keys", "rotate")["wrapped"] == 3
        assert made(app, "keys", "rotate")["wrapped"] == 0
    with served(urls, tmp_path, clock, master_keys=(new,)) as app:
        assert made(app, "doctor")["ok"]


def test_every_chain_holds_and_retention_ends_what_is_over(
    app: Flask, organisation: MadeUp, making: Any, clock: MovedByHand
) -> None:
    with making() as make:
        make.contact()
    line: Homeline = app.extensions["homeline"]
    line.clock = MovedByHand(clock.present.replace(year=clock.present.year + 10))
    assert made(app, "retention", "run")["ended"]["contacts"] == 1
    assert made(app, "audit", "verify") == {"ok": True, "broken": []}


def test_flows_travel_between_organisations(
    app: Flask, organisation: MadeUp, tmp_path: Path
) -> None:
    published = made(app, "flows", "publish")["published"]
    assert {one["version"] for one in published} == {1}
    assert not [one for one in made(app, "flows", "publish")["published"] if one["new"]]
    folder = str(tmp_path / "exported")
    made(app, "flows", "export", folder, "--organisation", organisation.name)
    other = made(app, "organisation", "create", "Another", "--short", "Another")
    came = made(app, "flows", "import", folder, "--organisation", other["id"])["published"]
    assert {one["flow"] for one in came} == {one["flow"] for one in published}


def test_lint_prints_the_length_of_every_message(app: Flask) -> None:
    file = loader.library()["registration"]
    done = run(app, "flows", "lint", str(file))
    assert done.exit_code == 0
    line = next(one for one in done.output.splitlines() if one.startswith("country "))
    assert line.split()[:4] == ["country", "asked", "en", "GSM-7"]
    assert line.endswith("1 of 1")
    assert "age_band" in run(app, "flows", "lint", "--lengths").output


def test_a_flow_with_a_fault_is_refused_with_its_place(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("flow: broken\nkind: poll\n", encoding="utf-8")
    assert run(app, "flows", "lint", str(file)).exit_code == 1
    done = run(app, "flows", "publish", str(file))
    assert done.exit_code == 1
    assert "broken.yaml" in done.output


def test_a_poll_is_pushed_from_a_file_or_a_question(app: Flask, organisation: MadeUp) -> None:
    whom = ("--organisation", str(organisation.id))
    words = ("--question", "Open on Saturdays?", "--option", "Yes please", "--option", "No need")
    asked = made(app, "poll", "push", *words, *whom, "--audience", '{"all": []}')
    assert asked["status"] == "open"
    assert asked["url"].endswith(f"/j/{asked['code']}")
    file = loader.library()["passport-hours"]
    drafted = made(app, "poll", "push", str(file), "--draft", *whom)
    assert drafted["status"] == "draft"
    assert drafted["code"] != asked["code"]


def test_a_push_says_when_it_leaves_and_which_texts_are_missing(
    app: Flask, organisation: MadeUp, tmp_path: Path
) -> None:
    whom = ("--organisation", str(organisation.id))
    half = tmp_path / "half.yaml"
    whole = loader.library()["passport-hours"].read_text(encoding="utf-8")
    half.write_text(whole.replace("languages: [en, ", "languages: [en, de, "), encoding="utf-8")
    refused = run(app, "poll", "push", str(half), *whom)
    assert refused.exit_code == 1
    assert "is not translated" in refused.output
    pushed = run(
        app, "poll", "push", str(half), *whom, "--audience", '{"all": []}',
        "--allow-missing-languages",
    )  # fmt: skip
    assert "It leaves in 10 minutes; until then POST /api/v1/polls/" in pushed.output


def test_words_and_follow_ups_that_lead_nowhere_are_told_with_a_poll(
    app: Flask, organisation: MadeUp, tmp_path: Path
) -> None:
    whom = ("--organisation", str(organisation.id))
    file = loader.library()["passport-hours"]
    pushed = made(app, "poll", "push", str(file), *whom)
    follow_up, _ = pushed["warnings"]
    assert follow_up.startswith("flow.follow_ups[0].start: The flow saturday-opening is not")
    other = tmp_path / "other.yaml"
    other.write_text(file.read_text().replace("flow: passport-hours", "flow: other"))
    told = run(app, "poll", "push", str(other), *whom).output
    assert "«horaires» also opens the poll passport-hours (code " in told
    shipped = run(app, "flows", "publish", *whom)
    assert "not published" not in shipped.output, "flows of one folder may name each other"
    assert made(app, "flows", "publish", str(other), *whom)["published"][0]["warnings"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Give a flow file"),
        (("--question", "Open?"), "two --option"),
        (("--question", "Open?", "--option", "A one", "--option", "A one"), "the same label"),
        (
            ("--question", "Open?", "--option", "A", "--option", "B", "--audience", "[ZA]"),
            "as JSON",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    app: Flask, organisation: MadeUp, words: tuple[str, ...], said: str
) -> None:
    done = run(app, "poll", "push", *words, "--organisation", str(organisation.id))
    assert done.exit_code == 1
    assert said in done.output


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("42P01", "run `flask db upgrade`"),
        ("42703", "another HOMELINE_DATA, or an empty database"),
        ("42501", "grant homeline_app to it"),
    ],
)
def test_what_the_database_refuses_is_told_with_the_remedy(state: str, told: str) -> None:
    refused = type("Refused", (Exception,), {"sqlstate": state})()
    with pytest.raises(click.ClickException, match=told), sentences():
        raise ProgrammingError("select", None, refused)
