"""The rows that telling some hundred people of an ask writes, a few statements for all of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from models.base import new_id
from models.broadcast import Broadcast, Recipient, RecipientStatus
from models.contact import Conversation
from models.flow_session import FlowSession, SessionStatus
from models.message import Direction, Lane, Message, MessageKind, MessageStatus
from services import retention
from services.audiences.eligibility import LeftOut
from services.broadcasts.ask_messages import Message as Words
from services.broadcasts.ask_messages import Person

Row = dict[str, Any]


class Told:
    """Gathers what one round decides about each recipient, and writes it at its end."""

    def __init__(
        self, broadcast: Broadcast, version_id: UUID, flow_kind: str, now: datetime
    ) -> None:
        self.broadcast = broadcast
        self._version_id = version_id
        self._flow_kind = flow_kind
        self._now = now
        self._recipients: list[Row] = []
        self._sessions: list[Row] = []
        self._left: list[Row] = []
        self._talks: list[Row] = []
        self._messages: list[Row] = []

    def leave_out(self, recipient: Recipient, why: LeftOut) -> None:
        """Send somebody nothing, for a reason that came up since."""
        self._settle(recipient, status=RecipientStatus.LEFT_OUT, reason=why.value)

    def put_off(self, recipient: Recipient, until: datetime) -> None:
        """Look at somebody again later."""
        self._settle(recipient, send_at=until)

    def tell(
        self, recipient: Recipient, words: Words, person: Person, talk: Conversation | None
    ) -> None:
        """Queue a message, and begin or go on with the passage it asks in."""
        now, message_id = self._now, new_id(self._now)
        seq = talk.seq if talk else 0
        if words.state is not None:
            seq += 1
            self._move(words, person, talk, recipient, seq)
        self._messages.append(
            self._owned(
                recipient,
                id=message_id,
                address_id=recipient.address_id,
                channel_id=recipient.channel_id,
                direction=Direction.OUT,
                status=MessageStatus.QUEUED,
                lane=Lane.BROADCASTS,
                kind=MessageKind.BROADCAST,
                content=words.content,
                flow_version_id=self._version_id if words.question else None,
                question=words.question,
                language=person.language,
                seq=seq,
                session_id=words.session_id,
                due_at=now,
                created_at=now,
                expires_at=retention.expires_at("messages", now),
            )
        )
        self._settle(recipient, status=RecipientStatus.QUEUED, message_id=message_id, queued_at=now)

    def write(self, db: Session) -> None:
        """Write every row of this round."""
        connection = db.connection()
        for table, rows in ((FlowSession, self._sessions), (Message, self._messages)):
            if rows:
                connection.execute(insert(table), rows)
        _leave(connection, self._left)
        self._write_talks(connection)
        self._write_recipients(connection)

    def _move(
        self,
        words: Words,
        person: Person,
        talk: Conversation | None,
        recipient: Recipient,
        seq: int,
    ) -> None:
        assert words.state is not None
        begins = words.session_id != person.session_id
        if begins:
            self._begin(words, recipient)
            if talk is not None and talk.session_id is not None:
                owner = {"of_organisation": recipient.organisation_id}
                self._left.append(owner | {"old_id": talk.session_id})
        state = {
            "session": words.state.to_json(),
            "version": str(self._version_id),
            "origin": words.origin,
        }
        self._talks.append(
            self._owned(
                recipient,
                seq=seq,
                state=state,
                session_id=words.session_id,
                tags=person.tags + int(begins),
                updated_at=talk.updated_at if talk else self._now,
                expires_at=retention.expires_at("unfinished", self._now),
            )
        )

    def _begin(self, words: Words, recipient: Recipient) -> None:
        assert words.state is not None
        self._sessions.append(
            self._owned(
                recipient,
                id=words.session_id,
                flow_version_id=self._version_id,
                flow=words.state.flow,
                kind=self._flow_kind,
                status=SessionStatus.WAITING,
                language=words.state.language,
                channel_kind=recipient.channel_kind,
                origin=words.origin,
                started_at=self._now,
                updated_at=self._now,
                expires_at=retention.expires_at("unfinished", self._now),
            )
        )

    def _owned(self, recipient: Recipient, **columns: Any) -> Row:
        owner = {
            "organisation_id": recipient.organisation_id,
            "contact_id": recipient.contact_id,
        }
        return owner | columns

    def _settle(self, recipient: Recipient, **changed: Any) -> None:
        kept = {
            "of_contact": recipient.contact_id,
            "status": recipient.status,
            "reason": recipient.reason,
            "send_at": recipient.send_at,
            "message_id": recipient.message_id,
            "queued_at": recipient.queued_at,
        }
        self._recipients.append(kept | changed)

    def _write_talks(self, connection: Connection) -> None:
        """A conversation that is new, or moved on from where it was locked."""
        if not self._talks:
            return
        statement = upsert(Conversation)
        moved = ("seq", "state", "session_id", "tags", "expires_at")
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["organisation_id", "contact_id"],
                set_={name: statement.excluded[name] for name in moved},
            ),
            self._talks,
        )

    def _write_recipients(self, connection: Connection) -> None:
        if not self._recipients:
            return
        statement = update(Recipient.__table__).where(  # type: ignore[arg-type]
            Recipient.organisation_id == self.broadcast.organisation_id,
            Recipient.ask_id == self.broadcast.ask_id,
            Recipient.kind == self.broadcast.kind,
            Recipient.contact_id == bindparam("of_contact"),
        )
        names = ("status", "reason", "send_at", "message_id", "queued_at")
        connection.execute(
            statement.values({name: bindparam(name) for name in names}), self._recipients
        )


def _leave(connection: Connection, left: list[Row]) -> None:
    """A passage that waited gives way: what was answered in it stays."""
    if left:
        connection.execute(
            update(FlowSession.__table__)  # type: ignore[arg-type]
            .where(
                FlowSession.organisation_id == bindparam("of_organisation"),
                FlowSession.id == bindparam("old_id"),
                FlowSession.status == SessionStatus.WAITING,
            )
            .values(status=SessionStatus.PARTIAL),
            left,
        )
