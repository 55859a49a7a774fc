"""Codes in the addresses of public pages, as they come from chats, posters and people."""

import re
from typing import Final

_AROUND: Final = re.compile(r"\A[^a-z0-9]+|[^a-z0-9]+\Z")


def read_code(name: str) -> tuple[str, str]:
    """Return the code in the last part of an address, and the shape after its dot.

    In any case, and without what an app took along when it made a link of a sentence: a full stop,
    a bracket, a mark of direction.
    """
    code, _, shape = _AROUND.sub("", name.lower()).partition(".")
    return code, shape
