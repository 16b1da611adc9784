"""Seeded draws: each a function of key, purpose and number."""

from itertools import pairwise
from uuid import RFC_4122, UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from emulator.core.seeded import (
    ENTROPY_SIZE,
    crockford,
    draw,
    fraction,
    generator,
    key_of,
    task_entropy,
    ulid,
    uuid4_text,
)

KEY = st.binary(min_size=1, max_size=48)
PURPOSE = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
NUMBER = st.integers(0, 1 << 40)
PARTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=4)
SIXTEEN = st.binary(min_size=16, max_size=16)
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


@given(KEY, PURPOSE, NUMBER, st.integers(1, 48))
def test_draws_the_same_for_the_same_purpose(key: bytes, purpose: str, number: int, size: int) -> None:
    """One key, purpose and number give one draw, as long as it was asked to be."""
    once = draw(key, purpose, number, size)
    assert draw(key, purpose, number, size) == once
    assert len(once) == size
    assert fraction(key, purpose, number) == fraction(key, purpose, number)
    assert generator(key, purpose, number).random() == generator(key, purpose, number).random()


@given(st.tuples(KEY, PURPOSE, NUMBER), st.tuples(KEY, PURPOSE, NUMBER))
def test_draws_differently_for_all_else(one: tuple[bytes, str, int], other: tuple[bytes, str, int]) -> None:
    """Another key, purpose or number gives another draw."""
    # Keys that differ by NUL bytes at their end are one key to the hash.
    assume((one[0].rstrip(b"\x00"), *one[1:]) != (other[0].rstrip(b"\x00"), *other[1:]))
    assert draw(*one) != draw(*other)
    assert fraction(*one) != fraction(*other)


def test_draws_the_same_on_every_machine() -> None:
    """The draws of version 0.1: a seed that somebody wrote down keeps giving its ids."""
    assert key_of("namespace", 7).hex() == "3b64de7cd065e3f20d2c2a54a8feadfc"
    assert (
        task_entropy(b"namespace", b"digest", 2).hex()
        == "da83fb6f9e75b453ab9151b347ca3af3d8fb193c6b5aa079e934a5ceaba9af3567ac9faa81a31182ffa3dfb94a8758d2"
    )
    assert draw(b"key", "stay", 3).hex() == "f830b5155bc3b07b8bac5fc9f6adcaec"
    assert fraction(b"key", "stay", 3) == 0.13796661418146317


@given(KEY, PURPOSE, NUMBER)
def test_gives_fractions_below_one(key: bytes, purpose: str, number: int) -> None:
    """A fraction is at least 0 and less than 1."""
    assert 0 <= fraction(key, purpose, number) < 1


@given(PARTS, PARTS)
def test_tells_where_one_part_of_a_key_ends(one: list[str], other: list[str]) -> None:
    """Keys of different parts differ, also where the parts' letters in a row are the same."""
    assert (key_of(*one) == key_of(*other)) == (one == other)
    assert key_of("ab", "c") != key_of("a", "bc")


def test_gives_every_task_an_entropy_of_its_own() -> None:
    """The same request twice, another request and another namespace give other entropies."""
    drawn = {
        task_entropy(namespace, digest, nth)
        for namespace in (b"one", b"two")
        for digest in (b"1", b"2")
        for nth in range(50)
    }
    assert len(drawn) == 200
    assert {len(entropy) for entropy in drawn} == {ENTROPY_SIZE}


@given(SIXTEEN)
def test_writes_version_4_uuids(data: bytes) -> None:
    """Sixteen bytes make a UUID of version 4 in its canonical form."""
    text = uuid4_text(data)
    assert str(UUID(text)) == text
    assert (UUID(text).version, UUID(text).variant) == (4, RFC_4122)


@given(SIXTEEN, SIXTEEN)
def test_tells_uuids_apart(one: bytes, other: bytes) -> None:
    """Bytes that differ outside the six fixed bits give UUIDs that differ."""
    loose = bytes([0xFF] * 6 + [0x0F, 0xFF, 0xCF] + [0xFF] * 7)
    differ = any((a ^ b) & mask for a, b, mask in zip(one, other, loose, strict=True))
    assert (uuid4_text(one) != uuid4_text(other)) == differ


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=16))
def test_writes_ulids(milliseconds: int, data: bytes) -> None:
    """A ULID is 26 letters of Crockford's base 32 that say the instant, then ten bytes."""
    text = ulid(milliseconds, data)
    value = 0
    for letter in text:
        value = value * 32 + CROCKFORD.index(letter)
    assert len(text) == 26
    assert value == milliseconds << 80 | int.from_bytes(data[:10], "big")


@given(st.lists(st.integers(0, (1 << 48) - 1), min_size=2, max_size=5, unique=True), SIXTEEN)
def test_writes_ulids_in_the_order_of_time(instants: list[int], data: bytes) -> None:
    """ULIDs of later instants sort later."""
    written = [ulid(instant, data) for instant in sorted(instants)]
    assert all(earlier < later for earlier, later in pairwise(written))


def test_writes_crockfords_base_32() -> None:
    """Digits stand for 0 to 31 without i, l, o and u; what doesn't fit is cut off at the left."""
    assert crockford(0, 3) == "000"
    assert crockford(31 * 32 + 18, 2) == "zj"
    assert crockford(1 << 20, 4) == "0000"
