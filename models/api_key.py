"""Keys for the API, and the answers given to repeated requests."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Owned, belongs, of_organisation


class ApiKey(Identified, Base):
    """An API key: its SHA-256 only; `prefix` is what an officer recognises it by."""

    __tablename__ = "api_keys"
    __table_args__ = (of_organisation(), UniqueConstraint("organisation_id", "secret_hash"))

    name: Mapped[str]
    prefix: Mapped[str]
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_on: Mapped[date | None]


class IdempotencyKey(Owned, Base):
    """The first answer to a POST with an Idempotency-Key; `digest` is of the request it answered.

    `body` and `status` are null while the first request still runs.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (belongs("key_id", "api_keys", cascade=True),)

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[Json | None]
    expires_at: Mapped[datetime]
