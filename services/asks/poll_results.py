"""What came of an ask, told in a conversation: so far to who has answered, at its end to everybody.

Every figure comes from `Scene.findings`, which holds nothing but what left by the gate.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flows.flow import Flow
from flows.lengths import room_for
from flows.sms import measure
from flows.wording import as_lines, compose
from models.ask import AskMode, AskStatus
from services.asks.findings import longest
from services.catalogue import Asked
from services.conversation.scene import Scene

A_WEEK = 7


def tell_state(scene: Scene, ask: Asked) -> None:
    """Say why an ask takes no answer; of a closed one its result and what will be done."""
    if ask.status is AskStatus.DRAFT:
        _tell_opening(scene, ask)
    elif ask.status is AskStatus.CANCELED:
        scene.say("poll_canceled")
    elif ask.status is AskStatus.CLOSED:
        _tell_end(scene, ask)
    else:
        scene.say("poll_closed")


def _tell_opening(scene: Scene, ask: Asked) -> None:
    """Say from which day it takes answers, if that is known and not today."""
    zone = ZoneInfo(scene.standing.time_zone or "UTC")
    day = ask.opens_at.astimezone(zone).date() if ask.opens_at else None
    if day is not None and day > scene.now.astimezone(zone).date():
        scene.parts.append({"say": "poll_opens_on", "dates": {"date": day.isoformat()}})
    else:
        scene.say("poll_not_yet")


def _tell_end(scene: Scene, ask: Asked) -> None:
    published, told = scene.catalogue.version(ask.version_id), scene.findings.get(ask.id)
    if published is None or told is None or not told["final"]:
        scene.say_sealed("poll_result", result=ask.code)
        return
    scene.say("poll_over")
    first = len(scene.parts)
    tell_next(scene, ask, published.flow)
    if not _insert(scene, first, "poll_found", told, published.flow):
        scene.parts.insert(first, {"say": "poll_hidden", "params": {}})
    elif scene.line.kind != "sms":
        scene.say_sealed("poll_more", result=ask.code)


def tell_next(scene: Scene, ask: Asked, flow: Flow) -> None:
    """Say what will be done with an ask, or by when people hear that, if it is not over yet."""
    if ask.report_back:
        told = ask.report_back
        scene.say("poll_next", outcome=told.get(scene.language) or told[flow.languages[0]])
    elif ask.told_on >= scene.now.date():
        scene.parts.append({"say": "poll_next_by", "dates": {"date": ask.told_on.isoformat()}})


def show_so_far(scene: Scene, ask: Asked, flow: Flow, *, at: int) -> None:
    """Show who has answered a named ask what others said, behind the part before `at`.

    Nothing is shown of a secret one. Where the gate lets nothing leave, the day of the result is
    told elsewhere; without such a day we say why no figures stand here.
    """
    if ask.mode is AskMode.SECRET:
        return
    if _insert(scene, at, "poll_so_far", scene.findings.get(ask.id), flow):
        if scene.line.kind != "sms":
            scene.secrets["result"] = ask.code
            scene.parts.insert(at + 1, {"say": "poll_more", "sealed": True})
    elif ask.closes_at is None:
        scene.parts.insert(at, {"say": "poll_too_few", "params": {}})


def say_when(scene: Scene, ask: Asked) -> None:
    """Say the day of the result: its weekday within a week, else its date."""
    if ask.closes_at is None:
        return
    zone = ZoneInfo(scene.standing.time_zone or "UTC")
    day, today = ask.closes_at.astimezone(zone).date(), scene.now.astimezone(zone).date()
    if (day - today).days < A_WEEK:
        scene.parts.append({"say": "poll_result_on", "words": {"day": f"day_{day.weekday()}"}})
    else:
        scene.parts.append({"say": "poll_result_by", "dates": {"date": day.isoformat()}})


def _insert(scene: Scene, at: int, name: str, told: Mapping[str, Any] | None, flow: Flow) -> bool:
    """Put a line of figures into the message, of as many options as it has room for."""

    def part(line: str) -> dict[str, Any]:
        return {"say": name, "params": {"figures": line}}

    def fits(line: str) -> bool:
        return _fits(scene, [*scene.parts[:at], part(line), *scene.parts[at:]])

    line = longest(told, flow, scene.language, fits)
    if line:
        scene.parts.insert(at, part(line))
    return bool(line)


def _fits(scene: Scene, parts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an answer has room where it goes: one SMS of GSM-7, two of other letters."""
    if scene.line.kind != "sms":
        return True
    prompt = compose(
        parts,
        flow=scene.spoken_flow,
        language=scene.language,
        tag=scene.spoken_tag,
        names=scene.catalogue.names(scene.standing.office_id),
    )
    length = measure(as_lines(prompt))
    return length.parts <= room_for(length, longer=False)
