"""How long every message of a flow becomes as SMS, in each language, at its longest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from flows.flow import Flow
from flows.questions.base import Question
from flows.sms import GSM, Length, measure
from flows.wording import as_lines, compose

LONGEST_NAMES: Final = {
    "organisation": "Consulate in Johannesbur",
    "office": "Consulate in Johannesbur",
}
"""Placeholders at their longest: the short name of an organisation has 24 letters."""

_ONE_QUESTION: Final = (1, 2)
_LONGER: Final = (2, 3)
_PUSHED: Final = (3, 4)
_TOLD_MODE: Final = frozenset({"poll", "consultation"})
"""What begins with a sentence about who can see the answer, for which there is room once."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message of a flow in one language; `room` is how many parts it may have."""

    question: str
    form: str
    language: str
    length: Length
    room: int

    @property
    def fits(self) -> bool:
        """Whether the message keeps within its room."""
        return self.length.parts <= self.room


def lengths(flow: Flow) -> list[Row]:
    """Every message of the flow in every language, in the digits form of SMS."""
    total = sum(question.counted for question in flow.questions)
    place, rows = 0, []
    first = next((question for question in flow.questions if question.waits), None)
    for question in flow.questions:
        place += question.counted
        position = [place, total] if question.counted and total > 1 else None
        for form, part, longer in _forms(question):
            part["position"] = None if part.get("rung") else position
            asked = {"ask": question.id, **part}
            rows += [
                _row(flow, question.id, form, [asked], language, longer)
                for language in flow.languages
            ]
        if question is first and flow.kind in _TOLD_MODE and question.type != "consent":
            rows += _told_first(flow, question, position)
            rows += _pushed(flow, question, position)
    return rows


def _told_first(flow: Flow, question: Question, position: list[int] | None) -> Iterator[Row]:
    """The first question of a poll behind the sentence about who can see the answer."""
    told = {"say": "poll_secret" if flow.secret else "poll_named"}
    for form, part, _ in islice(_forms(question), 1):
        parts = [told, {"ask": question.id, **part, "position": position}]
        for language in flow.languages:
            yield _row(flow, question.id, f"first, {form}", parts, language, longer=True)


def _pushed(flow: Flow, question: Question, position: list[int] | None) -> Iterator[Row]:
    """The same as it is sent unasked: who asks before it, and how to get no more behind it."""
    asker = {"say": "asks_you", "params": {"asker": LONGEST_NAMES["organisation"]}}
    told = {"say": "poll_secret" if flow.secret else "poll_named"}
    for _, part, _ in islice(_forms(question), 1):
        asked = {"ask": question.id, **part, "position": position, "leave": True}
        for language in flow.languages:
            row = _row(flow, question.id, "pushed", [asker, told, asked], language, longer=True)
            yield replace(row, room=_PUSHED[row.length.encoding != GSM])


def table(rows: list[Row]) -> str:
    """The rows as lines for a terminal: question, form, language, encoding, units, parts."""
    lines = [f"{'question':<18} {'form':<10} {'lang':<5} {'alphabet':<8} {'units':>5} parts"]
    for row in rows:
        mark = "" if row.fits else "  too long"
        lines.append(
            f"{row.question:<18} {row.form:<10} {row.language:<5} {row.length.encoding:<8} "
            f"{row.length.units:>5} {row.length.parts} of {row.room}{mark}"
        )
    return "\n".join(lines)


def room_for(length: Length, *, longer: bool) -> int:
    """How many parts a message may have: one in GSM-7 or two in UCS-2; a longer one more."""
    gsm, ucs = _LONGER if longer else _ONE_QUESTION
    return gsm if length.encoding == GSM else ucs


def _forms(question: Question) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Each way the question is asked: its parts, and whether it may take more room."""
    consent = question.type == "consent"
    count = len(question.values())
    pages = -(-count // 6) if question.digits and count > 7 else 1
    for page in range(pages):
        yield ("asked" if pages == 1 else f"page {page + 1}"), {"page": page}, consent
    if consent and "more" in question.values():
        yield "more", {"page": 1}, True
    if question.waits and any(question.help):
        for rung in (1, 2, 3):
            yield f"rung {rung}", {"rung": rung}, True


def _row(
    flow: Flow,
    question: str,
    form: str,
    parts: Sequence[dict[str, Any]],
    language: str,
    longer: bool,
) -> Row:
    prompt = compose(
        parts,
        flow=flow,
        language=language,
        tag="zzzz",
        names=LONGEST_NAMES,
    )
    length = measure(as_lines(prompt))
    return Row(question, form, language, length, room_for(length, longer=longer))
