"""What is said of one run of the outbox: its figures, its aims, and what must not have happened."""

from collections.abc import Iterable

from benchmarks.outbox_run import Figures, Order


def faults(figures: Figures) -> list[str]:
    """What must not have happened, whatever the machine was doing."""
    left = sum(figures.statuses.get(status, 0) for status in ("queued", "sending"))
    found = (
        (len(figures.lost), "got nothing and are not in doubt"),
        (figures.doubled, "got it twice"),
        (figures.after_stop, "came after a STOP"),
        (left, "were left waiting"),
        (max(0, len(figures.in_doubt) - figures.statuses.get("unknown", 0)), "are not recorded"),
        (len(figures.in_doubt) if figures.kills == 0 else 0, "are in doubt though nobody died"),
    )
    return [f"{count} {what}" for count, what in found if count]


def report(order: Order, figures: Figures) -> str:
    """The figures as one Markdown table."""
    kept = ", ".join(f"{kind} {share:.1%}" for kind, share in figures.kept.items())
    confirmed = ", ".join(f"{kind} {s:.2f} s" for kind, s in figures.confirmed_in.items())
    lines: Iterable[tuple[str, object]] = (
        ("waiting, over " + " and ".join(order.channels), order.messages),
        ("workers, of them killed", f"{order.workers}, {figures.kills} times"),
        ("provider's latency, budget a channel", f"{order.latency:.3f} s, {order.rate:.0f}/s"),
        ("messages the provider took", figures.sent),
        ("in", f"{figures.seconds:.1f} s: {figures.sent / max(figures.seconds, 0.001):.0f}/s"),
        ("of the budget kept", kept),
        ("refused (429)", f"{figures.refused}: {figures.refused / max(1, figures.sent):.2%}"),
        (
            "people who got nothing: lost · in doubt",
            f"{len(figures.lost)} · {len(figures.in_doubt)}",
        ),
        ("got it twice", figures.doubled),
        ("cut off before their answer", figures.cut_off),
        ("statuses", ", ".join(f"{s} {n}" for s, n in sorted(figures.statuses.items()))),
        ("STOP confirmed in", confirmed or "not asked"),
        ("sent to who stopped, after all", figures.after_stop),
        ("CPU, worker + database", f"{figures.worker_cpu:.2f} + {figures.database_cpu:.2f} ms"),
    )
    told = [f"- lost: {line}" for line in figures.lost]
    told += [f"- in doubt: {line}" for line in figures.in_doubt]
    rows = [f"| {a} | {b} |" for a, b in lines]
    return "\n".join(["| outbox | |", "|---|---|", *rows, *told, "", *_aims(figures)])


def _aims(figures: Figures) -> Iterable[str]:
    refused = figures.refused / max(1, figures.sent)
    aims: Iterable[tuple[str, bool]] = (
        ("at least 95 % of each budget kept", min(figures.kept.values(), default=0) >= 0.95),
        ("under 1 % refused", refused < 0.01),
        ("STOP confirmed in under 5 s", max(figures.confirmed_in.values(), default=0) < 5),
        ("none lost, doubled, or after a STOP", not faults(figures)),
    )
    return [f"{'kept  ' if holds else 'MISSED'}  {aim}" for aim, holds in aims]
