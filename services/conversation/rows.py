"""The rows one message writes, and what every writer of them needs: key, seal and ends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from models.sealed import Keyring, Seal
from services import retention
from services.conversation.scene import Scene

Row = dict[str, Any]
Shown = Callable[[Scene], str]


@dataclass(slots=True)
class Rows:
    """The rows of one message; ``gather`` joins those of a batch."""

    move: Row
    heard: Row
    newcomer: Row | None = None
    outgoing: list[Row] = field(default_factory=list)
    answered: list[Row] = field(default_factory=list)
    sessions: list[Row] = field(default_factory=list)
    consented: list[Row] = field(default_factory=list)
    profiled: Row | None = None
    stop: Row | None = None
    back: Row | None = None
    address: Row | None = None
    window: Row | None = None
    case: Row | None = None
    link: Row | None = None
    alias: Row | None = None
    echo: Row | None = None
    dues: list[Row] = field(default_factory=list)
    unconsented: bool = False
    guarded: bool = False


class Writer:
    """One scene to be written down, under the key of its person."""

    def __init__(self, scene: Scene, keyring: Keyring, shown: Shown) -> None:
        self.scene = scene
        self.shown = shown
        organisation = scene.line.organisation_id
        if scene.standing.wrapped_key is None:
            self.key, self.wrapped = keyring.new_key(organisation, scene.contact_id)
        else:
            self.wrapped = scene.standing.wrapped_key
            self.key = keyring.unwrap(self.wrapped, organisation, scene.contact_id)
        self._sealing = Seal(self.key, organisation)

    def _waits_for_an_answer(self) -> bool:
        """Whether the reply ends with a question; a note such as the thanks asks nothing."""
        flow, asked = self.scene.spoken_flow, self.scene.question
        question = flow.question(asked) if flow else None
        return question.waits if question else asked is not None

    def _conversation_expires_at(self) -> datetime:
        rule = "unfinished" if self.scene.is_consented else "before_consent"
        return retention.expires_at(rule, self.scene.now)

    def _message_expires_at(self) -> datetime:
        rule = "messages" if self.scene.is_consented else "before_consent"
        return retention.expires_at(rule, self.scene.now)

    def _seal(self, plain: str, table: str, row_id: UUID | str) -> str:
        sealed = self._sealing.close(
            plain.encode("utf-8", "surrogatepass"), table=table, column="sealed", row_id=row_id
        )
        return f"\\x{sealed.hex()}"


def hex_of(value: bytes | None) -> str | None:
    """Bytes as PostgreSQL reads them out of JSON."""
    return None if value is None else f"\\x{value.hex()}"
