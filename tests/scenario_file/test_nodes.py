"""YAML to nodes: what scalars stand for, what merges bring, and the bounds."""

from typing import Any

import pytest
import yaml

from emulator.core.errors import as_line
from emulator.scenario_file import ScenarioError, nodes
from emulator.scenario_file.nodes import MAX_ALIASES, MAX_DEPTH, MAX_NODES, Scalar
from emulator.scenario_file.report import Report

PARSERS = [pytest.param(nodes.PARSER, id="default"), pytest.param(yaml.SafeLoader, id="pure")]


def values(text: str, parser: Any = None) -> Any:
    """The text's JSON values; mistakes raise."""
    report = Report("x", text)
    root = nodes.read(text, report, parser)
    if report.count:
        raise report.error()
    return None if root is None else nodes.raw(root)


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("1.50", 1.5),
        ("1.5e3", 1500.0),
        ("1e+3", 1000.0),
        ("-1e-07", -1e-07),
        *((text, text) for text in ("on", "off", "yes", "no", "y", "True", "NULL", "~")),
        *(
            (text, text)
            for text in ("1:30", "16:9", "010", "1_000", "0x1F", "0o17", "+1", ".5", "5.", "1.2.3", "68e914")
        ),
        *((text, text) for text in (".inf", ".nan", "2026-01-01", "2026-01-01T00:00:00Z", "=", "<")),
        ("'5'", "5"),
        ('"true"', "true"),
        ('""', ""),
        ("5 %", "5 %"),
    ],
)
def test_scalars_stay_what_they_look_like(written: str, value: object, parser: Any) -> None:
    """Only plain true, false, null and decimal numbers aren't text."""
    read = values(f"a: {written}\n", parser)["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("parser", PARSERS)
def test_places_count_from_one(parser: Any) -> None:
    """Line and column are those that editors show."""
    root = nodes.read("a:\n  - é: [x, yy]\n", Report("x", ""), parser)
    assert root is not None
    item = nodes.located(root, ("a", 0))
    inner = nodes.located(root, ("a", 0, "é", 1))
    assert (item.line, item.column, inner.line, inner.column) == (2, 5, 2, 12)


def test_merge_brings_in_what_is_not_there() -> None:
    """``<<`` adds keys; the mapping's own win, then the earlier of several sources."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 0}\n"
    assert values(text)["c"] == {"x": 0, "y": 1, "z": 2}


def test_alias_stands_for_its_value() -> None:
    """An alias is the anchor's value; the last anchor of a name counts."""
    assert values("a: &n [1]\nb: *n\nc: &n 2\nd: *n\n") == {"a": [1], "b": [1], "c": 2, "d": 2}


def test_json_is_yaml_enough() -> None:
    """JSON as programs write it is read: no blanks, escaped slashes, tabs between."""
    assert values('{"a":[1,-2.5e3,true,null,"x\\/y\\u00e9"],\n\t"b":{}}') == {
        "a": [1, -2500.0, True, None, "x/yé"],
        "b": {},
    }


def stopped(text: str) -> str:
    """The id of the one problem at which reading stopped."""
    with pytest.raises(ScenarioError) as raised:
        values(text)
    assert len(raised.value.problems) == 1
    return raised.value.problems[0].id


def test_depth_is_bounded() -> None:
    """As many levels as allowed are read, one more is refused where it begins."""
    assert values("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert stopped("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == "yaml-depth"


def test_depth_counts_through_aliases() -> None:
    """Aliases can't stack levels on levels."""
    half = "[" * 40 + "1" + "]" * 40
    assert stopped(f"a: &a {half}\nb: {half.replace('1', '*a')}\n") == "yaml-depth"


def test_number_of_values_is_bounded() -> None:
    """As many values as allowed are read, one more is refused."""
    assert len(values("[" + "1," * (MAX_NODES - 1) + "]")) == MAX_NODES - 1
    assert stopped("[" + "1," * MAX_NODES + "]") == "yaml-nodes"


def test_number_of_aliases_is_bounded() -> None:
    """As many aliases as allowed are read, one more is refused."""
    assert len(values("- &a 1\n" + "- *a\n" * MAX_ALIASES)) == MAX_ALIASES + 1
    assert stopped("- &a 1\n" + "- *a\n" * (MAX_ALIASES + 1)) == "yaml-aliases"


@pytest.mark.parametrize("parser", PARSERS)
def test_nested_brackets_do_no_harm(parser: Any) -> None:
    """Twenty-five thousand brackets are refused, and the process lives on."""
    report = Report("x", "")
    with pytest.raises(ScenarioError):
        nodes.read("[" * 25_000, report, parser)
    assert report.error().problems[0].id == "yaml-depth"


@pytest.mark.parametrize("merge", [False, True])
def test_a_billion_laughs_do_no_harm(merge: bool) -> None:
    """Aliases of aliases are counted as what they stand for, before anything is made of them."""
    levels = [f"l0: &l0 {{{', '.join(f'k{n}: 1' for n in range(10))}}}"]
    for level in range(1, 10):
        inside = ", ".join(f"k{n}: *l{level - 1}" for n in range(9))
        levels.append(f"l{level}: &l{level} {{{inside}{f', <<: *l{level - 1}' if merge else ''}}}")
    assert stopped("\n".join(levels)) == "yaml-nodes"


def test_alias_within_its_anchor_is_refused() -> None:
    """A value can't hold itself."""
    assert stopped("a: &a {b: *a}\n") == "yaml-alias"


def test_lone_surrogate_is_refused() -> None:
    """PyYAML's own parser lets half a character through; it would break every answer that prints it."""
    report = Report("x", "")
    nodes.read('a: "\\ud800"\n', report, yaml.SafeLoader)
    assert [problem.id for problem in report.error().problems] == ["yaml-syntax"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('a: "\\UFFFFFFFF"\n', "x: this is no YAML: "),
        ("a:\tb\n", "x:1:3: a tab stands here, where YAML takes spaces alone; put a space in its place"),
    ],
)
def test_what_only_the_pure_parser_trips_over(text: str, said: str) -> None:
    """PyYAML's own parser has mistakes of its own, and they are told in the same form."""
    with pytest.raises(ScenarioError) as raised:
        nodes.read(text, Report("x", text), yaml.SafeLoader)
    assert as_line(raised.value.problems[0]).startswith(said)


def test_a_merge_sign_in_quotes_is_a_key() -> None:
    """Only a plain ``<<`` merges."""
    assert values('a: {"<<": 1, b: 2}\n') == {"a": {"<<": 1, "b": 2}}


def test_located_stops_at_what_is_there() -> None:
    """A path that leads nowhere gives the last place on its way."""
    root = nodes.read("a: [b]\n", Report("x", ""))
    assert root is not None
    assert isinstance(nodes.located(root, ("a", 3)), Scalar)
    assert nodes.located(root, ("z",)) is root
