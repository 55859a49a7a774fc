"""Every template is of the form WhatsApp approves, in five languages, and its buttons lead on."""

import re

import pytest

from flows.templates import Template, named_in, names_in, pressed, templates

EVERY = list(templates().values())
NAMES = {"organisation": "Consulate", "subject": "passport hours"}


def named(template: Template) -> str:
    return f"{template.name}-{template.language}"


def test_each_purpose_is_said_in_five_languages() -> None:
    found = {(one.name, one.language) for one in EVERY}
    purposes = ("reminder", "invitation", "result", "renewal")
    languages = ("en", "fr", "es", "pt", "ar")
    assert found == {(name, language) for name in purposes for language in languages}


@pytest.mark.parametrize("template", EVERY, ids=named)
def test_the_form_is_what_meta_approves(template: Template) -> None:
    variable = r"\{\{\d\}\}"
    body = template.numbered_body
    assert not re.search(rf"^\W*{variable}|{variable}\W*$|{variable}\W*{variable}", body)
    numbers = re.findall(r"\{\{(\d)\}\}", body)
    assert numbers == [str(n) for n in range(1, len(template.variables) + 1)]
    assert len(body) <= 500
    assert template.category in {"UTILITY", "MARKETING"}
    assert re.fullmatch(r"[a-z0-9_]{1,64}", template.provider_name)


@pytest.mark.parametrize("template", EVERY, ids=named)
def test_three_short_buttons_that_mean_something(template: Template) -> None:
    assert [value for value, _ in template.buttons] == ["answer", "later", "stop"]
    labels = [label for _, label in template.buttons]
    assert len(set(labels)) == 3
    assert all(0 < len(label) <= 20 for label in labels)
    for value, _ in template.buttons:
        assert pressed(template.payload(value)) == (template.name, value)
        assert len(template.payload(value)) <= 60


@pytest.mark.parametrize("template", EVERY, ids=named)
def test_the_screen_shows_what_was_approved(template: Template) -> None:
    values = template.values(NAMES)
    assert values is not None
    shown = template.numbered_body
    for number, value in values.items():
        shown = shown.replace(f"{{{{{number}}}}}", value)
    assert template.prompt(NAMES).text == shown


def test_a_missing_variable_is_no_template() -> None:
    assert templates()["invitation", "en"].values({"organisation": "Consulate"}) is None
    assert templates()["reminder", "en"].values({"organisation": " "}) is None


def test_another_wording_is_another_template() -> None:
    digests = {one.digest for one in EVERY}
    assert len(digests) == len({one.provider_name for one in EVERY}) == len(EVERY)


@pytest.mark.parametrize(
    "payload", ["", "answer", "a1.q1.yes", "template.reminder.drop", "template.x"]
)
def test_other_buttons_are_not_ours(payload: str) -> None:
    assert pressed(payload) is None


def test_content_names_its_template_and_what_fills_it() -> None:
    content = {"template": {"name": "invitation", "params": {"subject": "opening hours"}}}
    assert named_in(content, "fr") == templates()["invitation", "fr"]
    assert named_in(content, "de") == templates()["invitation", "en"]
    assert names_in(content, {"organisation": "C"}) == {
        "organisation": "C", "subject": "opening hours",
    }  # fmt: skip
    for odd in ({}, {"template": None}, {"template": "reminder"}, {"template": {"name": "x"}}):
        assert named_in(odd, "en") is None
