"""The condition language means the same of one person in memory and of all people in SQL."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from flows.conditions import Condition, Names, evaluate, parse
from flows.flow import build
from flows.state import SEALED, SKIPPED
from models.base import new_id
from models.conditions import as_sql, find_facts, lookup, people
from models.contact import Contact, ContactStatus
from models.office import Office
from models.person_fields import Facts
from models.profile import Profile
from models.walls import organisation_of
from tests.factories import Factory

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FLOW = build(
    {
        "flow": "passport-hours",
        "kind": "module",
        "languages": ["en"],
        "questions": [
            {"id": "country", "type": "country", "text": {"en": "Where?"}},
            {"id": "when_open", "type": "yes_no", "text": {"en": "Open on Saturday?"}},
            {"id": "needs", "type": "text", "text": {"en": "What else?"}},
        ],
    }
)
NAMES = Names(frozenset(FLOW.by_id))
MOST = 24


def audience(db: Session, condition: Condition) -> set[UUID]:
    return set(db.scalars(people(db).where(as_sql(condition, NOW, flow=FLOW))))


@pytest.mark.parametrize(
    ("mapping", "known", "expected"),
    [
        ({"country": "ZA"}, {"country": "ZA"}, True),
        ({"country": ["ZA", "NA"]}, {"country": "NA"}, True),
        ({"country": "ZA"}, {}, False),
        ({"country": {"not": "ZA"}}, {}, True),
        ({"country": {"known": False}}, {}, True),
        ({"channel": "whatsapp"}, {"channel": "whatsapp-id"}, True),
        ({"channel": {"not": "sms"}}, {"channel": "telegram"}, True),
        ({"consent.polls": "granted"}, {"consents": ["registration", "polls"]}, True),
        ({"consent.polls": {"known": False}}, {"consents": ["registration"]}, True),
        ({"consent.polls": {"not": "granted"}}, {}, True),
        ({"joined": {"within": "30 days"}}, {"joined_at": NOW - timedelta(days=30)}, True),
        ({"joined": {"within": "30 days"}}, {"joined_at": NOW - timedelta(days=31)}, False),
        ({"last_seen": {"at_least": "2026-03"}}, {"last_seen_at": NOW}, True),
        ({"joined": "9999-12-31T23:59:59-14:59"}, {"joined_at": NOW}, False),
        ({"joined": "2026-03-02T09:00:00.000000+00:00"}, {"joined_at": NOW}, True),
        ({"registered": {"known": True}}, {}, False),
        ({"registered": {"at_most": "2026-03-02T09:00"}}, {"registered_at": NOW}, True),
        ({"relay": "made-up-relay"}, {"origin": {"relay": "made-up-relay"}}, True),
        ({"relay": {"known": True}}, {"origin": {"entry": "poster"}}, False),
        ({"poll.size": {"at_least": 3}}, {"rest": {"poll.size": 12}}, True),
        ({"poll.size": 12}, {"rest": {"poll.size": 12}}, True),
        ({"poll.needs": {"has": "work"}}, {"rest": {"poll.needs": ["work", "papers"]}}, True),
        ({"poll.needs": "work"}, {"rest": {"poll.needs": ["work"]}}, False),
        ({"poll.needs": {"not": "work"}}, {"rest": {"poll.needs": ["work"]}}, True),
        ({"poll.why": {"known": True}}, {"rest": {"poll.why": SEALED}}, True),
        ({"poll.why": {"known": True}}, {"rest": {"poll.why": SKIPPED}}, False),
        ({"poll.sure": "yes"}, {"rest": {"poll.sure": True}}, True),
        ({"when_open": "yes"}, {"rest": {"passport-hours.when_open": "yes"}}, True),
        ({"poll.born": {"at_most": "2001-02"}}, {"rest": {"poll.born": "2001-01-31"}}, True),
        ({"all": []}, {}, True),
        ({"any": []}, {}, False),
        ({"not": {"any": []}}, {}, True),
    ],
)
def test_each_form_of_the_contract_over_people(
    make: Factory, mapping: object, known: dict[str, Any], expected: bool
) -> None:
    contact = make.contact()
    contact.origin = known.get("origin", {})
    profile = make.db.get_one(Profile, (make.organisation_id, contact.id))
    for column in known.keys() - {"origin"}:
        setattr(profile, column, known[column])
    make.db.flush()
    condition = parse(mapping, NAMES)
    assert (contact.id in audience(make.db, condition)) is expected
    facts = find_facts(make.db, contact.id)
    assert facts is not None
    assert evaluate(condition, lookup(facts, FLOW), NOW) is expected


def test_an_office_is_named_by_its_id(make: Factory) -> None:
    office = make.office()
    here, _elsewhere = make.contact(office_id=office.id), make.contact()
    assert audience(make.db, parse({"office": str(office.id)}, NAMES)) == {here.id}


def test_whoever_was_merged_is_nobody_of_their_own(make: Factory) -> None:
    stays, goes = make.contact(country="ZA"), make.contact(country="ZA")
    goes.status, goes.merged_into = ContactStatus.MERGED, stays.id
    make.db.flush()
    assert audience(make.db, parse({"country": "ZA"}, NAMES)) == {stays.id}
    assert find_facts(make.db, goes.id) is None


# --- the same verdict for random conditions and people ---

OFFICE = UUID("0198c0de-0000-7000-8000-000000000001")
WORDS = st.sampled_from(
    [
        *("ZA", "x", "yes", "no", "true", "null", "granted", "telegram", "whatsapp", "whatsapp-id"),
        *("3", "03", "3.0", "+5", "-5", "0", "-0", "0.5", ".5", "1e5", "100000", "٣", "３", "1_0"),
        *("3\n", "NaN", "Infinity", "1e-07", "1234567890123456", "999999999999999.999999999"),
        *("2026-03-02", "2026-03", "2026", "20260302", "2026-W10-1", "2026-02-29", "2024-02-29"),
        *("2026-03-02T09:00:00Z", "2026-03-02T09:00:00+02:00", "2026-03-02 09:00", "2026-03-02Z"),
        *("2026-03-02T09:00:00.000001", "2026-03-02T24:00", "2026-03-02t09:00z", "1900-02-29"),
        *("9999-12-31T23:59:59-14:59", "1000-01-01", "0999-01-01", "2026-03-02\n", "2026-13"),
        *(
            SKIPPED,
            SEALED,
            "",
            " ",
            "é",
            "e\u0301",
            "İ",
            "%",
            "_",
            "\\",
            "'",
            '"',
            '"x"',
            "{}",
            "[]",
        ),
        *(str(OFFICE), str(OFFICE).upper(), "2026-03-02T09:00:00.000000+00:00"),
    ]
)
STRINGS = WORDS | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)
NUMBERS = (
    st.integers(-5, 5) | st.integers(-(10**18), 10**18) | st.floats(-1e6, 1e6) | st.just(100000.0)
)
ANSWERS = st.none() | STRINGS | NUMBERS | st.booleans() | st.lists(STRINGS, max_size=3)
INSTANTS = st.just(NOW) | st.builds(
    lambda seconds: NOW + timedelta(seconds=seconds), st.floats(-3e6, 3e5)
)
PEOPLE = st.fixed_dictionaries(
    {
        "country": st.none() | STRINGS,
        "language": st.none() | STRINGS,
        "channel": st.none() | STRINGS,
        "office_id": st.none() | st.just(OFFICE),
        "consents": st.lists(st.sampled_from(["polls", "alerts", "registration"]), max_size=3),
        "joined_at": INSTANTS,
        "registered_at": st.none() | INSTANTS,
        "last_seen_at": INSTANTS,
        "rest": st.dictionaries(
            st.sampled_from(["passport-hours.when_open", "passport-hours.needs", "poll.needs"]),
            ANSWERS,
        ),
        "origin": st.dictionaries(st.sampled_from(["relay", "entry"]), STRINGS),
    }
)
FIELDS = st.sampled_from(
    "country language channel office joined registered last_seen relay consent.polls"
    " when_open needs passport-hours.when_open poll.needs".split()
)
# What JSON may say as well as text: NUL and half surrogates too can be asked for, and never found.
ASKED = STRINGS | NUMBERS | st.booleans() | st.sampled_from(["\0", "x\0", "\ud800"])
ORDERED = st.integers(-5, 5) | st.sampled_from(
    [
        *("3", "+5", "0.5", "100000", "2026-03-02", "2026-03", "2026-03-02T09:00:00+02:00"),
        *("2024-02-29", "9999-12-31T23:59:59-14:59", "2026-03-02 09:00", "999999999999999.5"),
    ]
)
OPERANDS: st.SearchStrategy[Any] = st.one_of(
    ASKED,
    st.lists(ASKED, min_size=1, max_size=3),
    st.fixed_dictionaries({"has": ASKED | st.lists(ASKED, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"at_least": ORDERED}),
    st.fixed_dictionaries({"at_most": ORDERED}),
    st.fixed_dictionaries({"within": st.sampled_from(["0 days", "90 minutes", "20 days"])}),
    st.fixed_dictionaries({"known": st.booleans()}),
)
COMPARISONS = st.builds(
    lambda name, operand, negated: {name: {"not": operand} if negated else operand},
    FIELDS,
    OPERANDS,
    st.booleans(),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)


@pytest.fixture
def crowd(make: Factory) -> Session:
    """A session whose people are put in place anew for every example."""
    make.db.add(
        Office(
            organisation_id=make.organisation_id, id=OFFICE, name="Made-up office", time_zone="UTC"
        )
    )
    for _ in range(MOST):
        make.db.add(
            Contact(
                organisation_id=make.organisation_id,
                id=new_id(),
                wrapped_key=b"",
                language="en",
                created_at=NOW,
                last_seen_at=NOW,
                expires_at=NOW,
            )
        )
    make.db.flush()
    return make.db


def gather(db: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let the crowd be these people."""
    ids = db.scalars(select(Contact.id).limit(len(rows))).all()
    owner = organisation_of(db)
    db.expire_all()
    db.execute(delete(Profile))
    profiles = [{name: row[name] for name in row if name != "origin"} for row in rows]
    db.execute(
        insert(Profile),
        [
            {"organisation_id": owner, "contact_id": one} | row
            for one, row in zip(ids, profiles, strict=True)
        ],
    )
    db.connection().execute(
        update(Contact.__table__)  # type: ignore[arg-type]
        .where(Contact.id == bindparam("one"))
        .values(origin=bindparam("came")),
        [{"one": one, "came": row["origin"]} for one, row in zip(ids, rows, strict=True)],
    )


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(PEOPLE, min_size=1, max_size=MOST), st.lists(CONDITIONS, min_size=1, max_size=8))
def test_memory_and_sql_agree(
    crowd: Session, rows: list[dict[str, Any]], mappings: list[dict[str, Any]]
) -> None:
    gather(crowd, rows)
    known = {
        profile.contact_id: lookup(Facts(profile, origin), FLOW)
        for profile, origin in crowd.execute(
            people(crowd).with_only_columns(Profile, Contact.origin, maintain_column_froms=True)
        )
    }
    assert len(known) == len(rows)
    for mapping in mappings:
        condition = parse(mapping, NAMES)
        in_memory = {one for one, look in known.items() if evaluate(condition, look, NOW)}
        assert audience(crowd, condition) == in_memory
