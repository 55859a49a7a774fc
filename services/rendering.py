"""From a stored message without text to the words somebody saw; the same bytes every time."""

from collections.abc import Mapping
from typing import Any

from flows.flow import Flow
from flows.wording import Prompt, as_lines, compose
from services.asides import asides
from services.scene import Scene


def render(
    content: Mapping[str, Any], *, flow: Flow | None, language: str, names: Mapping[str, str]
) -> Prompt:
    """The prompt of one message's ``content``; ``flow`` is the published version it asks from."""
    if "aside" in content:
        flow = asides()[content["aside"]]
    return compose(
        content["parts"], flow=flow, language=language, tag=content.get("tag", ""), names=names
    )


def body_for(channel_kind: str, prompt: Prompt) -> str:
    """The text a channel of this kind puts on the screen: with digits where it has no buttons."""
    return as_lines(prompt) if channel_kind == "sms" else prompt.text


def body_as_sent(scene: Scene) -> str:
    """The exact text that a scene's answer will show, for the proof of a consent."""
    prompt = compose(
        scene.parts,
        flow=scene.spoken_flow,
        language=scene.language,
        tag=scene.spoken_tag,
        names=scene.catalogue.names(scene.standing.office_id),
    )
    return body_for(scene.line.kind, prompt)
