"""Made-up rows in domain words.

    make.contact(consented=True)                      somebody who agreed and is in no flow
    make.contact(mid_flow=True, address="sms:+44…")   in the middle of the made-up flow, by SMS
    make.contact(stopped=True)                        said STOP

A Factory works on any session of an organisation: the fixture `make` gives one whose rows are
rolled back; `with making() as make` gives one whose rows are committed. Everything is flushed, and
a test names only what matters to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models import (
    Address,
    Answer,
    Case,
    CaseReason,
    Channel,
    ChannelKind,
    Contact,
    ContactStatus,
    Conversation,
    Direction,
    Due,
    FlowSession,
    FlowVersion,
    Message,
    MessageKind,
    MessageStatus,
    Office,
    Profile,
    Quarantined,
    Receipt,
    Recording,
    SessionStatus,
)
from models.base import new_id
from models.sealed import Keyring, OrganisationKeys, keyed_hash, seal
from models.walls import organisation_of
from services import channels, organisations, retention
from services.rights import consents

FLOW: Mapping[str, Any] = {
    "flow": "passport-hours",
    "kind": "poll",
    "languages": ["en"],
    "questions": [{"id": "when_open", "type": "yes_no", "text": {"en": "Open on Saturday?"}}],
}
"""A made-up flow, as small as one can be."""

SENDERS = {ChannelKind.SMS: "+15005550006", ChannelKind.WHATSAPP: "+15005550007"}
OTHER_SCHEMES = {"whatsapp-id": ChannelKind.WHATSAPP, "sim": ChannelKind.SIMULATOR}
CREDENTIALS: Mapping[ChannelKind, Mapping[str, str]] = {
    ChannelKind.TELEGRAM: {"token": "1001:made-up", "secret": "made-up-secret"},
    ChannelKind.SMS: {"account_sid": "AC00", "auth_token": "made-up"},
    ChannelKind.WHATSAPP: {"account_sid": "AC00", "auth_token": "made-up"},
    ChannelKind.SIMULATOR: {},
}
_serial = count(1001)
Row = TypeVar("Row", bound=Any)


@dataclass
class Factory:
    """Makes rows of the session's organisation, at one moment."""

    db: Session
    keyring: Keyring
    now: datetime
    _keys: OrganisationKeys | None = field(default=None, repr=False)

    @property
    def organisation_id(self) -> UUID:
        return organisation_of(self.db)

    @property
    def keys(self) -> OrganisationKeys:
        if self._keys is None:
            self._keys = organisations.open_keys(self.db, self.keyring)
        return self._keys

    def office(self, name: str = "Consulate", countries: Iterable[str] = ("ZA",)) -> Office:
        return self._add(Office(name=name, countries=list(countries), time_zone="UTC"))

    def channel(self, kind: ChannelKind = ChannelKind.TELEGRAM, **more: Any) -> Channel:
        """A channel; `more` goes to services.channels.NewChannel."""
        new: dict[str, Any] = {
            "name": kind.value,
            "credentials": CREDENTIALS[kind],
            "sender": SENDERS.get(kind, ""),
        }
        new |= more
        return channels.add(self.db, self.keys, channels.NewChannel(kind=kind, **new), now=self.now)

    def flow_version(self, version: int = 1, **changed: Any) -> FlowVersion:
        definition = dict(FLOW) | changed
        return self._add(
            FlowVersion(
                flow=definition["flow"],
                version=version,
                kind=definition["kind"],
                definition=definition,
                digest=b"made up",
                published_at=self.now,
            )
        )

    def contact(
        self,
        *,
        consented: bool | Iterable[str] = False,
        stopped: bool = False,
        mid_flow: bool | FlowVersion = False,
        address: str | None = None,
        channel: Channel | None = None,
        language: str = "en",
        **profile: Any,
    ) -> Contact:
        """A person with one address, a conversation and a profile.

        `consented` may name the purposes; `mid_flow` the flow version; `profile` fields such as
        country="ZA". `address` decides the channel's kind.
        """
        contact_id = new_id(self.now)
        wrapped = self.keyring.new_key(self.organisation_id, contact_id)[1]
        rule = "contacts" if consented or mid_flow else "before_consent"
        contact = self._add(
            Contact(
                id=contact_id,
                wrapped_key=wrapped,
                language=language,
                status=ContactStatus.STOPPED if stopped else ContactStatus.ACTIVE,
                stopped_at=self.now if stopped else None,
                created_at=self.now,
                last_seen_at=self.now,
                expires_at=retention.expires_at(rule, self.now),
            )
        )
        self._add(Conversation(contact_id=contact_id, seq=1, updated_at=self.now))
        self.address(contact, address or f"telegram:{next(_serial)}", channel)
        joined = {"joined_at": self.now, "last_seen_at": self.now, "language": language}
        self._add(Profile(contact_id=contact_id, **(joined | profile)))
        purposes = ("registration",) if isinstance(consented, bool) else consented
        for purpose in purposes if consented or mid_flow else ():
            wording = consents.Wording(language=language, channel_kind="telegram")
            consents.grant(self.db, contact_id, purpose, wording, now=self.now)
        if mid_flow:
            self.flow_session(contact, mid_flow if isinstance(mid_flow, FlowVersion) else None)
        return contact

    def address(self, contact: Contact, text: str, channel: Channel | None = None) -> Address:
        scheme, _, path = text.partition(":")
        address_id = new_id(self.now)
        kind = OTHER_SCHEMES.get(scheme) or ChannelKind(scheme)
        number = path if scheme in ("sms", "whatsapp") else None
        return self._add(
            Address(
                id=address_id,
                contact_id=contact.id,
                channel_id=(channel or self.channel(kind)).id,
                scheme=scheme,
                address_hash=keyed_hash(self.keys.index, "address", text),
                number_hash=keyed_hash(self.keys.index, "number", number) if number else None,
                sealed=self.seal(contact, text, "addresses", address_id),
                created_at=self.now,
                expires_at=retention.expires_at("addresses", self.now),
            )
        )

    def flow_session(
        self,
        contact: Contact,
        version: FlowVersion | None = None,
        status: SessionStatus = SessionStatus.WAITING,
    ) -> FlowSession:
        """A passage; a waiting one is also where the contact's conversation stands."""
        version = version or self.flow_version()
        session = self._add(
            FlowSession(
                contact_id=contact.id,
                flow_version_id=version.id,
                flow=version.flow,
                kind=version.kind,
                status=status,
                language=contact.language,
                channel_kind="telegram",
                started_at=self.now,
                updated_at=self.now,
                expires_at=retention.expires_at("unfinished", self.now),
            )
        )
        if status is SessionStatus.WAITING:
            talk = self.db.get_one(Conversation, (self.organisation_id, contact.id))
            talk.session_id, talk.state = session.id, {"session": {}, "version": str(version.id)}
            talk.expires_at = session.expires_at
            self.db.flush()
        return session

    def answer(
        self, session: FlowSession, question: str, value: Any = None, *, typed: str | None = None
    ) -> Answer:
        """A coded answer, or with `typed` a sealed one."""
        contact = self.db.get_one(Contact, (self.organisation_id, session.contact_id))
        row = f"{session.id}:{question}"
        return self._add(
            Answer(
                session_id=session.id,
                question=question,
                contact_id=session.contact_id,
                flow_version_id=session.flow_version_id,
                flow=session.flow,
                value=value,
                sealed=None if typed is None else self.seal(contact, typed, "answers", row),
                language=session.language,
                channel_kind=session.channel_kind,
                answered_at=self.now,
                expires_at=retention.expires_at("answers", self.now),
            )
        )

    def message(
        self,
        contact: Contact,
        *,
        typed: str | None = None,
        status: MessageStatus = MessageStatus.QUEUED,
        **more: Any,
    ) -> Message:
        """A message to a contact, or with `typed` one from them; `more` are columns."""
        address = self.db.query(Address).filter_by(contact_id=contact.id).first()
        assert address is not None
        message_id = new_id(self.now)
        columns = {
            "direction": Direction.OUT if typed is None else Direction.IN,
            "status": status if typed is None else MessageStatus.RECEIVED,
            "kind": MessageKind.NOTICE,
            "content": {"parts": [{"say": "heard", "params": {}}]},
            "language": contact.language,
            "sealed": typed and self.seal(contact, typed, "messages", message_id),
            "due_at": self.now,
            "created_at": self.now,
            "expires_at": retention.expires_at("messages", self.now),
        }
        return self._add(
            Message(
                id=message_id,
                contact_id=contact.id,
                address_id=address.id,
                channel_id=address.channel_id,
                **(columns | more),
            )
        )

    def case(self, contact: Contact, reason: CaseReason = CaseReason.PERSON, **more: Any) -> Case:
        """A case that waits; `more` are columns."""
        columns = {
            "opened_at": self.now,
            "last_message_at": self.now,
            "expires_at": retention.expires_at("cases", self.now),
        }
        row = Case(id=new_id(self.now), contact_id=contact.id, reason=reason, **(columns | more))
        talk = self.db.get_one(Conversation, (self.organisation_id, contact.id))
        talk.case_id = row.id
        return self._add(row)

    def due(self, contact: Contact, kind: str = "reminder", **more: Any) -> Due:
        return self._add(
            Due(id=new_id(self.now), contact_id=contact.id, kind=kind, due_at=self.now, **more)
        )

    def recording(self, session: FlowSession, data: bytes = b"OggS") -> Recording:
        """A voice note that answers a question, sealed for its person."""
        contact = self.db.get_one(Contact, (self.organisation_id, session.contact_id))
        row = Recording(
            id=new_id(self.now), contact_id=contact.id, session_id=session.id, question="why",
            channel_kind="telegram", content_type="audio/ogg", size=len(data), said_at=self.now,
            expires_at=retention.expires_at("recordings", self.now),
        )  # fmt: skip
        row.sealed = self.seal(contact, data.decode(), "recordings", row.id)
        return self._add(row)

    def receipt(self, channel: Channel, key: bytes = b"receipt") -> Receipt:
        end = retention.expires_at("receipts", self.now)
        return self._add(
            Receipt(channel_id=channel.id, key=key, received_at=self.now, expires_at=end)
        )

    def quarantined(self, channel: Channel, address: str, body: str = "hello") -> Quarantined:
        row_id = new_id(self.now)
        place: dict[str, Any] = {"table": "quarantine", "column": "sealed", "row_id": row_id}
        sealed = seal(self.keys.data, body.encode(), organisation_id=self.organisation_id, **place)
        return self._add(
            Quarantined(
                id=row_id,
                channel_id=channel.id,
                receipt_key=b"receipt",
                address_hash=keyed_hash(self.keys.index, "address", address),
                sealed=sealed,
                error_code="made_up",
                created_at=self.now,
                expires_at=retention.expires_at("quarantine", self.now),
            )
        )

    def seal(self, contact: Contact, text: str, table: str, row_id: UUID | str) -> bytes:
        """Text under the person's key, in the column `sealed` of a row."""
        key = self.keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id)
        return seal(
            key,
            text.encode(),
            table=table,
            column="sealed",
            organisation_id=contact.organisation_id,
            row_id=row_id,
        )

    def _add(self, row: Row) -> Row:
        row.organisation_id = self.organisation_id
        if "id" in inspect(type(row)).columns and row.id is None:
            row.id = new_id(self.now)
        self.db.add(row)
        self.db.flush()
        return row
