"""Whatever a file holds, reading it ends in a scenario or in its mistakes, never in another exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.errors import Problem, as_github, as_text
from emulator.scenario_file import ScenarioError, load_text

EXAMPLE = """\
version: 1
about: Long queue.
clock: {mode: scaled, scale: 60, start: "2026-01-01T00:00:00Z"}
auth:
  keys: ["sk-good-*"]
  reject:
    - {key: "sk-broke-*", operation: create, error: insufficient_quota}
defaults: {delay: {median: 80ms, sigma: 0.4}, video: {expires_in: 1h}}
x-life: &life
  - {status: queued, for: 2s}
  - {status: processing, polls: 3, progress: {from: 0, to: 99}}
  - {status: completed, video: {url: none}}
tasks:
  - {id: a, created: -30s, request: {n: 1.5}, timeline: *life}
  - match: {prompt: {contains: cat, not: {regex: "^a"}}}
    choices: [{weight: 9, timeline: *life}, {timeline: [{status: failed, error: {code: c}}]}]
rules:
  - {operation: poll, calls: every 5, error: internal, retry_after: 5s}
  - {operation: poll, while: queued, since: status, between: 0s-2s, patch: {a: "{{ task.id }}", b: [1]}}
expect:
  poll: {min_interval: 2s, max_interval: 30s, after_terminal: 0, honours_retry_after: true}
  download: {at_least: 1, before_expiry: true}
"""


def read(text: str) -> None:
    """Reads a text, and writes out what is wrong with it."""
    problems = _problems(text)
    for problem in problems:
        assert problem.message in as_text(problem)
        assert as_github(problem).startswith(f"::{problem.severity} ")


def _problems(text: str) -> tuple[Problem, ...]:
    try:
        return load_text(text, "x").warnings
    except ScenarioError as error:
        return error.problems


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text(text: str) -> None:
    """Any characters at all, halves of characters included."""
    read(text)
    read("version: 1\n" + text)


PIECES = st.sampled_from(
    [
        *(
            "\n",
            "\n  ",
            "\n    ",
            " ",
            ": ",
            "- ",
            "? ",
            ",",
            "[",
            "]",
            "{",
            "}",
            "{{",
            "}}",
            '"',
            "'",
            "\\",
            "#",
            "|",
            ">",
        ),
        *("&a", "*a", "<<", "!t", "%", "@", "---", "...", "\t", "\r", "é", "😀", "\ufeff", "\x85", "\u2028"),
        *(
            "version",
            "tasks",
            "rules",
            "timeline",
            "status",
            "for",
            "polls",
            "until",
            "match",
            "patch",
            "video",
            "url",
        ),
        *(
            "1",
            "0",
            "-1",
            "99999999999999999999",
            "1e999",
            "2s",
            "1:30",
            "5%",
            "every 2",
            "null",
            "true",
            "none",
            "queued",
        ),
        *(
            "completed",
            "error",
            "internal",
            "operation",
            "calls",
            "between",
            "respond",
            "json",
            "headers",
            "choices",
        ),
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_pieces_of_the_language(text: str) -> None:
    """The language's own words and signs in any order."""
    read("version: 1\n" + text)


@given(st.data())
def test_a_good_file_with_something_else_in_it(data: st.DataObject) -> None:
    """A good file, a piece of which was replaced."""
    begin = data.draw(st.integers(0, len(EXAMPLE)))
    end = data.draw(st.integers(begin, min(len(EXAMPLE), begin + 20)))
    read(EXAMPLE[:begin] + data.draw(PIECES) + EXAMPLE[end:])


VALUES = [
    word for line in EXAMPLE.splitlines()[1:] for word in line.replace(",", " ").split() if word.isalnum()
]


@given(
    st.sampled_from(VALUES),
    st.one_of(PIECES, st.text(max_size=8), st.integers().map(str), st.floats().map(str)),
)
def test_a_good_file_with_another_value(word: str, other: str) -> None:
    """A good file, one word of which became another."""
    read(EXAMPLE.replace(word, other, 1))


@pytest.mark.parametrize(
    "piece", ["[", "{", "- ", "? ", "a: ", "&a ", "!a ", '"', "#", "a\n", "[a,", "{a: ", "'", "-\n", "{{"]
)
def test_a_megabyte_of_one_thing(piece: str) -> None:
    """A file that repeats one sign up to the bound is read or refused in reasonable time."""
    count = ((1 << 20) - 100) // len(piece)
    read("version: 1\nx-a: " + piece * count)
    read("version: 1\nabout: '" + piece.replace("'", "''") * (count // 2) + "'\n")
    read(
        'version: 1\nrules: [{operation: poll, patch: {a: "'
        + piece.replace('"', '\\"') * (count // 2)
        + '"}}]\n'
    )


@pytest.mark.parametrize(
    "key", ["about", "name", "seed", "profile", "version", "clock: {start", "defaults: {delay"]
)
@pytest.mark.parametrize("sign", ["9", "1s", " ", "-", ".", "%", "{{"])
def test_a_long_value(key: str, sign: str) -> None:
    """A value of a hundred thousand signs is refused or taken, whatever it stands for."""
    value = sign * (100_000 // len(sign))
    read(f'version: 1\n{key}: "{value}"{"}" if "{" in key else ""}\n')
    read(f"version: 1\nrules: [{{operation: poll, calls: '{value}', between: '{value}', error: internal}}]\n")
    read(f"version: 1\nrules: [{{probability: '{value}', match: {{a: '{value}*'}}, error: internal}}]\n")


def test_thousands_of_mistakes() -> None:
    """Every one of some thousand mistakes is told."""
    with pytest.raises(ScenarioError) as raised:
        load_text("version: 1\n" + "".join(f"tassk{number}: 1\n" for number in range(4000)), "x")
    assert len(raised.value.problems) == 4000


def test_thousands_of_rules() -> None:
    """A file as large as it may be is linted in reasonable time."""
    rules = "".join(
        f"  - {{operation: poll, calls: {n + 1}, while: queued, error: internal}}\n" for n in range(1000)
    )
    assert len(load_text("version: 1\nrules:\n" + rules, "x").scenario.rules) == 1000
