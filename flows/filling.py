"""Names, numbers and links put into our sentences, in one piece in text from right to left."""

import re
from typing import Final

_RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_LINK_AT_END: Final = re.compile(r"://\S*\Z")

Names = tuple[tuple[str, str], ...]


def filled(text: str, language: str, names: Names) -> str:
    """Return a text with its placeholders filled; isolated where the text runs right to left.

    Not what ends with a link: phones take the mark after it for a part of the address.
    """
    if "{" not in text:
        return text
    known = dict(names)
    before, after = ("\u2068", "\u2069") if language in _RIGHT_TO_LEFT else ("", "")

    def fill(found: re.Match[str]) -> str:
        value = known.get(found[1], "")
        if not value or value.isdigit() or _LINK_AT_END.search(value):
            return value
        return f"{before}{value}{after}"

    return _PLACEHOLDER.sub(fill, text)
