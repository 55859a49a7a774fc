"""The figures of a run as Markdown: medians over the rounds."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from benchmarks.measure import Plan, Point
from benchmarks.targets import Target

T = TypeVar("T")

COMPARED_AT = 64
_PAIRS = (("ours", "ptb-sql"), ("ours", "telegraf-pg"), ("ours-sms", "flask-twilio"))

_CLOSED = (
    "| at once | target | reply | answers/s (min–max) | per core | p50 ms | p99 ms "
    "| CPU ms/answer: application | database | peak MiB "
    "| errors / wrong / lost / doubled / false |"
)
_OPEN = (
    "| target | reply | p50 ms | p99 ms | core busy | CPU ms/answer: application | database "
    "| errors / wrong / lost / doubled / false |"
)


def markdown(
    points: Sequence[Point], targets: Mapping[str, Target], plan: Plan, facts: Mapping[str, str]
) -> str:
    """The whole report."""
    lines = ["# Registrations, side by side", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    others = statistics.median(point.others_busy for point in points)
    lines += [
        f"- {plan.rounds} interleaved rounds, {plan.seconds:g} s a point, medians",
        f"- CPU used by anything else on the machine, median: {others:.2f} cores",
        "",
        *_closed(points, targets),
        *_open(points, targets),
        *_compared(points),
        *_notes(targets),
    ]
    return "\n".join(lines) + "\n"


def _closed(points: Sequence[Point], targets: Mapping[str, Target]) -> list[str]:
    lines = ["## Closed loop", "", _CLOSED, "|" + "---|" * 11]
    for count in _distinct(point.at_once for point in points if point.at_once):
        for name, target in targets.items():
            group = [p for p in points if p.at_once == count and p.target == name]
            if not group:
                continue
            rates = [point.rate for point in group]
            lines.append(
                f"| {count} | {target.title} | {target.reply} "
                f"| {_median(group, lambda p: p.rate):.0f} ({min(rates):.0f}–{max(rates):.0f}) "
                f"| {per_core(group):.0f} {_latencies(group)} {_cpu(group)} "
                f"| {_median(group, lambda p: p.memory):.0f} {_faults(group)} |"
            )
    return [*lines, ""]


def _open(points: Sequence[Point], targets: Mapping[str, Target]) -> list[str]:
    offered = _distinct(point.offered for point in points if point.offered)
    lines = []
    for rate in offered:
        lines += [f"## Open loop, {rate:g} messages/s due", "", _OPEN, "|" + "---|" * 8]
        for name, target in targets.items():
            group = [p for p in points if p.offered == rate and p.target == name]
            if group:
                busy = _median(group, lambda p: p.core_busy)
                lines.append(
                    f"| {target.title} | {target.reply} {_latencies(group)} | {busy:.2f} "
                    f"{_cpu(group)} {_faults(group)} |"
                )
        lines.append("")
    return lines


def _compared(points: Sequence[Point]) -> list[str]:
    """Homeline's rows over each peer's on the same kind of channel, at 64 members at once."""
    groups = {
        name: [p for p in points if p.at_once == COMPARED_AT and p.target == name]
        for pair in _PAIRS
        for name in pair
    }
    lines = []
    for own, peer in _PAIRS:
        if groups[own] and groups[peer]:
            rate, core, p99 = (
                read(groups[own]) / read(groups[peer])
                for read in (
                    lambda group: _median(group, lambda p: p.rate),
                    per_core,
                    lambda group: _median(group, lambda p: p.p99 or 0),
                )
            )
            lines.append(f"| {own} / {peer} | {rate:.2f} | {core:.2f} | {p99:.2f} |")
    if not lines:
        return []
    head = [f"## Homeline over its peers, {COMPARED_AT} at once", ""]
    return [*head, "| | answers/s | per core | p99 |", "|---|---|---|---|", *lines, ""]


def _notes(targets: Mapping[str, Target]) -> list[str]:
    lines = [
        "*Per core*: 1 / (application + database CPU per answer), what one full core for both "
        "gives; it hardly depends on what else the machine does. *Wrong*: replies that are not "
        "the right next question. *Lost*, *doubled*, *false*: stored answers of members who "
        "finished, compared with what they said. START is not counted as an answer, its cost is.",
    ]
    if any("Messages.json" in target.reply for target in targets.values()):
        lines += [
            "",
            "Homeline's reply on the Twilio row is a second request to the provider, made by the "
            "worker from the outbox after the webhook's commit; the Flask row answers in the "
            "webhook's response. So Homeline's latency there includes a way that the other's does "
            "not have, and its CPU includes the worker process.",
        ]
    return lines


def per_core(group: Sequence[Point]) -> float:
    """Answers a second that one full core would give."""
    cpu = _median(group, lambda p: p.app_cpu) + _median(group, lambda p: p.database_cpu)
    return 1 / cpu if cpu else 0.0


def _latencies(group: Sequence[Point]) -> str:
    return (
        f"| {1e3 * _median(group, lambda p: p.p50 or 0):.1f} "
        f"| {1e3 * _median(group, lambda p: p.p99 or 0):.1f}"
    )


def _cpu(group: Sequence[Point]) -> str:
    return (
        f"| {1e3 * _median(group, lambda p: p.app_cpu):.2f} "
        f"| {1e3 * _median(group, lambda p: p.database_cpu):.2f}"
    )


def _faults(group: Sequence[Point]) -> str:
    sums = (
        sum(p.errors for p in group),
        sum(p.wrong for p in group),
        sum(p.lost for p in group),
        sum(p.doubled for p in group),
        sum(p.false for p in group),
    )
    return "| " + " / ".join(str(number) for number in sums)


def _median(group: Sequence[Point], read: Callable[[Point], float]) -> float:
    return statistics.median(read(point) for point in group)


def _distinct(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
