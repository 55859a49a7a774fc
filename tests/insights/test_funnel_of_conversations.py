"""The funnel reads what conversations write: people who really register are counted and timed."""

from pathlib import Path

from insights import funnel
from insights.disclosure import Figure
from models.db import transaction
from tests.conftest import MadeUp, MovedByHand, Urls
from tests.services.phones import housed

FLOW = "registration-express"


def test_people_who_register_are_counted_and_timed(
    urls: Urls, tmp_path: Path, clock: MovedByHand, organisation: MadeUp
) -> None:
    with housed(urls, tmp_path, clock, organisation, FLOW) as house:
        for number in range(10):
            house.phone(f"telegram:{number}").register()
            leaving = house.phone(f"telegram:leaves{number}")
            for text in ("hello", "English"):
                leaving.say(text)
        refusing = house.phone("telegram:refuses")
        for text in ("hello", "English", "2"):
            refusing.say(text)
        with transaction(house.line.engine, organisation.id) as db:
            found = funnel.read(db, FLOW)
    assert found is not None
    total = found.total
    assert total.started == Figure(20), "who refused is gone"
    assert total.consented == total.completed == total.not_completed == Figure(10)
    assert {step.question: step.answered.value for step in total.steps} == {
        "language": 20,
        "consent": 10,
        "country": 10,
        "purposes": 10,
        "place": 10,
    }
    assert {step.median_seconds for step in total.steps} == {Figure(9)}
    assert list(found.languages) == ["en"]
    assert list(found.channels) == ["telegram"]
