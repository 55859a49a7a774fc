"""From a stored message without text to the words somebody saw; the same bytes every time."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flows.flow import Flow
from flows.templates import named_in, names_in
from flows.wording import Prompt, as_lines, compose
from services.conversation.asides import asides
from services.conversation.changing import aside_of
from services.conversation.scene import Scene
from services.relays.offering import offer_of

WITHHELD = frozenset({"token", "code", "link"})
"""Secrets that are for the person alone: whoever reads their messages later does not see them."""


def render(
    content: Mapping[str, Any],
    *,
    flow: Flow | None,
    language: str,
    names: Mapping[str, str],
    told: Mapping[str, str] = MappingProxyType({}),
) -> Prompt:
    """The prompt of one message's ``content``; ``flow`` is the published version it asks from.

    ``told`` are the params that were stored sealed beside the content.
    """
    template = named_in(content, language) if content.get("by_template") else None
    if template:
        return template.prompt(names_in(content, names))
    if "among" in content:
        flow = aside_of(flow, tuple(content["among"])) if flow else None
    elif "offered" in content:
        flow = offer_of(tuple(content["offered"]), language)
    elif "aside" in content:
        flow = asides()[content["aside"]]
    parts = [
        {**part, "params": {**(part.get("params") or {}), **told}} if part.get("sealed") else part
        for part in content["parts"]
    ]
    return compose(parts, flow=flow, language=language, tag=content.get("tag", ""), names=names)


def read_told(plain: bytes) -> dict[str, str]:
    """The params that a message of ours holds sealed."""
    told: dict[str, str] = json.loads(plain)
    return told


def told_openly(content: Mapping[str, Any]) -> dict[str, str]:
    """The params that are no secret but become words only when sent: a poll whose result it is."""
    return {"result": content["code"]} if "code" in content else {}


def with_link(told: Mapping[str, str], public_url: str) -> dict[str, str]:
    """The sealed params as the person gets them: a token or a poll becomes its link."""
    if "token" in told:
        return {**told, "link": f"{public_url}/m/{told['token']}"}
    if "join" in told:
        page = f"{public_url}/j/{told['join']}"
        return {**told, "link": page, "qr": f"{page}.png", "poster": f"{page}/poster.pdf"}
    if "result" in told:
        return {**told, "link": f"{public_url}/r/{told['result']}"}
    return dict(told)


def withheld(told: Mapping[str, str]) -> dict[str, str]:
    """The sealed params as anybody else may read them."""
    return {name: value for name, value in told.items() if name not in WITHHELD}


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
