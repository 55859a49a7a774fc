"""Our own small questions beside a conversation: the menu, "erase?", "stop or stay?" and the like.

They are flows of ``kind: aside`` with one question, shipped in ``flows/library/asides``. They run
on the same engine as everything else; their answers are actions and are not stored.
"""

from collections.abc import Mapping
from functools import cache

from flows.flow import Flow
from flows.gazetteer import LIBRARY
from flows.loader import load


@cache
def asides() -> Mapping[str, Flow]:
    """Every shipped aside by its name."""
    return {path.stem: load(path) for path in sorted((LIBRARY / "asides").glob("*.yaml"))}
