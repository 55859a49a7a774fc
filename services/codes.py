"""Random codes by which people come in: read from posters, typed, and pasted into links."""

import secrets

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.walls import Door, DoorKind, door_hash

LETTERS = "abcdefghjkmnpqrstuvwxyz"
DIGITS = "23456789"
"""No 0, 1, i, l, o: they are taken for one another."""
CODE_LENGTH = 6
_OPENED_BY_HAND = (DoorKind.ENTRY, DoorKind.ASK, DoorKind.RELAY)


def free_code(db: Session) -> str:
    """Return a code no organisation uses: public pages know it before the organisation.

    It holds a letter and a digit, so it is neither a word nor a number that answers a question.
    """
    while True:
        code = "".join(secrets.choice(LETTERS + DIGITS) for _ in range(CODE_LENGTH))
        if code.isalpha() or code.isdecimal():
            continue
        taken = exists().where(Door.kind.in_(_OPENED_BY_HAND), Door.key_hash == door_hash(code))
        if not db.scalar(select(taken)):
            return code
