"""The only reader of YAML: every scalar is text, so that NO, yes and 09:00 mean what they say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from yaml import AliasEvent, CollectionEndEvent, CollectionStartEvent, CSafeLoader

from flows.errors import FlowInvalid, FlowLimit
from flows.flow import Flow, build
from flows.gazetteer import LIBRARY, Gazetteer

_LONGEST: Final = 512 * 1024
_DEEPEST: Final = 40
PHRASES: Final = Path(__file__).parent / "phrases"


class _TextLoader(CSafeLoader):
    """Builds plain mappings, lists and texts; refuses a key given twice.

    libyaml's reader, because the one in Python takes `?` inside {} for a mark, and questions
    end with it.
    """

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node, every key once."""
        found = super().construct_mapping(node, deep=deep)
        if len(found) < len(node.value):
            raise FlowInvalid(f"line {node.start_mark.line + 1}", "a key stands here twice")
        return found


_TextLoader.yaml_implicit_resolvers = {}


def read(source: str | Path) -> Mapping[str, Any]:
    """The mapping in a YAML text or file; raises FlowInvalid with the line."""
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
    if len(text) > _LONGEST:
        raise FlowLimit("", f"the file is longer than {_LONGEST} characters")
    try:
        _check_events(text)
        found = yaml.load(text, Loader=_TextLoader)  # noqa: S506 - a SafeLoader that knows less
    except yaml.YAMLError as fault:
        raise FlowInvalid("", f"is no valid YAML: {fault}") from fault
    if not isinstance(found, dict):
        raise FlowInvalid("", "must be a mapping")
    return found


def _check_events(text: str) -> None:
    """Refuses what can blow a small file up: aliases, and nesting without end."""
    depth = 0
    for event in yaml.parse(text, Loader=_TextLoader):
        if isinstance(event, AliasEvent):
            raise FlowInvalid("", "aliases (*name) are not allowed")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            raise FlowLimit("", f"is nested deeper than {_DEEPEST} levels")


def load(source: str | Path, *, version: int = 1, places: Gazetteer | None = None) -> Flow:
    """The flow in a YAML text or file; raises FlowInvalid."""
    return build(read(source), version=version, places=places)


def library() -> dict[str, Path]:
    """The files of the shipped flows, by flow id: the same as the file's name."""
    return {path.stem: path for path in sorted(LIBRARY.rglob("*.yaml"))}
