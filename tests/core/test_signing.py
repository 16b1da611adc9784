"""Signatures."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emulator.core.signing import sign, verify

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
KEY = st.binary(min_size=1, max_size=16)
PRINTABLE = [chr(code) for code in range(32, 127)]


@given(KEY, TEXT)
def test_honours_its_own_signatures(key: bytes, text: str) -> None:
    """What was signed is honoured, and signed alike every time."""
    assert sign(key, text) == sign(key, text)
    assert verify(key, text, sign(key, text))


def test_refuses_a_signature_with_any_changed_character() -> None:
    """Any other character at any place of a signature, one more or one less is refused."""
    good = sign(b"key", "video_1?se=2025")
    for place, letter in enumerate(good):
        for other in PRINTABLE:
            changed = good[:place] + other + good[place + 1 :]
            assert verify(b"key", "video_1?se=2025", changed) is (other == letter)
    for changed in (good[:-1], good + "=", "", good.lower()):
        assert not verify(b"key", "video_1?se=2025", changed)


@given(KEY, TEXT, st.data())
def test_refuses_a_changed_text(key: bytes, text: str, data: st.DataObject) -> None:
    """A text with a character more, less or other isn't what was signed."""
    assume(text)
    place = data.draw(st.integers(0, len(text) - 1))
    signature = sign(key, text)
    for changed in (text[:place] + text[place + 1 :], text[:place] + "~" + text[place:], text + " "):
        assert verify(key, changed, signature) is (changed == text)


def test_refuses_another_key() -> None:
    """A signature under another key isn't honoured."""
    assert not verify(b"other", "text", sign(b"key", "text"))


@pytest.mark.parametrize("signature", ["é", "\udc80", "\x00", "a" * 100_000])
def test_refuses_what_is_no_signature(signature: str) -> None:
    """Whatever a client sends as a signature is refused rather than tripped over."""
    assert not verify(b"key", "text", signature)
