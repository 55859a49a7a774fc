"""How people pass through a made-up poll, all by chance: small and large ones, of all kinds."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.flow import Flow, build
from insights.releases import ReleasedAsk
from tests.insights.polled import ASKERS, RELAYS, Passed, Poll

OPTIONS = ("a", "b", "c", "d")
ROWS = {"country": 4, "gender": 2}
DECLARED = (
    (),
    (),
    (("country",),),
    (("gender",), ("country",)),
    (("gender", "country"),),
)


def made_up(seed: int) -> Poll:
    """Return a poll that was passed through and looked at up to four times; all by chance."""
    chance = random.Random(seed)
    flow = _flow(chance)
    declared = chance.choice(DECLARED)
    several = chance.random() < 0.3
    names = {one: {"kind": one, "name": {"en": one.title()}} for one in ASKERS} if several else {}
    people = list(_people(chance, flow, several))
    looks = sorted(chance.sample(range(1, 1000), chance.randint(0, 2 if several else 3)))
    return Poll(ReleasedAsk(flow, declared, names), people, [*looks, 2000])


def _flow(chance: random.Random) -> Flow:
    questions: list[dict[str, Any]] = []
    for number in range(chance.choice((1, 1, 2, 2, 3))):
        options = [{"value": one, "label": {"en": one.upper()}} for one in OPTIONS]
        question = {
            "id": f"q{number}",
            "type": "multi" if chance.random() < 0.15 else "choice",
            "text": {"en": "Which?"},
            "options": options[: chance.randint(2, 4)],
        }
        first = questions[0] if questions else None
        if first and first["type"] == "choice" and chance.random() < 0.2:
            question["when"] = {"q0": "a"}
        questions.append(question)
    purpose = {"why": "to know", "owner": "us", "decision": "it"}
    return build(
        {
            "flow": "made-up",
            "kind": "poll",
            "purpose": purpose,
            "languages": ["en"],
            "entry": {"en": ["made"]},
            "questions": questions,
        }
    )


def _people(chance: random.Random, flow: Flow, several: bool) -> Iterator[Passed]:
    likely = {
        name: chance.choice((0.4, 0.9, 0.98, 1.0)) for name in ("sent", "got", "read", "began")
    }
    skips = {one.id: chance.choice((0.0, 0.0, 0.02, 0.2)) for one in flow.questions}
    leaves = chance.choice((0.0, 0.02, 0.1))
    liking = [[chance.random() ** 2 + 0.02 for _ in OPTIONS] for _ in flow.questions]
    weights = {name: _weights(chance, many) for name, many in ROWS.items()}
    relayed = chance.choice((0.0, 0.3, 0.3, 0.9, 1.0))
    relays, askers = (_weights(chance, 3) for _ in range(2))
    size = chance.choice((chance.randint(1, 60), chance.randint(20, 300), chance.randint(100, 700)))
    for _ in range(size):
        relay = chance.choices(list(RELAYS), relays)[0] if chance.random() < relayed else None
        is_sent = relay is None and chance.random() < likely["sent"]
        sent = chance.randint(0, 300) if is_sent else None
        got = _then(chance, sent, likely["got"])
        read = _then(chance, got, likely["read"])
        begins = relay is not None or not is_sent or chance.random() < likely["began"]
        began = (sent or chance.randint(0, 600)) + chance.randint(0, 300) if begins else None
        answers, passed, ended = _answers(chance, flow, began, skips, leaves, liking)
        if is_sent and not (answers or passed):
            began = None
        yield Passed(
            sent,
            got,
            read,
            relay,
            chance.choices(ASKERS, askers)[0] if several and is_sent else None,
            began,
            ended,
            answers,
            passed,
            {
                name: f"{name}{chance.choices(range(ROWS[name]), of)[0]}"
                for name, of in weights.items()
            },
            chance.random() < 0.02,
        )


def _answers(
    chance: random.Random,
    flow: Flow,
    began: int | None,
    skips: Mapping[str, float],
    leaves: float,
    liking: Sequence[Sequence[float]],
) -> tuple[Mapping[str, tuple[int, Sequence[str]]], Mapping[str, int], int | None]:
    answers: dict[str, tuple[int, Sequence[str]]] = {}
    passed: dict[str, int] = {}
    if began is None:
        return answers, passed, None
    at = began
    for question, likes in zip(flow.questions, liking, strict=True):
        if question.when is not None and answers.get("q0", (0, ()))[1] != ("a",):
            continue
        if chance.random() < leaves:
            return answers, passed, None
        at += chance.randint(1, 60)
        if chance.random() < skips[question.id]:
            passed[question.id] = at
        else:
            options = tuple(question.values())
            many = chance.randint(1, 2) if question.several else 1
            chosen = {chance.choices(options, likes[: len(options)])[0] for _ in range(many)}
            answers[question.id] = at, tuple(sorted(chosen))
    return answers, passed, at


def _then(chance: random.Random, before: int | None, likely: float) -> int | None:
    goes_on = before is not None and chance.random() < likely
    return (before or 0) + chance.randint(0, 100) if goes_on else None


def _weights(chance: random.Random, many: int) -> list[float]:
    skew = chance.choice((0.0, 1.0, 3.0))
    return [chance.random() ** skew + 0.002 for _ in range(many)]
