"""The environment is read once, and all its faults are told together."""

import base64
import stat
from pathlib import Path

import pytest

import settings
from settings import SettingsInvalid, read

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()
PRODUCTION = {
    "HOMELINE_ENV": "production",
    "HOMELINE_SECRET_KEY": "s" * 20 + "ecret" * 4,
    "HOMELINE_MASTER_KEYS": f"b:{KEY}",
    "HOMELINE_PUBLIC_URL": "https://line.example/",
    "DATABASE_URL": "postgres://app@db/homeline",
}


def faults_of(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsInvalid) as caught:
        read(environ)
    return "\n".join(caught.value.faults)


def test_production_needs_its_secrets_and_says_so_for_all_at_once() -> None:
    faults = faults_of({"HOMELINE_ENV": "production", "PORT": "many", "HOMELINE_COLOUR": "blue"})
    for name in (
        "HOMELINE_SECRET_KEY",
        "HOMELINE_MASTER_KEYS",
        "HOMELINE_PUBLIC_URL",
        "PORT",
        "HOMELINE_COLOUR",
    ):
        assert name in faults


def test_a_complete_production_environment_is_accepted() -> None:
    found = read(PRODUCTION)
    assert found.database_url == "postgresql://app@db/homeline"
    assert found.public_url == "https://line.example"
    assert found.master_keys == (settings.MasterKey("b", bytes(range(32))),)
    assert not found.development


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HOMELINE_SECRET_KEY", "short", "fewer than 32"),
        ("HOMELINE_SECRET_KEY", settings.EXAMPLE_SECRET, "example"),
        ("HOMELINE_MASTER_KEYS", f"example:{settings.EXAMPLE_KEY}", "example"),
        ("HOMELINE_MASTER_KEYS", "a:" + base64.b64encode(bytes(32)).decode(), "example"),
        ("HOMELINE_MASTER_KEYS", f"a:{KEY},a:{KEY}", "twice"),
        ("HOMELINE_MASTER_KEYS", "a:c2hvcnQ=", "32 bytes"),
        ("HOMELINE_MASTER_KEYS", KEY, "id:base64"),
        ("HOMELINE_PUBLIC_URL", "http://line.example", "https://"),
        ("DATABASE_URL", "mysql://db/homeline", "postgresql://"),
        ("HOMELINE_BALLOT_KEYS", "/nowhere/at/all", "no folder"),
        ("HOMELINE_ENV", "staging", "'development' or 'production'"),
        ("TELEGRAM_API_URL", "telegram", "web address"),
        ("HOMELINE_METRICS_TOKEN", "short", "fewer than 32"),
        ("PORT", "70000", "1 to 65535"),
    ],
)
def test_an_unfit_value_is_refused_in_words(name: str, value: str, sentence: str) -> None:
    faults = faults_of(PRODUCTION | {name: value})
    assert name in faults
    assert sentence in faults


def test_no_fault_repeats_a_secret() -> None:
    secret = "do-not-say-this"
    faults = faults_of(
        PRODUCTION | {"HOMELINE_SECRET_KEY": secret, "HOMELINE_MASTER_KEYS": f"a:{secret}"}
    )
    assert secret not in faults


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(read(PRODUCTION))
    assert "secret" not in shown.replace("secret_key", "")
    assert "app@db" not in shown


def test_a_disk_that_does_not_last_needs_a_database() -> None:
    assert "DATABASE_URL" in faults_of({"DYNO": "web.1"})


def test_development_makes_its_secrets_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = read({"HOMELINE_DATA": str(tmp_path / "var")})
    again = read({"HOMELINE_DATA": str(tmp_path / "var")})
    assert (first.secret_key, first.master_keys) == (again.secret_key, again.master_keys)
    file = tmp_path / "var" / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secrets.json"]


def test_the_example_names_every_setting_in_order() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert named == list(settings.VARIABLES)


def test_the_example_is_fit_for_development() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    found = read({name: value for name, _, value in pairs})
    assert found.development


def test_every_setting_is_explained() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    missing = [name for name in settings.VARIABLES if f"`{name}`" not in text]
    assert not missing
