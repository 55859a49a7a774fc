"""Secret polls: sealed votes, and apart from them who has voted.

Nothing ties a row of one table to a row of the other: no time, no order, no id. The private key
lies outside the database (services/asks/ballots.py); all rows go when the poll is closed.
"""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Owned, belongs


class BallotBox(Owned, Base):
    """The public key that votes of one secret poll are sealed to; it goes at close."""

    __tablename__ = "ballot_boxes"
    __table_args__ = (belongs("ask_id", "asks", cascade=True),)

    ask_id: Mapped[UUID] = mapped_column(primary_key=True)
    public_key: Mapped[bytes]


class Ballot(Owned, Base):
    """One sealed vote under an id of pure chance (UUIDv4); all are equally long."""

    __tablename__ = "ballots"
    __table_args__ = (belongs("ask_id", "asks", cascade=True),)

    ask_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


class VoterTag(Owned, Base):
    """That somebody has voted: a hash keyed by a secret of the poll that goes at close."""

    __tablename__ = "voter_tags"
    __table_args__ = (belongs("ask_id", "asks", cascade=True),)

    ask_id: Mapped[UUID] = mapped_column(primary_key=True)
    tag: Mapped[bytes] = mapped_column(primary_key=True)
