"""What will not work as a flow says it: shared words, follow-ups that lead nowhere."""

from datetime import timedelta
from typing import Any

from flows import words
from flows.flow import build
from flows.keywords import recognise
from flows.wording import LANGUAGES
from models import Ask
from services import flow_warnings, flows
from services.asks import asks, closing
from services.asks.asks import NewAsk
from services.catalogue import read_inside
from services.codes import free_code
from tests.api.test_flows import POLL
from tests.factories import Factory

WEEK = timedelta(days=7)
OTHER: dict[str, Any] = POLL | {"flow": "other-hours", "entry": {"fr": ["HORAIRES"]}}


def made(make: Factory, definition: dict[str, Any], **changed: Any) -> Ask:
    return asks.create(make.db, NewAsk(definition=definition, **changed), now=make.now)


def opened(make: Factory, definition: dict[str, Any]) -> Ask:
    return asks.open_ask(make.db, made(make, definition).id, now=make.now)


def told(make: Factory, ask: Ask) -> list[str]:
    return [str(one) for one in asks.warnings_of(make.db, ask, now=make.now)]


def published(make: Factory, definition: dict[str, Any]) -> list[str]:
    flow = build(definition)
    flows.publish(make.db, flow, now=make.now)
    found = flow_warnings.list_warnings(flow, read_inside(make.db), now=make.now)
    return [str(one) for one in found]


def test_two_open_polls_of_one_word_are_told_of_each_other_whatever_its_language(
    make: Factory,
) -> None:
    first = opened(make, POLL)
    assert told(make, first) == []
    second = made(make, OTHER)
    [warning] = told(make, second)
    assert warning.startswith("flow.entry.fr: «HORAIRES» also opens the poll passport-hours (code ")
    assert first.code.upper() in warning
    assert str((make.now + WEEK).date()) in warning
    assert told(make, first) == [], "a draft that nobody opens yet takes nothing away"
    asks.open_ask(make.db, second.id, now=make.now)
    assert "the poll other-hours" in told(make, first)[0]


def test_a_second_wave_on_the_same_flow_is_told_until_the_first_is_over(make: Factory) -> None:
    first, second = opened(make, POLL), made(make, POLL)
    assert [one.split(":")[0] for one in told(make, second)] == ["flow.entry.en", "flow.entry.fr"]
    will = {"en": "We do.", "fr": "Nous le faisons."}
    closing.close(make.db, first.id, report_back=will, now=make.now)
    assert told(make, second) == []
    assert told(make, first) == []


def test_a_poll_that_opens_by_itself_counts_before_its_hour(make: Factory) -> None:
    made(make, POLL, opens_at=make.now + WEEK)
    [warning] = told(make, made(make, OTHER))
    assert f"which opens on {(make.now + WEEK).date()}" in warning


def test_words_of_flows_without_asks_and_codes_are_told(make: Factory) -> None:
    module = POLL | {"flow": "module-hours", "kind": "module"}
    assert published(make, module) == []
    assert "also opens the flow module-hours" in told(make, made(make, OTHER))[0]
    code = made(make, POLL | {"flow": "third", "entry": {}}).code
    ask = made(make, POLL | {"flow": "fourth", "entry": {"en": [code]}})
    assert told(make, ask) == [
        f"flow.entry.en: «{code}» is a code that people were given. Choose another word."
    ]


def test_a_follow_up_names_what_is_not_published_until_it_is(make: Factory) -> None:
    one = POLL | {"flow": "one", "entry": {}, "follow_ups": [{"start": "two"}]}
    two = one | {"flow": "two", "follow_ups": [{"start": "one"}]}
    missing = "The flow two is not published: publish it, or nothing will follow."
    missing = f"follow_ups[0].start: {missing}"
    assert published(make, one) == [missing]
    ask = made(make, one)
    assert told(make, ask) == [f"flow.{missing}"]
    asks.open_ask(make.db, ask.id, now=make.now)
    assert published(make, two) == [], "two flows that name each other can both be published"
    assert published(make, one) == []
    assert told(make, ask) == []


def test_a_follow_up_may_name_its_own_flow_but_no_secret_poll(make: Factory) -> None:
    itself = POLL | {"entry": {}, "follow_ups": [{"start": POLL["flow"]}]}
    assert published(make, itself) == []
    vote = POLL["questions"][0] | {"secret": True}
    assert published(make, POLL | {"flow": "vote", "entry": {}, "questions": [vote]}) == []
    after = POLL | {"flow": "x", "entry": {}, "follow_ups": [{"start": "vote"}]}
    assert "is a secret poll" in published(make, after)[0]


def test_no_code_is_a_word_that_means_something_everywhere(make: Factory) -> None:
    """Codes hold a digit, and no such word does; a wish to stop is a sentence."""
    lists = [words.STOP, words.JOIN, words.HELLO, words.OPTED_OUT_START, *words.OTHERS.values()]
    listed = {one for by in [*lists, *words.INSIDE.values()] for one in by.values()}
    assert not [one for one in " ".join(listed) if one.isdecimal()]
    for _ in range(20):
        code = free_code(make.db)
        assert any(letter.isdecimal() for letter in code)
        assert recognise(code, LANGUAGES, opted_out=True) is None
