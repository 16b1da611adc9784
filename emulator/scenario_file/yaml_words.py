"""What YAML's parser trips over, in words that an author can act on."""

from typing import Any, Final

import msgspec

from emulator.scenario_file.report import Lines, Spot


class Place(msgspec.Struct, frozen=True):
    """A place in the file, from 1."""

    line: int
    column: int


Explanation = tuple[Spot, str, str | None]

TEMPLATE_UNQUOTED: Final = ("a value with a template must stand in quotes as a whole", 'write "{{ ... }}"')
_TABS: Final = "a tab stands here, and YAML indents with spaces alone"
_STARTS: Final = {
    "%": "a plain value can't begin with %",
    "@": "a plain value can't begin with @",
    "`": "a plain value can't begin with `",
    ">": "a plain value can't begin with >",
    "|": "a plain value can't begin with |",
}
_QUOTE: Final = "put it in quotes"
_AT_LEAST: Final = 'for "4 and more" write 4+, else put the value in quotes'


def explained(error: Any, lines: Lines) -> Explanation:
    """The place, the message and the likely repair of a ``yaml.MarkedYAMLError``."""
    problem, context = error.problem or "", error.context or ""
    at = _place(error.problem_mark or error.context_mark)
    begin = _place(error.context_mark) if error.context_mark else at
    for explain in (_tab, _template, _bracket, _quote, _alias, _comparison, _start, _colon, _shape):
        found = explain(problem, context, at, begin, lines)
        if found:
            return found
    said = f"{context}, {problem}" if context else problem
    return at, f"this is no YAML: {said}", None


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _tab(problem: str, context: str, at: Place, begin: Place, lines: Lines) -> Explanation | None:
    line = lines.at(at.line)
    indentation = line[: len(line) - len(line.lstrip())]
    if "\t" in indentation:
        return Place(at.line, indentation.index("\t") + 1), _TABS, "put spaces in its place"
    if line[at.column - 1 : at.column] == "\t" and "cannot start any token" in problem:
        return at, "a tab stands here, where YAML takes spaces alone", "put a space in its place"
    return None


def _template(problem: str, context: str, at: Place, begin: Place, lines: Lines) -> Explanation | None:
    line = lines.at(at.line)
    start = line.rfind("{{", 0, at.column)
    before = line[:start].rstrip()
    if start < 0 or not (before == "" or before[-1] in ":,[{-"):
        return None
    return Place(at.line, start + 1), *TEMPLATE_UNQUOTED


def _bracket(problem: str, context: str, at: Place, begin: Place, lines: Lines) -> Explanation | None:
    pairs = {"while parsing a flow sequence": ("[", "]"), "while parsing a flow mapping": ("{", "}")}
    if context not in pairs:
        return None
    opening, closing = pairs[context]
    if not lines.at(at.line)[at.column - 1 :].strip():
        return begin, f"this {opening} is never closed", f"add the {closing} that belongs to it"
    if at.line != begin.line:
        message = (
            f"this {opening} isn't closed, or a comma is missing before line {at.line}, column {at.column}"
        )
        return begin, message, f"add the {closing} that belongs to it, or the comma"
    message = f"expected , or {closing} here, in what {opening} at column {begin.column} begins"
    return at, message, "quotes around a text keep its commas, colons and brackets"


def _quote(problem: str, context: str, at: Place, begin: Place, lines: Lines) -> Explanation | None:
    if "quoted scalar" not in context:
        return None
    if "unexpected" in problem:  # the end of the text, or a line with --- or ...
        return begin, "this quote is never closed", "close it on the line that it belongs to"
    if "escape" in problem or "hexdecimal" in problem:
        message = "this is no escape that YAML knows in double quotes"
        return at, message, "write \\\\ for a backslash, or use single quotes"
    return None


def _alias(problem: str, context: str, at: Place, begin: Place, lines: Lines) -> Explanation | None:
    if context not in ("while scanning an alias", "while scanning an anchor"):
        return None
    sign, noun = ("*", "an alias") if context.endswith("alias") else ("&", "an anchor")
    return (
        begin,
        f"to YAML a plain {sign} begins {noun}",
        f'a text that begins with {sign} stands in quotes: "{sign}..."',
    )


def _comparison(problem: str, context: str, at: Place, begin: Place, lines: Lines) -> Explanation | None:
    if context != "while scanning a block scalar":
        return None
    sign = lines.at(begin.line)[begin.column - 1 : begin.column]
    return begin, _STARTS.get(sign, "this is no block of text"), _AT_LEAST if sign == ">" else _QUOTE


def _start(problem: str, context: str, at: Place, begin: Place, lines: Lines) -> Explanation | None:
    sign = lines.at(at.line)[at.column - 1 : at.column]
    if "cannot start any token" not in problem or sign not in _STARTS:
        return None
    return at, _STARTS[sign], _AT_LEAST if sign == ">" else _QUOTE


def _colon(problem: str, context: str, at: Place, begin: Place, lines: Lines) -> Explanation | None:
    if "mapping values are not allowed" not in problem:
        return None
    line = lines.at(at.line)
    if ": " in line[: at.column - 1]:
        return at, "a second ': ' stands in this line", "put a text that holds ': ' in quotes"
    message = "a key stands here, where the line before began a value"
    return at, message, "check the indentation, and the line above"


def _shape(problem: str, context: str, at: Place, begin: Place, lines: Lines) -> Explanation | None:
    line = lines.at(at.line)
    if line[at.column - 1 : at.column] in ("]", "}", ","):
        return at, f"this {line[at.column - 1]} closes nothing", "brackets come in pairs"
    if context not in ("while parsing a block mapping", "while parsing a block collection"):
        return None
    if line[: at.column - 1].strip():
        message = "something follows where the value had ended"
        return at, message, "quotes go around the whole value; brackets come in pairs"
    what = "the list" if context.endswith("collection") else "the keys"
    return at, f"this line's indentation doesn't fit {what} that line {begin.line} begins", "line the two up"
