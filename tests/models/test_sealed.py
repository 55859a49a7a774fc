"""Sealed values open in their place only; keys open under their owner only."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sealed import CannotOpen, Keyring, keyed_hash, open_sealed, seal
from settings import MasterKey

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
ORGANISATION, ROW = uuid4(), uuid4()
PLACE: dict[str, Any] = {
    "table": "messages",
    "column": "sealed",
    "organisation_id": ORGANISATION,
    "row_id": ROW,
}
OLD, NEW = MasterKey("2025", b"a" * 32), MasterKey("2026", b"b" * 32)


def sealed(plain: bytes, **elsewhere: Any) -> bytes:
    return seal(KEY, plain, **(PLACE | elsewhere))


def opened(value: bytes, key: bytes = KEY, **elsewhere: Any) -> bytes:
    return open_sealed(key, value, **(PLACE | elsewhere))


@given(st.binary(max_size=4096))
def test_what_is_sealed_opens_again(plain: bytes) -> None:
    value = sealed(plain)
    assert opened(value) == plain
    assert len(plain) < 8 or plain not in value


def test_the_same_text_never_looks_the_same() -> None:
    assert sealed(b"hello") != sealed(b"hello")


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"table": "answers"},
        {"column": "body"},
        {"organisation_id": uuid4()},
        {"row_id": uuid4()},
    ],
    ids=lambda place: next(iter(place)),
)
def test_moved_elsewhere_it_does_not_open(elsewhere: dict[str, Any]) -> None:
    with pytest.raises(CannotOpen):
        opened(sealed(b"hello"), **elsewhere)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(CannotOpen):
        opened(sealed(b"hello"), key=OTHER_KEY)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_one_changed_byte_is_noticed(place: int, change: int) -> None:
    value = bytearray(sealed(b"hello"))
    value[place % len(value)] ^= change
    with pytest.raises(CannotOpen):
        opened(bytes(value))


@given(st.binary(max_size=64))
def test_anything_else_is_refused_in_words(junk: bytes) -> None:
    with pytest.raises(CannotOpen):
        opened(junk)
    with pytest.raises(CannotOpen):
        Keyring([NEW]).unwrap(junk, ORGANISATION, ROW)


class TestKeyring:
    def test_unwraps_what_it_wrapped(self) -> None:
        keyring = Keyring([NEW])
        key, wrapped = keyring.new_key(ORGANISATION, ROW)
        assert keyring.unwrap(wrapped, ORGANISATION, ROW) == key
        assert len(key) == 32
        assert key not in wrapped

    @pytest.mark.parametrize(
        ("organisation_id", "owner_id"), [(uuid4(), ROW), (ORGANISATION, uuid4())]
    )
    def test_a_key_belongs_to_its_owner(self, organisation_id: UUID, owner_id: UUID) -> None:
        keyring = Keyring([NEW])
        wrapped = keyring.new_key(ORGANISATION, ROW)[1]
        with pytest.raises(CannotOpen):
            keyring.unwrap(wrapped, organisation_id, owner_id)

    def test_the_first_master_key_wraps_and_all_unwrap(self) -> None:
        key, wrapped_before = Keyring([OLD]).new_key(ORGANISATION, ROW)
        both = Keyring([NEW, OLD])
        assert both.unwrap(wrapped_before, ORGANISATION, ROW) == key
        wrapped_now = both.wrap(key, ORGANISATION, ROW)
        assert wrapped_now.startswith(both.current)
        assert not wrapped_before.startswith(both.current)
        assert Keyring([NEW]).unwrap(wrapped_now, ORGANISATION, ROW) == key

    def test_a_master_key_taken_away_opens_nothing(self) -> None:
        wrapped = Keyring([OLD]).new_key(ORGANISATION, ROW)[1]
        with pytest.raises(CannotOpen, match="no master key"):
            Keyring([NEW]).unwrap(wrapped, ORGANISATION, ROW)

    def test_needs_a_master_key(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            Keyring([])

    def test_an_organisations_two_keys_cannot_be_exchanged(self) -> None:
        keyring = Keyring([NEW])
        data, index = keyring.new_organisation(ORGANISATION)
        keys = keyring.open_organisation(ORGANISATION, data, index)
        assert keys.data != keys.index
        with pytest.raises(CannotOpen):
            keyring.open_organisation(ORGANISATION, index, data)


class TestKeyedHash:
    def test_finds_the_same_value_again(self) -> None:
        assert keyed_hash(KEY, "address", "sms:+1") == keyed_hash(KEY, "address", "sms:+1")
        assert len(keyed_hash(KEY, "address", "sms:+1")) == 32

    def test_tells_keys_kinds_and_values_apart(self) -> None:
        hashes = {
            keyed_hash(KEY, "address", "sms:+1"),
            keyed_hash(OTHER_KEY, "address", "sms:+1"),
            keyed_hash(KEY, "receipt", "sms:+1"),
            keyed_hash(KEY, "address", "sms:+2"),
        }
        assert len(hashes) == 4

    @given(st.text())
    def test_takes_any_text(self, value: str) -> None:
        assert len(keyed_hash(KEY, "address", value)) == 32

    def test_takes_half_a_surrogate_pair(self) -> None:
        assert len(keyed_hash(KEY, "address", "\ud83d")) == 32
