"""Answers held against a contract: what each was taken for, and all that differs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from emulator.contracts.contract import Answer, Contract, Header
from emulator.contracts.findings import Finding, Kind, text_in_words, weighed
from emulator.contracts.keywords import of_body
from emulator.core.words import OperationName, Profile


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it came."""

    status_code: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any = None
    """The JSON value; ``None`` beside `is_json` being ``False``: it is none."""
    is_json: bool = True
    what: str = ""
    """What the body is in place of JSON, in words: ``an HTML page``."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer is by one profile of a contract."""

    answer: Answer
    """The outcome that it is taken for: the one that it differs least from."""
    findings: tuple[Finding, ...]


def judged(
    contract: Contract,
    operation: str,
    profile: Profile,
    response: Response,
    among: Iterable[str] | None = None,
) -> Judgement:
    """The answer held against the outcome that it comes nearest to.

    Args:
        contract: the provider's.
        operation: what was asked for: the key of a row of the contract, or ``download``.
        profile: which of the provider's faces.
        response: what came.
        among: the outcomes that it may be, by name; ``None``: any. Names that the profile hasn't are left out, and
            where it has none of them all count.
    """
    outcomes = contract.outcomes(operation, profile)
    named = [answer for answer in outcomes if among is None or answer.name in set(among)]
    near = [a for a in named or outcomes if a.status_code == response.status_code]
    judgements = [
        Judgement(answer=a, findings=tuple(_findings(contract, a, response)))
        for a in near or named or outcomes
    ]
    nearest = min(judgements, key=_distance)
    status_code = [finding for finding in nearest.findings if finding.kind == "status code"]
    if status_code:
        # Another answer altogether: that its members are others too goes without saying.
        expected = _codes_in_words(named or outcomes)
        told = [msgspec.structs.replace(finding, expected=expected) for finding in status_code]
        return Judgement(answer=nearest.answer, findings=tuple(told))
    words = _words_that_tell(outcomes, nearest.answer)
    findings = [
        msgspec.structs.replace(f, expected=words[f.member])
        if f.kind == "new word" and f.member in words
        else f
        for f in nearest.findings
    ]
    return Judgement(answer=nearest.answer, findings=tuple(findings))


def _codes_in_words(answers: Iterable[Answer]) -> str:
    codes = sorted({answer.status_code for answer in answers})
    return str(codes[0]) if len(codes) == 1 else f"one of {', '.join(map(str, codes))}"


def _words_that_tell(outcomes: Iterable[Answer], answer: Answer) -> dict[str, str]:
    """The words that each member may be by which outcomes are told apart, in words."""
    told: dict[str, str] = {}
    for member in answer.known_by:
        consts = [_const_at(one.schema, member) for one in outcomes if member in one.known_by]
        words = dict.fromkeys(repr(const) for const in consts if isinstance(const, str))
        told[member] = f"one of {', '.join(words)}"
    return told


def _const_at(schema: Any, member: str) -> Any:
    for name in member.split("."):
        if not isinstance(schema, dict):
            return None
        schema = schema.get("properties", {}).get(name)
    return schema.get("const") if isinstance(schema, dict) else None


_APART: Final = 1000
_TOLD_APART: Final = 100
"""More than all members of an answer: a task that says that it is completed is a completed one, however odd."""


def _distance(judgement: Judgement) -> int:
    return sum(_weight(finding, judgement.answer) for finding in judgement.findings)


def _weight(finding: Finding, answer: Answer) -> int:
    if finding.kind == "status code":
        return _APART
    return _TOLD_APART if finding.member in answer.known_by else 1


def _findings(contract: Contract, answer: Answer, response: Response) -> Iterator[Finding]:
    if response.status_code != answer.status_code:
        expected, got = str(answer.status_code), str(response.status_code)
        yield _finding(answer, "status code", "", expected, got)
    yield from _of_headers(contract, answer, response)
    if answer.schema is None:
        return
    if not response.is_json:
        yield _finding(answer, "type changed", "", "a JSON object", response.what or "something else")
        return
    yield from of_body(answer, response.body)
    yield from _of_items(contract, answer, response.body)


def _finding(answer: Answer, kind: Kind, member: str, expected: str, got: str) -> Finding:
    return Finding(
        kind=kind,
        severity=weighed(kind, answer.confidence),
        operation=answer.operation,
        outcome=answer.name,
        member=member,
        expected=expected,
        got=got,
        place=answer.place,
        source=answer.source,
        confidence=answer.confidence,
        profile=answer.profile,
    )


# Headers


def _of_headers(contract: Contract, answer: Answer, response: Response) -> Iterator[Finding]:
    wanted, came = _media_type(answer.media_type), _media_type(response.headers.get("content-type", ""))
    if wanted != came and (answer.schema is not None or response.status_code < 400):
        finding = _finding(answer, "header", "header content-type", wanted, came or "none")
        # Clients decide by it how to read the answer.
        yield msgspec.structs.replace(finding, severity=weighed("status code", answer.confidence))
    shared = () if answer.operation == OperationName.DOWNLOAD else contract.headers
    for header in (*shared, *answer.headers):
        yield from _of_header(answer, header, response.headers.get(header.name))


def _media_type(text: str) -> str:
    kind = text.partition(";")[0].strip().lower()
    return kind if re.fullmatch(r"[a-z0-9.+*-]{1,60}/[a-z0-9.+*-]{1,60}", kind) else ""


def _of_header(answer: Answer, header: Header, value: str | None) -> Iterator[Finding]:
    if value is not None and (header.pattern is None or re.search(header.pattern, value)):
        return
    finding = _finding(
        answer,
        "header",
        f"header {header.name}",
        header.expected,
        "none" if value is None else text_in_words(value),
    )
    yield msgspec.structs.replace(
        finding,
        place=header.place,
        source=header.source,
        confidence=header.confidence,
        severity=weighed("header", header.confidence),
    )


# Items of a batch


def _of_items(contract: Contract, answer: Answer, body: Any) -> Iterator[Finding]:
    items = body.get("items") if answer.items and isinstance(body, dict) else None
    if not isinstance(items, list):
        return
    told: set[str] = set()
    for item in items:
        nearest = min(
            (
                Judgement(answer=one, findings=tuple(of_body(one, item)))
                for one in contract.outcomes(answer.operation, answer.profile)
                if one.name in answer.items
            ),
            key=_distance,
        )
        for finding in nearest.findings:
            if finding.id not in told:
                told.add(finding.id)
                member = f"items[].{finding.member}" if finding.member else "items[]"
                yield msgspec.structs.replace(finding, member=member, outcome=answer.name)
