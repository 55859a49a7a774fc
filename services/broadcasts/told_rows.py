"""The rows that telling some hundred people of an ask writes, a few statements for all of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, update
from sqlalchemy.orm import Session

from models.base import new_id
from models.broadcast import Broadcast, Recipient, RecipientStatus
from models.bulk import insert_all, rows_of
from models.contact import Conversation
from models.flow_session import FlowSession, SessionStatus, giving_way
from models.message import Direction, Lane, Message, MessageKind, MessageStatus
from services import retention
from services.audiences.eligibility import LeftOut
from services.broadcasts.ask_messages import Message as Words
from services.broadcasts.ask_messages import Person
from services.conversation.props import marks_of

Row = dict[str, Any]
_MOVED = ("seq", "state", "session_id", "tags", "updated_at", "expires_at")
_SETTLED = ("status", "reason", "send_at", "message_id", "queued_at")


class Told:
    """Gathers what one round decides about each recipient, and writes it at its end.

    A recipient is any row with contact_id, address_id, channel_id and channel_kind.
    """

    def __init__(
        self, broadcast: Broadcast, version_id: UUID, flow_kind: str, now: datetime
    ) -> None:
        self.broadcast = broadcast
        self._version_id = version_id
        self._flow_kind = flow_kind
        self._now = now
        self._owner = broadcast.organisation_id
        self._unfinished = retention.expires_at("unfinished", now)
        self._kept = retention.expires_at("messages", now)
        self._recipients: list[Row] = []
        self._sessions: list[Row] = []
        self._left: list[UUID] = []
        self._talks: list[Row] = []
        self._messages: list[Row] = []

    def leave_out(self, recipient: Any, why: LeftOut) -> None:
        """Send somebody nothing, for a reason that came up since."""
        left = {"status": RecipientStatus.LEFT_OUT, "reason": why.value}
        self._settle(recipient, left | {"send_at": recipient.send_at})

    def put_off(self, recipient: Any, until: datetime) -> None:
        """Look at somebody again later."""
        self._settle(recipient, {"status": RecipientStatus.WAITING, "send_at": until})

    def tell(self, recipient: Any, words: Words, person: Person, talk: Conversation | None) -> None:
        """Queue a message, and begin or go on with the passage it asks in."""
        now, message_id = self._now, new_id(self._now)
        seq = talk.seq if talk else 0
        if words.state is not None:
            seq += 1
            self._move(words, person, talk, recipient, seq)
        self._messages.append(
            {
                "organisation_id": self._owner,
                "id": message_id,
                "contact_id": recipient.contact_id,
                "address_id": recipient.address_id,
                "channel_id": recipient.channel_id,
                "direction": Direction.OUT,
                "status": MessageStatus.QUEUED,
                "lane": Lane.BROADCASTS,
                "kind": MessageKind.BROADCAST,
                "content": words.content,
                "flow_version_id": self._version_id if words.question else None,
                "question": words.question,
                "language": person.language,
                "seq": seq,
                "session_id": words.session_id,
                "due_at": now,
                "attempts": 0,
                "created_at": now,
                "expires_at": self._kept,
            }
        )
        queued = {"status": RecipientStatus.QUEUED, "message_id": message_id, "queued_at": now}
        self._settle(recipient, queued | {"send_at": recipient.send_at})

    def write(self, db: Session) -> None:
        """Write every row of this round."""
        connection = db.connection()
        for table, rows in ((FlowSession, self._sessions), (Message, self._messages)):
            if rows:
                connection.execute(insert_all(table, rows))
        self._leave(connection)
        self._write_talks(connection)
        self._write_recipients(connection)

    def _move(
        self, words: Words, person: Person, talk: Conversation | None, recipient: Any, seq: int
    ) -> None:
        assert words.state is not None
        begins = words.session_id != person.session_id
        if begins:
            self._begin(words, recipient)
            if talk is not None and talk.session_id is not None:
                self._left.append(talk.session_id)
        passage = {
            "session": words.state.to_json(),
            "version": str(self._version_id),
            "origin": words.origin,
        }
        self._talks.append(
            {
                "organisation_id": self._owner,
                "contact_id": recipient.contact_id,
                "seq": seq,
                "state": marks_of(talk.state if talk else None) | passage,
                "session_id": words.session_id,
                "window_replies": 0,
                "tags": person.tags + int(begins),
                "updated_at": self._now,
                "expires_at": self._unfinished,
            }
        )

    def _begin(self, words: Words, recipient: Any) -> None:
        assert words.state is not None
        self._sessions.append(
            {
                "organisation_id": self._owner,
                "contact_id": recipient.contact_id,
                "id": words.session_id,
                "flow_version_id": self._version_id,
                "flow": words.state.flow,
                "kind": self._flow_kind,
                "status": SessionStatus.WAITING,
                "language": words.state.language,
                "channel_kind": recipient.channel_kind,
                "origin": words.origin,
                "started_at": self._now,
                "updated_at": self._now,
                "expires_at": self._unfinished,
            }
        )

    def _settle(self, recipient: Any, changed: Row) -> None:
        row = {"contact_id": recipient.contact_id, **dict.fromkeys(_SETTLED), **changed}
        self._recipients.append(row)

    def _leave(self, connection: Connection) -> None:
        if self._left:
            connection.execute(giving_way(self._owner, self._left))

    def _write_talks(self, connection: Connection) -> None:
        """A conversation that is new, or moved on from where it was locked."""
        if self._talks:
            statement = insert_all(Conversation, self._talks)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["organisation_id", "contact_id"],
                    set_={name: statement.excluded[name] for name in _MOVED},
                )
            )

    def _write_recipients(self, connection: Connection) -> None:
        if self._recipients:
            given = rows_of(Recipient, self._recipients)
            connection.execute(
                update(Recipient)
                .where(
                    Recipient.organisation_id == self._owner,
                    Recipient.ask_id == self.broadcast.ask_id,
                    Recipient.kind == self.broadcast.kind,
                    Recipient.contact_id == given.c.contact_id,
                )
                .values({name: given.c[name] for name in _SETTLED})
            )
