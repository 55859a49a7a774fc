"""What somebody said before we asked whether they are who had this number: heard afterwards.

The question comes between the words and their effect. Which message it was, and what stood open,
waits in the state of that question; the words themselves lie sealed with the messages, and
``services/people/resuming.py`` takes them up.
"""

import json
from dataclasses import replace

from flows.inputs import Pressed, Text
from flows.state import State
from services.conversation.scene import Scene


def hold(scene: Scene, before: State | None) -> None:
    """Remember, in the question that was just asked, what it came between; the first counts."""
    if scene.aside is None:
        return
    if before is not None and before.flow == scene.aside.flow:
        scene.aside = replace(scene.aside, known=before.known)
        return
    heard = scene.heard
    if heard.kind != "message" or not isinstance(heard.input, Text | Pressed):
        return
    kind = "text" if isinstance(heard.input, Text) else "pressed"
    known = {"kind": kind, "at": scene.now.isoformat()}
    if before is not None:
        known["aside"] = json.dumps(before.to_json())
    scene.aside = replace(scene.aside, known=known)
