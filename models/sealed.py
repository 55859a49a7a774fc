"""Sealed values, keyed hashes and the keys of people and organisations.

AES-256-GCM with the place of the value (table, column, organisation, row) as associated data: a
ciphertext moved elsewhere does not open. Data keys are wrapped by a master key that never lies in
the database.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE = 12
_KEY_ID = 4


class CannotOpen(Exception):
    """A sealed value or key does not open: wrong key, moved to another place, or damaged."""


class MasterKey(Protocol):
    """A key-wrapping key with the name under which it is kept."""

    @property
    def id(self) -> str:
        """Return its name, at most 255 bytes."""

    @property
    def key(self) -> bytes:
        """Return its 32 bytes."""


@dataclass(frozen=True, slots=True)
class OrganisationKeys:
    """The open keys of one organisation: `data` seals, `index` makes keyed hashes."""

    data: bytes
    index: bytes


class Keyring:
    """The master keys: the first wraps, all unwrap."""

    def __init__(self, master_keys: Sequence[MasterKey]) -> None:
        if not master_keys:
            raise ValueError("at least one master key is needed")
        self._ciphers = {key.id.encode(): AESGCM(key.key) for key in master_keys}
        self._first = master_keys[0].id.encode()

    @property
    def current(self) -> bytes:
        """Return how every key wrapped today begins; what begins otherwise waits for rotation."""
        return _VERSION + bytes([len(self._first)]) + self._first

    def new_key(self, organisation_id: UUID, owner_id: UUID | str) -> tuple[bytes, bytes]:
        """Return a new data key and its wrapped form."""
        key = AESGCM.generate_key(256)
        return key, self.wrap(key, organisation_id, owner_id)

    def wrap(self, key: bytes, organisation_id: UUID, owner_id: UUID | str) -> bytes:
        """Return a data key wrapped by the first master key."""
        nonce = os.urandom(_NONCE)
        place = _owner(organisation_id, owner_id)
        return self.current + nonce + self._ciphers[self._first].encrypt(nonce, key, place)

    def unwrap(self, wrapped: bytes, organisation_id: UUID, owner_id: UUID | str) -> bytes:
        """Return the data key; CannotOpen when no master key of ours wrapped it for this owner."""
        start = 2 + wrapped[1] if len(wrapped) > 2 else 2
        cipher = self._ciphers.get(wrapped[2:start])
        if wrapped[:1] != _VERSION or cipher is None:
            raise CannotOpen("no master key of this name")
        try:
            return cipher.decrypt(
                wrapped[start : start + _NONCE],
                wrapped[start + _NONCE :],
                _owner(organisation_id, owner_id),
            )
        except (InvalidTag, ValueError) as error:
            raise CannotOpen("the wrapped key belongs to another owner or is damaged") from error

    def new_organisation(self, organisation_id: UUID) -> tuple[bytes, bytes]:
        """Return the wrapped data key and the wrapped index key of a new organisation."""
        data, index = (
            self.new_key(organisation_id, owner)[1] for owner in (organisation_id, "index")
        )
        return data, index

    def open_organisation(
        self, organisation_id: UUID, wrapped_key: bytes, wrapped_index_key: bytes
    ) -> OrganisationKeys:
        """Return an organisation's open keys; CannotOpen as for unwrap."""
        return OrganisationKeys(
            data=self.unwrap(wrapped_key, organisation_id, organisation_id),
            index=self.unwrap(wrapped_index_key, organisation_id, "index"),
        )


class Seal:
    """Seals values under one key of one organisation; what depends on these is done once."""

    def __init__(self, key: bytes, organisation_id: UUID) -> None:
        self._cipher = AESGCM(key)
        self._head = _VERSION + _key_id(key)
        self._organisation = str(organisation_id)

    def close(self, plain: bytes, *, table: str, column: str, row_id: UUID | str) -> bytes:
        """Return `version | key id | nonce | ciphertext`, bound to one column of one row."""
        nonce = os.urandom(_NONCE)
        place = f"{table}|{column}|{self._organisation}|{row_id}".encode()
        return self._head + nonce + self._cipher.encrypt(nonce, plain, place)


def seal(
    key: bytes, plain: bytes, *, table: str, column: str, organisation_id: UUID, row_id: UUID | str
) -> bytes:
    """Return one value sealed as `Seal` does it."""
    return Seal(key, organisation_id).close(plain, table=table, column=column, row_id=row_id)


def open_sealed(
    key: bytes, sealed: bytes, *, table: str, column: str, organisation_id: UUID, row_id: UUID | str
) -> bytes:
    """Return what was sealed; CannotOpen for another key or place."""
    if sealed[:1] != _VERSION or sealed[1 : 1 + _KEY_ID] != _key_id(key):
        raise CannotOpen("sealed by another key")
    start = 1 + _KEY_ID
    try:
        return AESGCM(key).decrypt(
            sealed[start : start + _NONCE],
            sealed[start + _NONCE :],
            _place(table, column, organisation_id, row_id),
        )
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("sealed for another place or damaged") from error


def keyed_hash(index_key: bytes, kind: str, value: str) -> bytes:
    """Return the 32 bytes by which a value is found again within one organisation (HMAC-SHA-256).

    `kind` keeps an address and a receipt of the same text apart; it may not hold "|".
    """
    message = f"{kind}|{value}".encode("utf-8", "surrogatepass")
    return hmac.digest(index_key, message, "sha256")


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"homeline key id|" + key).digest()[:_KEY_ID]


def _owner(organisation_id: UUID, owner_id: UUID | str) -> bytes:
    return f"key|{organisation_id}|{owner_id}".encode()


def _place(table: str, column: str, organisation_id: UUID, row_id: UUID | str) -> bytes:
    return f"{table}|{column}|{organisation_id}|{row_id}".encode()
