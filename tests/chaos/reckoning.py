"""What came of an ask everywhere: what the phones saw against everything the API tells.

Each method is one promise; what breaks it is listed under its name. All lists are empty when the
promises were kept.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any
from uuid import UUID

from tests.chaos import public_page
from tests.chaos.everywhere import Everywhere
from tests.chaos.phones_of_all import Saw
from tests.chaos.poll_words import BECAUSE, OUTCOME, kind_of
from tests.chaos.public_page import PublicPage
from tests.chaos.roll import MUST, NEVER_ARRIVES, VALUES

FROM, UNTIL = time(8), time(20)
ARRIVED = ("sent", "delivered", "read")
EXACT_FROM, STEP = 500, 5
MOST_TOLD = 8
KINDS = {"invitation": "invitation", "reminder": "reminder", "report_back": "report"}
"""What a sending of each kind brings to the phones."""
Faults = Mapping[str, list[Any]]


@dataclass
class Reckoning:
    """One run with the rows the API listed at its end."""

    run: Everywhere
    recipients: dict[str, dict[UUID, dict[str, Any]]] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)
    texts: list[dict[str, Any]] = field(default_factory=list)
    poll: dict[str, Any] = field(default_factory=dict)
    relays: list[dict[str, Any]] = field(default_factory=list)
    public: PublicPage | None = None

    def read(self) -> "Reckoning":
        """Ask the API for everything."""
        officer, poll = self.run.officer, self.run.poll
        for kind, sending in self.run.sendings.items():
            rows = list(officer.pages(f"/broadcasts/{sending['id']}/recipients"))
            self.recipients[kind] = {UUID(row["contact_id"]): row for row in rows}
            assert len(self.recipients[kind]) == len(rows), "somebody is listed twice"
        self.messages = list(officer.pages("/messages?direction=out"))
        self.results = officer.get(f"/polls/{poll['id']}/results")
        self.texts = list(officer.pages(f"/polls/{poll['id']}/texts"))
        self.poll = officer.get(f"/polls/{poll['id']}")
        self.relays = list(officer.pages(f"/relays?poll_id={poll['id']}"))
        self.public = public_page.read(officer, poll["code"])
        return self

    def faults(self) -> Faults:
        """Everything that went wrong, by the promise it breaks."""
        promises = (
            self.once_or_with_a_reason,
            self.at_a_permitted_hour,
            self.as_the_situation_says,
            self.as_the_dry_run_said,
            self.progress_agrees,
            self.only_the_silent_reminded,
            self.all_who_answered_told_once,
            self.messages_agree,
            self.results_agree,
            self.receipts_agree,
            self.public_agrees,
            self.poll_and_relay_agree,
        )
        found = {promise.__name__: promise() for promise in promises}
        return {name: faults[:MOST_TOLD] for name, faults in found.items() if faults}

    # --- the promises ---

    def once_or_with_a_reason(self) -> list[Any]:
        """Each member was invited once, on the channel listed, or a reason is listed."""
        faults: list[Any] = []
        seen = self._seen("invitation")
        for member in self.run.members:
            row, came = self.recipients["invitation"].get(member.id), seen[member.id]
            if row is None:
                faults.append((member.situation, "is not listed"))
            elif row["status"] in ARRIVED and [one.channel for one in came] != [row["channel"]]:
                faults.append((member.situation, row["status"], [one.channel for one in came]))
            elif row["status"] not in ARRIVED and (came or not row["reason"]):
                faults.append((member.situation, row["status"], row["reason"], len(came)))
        return faults

    def at_a_permitted_hour(self) -> list[Any]:
        """Nobody was written to at night where they live."""
        zones = {member.id: member.zone for member in self.run.members}
        pushed = ("invitation", "reminder", "report")
        faults: list[Any] = []
        for one in self.run.phones.saw:
            if one.kind.removeprefix("template:").replace("result", "report") not in pushed:
                continue
            if one.kind == "report" and one.channel == "whatsapp":
                continue  # read on purpose, at an hour of their own
            local = one.at.astimezone(zones[one.who])
            if not FROM <= local.time() < UNTIL:
                faults.append((one.kind, str(local)))
        return faults

    def as_the_situation_says(self) -> list[Any]:
        """Whoever stood so was left out for this reason, or got it on this channel."""
        faults: list[Any] = []
        for member in self.run.members:
            row, must = self.recipients["invitation"][member.id], MUST.get(member.situation)
            if must is not None and (row["status"], row["reason"]) != ("left_out", must.value):
                faults.append((member.situation, row["status"], row["reason"]))
            if must is None and row["channel"] != member.channel:
                faults.append((member.situation, row["channel"], row["reason"]))
            if member.situation in NEVER_ARRIVES and row["status"] != "failed":
                faults.append((member.situation, row["status"]))
        return faults

    def as_the_dry_run_said(self) -> list[Any]:
        """The dry run told before what then happened, but for those who stopped since."""
        since = {one.id for one in self.run.of("stops_later")}
        channels: Counter[str] = Counter(one.channel for one in self.run.of("stops_later"))
        reasons: Counter[str] = Counter()
        for who, row in self.recipients["invitation"].items():
            if who in since:
                continue
            if row["status"] == "left_out":
                reasons[row["reason"]] += 1
            else:
                channels[row["channel"]] += 1
        told = self.run.dry_run
        left_out = {reason: many for reason, many in told["left_out"].items() if many}
        return _unlike({"will_get": told["will_get"], "left_out": left_out},
                       {"will_get": dict(channels), "left_out": dict(reasons)})  # fmt: skip

    def progress_agrees(self) -> list[Any]:
        """How far each sending is told to be is what the phones and the lists say."""
        faults: list[Any] = []
        for kind, sending in self.run.sendings.items():
            rows = self.recipients[kind].values()
            told, seen = sending["progress"], self._seen(KINDS[kind])
            counted = {
                "sent": sum(len(came) for came in seen.values()),
                "left_out": dict(Counter(r["reason"] for r in rows if r["status"] == "left_out")),
                "failed": dict(Counter(r["reason"] for r in rows if r["status"] == "failed")),
                "waiting": 0,
                "queued": 0,
                "unconfirmed": 0,
            }
            faults += _unlike({name: told[name] for name in counted}, counted)
        return faults

    def only_the_silent_reminded(self) -> list[Any]:
        """Whoever got it and said nothing was reminded once, nobody else."""
        seen = self._seen("reminder")
        silent = {
            one.id
            for one in self.run.members
            if one.manner in ("silent", "late")
            and self.recipients["invitation"][one.id]["status"] in ARRIVED
        }
        reminded = {who: len(came) for who, came in seen.items() if came}
        return _unlike({"reminded": reminded}, {"reminded": dict.fromkeys(silent, 1)})

    def all_who_answered_told_once(self) -> list[Any]:
        """Everybody who answered heard once what will be done, and WhatsApp's readers read it."""
        told = {who: len(came) for who, came in self._seen("report").items() if came}
        faults = _unlike({"told": told}, {"told": dict.fromkeys(self._answered(), 1)})
        opened = {one.who for one in self.run.phones.saw if one.kind == "template:result"}
        read = {one.who for one in self.run.phones.saw if one.kind == "report"}
        return faults + [("could not read it", who) for who in opened - read]

    def messages_agree(self) -> list[Any]:
        """The messages that the API lists are those on the phones."""
        listed: Counter[tuple[UUID, str]] = Counter()
        for row in self.messages:
            if row["status"] in ARRIVED:
                listed[UUID(row["contact_id"]), kind_of(row["text"] or "")] += 1
        seen = Counter((one.who, one.kind) for one in self.run.phones.saw)
        listed = Counter({key: many for key, many in listed.items() if key[1] != "other"})
        seen = Counter({key: many for key, many in seen.items() if key[1] != "other"})
        return _unlike({"messages": dict(listed)}, {"messages": dict(seen)})

    def results_agree(self) -> list[Any]:
        """Results are what people answered, as far as the gate lets figures leave."""
        who = self._answered()
        answered = [one for one in self.run.members if one.id in who]
        sent = sum(len(came) for came in self._seen("invitation").values())
        truth = {"sent": sent, "started": len(answered), "completed": len(answered)}
        hidden = {one["figure"] for one in self.results["suppressed"]}
        faults = [(name, self.results[name], many) for name, many in truth.items()
                  if not _may_be(self.results[name], many, hidden=name in hidden)]  # fmt: skip
        values = Counter(one.value for one in answered)
        question = next(one for one in self.results["questions"] if one["id"] == "when_open")
        for option in question["options"]:
            if not _may_be(option["count"], values[option["value"]], hidden=True):
                faults.append((option["value"], option["count"], values[option["value"]]))
        wrote = [one for one in answered if one.value == VALUES[2]]
        if [row["text"] for row in self.texts] != [BECAUSE] * len(wrote):
            faults.append(("texts", len(self.texts), len(wrote)))
        return faults

    def receipts_agree(self) -> list[Any]:
        """Delivered and read is what the providers told: of each phone, and of WhatsApp's alone."""
        faults: list[Any] = []
        for kind, sending in self.run.sendings.items():
            truth = self._receipts(KINDS[kind])
            faults += _unlike({name: sending["progress"][name] for name in truth}, truth)
        hidden = {one["figure"] for one in self.results["suppressed"]}
        for name, many in self._receipts("invitation").items():
            if not _may_be(self.results[name], many, hidden=name in hidden):
                faults.append(("results", name, self.results[name], many))
        return faults

    def public_agrees(self) -> list[Any]:
        """Everybody reads the same of it as the officer: on the page, in the table, as JSON."""
        assert self.public is not None
        return self.public.faults(self.results)

    def poll_and_relay_agree(self) -> list[Any]:
        """It is closed and says what will be done; its code brought whom it brought; two tests."""
        guests = len(self.run.phones.guests)
        tests = [one.who for one in self.run.phones.saw if one.kind == "test"]
        told = {
            "status": self.poll["status"],
            "report_back": self.poll["report_back"],
            "missing_languages": self.poll["missing_languages"],
            "reported": self.poll["reported_at"] is not None,
            "relays": [one["code"] for one in self.relays],
            "came": all(_near(one["answered"], guests) for one in self.relays),
            "tests": tests,
        }
        return _unlike(told, {
            "status": "closed",
            "report_back": OUTCOME,
            "missing_languages": [],
            "reported": True,
            "relays": [self.run.relay["code"]],
            "came": True,
            "tests": [self.run.members[0].id] * 2,
        })  # fmt: skip

    # --- what happened ---

    def _seen(self, kind: str) -> Mapping[UUID, list[Saw]]:
        """What of this kind was pushed to people's phones, by person."""
        found: defaultdict[UUID, list[Saw]] = defaultdict(list)
        template = "template:" + kind.replace("report", "result")
        for one in self.run.phones.saw:
            read = kind == "report" and one.channel == "whatsapp"
            if one.kind == template or (one.kind == kind and not read):
                found[one.who].append(one)
        return found

    def _receipts(self, kind: str) -> Mapping[str, int]:
        channels = Counter(one.channel for came in self._seen(kind).values() for one in came)
        read = channels["whatsapp"]
        return {"delivered": channels["sms"] + read, "read": read}

    def _answered(self) -> Collection[UUID]:
        """Who answered: at once, when reminded, or by the relay's code."""
        got = {
            one.id
            for one in self.run.members
            if one.manner in ("answers", "late")
            and self.recipients["invitation"][one.id]["status"] in ARRIVED
        }
        return got | self.run.phones.guests


def _unlike(told: Mapping[str, Any], counted: Mapping[str, Any]) -> list[Any]:
    """The names of which both say different things; of a table only the lines that differ."""
    found: list[Any] = []
    for name, here in told.items():
        there = counted[name]
        if isinstance(here, dict) and isinstance(there, dict):
            keys = [key for key in here.keys() | there.keys() if here.get(key) != there.get(key)]
            found += [(name, key, here.get(key), there.get(key)) for key in keys]
        elif here != there:
            found.append((name, here, there))
    return found


def _may_be(told: int | None, many: int, *, hidden: bool = False) -> bool:
    """Whether the gate may tell this of so many: to 5 below 500, nothing below ten."""
    if told is None:
        return hidden or many < 2 * STEP
    return told == many if many >= EXACT_FROM else abs(told - many) <= STEP


def _near(told: int | None, many: int) -> bool:
    """Whether a band of twenty, or from a thousand on two digits, may stand for so many."""
    if told is None:
        return many < 2 * STEP
    return abs(told - many) <= max(2 * STEP, many // 10)
