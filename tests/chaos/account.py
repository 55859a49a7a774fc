"""What came of a storm, told in the words of the promise: nothing lost, nothing doubled."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.sealed import keyed_hash
from tests.chaos.members import ORDER
from tests.chaos.storm import Storm

TWICE = """select channel_id, provider_id from messages where direction = 'in'
            group by 1, 2 having count(*) > 1"""
ANEW = "select contact_id from flow_sessions group by 1 having count(*) > 1"


@dataclass(frozen=True)
class Account:
    """Everything that went wrong, each by its kind; all empty when nothing did."""

    finished: int
    unfinished: Mapping[str, Any]
    lost: set[str]
    doubled: list[Any]
    wrong: Mapping[str, Any]
    begun_anew: list[Any]
    led_back: Mapping[str, list[str]]
    out_of_order: Mapping[str, list[str]]
    longest_silence: float

    def __str__(self) -> str:
        """One line that can be read at a glance."""
        return (
            f"finished {self.finished}, unfinished {len(self.unfinished)}, lost {len(self.lost)},"
            f" doubled {len(self.doubled)}, wrong value {len(self.wrong)},"
            f" begun anew {len(self.begun_anew)}, led back {len(self.led_back)},"
            f" longest silence {self.longest_silence:.1f} s"
        )


def account_of(run: Storm) -> Account:
    """The account of a storm that has ended."""
    return Account(
        finished=sum(m.done for m in run.members),
        unfinished={m.plan.address: (m.order, m.did[-2:]) for m in run.members if not m.done},
        lost=_lost(run),
        doubled=run.house.ask(TWICE),
        wrong=_wrong(run),
        begun_anew=run.house.ask(ANEW),
        led_back={m.plan.address: m.order for m in run.members if _is_led_back(m.order)},
        out_of_order={m.plan.address: m.order for m in run.members if m.order != list(ORDER)},
        longest_silence=max(m.longest_silence() for m in run.members),
    )


def _is_led_back(order: list[str]) -> bool:
    """Whether somebody saw a question after a later one."""
    places = [ORDER.index(question) for question in order]
    return places != sorted(places)


def _lost(run: Storm) -> set[str]:
    """Messages that were answered 200 to a provider and have left no row."""
    acknowledged = {d.sid for d in run.twilio.inbound.deliveries if d.status == 200}
    for bot in run.telegram.accounts.values():
        acknowledged |= {d.name for d in bot.deliveries if d.status == 200}
    rows = run.house.ask("select provider_id from messages where direction = 'in'")
    return acknowledged - {row[0] for row in rows}


def _wrong(run: Storm) -> dict[str, Any]:
    """Members whose stored answers are not exactly what they meant."""
    stored = stored_by(run)
    return {
        m.plan.address: (stored[m.plan.address], m.plan.values, m.order)
        for m in run.members
        if stored[m.plan.address] != m.plan.values
    }


def stored_by(run: Storm) -> dict[str, dict[str, Any]]:
    """Address -> question -> stored value."""
    house = run.house
    organisation = house.ask("select id from organisations")[0][0]
    index = house.homeline.keys.open(organisation).index
    owner = {bytes(h): c for h, c in house.ask("select address_hash, contact_id from addresses")}
    values: dict[UUID, dict[str, Any]] = {}
    for contact, question, value in house.ask(
        "select contact_id, question, value from answers where not skipped"
    ):
        values.setdefault(contact, {})[question] = value
    found = {}
    for m in run.members:
        contact = owner.get(keyed_hash(index, "address", m.plan.address))
        found[m.plan.address] = values.get(contact, {}) if contact else {}
    return found


def figures(run: Storm) -> dict[str, Any]:
    """What the run measured."""
    deliveries = len(run.twilio.inbound.deliveries) + sum(
        len(a.deliveries) for a in run.telegram.accounts.values()
    )
    messages = sum(len(m.did) for m in run.members)
    recovered: Counter[str] = Counter()
    for event in run.house.events("messages.recovered"):
        recovered[event["outcome"]] += event["count"]
    return {
        "members": len(run.members),
        "seconds": round(run.seconds, 1),
        "messages": messages,
        "messages_per_second": round(messages / max(run.seconds, 0.1), 1),
        "deliveries": deliveries,
        "deliveries_per_second": round(deliveries / max(run.seconds, 0.1), 1),
        "asked_again": sum(m.again for m in run.members),
        "asked_whether_they_refuse": sum(m.doubted for m in run.members),
        "nudges": run.nudges,
        "given_up_by_twilio": len(run.twilio.inbound.lost),
        "kills": sum(part.kills for part in run.house.parts),
        "database_restarts": [round(s, 2) for s in run.restarts],
        "recovered": dict(recovered),
        "answers": dict(sum((b.answers for b in run.balancers), Counter())),
        "strange": Counter(text for m in run.members for text in m.strange).most_common(3),
    }
