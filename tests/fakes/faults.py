"""Faults on order: an ordered list of rules decides what goes wrong with which call.

A rule is JSON: `{"match": {"method", "to", "text", "nth", "probability"}, "fault": {"kind", …},
"times": n}`; `to` and `text` are regular expressions, `nth` picks the nth call that matches.

Kinds: status(code, body, headers) · too_many(retry_after) · slow(before_ms, after_ms) ·
reset_before · reset_after_commit · truncated_body · html_502 · close_idle(after_ms) · bad_json ·
refuse_for(ms) · bandwidth(bytes_per_second)
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

KINDS = frozenset(
    "status too_many slow reset_before reset_after_commit truncated_body html_502 close_idle "
    "bad_json refuse_for bandwidth".split()
)
BEFORE_COMMIT = frozenset({"status", "too_many", "html_502", "reset_before", "refuse_for"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a fake, in words both providers share."""

    method: str
    to: str = ""
    text: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong; `detail` holds the rule's further figures."""

    kind: str
    detail: Mapping[str, object]

    def figure(self, name: str, default: float) -> float:
        """A number of the rule."""
        value = self.detail.get(name, default)
        return float(value) if isinstance(value, int | float | str) else default

    @property
    def spares_the_ledger(self) -> bool:
        """Whether the call fails before the provider has taken the message."""
        return self.kind in BEFORE_COMMIT


class Rule:
    """One rule with its own memory of what it has seen."""

    def __init__(self, given: Mapping[str, object], dice: random.Random) -> None:
        match, fault = given.get("match", {}), given.get("fault")
        if not isinstance(match, Mapping) or not isinstance(fault, Mapping):
            raise ValueError("a rule needs match and fault")
        if fault.get("kind") not in KINDS:
            raise ValueError(f"no such fault: {fault.get('kind')}")
        self._match = match
        self._fault = Fault(str(fault["kind"]), dict(fault))
        times = given.get("times")
        self._left = int(times) if isinstance(times, int | str) else None
        self._seen = 0
        self._dice = dice

    def strike(self, call: Call) -> Fault | None:
        """The fault for this call, or None when the rule lets it pass."""
        if self._left == 0 or not self._fits(call):
            return None
        self._seen += 1
        if "nth" in self._match and self._seen != int(str(self._match["nth"])):
            return None
        if self._dice.random() >= float(str(self._match.get("probability", 1))):
            return None
        if self._left is not None:
            self._left -= 1
        return self._fault

    def _fits(self, call: Call) -> bool:
        method = self._match.get("method")
        if method is not None and str(method).lower() != call.method.lower():
            return False
        for name, value in (("to", call.to), ("text", call.text)):
            pattern = self._match.get(name)
            if pattern is not None and not re.search(str(pattern), value):
                return False
        return True


class Script:
    """The rules in order; the first that strikes decides."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._rules: list[Rule] = []

    def set(self, rules: Sequence[Mapping[str, object]]) -> None:
        """Replace all rules."""
        self._rules = [Rule(rule, self._dice) for rule in rules]

    def add(self, fault: str, *, times: int | None = None, **match: object) -> None:
        """One more rule: `script.add("reset_after_commit", times=1, to="1001")`.

        Names that are no condition of a match are figures of the fault.
        """
        conditions = {k: match.pop(k) for k in MATCHES if k in match}
        given = {"match": conditions, "fault": {"kind": fault, **match}, "times": times}
        self._rules.append(Rule(given, self._dice))

    def pick(self, call: Call) -> Fault | None:
        """What goes wrong with this call."""
        for rule in self._rules:
            if (fault := rule.strike(call)) is not None:
                return fault
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._rules.clear()


MATCHES = ("method", "to", "text", "nth", "probability")
