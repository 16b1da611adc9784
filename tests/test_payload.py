"""Bodies of bytes and zeros are cut and sent as the same bytes in one piece would be."""

from hypothesis import given
from hypothesis import strategies as st

from emulator.payload import CHUNK, Payload

PAYLOADS = st.builds(Payload, st.binary(max_size=40), st.integers(0, 40))


def whole(payload: Payload) -> bytes:
    """All of its bytes."""
    return payload.content + bytes(payload.zeros)


@given(payload=PAYLOADS, size=st.integers(1, 50))
def test_it_comes_in_pieces_of_a_size(payload: Payload, size: int) -> None:
    """Together they are the body; none is empty or longer than asked for."""
    pieces = list(payload.chunks(size))
    assert b"".join(pieces) == whole(payload)
    assert all(0 < len(piece) <= size for piece in pieces)
    assert len(payload) == len(whole(payload))


@given(payload=PAYLOADS, data=st.data())
def test_a_part_is_what_a_slice_of_its_bytes_is(payload: Payload, data: st.DataObject) -> None:
    """Wherever it begins and ends."""
    stop = data.draw(st.integers(0, len(payload)))
    start = data.draw(st.integers(0, stop))
    assert whole(payload.part(start, stop)) == whole(payload)[start:stop]


def test_a_long_one_is_never_whole_in_memory() -> None:
    """Its pieces are one and the same zeros."""
    pieces = Payload(b"head", 5 * CHUNK + 1).chunks()
    assert next(pieces) == b"head"
    assert len({id(piece) for _, piece in zip(range(5), pieces, strict=False)}) == 1
    assert next(pieces) == b"\0"
