"""Matchers, globs, regular expressions and dotted fields."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.matching import (
    ABSENT,
    REGEX_REACH,
    Matcher,
    field_of,
    glob_matches,
    matches,
    searcher,
    text_of,
)
from tests.strategies import JSON, MATCHER, TEXT


@pytest.mark.parametrize(
    ("matcher", "value", "fits"),
    [
        (Matcher(), "anything", True),
        (Matcher(equals="10"), 10, True),
        (Matcher(equals="10"), "10", True),
        (Matcher(equals="10"), 10.5, False),
        (Matcher(equals="10"), "10 ", False),
        (Matcher(equals="true"), True, True),
        (Matcher(equals="null"), None, True),
        (Matcher(equals=""), "", True),
        (Matcher(equals='["é"]'), ["é"], True),
        (Matcher(contains="cat"), "a cat runs", True),
        (Matcher(contains="Cat"), "a cat runs", False),
        (Matcher(contains="cat"), {"animal": "cat"}, True),
        (Matcher(contains=""), "", True),
        (Matcher(regex="^a.c$"), "abc", True),
        (Matcher(regex="b"), "abc", True),
        (Matcher(regex="^b"), "abc", False),
        (Matcher(regex="(?i)ABC"), "abc", True),
        (Matcher(glob="sk-*"), "sk-1", True),
        (Matcher(glob="sk-*"), "ask-1", False),
        (Matcher(any_of=("a", "b*")), "a", True),
        (Matcher(any_of=("a", "b*")), "bcd", True),
        (Matcher(any_of=("a", "b*")), "ab", False),
        (Matcher(any_of=()), "a", False),
        (Matcher(exists=True), None, True),
        (Matcher(exists=False), "", False),
        (Matcher(negated=Matcher(equals="x")), "y", True),
        (Matcher(negated=Matcher(equals="x")), "x", False),
        (Matcher(contains="a", negated=Matcher(contains="b")), "ab", False),
        (Matcher(equals="a", contains="b"), "a", False),
    ],
)
def test_compares_values_as_text(matcher: Matcher, value: Any, fits: bool) -> None:
    """Every condition of a matcher must hold of the value's text."""
    assert matches(matcher, value) is fits


@pytest.mark.parametrize(
    ("matcher", "fits"),
    [
        (Matcher(), True),
        (Matcher(exists=False), True),
        (Matcher(exists=True), False),
        (Matcher(equals=""), False),
        (Matcher(contains=""), False),
        (Matcher(regex=""), False),
        (Matcher(glob="*"), False),
        (Matcher(any_of=("",)), False),
        (Matcher(negated=Matcher(equals="x")), True),
        (Matcher(negated=Matcher(exists=False)), False),
        (Matcher(negated=Matcher(exists=True)), True),
    ],
)
def test_finds_no_text_in_what_is_absent(matcher: Matcher, fits: bool) -> None:
    """A field that the request lacks has no text, not even an empty one."""
    assert matches(matcher, ABSENT) is fits


@given(MATCHER, JSON)
def test_holds_where_its_opposite_does_not(matcher: Matcher, value: Any) -> None:
    """``not`` turns an answer round, for values and for their absence."""
    for asked in (value, ABSENT):
        assert matches(Matcher(negated=matcher), asked) is not matches(matcher, asked)


def test_writes_values_as_json_does() -> None:
    """Text stays as it is, all else is written as JSON."""
    assert [text_of(value) for value in ("a", 1, 1.5, True, None, ["é"])] == [
        "a",
        "1",
        "1.5",
        "true",
        "null",
        '["é"]',
    ]


# Globs


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True),
        ("*", "anything\nat all", True),
        ("a*", "a\n", True),
        ("a*c", "ac", True),
        ("a*c", "abbc", True),
        ("a*c", "abcd", False),
        ("*b*", "abc", True),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "acb", False),
        ("aa*aa", "aaa", False),
        ("ab*ba", "aba", False),
        ("*ab*ab*", "ab ab", True),
        ("*ab*ab*", "aab", False),
        ("**", "", True),
        ("a?c", "abc", False),
        ("a?c*", "a?cd", True),
        ("[ab]*", "a", False),
        ("[ab]*", "[ab]", True),
        ("a.c*", "abc", False),
        ("\\d*", "\\d", True),
        ("é*", "e", False),
        ("é*", "ét", True),
        ("a", "a\n", False),
    ],
)
def test_takes_only_the_star_for_special(pattern: str, text: str, fits: bool) -> None:
    """A glob fits the whole of a text; every sign but the star stands for itself."""
    assert glob_matches(pattern, text) is fits


ABSTAR = st.text("ab*?.\n", max_size=7)


@given(ABSTAR, st.text("ab*?.\n", max_size=12))
def test_fits_what_the_regular_expression_fits(pattern: str, text: str) -> None:
    """A glob is the regular expression in which each star is ``.*`` and all else is literal."""
    expression = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    assert glob_matches(pattern, text) is (re.fullmatch(expression, text, re.S) is not None)


@given(st.lists(TEXT.filter(lambda text: "*" not in text), min_size=1, max_size=5), TEXT)
def test_fits_whatever_stands_for_its_stars(pieces: list[str], filling: str) -> None:
    """Whatever text is put in place of the stars, the glob fits it."""
    assert glob_matches("*".join(pieces), filling.join(pieces))


def test_fits_long_texts_at_once() -> None:
    """A glob that would take a backtracking matcher for ever is answered."""
    assert not glob_matches("*a" * 40 + "*b", "a" * 100_000)


# Regular expressions


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_searches_in_linear_time(pattern: str) -> None:
    """Patterns that take a backtracking engine longer than anybody lives are answered."""
    assert not matches(Matcher(regex=pattern), "a" * (REGEX_REACH - 1) + "!")


def test_searches_the_first_4_kib() -> None:
    """What stands beyond the first 4,096 characters isn't seen, and the end of those isn't hidden."""
    assert matches(Matcher(regex="x"), "." * (REGEX_REACH - 1) + "x")
    assert not matches(Matcher(regex="x"), "." * REGEX_REACH + "x")


@pytest.mark.parametrize(
    "pattern", ["(", "[", "a{2,1}", "(?=a)", r"(a)\1", "(?<!a)b", "((a{100}){100}){100}", "*"]
)
def test_refuses_what_it_cannot_search_in_linear_time(
    pattern: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A pattern that RE2 doesn't take is refused with RE2's reason, and leaves no line on stderr."""
    with pytest.raises(ValueError, match=r"\w"):
        searcher(pattern)
    assert capfd.readouterr().err == ""


@given(st.text("ab(*)|+[]^$.\\", max_size=8), TEXT)
def test_searches_or_refuses_any_pattern(pattern: str, text: str) -> None:
    """Whatever an author writes is searched for, or refused when the file is loaded."""
    try:
        search = searcher(pattern)
    except ValueError:
        return
    assert matches(Matcher(regex=pattern), text) is (search(text) is not None)


# Fields

FIELDS = {
    "prompt": "a cat",
    "metadata": {"shot": 3, "a.b": 1},
    "urls": ["x", {"y": "z"}],
    "a.b": 2,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("prompt", "a cat"),
        ("metadata.shot", 3),
        ("a.b", 2),
        ("urls.0", "x"),
        ("urls.1.y", "z"),
        ("nothing", None),
        ("missing", ABSENT),
        ("metadata.missing", ABSENT),
        ("metadata.shot.deeper", ABSENT),
        ("nothing.deeper", ABSENT),
        ("urls.2", ABSENT),
        ("urls.-1", ABSENT),
        ("urls.²", ABSENT),
        ("urls." + "9" * 5000, ABSENT),
        ("prompt.0", ABSENT),
        ("", ABSENT),
    ],
    ids=lambda value: str(value)[:20],
)
def test_follows_a_dotted_path(path: str, value: Any) -> None:
    """A path names a field, a field of a field, or an item by its number; a key with a dot goes first."""
    assert field_of(FIELDS, path) == value


@given(JSON, st.text("ab.01²", max_size=8))
def test_finds_a_field_or_nothing(fields: Any, path: str) -> None:
    """No request and no path make the search fail."""
    found = field_of(fields, path)
    assert found is ABSENT or isinstance(text_of(found), str)
