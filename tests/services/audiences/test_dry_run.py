"""What a push would do, without doing it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from flows.conditions import Names, parse
from flows.flow import Flow, build
from models import Address, AskKind, BroadcastKind, Channel, ChannelKind
from services.audiences import dry_run, prices
from services.audiences.dry_run import DryRun
from services.audiences.eligibility import LeftOut, Sending
from services.audit import SYSTEM
from services.errors import Invalid
from tests.factories import Factory

AGREED = ("registration", "polls")
NAMES = {"organisation": "Consulate", "office": "Consulate"}
FLOW = build(
    {
        "flow": "hours",
        "kind": "poll",
        "languages": ["en", "ar"],
        "questions": [
            {
                "id": "open",
                "type": "yes_no",
                "text": {
                    "en": "Should we open on Saturday?",
                    "ar": "هل تفضل أن نفتح القنصلية يوم السبت من كل أسبوع بدل يوم الجمعة صباحا؟",
                },
            }
        ],
    }
)


@pytest.fixture
def lines(make: Factory) -> dict[str, Channel]:
    kinds = (ChannelKind.TELEGRAM, ChannelKind.SMS, ChannelKind.WHATSAPP)
    return {kind.value: make.channel(kind) for kind in kinds}


def people(make: Factory, lines: dict[str, Channel], many: int, channel: str, **more: Any) -> None:
    for _ in range(many):
        serial = make.db.query(Address).count()
        address = f"{channel}:+1555{serial:07d}" if channel != "telegram" else f"telegram:{serial}"
        make.contact(consented=AGREED, address=address, channel=lines[channel], **more)


def run(make: Factory, flow: Flow = FLOW) -> DryRun:
    sending = Sending(BroadcastKind.INVITATION, AskKind.POLL, parse({"all": []}, Names()))
    return dry_run.run(make.db, sending, flow, NAMES, now=make.now)


def test_everybody_is_counted_once_on_a_channel_or_with_a_reason(
    make: Factory, lines: dict[str, Channel]
) -> None:
    people(make, lines, 3, "telegram", country="ZA")
    people(make, lines, 2, "sms", country="ZA")
    people(make, lines, 1, "whatsapp", country="KE")
    make.contact(consented=AGREED, stopped=True, channel=lines["telegram"])
    make.contact(consented=("registration",), channel=lines["telegram"])
    found = run(make)
    assert found.will_get == {"telegram": 3, "sms": 2}
    assert found.left_out == dict.fromkeys(LeftOut, 0) | {
        "stopped": 1,
        "no_consent": 1,
        "unreachable": 1,
    }
    assert [(one.channel, one.country, one.people) for one in found.lines] == [
        ("sms", "ZA", 2),
        ("telegram", "ZA", 3),
    ]


def test_parts_and_cost_are_of_the_first_message_by_language_and_country(
    make: Factory, lines: dict[str, Channel]
) -> None:
    table = {"currency": "EUR", "sms": {"*": "0.10", "ZA": "0.02"}, "whatsapp": {"*": "0.005"}}
    prices.put(make.db, table, actor=SYSTEM, now=make.now)
    people(make, lines, 2, "sms", country="ZA")
    people(make, lines, 1, "sms", country="ZA", language="ar")
    people(make, lines, 1, "sms")
    people(make, lines, 4, "telegram", country="ZA")
    people(make, lines, 2, "whatsapp", country="ZA")
    window: dict[Any, Any] = {"window_until": make.now + timedelta(hours=3)}
    make.db.query(Address).filter_by(scheme="whatsapp").update(window)
    found = run(make)
    told = {(one.channel, one.country): (one.people, one.parts, one.cost) for one in found.lines}
    assert told == {
        ("sms", None): (1, 1, Decimal("0.10")),
        ("sms", "ZA"): (3, 4, Decimal("0.08")),
        ("telegram", "ZA"): (4, 4, Decimal(0)),
        ("whatsapp", "ZA"): (2, 2, Decimal("0.010")),
    }
    assert found.parts == 11
    assert found.cost == Decimal("0.190")
    assert found.currency == "EUR"
    assert not found.example_prices


def test_without_prices_of_its_own_the_examples_say_so(
    make: Factory, lines: dict[str, Channel]
) -> None:
    people(make, lines, 1, "sms", country="ZA")
    found = run(make)
    assert found.example_prices
    assert found.cost > 0


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ({"currency": "euro", "sms": {"*": "1"}}, "currency"),
        ({"currency": "EUR"}, "sms"),
        ({"currency": "EUR", "sms": {"ZA": "1"}}, "sms"),
        ({"currency": "EUR", "sms": {"*": "1", "ZA": "-1"}}, "sms.za"),
        ({"currency": "EUR", "sms": {"*": "1"}, "fax": {"*": "1"}}, "fax"),
    ],
)
def test_prices_that_cannot_be_are_refused_at_their_place(
    make: Factory, table: dict[str, Any], place: str
) -> None:
    with pytest.raises(Invalid) as refused:
        prices.put(make.db, table, actor=SYSTEM, now=make.now)
    assert [at for at, _ in refused.value.faults] == [place]


def test_who_reads_another_language_is_counted(make: Factory, lines: dict[str, Channel]) -> None:
    people(make, lines, 2, "telegram", language="ar")
    people(make, lines, 3, "telegram", language="fr")
    assert run(make).missing_languages == {"fr": 3}
