"""Saved audiences: checked, versioned, counted behind the gate, said in words."""

from typing import Any

import pytest

from flows.conditions import Names, parse
from flows.loader import library, load
from insights.disclosure import Figure, Reason
from models import AuditEvent, ContactStatus
from services import audit, flows
from services.audiences import audience_words, audiences
from services.audiences.audiences import TooFew
from services.audit import SYSTEM, Actor
from services.catalogue import Catalogue, read_inside
from services.errors import Conflict, Invalid, NotFound
from tests.factories import Factory

OFFICER = Actor("api_key")
ZA = {"country": "ZA"}


@pytest.fixture
def catalogue(make: Factory) -> Catalogue:
    make.office("Consulate in Cape Town")
    for name in ("registration", "module-needs", "passport-hours"):
        flows.publish(make.db, load(library()[name]), now=make.now)
    return read_inside(make.db)


def save(make: Factory, catalogue: Catalogue, mapping: Any, name: str = "South") -> Any:
    return audiences.create(make.db, name, mapping, catalogue, actor=OFFICER, now=make.now)


def test_each_change_is_a_version_and_earlier_ones_stay(
    make: Factory, catalogue: Catalogue
) -> None:
    first = save(make, catalogue, ZA)
    again = audiences.change(
        make.db, first.audience.id, {"country": "KE"}, catalogue, actor=OFFICER, now=make.now
    )
    same = audiences.change(
        make.db, first.audience.id, {"country": "KE"}, catalogue, actor=OFFICER, now=make.now
    )
    assert [one.version.version for one in (first, again, same)] == [1, 2, 2]
    assert audiences.get(make.db, first.audience.id).version.condition == {"country": "KE"}
    assert audiences.get(make.db, first.audience.id, 1).version.condition == ZA
    with pytest.raises(NotFound):
        audiences.get(make.db, first.audience.id, 3)
    actions = [event.action for event in make.db.query(AuditEvent).order_by(AuditEvent.number)]
    assert actions[-2:] == ["audience.created", "audience.changed"]


def test_a_name_is_given_once(make: Factory, catalogue: Catalogue) -> None:
    save(make, catalogue, ZA)
    with pytest.raises(Conflict):
        save(make, catalogue, ZA)
    assert audiences.list_saved(make.db)
    for name in ("", "  ", "x" * 81):
        with pytest.raises(Invalid):
            save(make, catalogue, ZA, name)


def test_what_is_archived_is_listed_no_more_and_can_be_read(
    make: Factory, catalogue: Catalogue
) -> None:
    saved = save(make, catalogue, ZA)
    audiences.archive(make.db, saved.audience.id, actor=OFFICER, now=make.now)
    assert audiences.list_saved(make.db) == []
    assert audiences.get(make.db, saved.audience.id).version.condition == ZA


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        ({"zzz": "x"}, "condition.zzz"),
        ({"all": [ZA, {"country": "South Africa"}]}, "condition.all[1].country"),
        ({"country": {"not": ["ZA", "XX"]}}, "condition.country.not"),
        ({"country": {"at_least": 3}}, "condition.country.at_least"),
        ({"language": "klingon"}, "condition.language"),
        ({"channel": "fax"}, "condition.channel"),
        ({"age_band": "young"}, "condition.age_band"),
        ({"place": "1"}, "condition.place"),
        ({"office": "Cape Town"}, "condition.office"),
        ({"joined": "2026-03-02"}, "condition.joined"),
        ({"consent.marketing": "granted"}, "condition.consent.marketing"),
        ({"consent.polls": "yes"}, "condition.consent.polls"),
        ({"nowhere.asked": "x"}, "condition.nowhere.asked"),
        ({"passport-hours.asked": "x"}, "condition.passport-hours.asked"),
        ({"passport-hours.when_open": "sunday night"}, "condition.passport-hours.when_open"),
        ({"passport-hours.why": "because"}, "condition.passport-hours.why"),
        ({"module-needs.need": {"at_least": 3}}, "condition.module-needs.need.at_least"),
        ({"registration.country": "ZA"}, "condition.registration.country"),
        ({"not": {"any": [{"country": {"has": "XX"}}]}}, "condition.not.any[0].country.has"),
        ({"all": [ZA] * 101}, "condition"),
        ({"country": ["ZA"] * 501}, "condition.country"),
    ],
)  # fmt: skip
def test_a_fault_is_named_at_its_place(
    make: Factory, catalogue: Catalogue, mapping: dict[str, Any], place: str
) -> None:
    with pytest.raises(Invalid) as refused:
        save(make, catalogue, mapping)
    assert next(at for at, _ in refused.value.faults) == place


def test_what_means_something_is_taken(make: Factory, catalogue: Catalogue) -> None:
    office = next(iter(catalogue.offices))
    for number, mapping in enumerate(
        [
            {"all": []},
            {"country": ["ZA", "KE"], "language": "fr", "channel": {"not": "sms"}},
            {"place": "3369157", "office": str(office)},
            {"joined": {"within": "30 days"}, "last_seen": {"at_least": "2026-01"}},
            {"registered": {"known": False}, "relay": "made-up"},
            {"consent.polls": "granted", "consent.alerts": {"known": False}},
            {"passport-hours.when_open": "saturday", "passport-hours.why": {"known": True}},
        ]
    ):
        save(make, catalogue, mapping, f"number {number}")


def test_a_count_is_exact_for_whoever_may_count(make: Factory, catalogue: Catalogue) -> None:
    condition = parse(ZA, Names())

    def told(*, may_count: bool = True) -> Figure:
        return audiences.size(make.db, condition, may_count=may_count, actor=SYSTEM, now=make.now)

    channel = make.channel()
    people = [make.contact(country="ZA", channel=channel) for _ in range(9)]
    make.contact(country="KE", channel=channel)
    assert told() == Figure(9)
    people[0].status = ContactStatus.STOPPED
    make.db.flush()
    assert told() == Figure(8)
    assert told(may_count=False) == Figure(None, Reason.ROLE)


def test_fewer_than_ten_are_addressed_only_by_whoever_may(
    make: Factory, catalogue: Catalogue
) -> None:
    make.contact(country="ZA")
    condition = parse(ZA, Names())

    def check(may_be_small: bool) -> None:
        audiences.check_size(
            make.db, condition, may_be_small=may_be_small, actor=OFFICER, now=make.now
        )

    with pytest.raises(TooFew, match="Fewer than 10 people"):
        check(may_be_small=False)
    check(may_be_small=True)
    last = make.db.query(AuditEvent).order_by(AuditEvent.number.desc()).first()
    assert last is not None
    assert last.action == "audience.small_allowed"
    assert audit.verify(make.db) is None


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "country is South Africa or Kenya and consent to «Short polls» is given"),
        ("fr", "le pays est Afrique du Sud ou Kenya et le consentement à «Sondages» est donné"),
        ("es", "el país es Sudáfrica o Kenia y el consentimiento para «"),
        ("pt", "o país é África do Sul ou Quênia e o consentimento para «"),
        ("ar", "البلد هو جنوب أفريقيا أو كينيا و"),
        ("de", "country is South Africa or Kenya"),
    ],
)
def test_an_audience_is_said_in_the_officers_language(
    catalogue: Catalogue, language: str, said: str
) -> None:
    condition = parse({"country": ["ZA", "KE"], "consent.polls": "granted"}, Names())
    assert audience_words.say(condition, catalogue, language).startswith(said)


def test_questions_and_answers_are_said_in_their_own_words(catalogue: Catalogue) -> None:
    mapping = {"passport-hours.when_open": "saturday", "place": "3369157", "channel": "sms"}
    told = audience_words.say(parse(mapping, Names()), catalogue, "en")
    assert "is Saturday" in told
    assert "town is Cape Town" in told
    assert "channel is SMS" in told
    assert "passport-hours" not in told
