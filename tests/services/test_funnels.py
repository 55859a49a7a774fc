"""A funnel moves by ten people, and no two releases give away a handful between them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from insights.disclosure import Sum, release
from models.flow_session import SessionStatus
from models.flow_version import FlowVersion
from services import funnels
from tests.factories import Factory

FLOW: dict[str, Any] = {
    "flow": "registration",
    "kind": "registration",
    "questions": [{"id": "consent", "type": "consent"}, {"id": "gender", "type": "choice"}],
}
PARTS = ("en", "fr", "ar")
COUNTS = st.fixed_dictionaries({one: st.integers(0, 60) for one in PARTS})


def come(make: Factory, version: FlowVersion, many: int, *, skip: bool = False) -> None:
    """So many register; `skip` those who do not say their gender."""
    contact = make.contact()
    for _ in range(many):
        session = make.flow_session(contact, version, SessionStatus.COMPLETE)
        make.answer(session, "consent", "yes")
        make.answer(session, "gender", "woman").skipped = skip


def told(make: Factory) -> dict[str, Any]:
    found = funnels.funnel_of(make.db, make.keys, "registration", now=make.now)
    assert found is not None
    return found


def test_a_funnel_stands_until_ten_more_have_begun(make: Factory) -> None:
    version = make.flow_version(**FLOW)
    come(make, version, 40)
    first = told(make)
    assert first["total"]["started"] == 40
    come(make, version, 9)
    assert told(make) == first
    come(make, version, 1)
    assert told(make)["total"]["started"] == 50


def test_of_ten_more_a_few_that_differ_do_not_show(make: Factory) -> None:
    version = make.flow_version(**FLOW)
    come(make, version, 40)
    come(make, version, 20, skip=True)
    before = told(make)["total"]
    assert (before["steps"][1]["answered"], before["steps"][1]["skipped"]) == (40, 20)
    come(make, version, 27)
    come(make, version, 3, skip=True)
    assert told(make)["total"] == before, "three skipped, which would show"
    come(make, version, 10, skip=True)
    after = told(make)["total"]
    assert after["started"] == 100
    assert (after["steps"][1]["answered"], after["steps"][1]["skipped"]) == (65, 35)


def test_who_is_erased_does_not_show(make: Factory) -> None:
    version = make.flow_version(**FLOW)
    come(make, version, 40)
    first = told(make)
    gone = make.contact()
    make.flow_session(gone, version, SessionStatus.COMPLETE)
    make.db.delete(gone)
    make.db.flush()
    assert told(make) == first


@given(COUNTS, COUNTS)
def test_no_two_releases_give_a_handful(then: dict[str, int], new: dict[str, int]) -> None:
    now = {one: then[one] + new[one] for one in PARTS}
    first, second = (one | {"all": sum(one.values())} for one in (then, now))
    sums = [Sum("all", PARTS)]
    shown = {one for one, figure in release(first, sums).items() if figure.value is not None}
    earlier = {one: first[one] for one in shown}
    later = release(second, sums, earlier)
    again = {one for one, figure in later.items() if figure.value is not None}
    assert all(not 0 < second[one] - first[one] < 10 for one in shown & again)
    if "all" in shown & again and set(PARTS) <= shown:
        rest = sum(new[one] for one in PARTS if one not in again)
        assert rest == 0 or rest >= 10
