"""What is found in answers that break a contract: of which kind, how grave, where, and without their values."""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import pytest

from emulator.contracts.contract import Confidence, contract_of
from emulator.contracts.findings import SEVERITIES, Finding, Kind, weighed
from emulator.contracts.judgement import Judgement, Response, judged
from emulator.core.words import OperationName, Profile
from tests.contracts.test_examples import EXAMPLES, HEADERS, golden
from tests.contracts.wires import CONTENT, CREATE, CURRENT, DOCUMENTED, DOWNLOAD, POLL, told

ROOT: Final = Path(__file__).parents[2]
SECRET: Final = "sk-live-9f8e7d6c5b4a"
Change = Callable[[Any], Any]


def judgement_of(
    name: str,
    body: Any,
    *,
    status_code: int | None = None,
    headers: Mapping[str, str] = HEADERS,
    profile: Profile = DOCUMENTED,
) -> Judgement:
    """A changed example, held against its provider's contract."""
    response = Response(
        status_code=status_code or EXAMPLES[name][0], headers={**HEADERS, **headers}, body=body
    )
    return judged(contract_of(name.partition("/")[0]), POLL, profile, response)


def without(*path: Any) -> Change:
    """The example without a member."""

    def change(body: Any) -> Any:
        del inside(body, path[:-1])[path[-1]]
        return body

    return change


def having(value: Any, *path: Any) -> Change:
    """The example with another value at a place."""

    def change(body: Any) -> Any:
        inside(body, path[:-1])[path[-1]] = value
        return body

    return change


def inside(body: Any, path: tuple[Any, ...]) -> Any:
    """What stands at a place of a body."""
    for step in path:
        body = body[step]
    return body


OX, EZ, SORA, VEO = (
    "octopusx/query.queued.json",
    "ezmodel/query.completed.json",
    "acedata-sora/retrieve.succeeded.json",
    "acedata-veo/retrieve.succeeded.json",
)
DATA: Final = ("response", "data", 0)
CASES: Final[list[tuple[str, Change, str, str, str]]] = [
    (OX, without("model"), "error: field removed: model", "a text", "nothing"),
    (OX, without("error", "code"), "error: field removed: error.code", "a text", "nothing"),
    (OX, having("x", "quality"), "notice: field added: quality", "no such member", "a text"),
    (OX, having(None, "quality"), "warning: field added: quality", "no such member", "null"),
    (
        OX,
        having("0", "progress"),
        "error: type changed: progress",
        "a whole number (at least 0, at most 100)",
        "a text",
    ),
    (OX, having(None, "error"), "error: type changed: error", "an object", "null"),
    (
        OX,
        having(101, "progress"),
        "warning: value changed: progress",
        "a whole number (at least 0, at most 100)",
        "101",
    ),
    (
        OX,
        having(0.5, "progress"),
        "error: type changed: progress",
        "a whole number (at least 0, at most 100)",
        "a number",
    ),
    (OX, having("film", "object"), "error: new word: object", "'video'", "'film'"),
    (
        OX,
        having("waiting", "status"),
        "error: new word: status",
        "one of 'queued', 'processing', 'completed', 'failed', 'cancelled'",
        "'waiting'",
    ),
    (OX, having(7, "status"), "error: type changed: status", "'queued'", "a number"),
    (OX, having(1735689600, "completed_at"), "warning: value changed: completed_at", "0", "a number"),
    (
        OX,
        having(1735689600123, "created_at"),
        "warning: value changed: created_at",
        "Unix seconds",
        "a number",
    ),
    (OX, having("", "id"), "warning: value changed: id", "a text (length at least 1)", "an empty text"),
    (EZ, without("url"), "error: field removed: url", "a link", "nothing"),
    (EZ, having("ftp://a", "url"), "error: format changed: url", "a link", "a text of 7 characters"),
    (EZ, having("30", "metadata", "fps"), "error: type changed: metadata.fps", "a whole number", "a text"),
    (EZ, having({}, "error"), "notice: field added: error", "no such member", "an object"),
    (
        SORA,
        having("x", "_id"),
        "warning: format changed: _id",
        "24 hexadecimal digits",
        "a text of 1 characters",
    ),
    (
        SORA,
        having("x", "api_id"),
        "warning: format changed: api_id",
        "54aed96c-0346-4227-8c99-9780247a7ffd, the same in every task of the service",
        "a text of 1 characters",
    ),
    (SORA, having("done", *DATA, "state"), "error: new word: response.data[].state", "'succeeded'", "'done'"),
    (SORA, having([], "response", "data"), "warning: value changed: response.data", "a list", "a list"),
    (
        VEO,
        without(*DATA, "complete_at"),
        "error: field removed: response.data[].complete_at",
        "a date such as 2025-07-25 17:19:20",
        "nothing",
    ),
    (
        VEO,
        having("2025-07-25T09:19:20.000Z", *DATA, "created_at"),
        "warning: format changed: response.data[].created_at",
        "a date such as 2025-07-25 17:19:20",
        "a text of 24 characters",
    ),
    (
        VEO,
        having("2025-07-25 17:21:45", *DATA, "completed_at"),
        "notice: field added: response.data[].completed_at",
        "no such member",
        "a text",
    ),
]
"""An example, what becomes of it, and the one thing that is found."""


@pytest.mark.parametrize(
    ("name", "change", "what", "expected", "got"),
    CASES,
    ids=[f"{number} {what}" for number, (_, _, what, _, _) in enumerate(CASES)],
)
def test_each_change_is_one_finding(name: str, change: Change, what: str, expected: str, got: str) -> None:
    """Of its kind, as grave as it is, in words; the answer is taken for what it was before."""
    judgement = judgement_of(name, change(golden(name)))
    (finding,) = judgement.findings
    assert f"{finding.severity}: {finding.kind}: {finding.member}" == what
    assert (finding.expected, finding.got) == (expected, got)
    assert finding.sentence == f"{finding.member}: expected {expected}, got {got}"
    assert (judgement.answer.name, finding.outcome) == (EXAMPLES[name][1],) * 2
    assert (finding.operation, finding.profile) == (POLL, DOCUMENTED)


def test_another_status_code_is_a_finding() -> None:
    """Of an error as of a task; what there is are all status codes that the operation may answer."""
    codes = "one of 200, 400, 401, 403, 404, 413, 429, 500, 501, 502, 503, 504"
    assert told(judgement_of(OX, golden(OX), status_code=202).findings) == [
        f"error: poll queued: status code: expected {codes}, got 202 ({where('octopusx.yaml', '  - name: queued')})"
    ]
    gone = "ezmodel/query.not_found.404.json"
    (finding,) = judgement_of(gone, golden(gone), status_code=418).findings
    assert (finding.kind, finding.got) == ("status code", "418")


def where(file: str, line: str) -> str:
    """The place of a line of a contract."""
    lines = (ROOT / "emulator/contracts" / file).read_text(encoding="utf-8").splitlines()
    return f"emulator/contracts/{file}:{lines.index(line) + 1}"


@pytest.mark.parametrize(
    ("name", "header", "value", "sentence"),
    [
        (
            OX,
            "x-oneapi-request-id",
            SECRET,
            (
                "warning: header x-oneapi-request-id: expected 23 digits and 8 to 16 letters and digits, "
                "got a text of 20 characters"
            ),
        ),
        (SORA, "x-request-id", "abc", "warning: header x-request-id: expected a UUID, got 'abc'"),
        (
            SORA,
            "content-type",
            "text/html",
            "error: header content-type: expected application/json, got text/html",
        ),
        (
            SORA,
            "content-type",
            f"{SECRET}; a",
            "error: header content-type: expected application/json, got none",
        ),
    ],
)
def test_a_header_is_a_finding(name: str, header: str, value: str, sentence: str) -> None:
    """One that isn't of its form; the media type weighs as a status code does."""
    (finding,) = judgement_of(name, golden(name), headers={header: value}).findings
    assert f"{finding.severity}: {finding.sentence}" == sentence
    assert finding.kind == "header"


@pytest.mark.parametrize(
    ("name", "header"), [(OX, "x-new-api-version"), (VEO, "access-control-allow-origin")]
)
def test_a_missing_header_is_a_finding(name: str, header: str) -> None:
    """With the line of the contract that has it."""
    headers = {key: value for key, value in HEADERS.items() if key != header}
    response = Response(status_code=200, headers=headers, body=golden(name))
    (finding,) = judged(contract_of(name.partition("/")[0]), POLL, DOCUMENTED, response).findings
    assert (finding.kind, finding.member, finding.got) == ("header", f"header {header}", "none")
    assert header in line_at(finding.place)


def test_what_is_no_json_is_a_finding() -> None:
    """It says what came in place of it."""
    response = Response(
        status_code=200, headers={"content-type": "text/html"}, is_json=False, what="an HTML page"
    )
    sentences = {one.sentence for one in judged(contract_of("octopusx"), POLL, DOCUMENTED, response).findings}
    assert "expected a JSON object, got an HTML page" in sentences
    assert "header content-type: expected application/json, got text/html" in sentences


def test_a_body_isnt_looked_at_where_no_source_says_anything_of_it() -> None:
    """A dead link's page may be any."""
    for provider, headers in (("octopusx", {"content-type": "text/plain"}), ("acedata-veo", {})):
        response = Response(status_code=403, headers=headers, is_json=False, what="a page")
        assert judged(contract_of(provider), DOWNLOAD, DOCUMENTED, response).findings == ()


def test_a_video_has_its_media_type() -> None:
    """Behind a link as on the content route."""
    response = Response(status_code=200, headers={**HEADERS, "content-type": "text/html"}, is_json=False)
    for operation, severity in ((CONTENT, "warning"), (DOWNLOAD, "notice")):
        (finding,) = judged(contract_of("ezmodel"), operation, DOCUMENTED, response, ["video"]).findings
        assert (finding.severity, finding.expected, finding.got) == (severity, "video/mp4", "text/html")


# How grave


def test_a_finding_weighs_no_more_than_its_source() -> None:
    """Documented: as it is. Inferred: a warning at most. Our choice: a notice."""
    for kind in get_args(Kind):
        told_of = [SEVERITIES.index(weighed(kind, one)) for one in get_args(Confidence)]
        assert told_of == sorted(told_of)
        assert told_of[1] >= SEVERITIES.index("warning")
        assert told_of[2] == SEVERITIES.index("notice")


def test_the_confidence_of_a_member_goes_before_that_of_the_answer() -> None:
    """A list that clients alone know weighs less than a documented one."""
    (of_choice,) = judgement_of(
        OX, having("failed", "status")(having(1, "completed_at")(golden(OX)))
    ).findings
    assert (of_choice.member, of_choice.severity, of_choice.confidence) == (
        "completed_at",
        "notice",
        "our choice",
    )
    (inferred,) = judgement_of(SORA, without("api_id")(golden(SORA))).findings
    assert (inferred.member, inferred.severity, inferred.source) == ("api_id", "warning", "document")


def test_another_code_of_an_error_is_a_warning() -> None:
    """Clients go by the status code first."""
    name = "acedata-sora/error.api_error.json"
    (finding,) = judgement_of(name, having("other", "error", "code")(golden(name))).findings
    assert (finding.kind, finding.severity, finding.member) == ("new word", "warning", "error.code")


# What an answer is taken for


TAKEN: Final[list[tuple[Change, str]]] = [
    (without("response"), "unfinished"),
    (without("response", "success"), "snapshot"),
    (having({"success": False, "error": {"code": "a", "message": ""}}, "response"), "failed"),
    (having({"success": False, "error": {"code": "canceled", "message": ""}}, "response"), "cancelled"),
    (having({"success": False, "error": "fetch failed"}, "response"), "failed"),
    (having({"success": False}, "response"), "failed"),
    (having({"success": True}, "response"), "completed"),
    (having({"success": True, "error": {}}, "response"), "completed"),
    (lambda _: {}, "not_found"),
    (lambda body: {"items": [body]}, "batch"),
    (lambda body: {"count": 1, "items": [body], "total": 1}, "batch"),
]


@pytest.mark.parametrize(("change", "outcome"), TAKEN, ids=[f"{n} {case[1]}" for n, case in enumerate(TAKEN)])
@pytest.mark.parametrize("name", [SORA, VEO])
def test_an_answer_of_acedata_is_taken_for_what_it_is(name: str, change: Change, outcome: str) -> None:
    """By the members that tell, whatever else is wrong with it."""
    for profile in Profile:
        assert judgement_of(name, change(golden(name)), profile=profile).answer.name == outcome


def test_a_task_of_a_batch_is_taken_for_what_it_is() -> None:
    """What is wrong with several of them is told once, and where."""
    body = golden("acedata-veo/retrieve_batch.succeeded.json")
    for item in body["items"]:
        item["response"]["data"][0]["state"] = "done"
    (finding,) = judgement_of("acedata-veo/retrieve_batch.succeeded.json", body).findings
    assert (finding.member, finding.outcome) == ("items[].response.data[].state", "batch")
    assert "state" in line_at(finding.place)


def test_an_answer_may_be_looked_for_among_a_few_outcomes() -> None:
    """Of names that the profile doesn't have none counts; where no other is left all do."""
    contract = contract_of("octopusx")
    response = Response(status_code=200, headers=HEADERS, body=golden(OX))
    taken_for = [
        judged(contract, POLL, CURRENT, response, among).answer.name
        for among in (["failed"], ["cancelled", "failed"], ["cancelled"], None)
    ]
    assert taken_for == ["failed", "failed", "queued", "queued"]


# Places, and secrets


def line_at(place: str) -> str:
    """The line of a file that a place names."""
    file, _, number = place.rpartition(":")
    return (ROOT / file).read_text(encoding="utf-8").splitlines()[int(number) - 1]


def places_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every member of a body, but what stands in ``request``, which is the client's."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, inner in members:
        yield (*path, name)
        if name != "request":
            yield from places_in(inner, (*path, name))


TASKS: Final = [name for name, (status_code, outcome) in EXAMPLES.items() if outcome != "batch"]


@pytest.mark.parametrize("name", TASKS)
def test_a_place_is_the_line_of_the_member(name: str) -> None:
    """Removed or of another type, each member's finding leads to the line that begins with its name."""
    looked_at = 0
    for path in places_in(golden(name)):
        if isinstance(path[-1], int) or path in (("metadata", "fps"), ("metadata", "seed")):
            continue
        other: Any = {} if isinstance(inside(golden(name), path), list) else [{}]
        for change in (without(*path), having(other, *path)):
            findings = judged_among(name, change(golden(name)))
            dotted = ".".join(map(str, path)).replace(".0", "[]")
            (finding,) = [one for one in findings if one.member == dotted]
            line = line_at(finding.place).strip()
            assert line.removeprefix("- ").startswith((f"{path[-1]}:", "error:")) or is_row(name, line), line
            looked_at += 1
    assert looked_at > 3


def is_row(name: str, line: str) -> bool:
    """Whether a line is that of the error, which has the code."""
    return line.startswith(f"{EXAMPLES[name][1]}:")


def judged_among(name: str, body: Any) -> tuple[Finding, ...]:
    """What is found when the answer can be nothing but what it was."""
    status_code, outcome = EXAMPLES[name]
    response = Response(status_code=status_code, headers=HEADERS, body=body)
    contract = contract_of(name.partition("/")[0])
    return judged(contract, POLL, DOCUMENTED, response, [outcome]).findings


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("name", EXAMPLES)
def test_no_finding_holds_a_value(name: str, profile: Profile) -> None:
    """A secret in each member, in each form, and in names and headers: none comes out again."""
    forms = (SECRET, f"Bearer {SECRET}", [SECRET], {SECRET: SECRET}, {"key": SECRET}, 4242424242424242)
    found = 0
    example = golden(name)
    if "items" in example:
        del example["items"][1:]
    for path in places_in(example):
        for secret in forms:
            changed = having(deepcopy(secret), *path)(deepcopy(example))
            judgement = judgement_of(name, changed, profile=profile)
            found += len(judgement.findings)
            assert_silent(judgement)
    headers = dict.fromkeys(HEADERS, SECRET)
    assert_silent(judgement_of(name, golden(name), headers=headers))
    assert found > 10


def assert_silent(judgement: Judgement) -> None:
    """No finding holds a secret in a value; the name of a member that a provider made up is shown."""
    for finding in judgement.findings:
        text = json.dumps(msgspec.to_builtins(msgspec.structs.replace(finding, member="")))
        assert "9f8e7d6c" not in text + finding.sentence.removeprefix(finding.member)
        assert "42424242" not in text + finding.id


def test_a_name_that_might_be_a_value_isnt_shown() -> None:
    """A map of links by what they are for has values for names."""
    body = {**golden(OX), "https://a.example/?key=1": 1, "x" * 80: 2}
    members = {one.member for one in judgement_of(OX, body).findings}
    assert members == {"<a name of 24 characters>", "<a name of 80 characters>"}


def test_a_finding_is_the_same_in_every_run() -> None:
    """Its id holds what differs, and no number that changes from task to task."""
    ids = {judgement_of(OX, having(word, "id")(golden(OX))).findings[0].id for word in (1, 2, 30)}
    assert ids == {"poll: id: type changed: a number"}


def test_the_create_of_a_provider_may_show_more() -> None:
    """AceData's guides disagree on two members: with them and without them nothing is found."""
    contract = contract_of("acedata-sora")
    task = golden(SORA)["id"]
    for more in ({}, {"success": True}, {"success": True, "trace_id": task}):
        response = Response(status_code=200, headers=HEADERS, body={"task_id": task, **more})
        judgement = judged(contract, CREATE, CURRENT, response)
        assert (judgement.answer.name, judgement.findings) == ("created", ())


def test_a_create_that_waits_is_known() -> None:
    """It answers with the video itself."""
    for name in (SORA, VEO):
        response = Response(status_code=200, headers=HEADERS, body=golden(name)["response"])
        judgement = judged(contract_of(name.partition("/")[0]), OperationName.CREATE, DOCUMENTED, response)
        assert (judgement.answer.name, judgement.findings) == ("completed", ())
