"""The keys of open secret polls: files outside the database, and votes sealed to them.

A vote is sealed to the poll's public key: X25519 with a key made for this vote alone, HKDF-SHA-256,
AES-256-GCM over a padded choice (the sealed box of docs/adr/0011-sealed-ballots.md). Only the
private key opens it, and that lies in one file of a folder which is in no database and no backup.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET = 32
PADDED = 64
_NONCE = bytes(12)  # one key seals one vote, so one nonce serves


class BallotKeysMissing(Exception):
    """The folder of ballot keys is not set or cannot be used, or a poll's file is not in it."""


class NotAVote(Exception):
    """A sealed vote does not open with the key of its poll."""


@dataclass(frozen=True, slots=True)
class PollKeys:
    """What one open secret poll needs: `private` opens votes, `tags` says who has voted."""

    private: bytes
    tags: bytes

    @property
    def public(self) -> bytes:
        """The key votes are sealed to."""
        return X25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw()


class BallotKeys:
    """The folder of keys, one file a poll, readable by the application alone."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def make(self, ask_id: UUID) -> PollKeys:
        """Make the keys of a poll, or read those made before; they are on disk when this returns.

        Raises BallotKeysMissing when the folder is not set or cannot be written.
        """
        with suppress(BallotKeysMissing):
            return self.read(ask_id)
        made = PollKeys(X25519PrivateKey.generate().private_bytes_raw(), os.urandom(SECRET))
        file = self._file(ask_id)
        draft = file.with_suffix(f".{os.getpid()}.new")
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(draft, made.private + made.tags)
            os.link(draft, file)  # whoever comes second finds the first one's keys
        except FileExistsError:
            return self.read(ask_id)
        except OSError as error:
            raise BallotKeysMissing(str(error.strerror)) from error
        finally:
            with suppress(OSError):
                draft.unlink()
        _settle(file.parent)
        return made

    def read(self, ask_id: UUID) -> PollKeys:
        """The keys of an open poll; BallotKeysMissing when they are not there."""
        try:
            content = self._file(ask_id).read_bytes()
        except OSError as error:
            raise BallotKeysMissing(str(error.strerror)) from error
        if len(content) != 2 * SECRET:
            raise BallotKeysMissing("the file does not hold two keys")
        return PollKeys(content[:SECRET], content[SECRET:])

    def destroy(self, ask_id: UUID) -> bool:
        """Overwrite and remove the keys of a poll; False when there are none."""
        if self._folder is None:
            return False
        file = self._file(ask_id)
        try:
            with file.open("r+b") as held:
                held.write(bytes(2 * SECRET))
                held.flush()
                os.fsync(held.fileno())
            file.unlink()
        except FileNotFoundError:
            return False
        _settle(file.parent)
        return True

    def kept(self) -> list[UUID]:
        """The polls whose keys are in the folder."""
        if self._folder is None or not self._folder.is_dir():
            return []
        return [UUID(file.stem) for file in sorted(self._folder.glob("*.key"))]

    def _file(self, ask_id: UUID) -> Path:
        if self._folder is None:
            raise BallotKeysMissing("HOMELINE_BALLOT_KEYS is not set")
        return self._folder / f"{ask_id}.key"


def seal_vote(public: bytes, value: str, ask_id: UUID) -> bytes:
    """The vote sealed to a poll's public key; every vote is equally long.

    ValueError for a value of more than 63 bytes.
    """
    plain = value.encode()
    if len(plain) >= PADDED:
        raise ValueError("a vote is at most 63 bytes long")
    once = X25519PrivateKey.generate()
    mine = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(public))
    padded = bytes([len(plain)]) + plain + bytes(PADDED - 1 - len(plain))
    return mine + AESGCM(_derive(shared, mine, public)).encrypt(_NONCE, padded, ask_id.bytes)


def open_vote(keys: PollKeys, sealed: bytes, ask_id: UUID) -> str:
    """The value of a sealed vote; NotAVote when it was not sealed for this poll."""
    mine = sealed[:SECRET]
    try:
        private = X25519PrivateKey.from_private_bytes(keys.private)
        shared = private.exchange(X25519PublicKey.from_public_bytes(mine))
        key = _derive(shared, mine, keys.public)
        padded = AESGCM(key).decrypt(_NONCE, sealed[SECRET:], ask_id.bytes)
    except (InvalidTag, ValueError) as error:
        raise NotAVote from error
    return padded[1 : 1 + padded[0]].decode()


def _derive(shared: bytes, mine: bytes, public: bytes) -> bytes:
    info = b"homeline ballot" + mine + public
    return HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(shared)


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as held:
        held.write(content)
        held.flush()
        os.fsync(held.fileno())


def _settle(folder: Path) -> None:
    """Let the folder itself reach the disk, so that its entries survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
