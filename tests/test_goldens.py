"""The documents' JSON examples, got back as the page docs/goldens.md says."""

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from emulator.core.scenario import ClockSettings
from emulator.core.units import parse_instant
from tests import serving
from tests.worlds import Answer, World

ROOT: Final = Path(__file__).parent.parent
GOLDEN: Final = ROOT / "tests" / "golden"
PAGE: Final = (ROOT / "docs" / "goldens.md").read_text(encoding="utf-8")
UUID4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def rows() -> list[dict[str, str]]:
    """The rows of the page's table, by the names in its head."""
    lines = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("|")]
    head, _, *body = ([cell.strip().strip("`") for cell in line] for line in lines)
    return [dict(zip(head, cells, strict=True)) for cells in body]


ROWS: Final = rows()


def sent_body(row: Mapping[str, str]) -> bytes | None:
    """What a row sends: a file's bytes, its own JSON, or nothing."""
    body = row["body"]
    if body.endswith(".json"):
        return (GOLDEN / body).read_bytes()
    return body.encode() or None


def answered(row: Mapping[str, str]) -> Answer:
    """What a row's request gets over a socket."""
    clock = ClockSettings(mode="manual", start=parse_instant(row["start"]))
    headers = {"authorization": "Bearer {token}", "content-type": "application/json"}
    with serving.thread(World(row["scenario"], clock=clock).app) as served:
        return served.call(row["method"], row["path"], sent_body(row), headers=headers)


def written(text: str | bytes) -> Any:
    """A JSON text as values that keep the order of keys, keys given twice, and the form of numbers."""

    def number(literal: str) -> tuple[str, str]:
        return "number", literal

    return json.loads(
        text, object_pairs_hook=lambda pairs: ("object", pairs), parse_float=number, parse_int=number
    )


def without_trace_id(text: str | bytes) -> Any:
    """The values of an error, with the drawn id replaced by what is fixed about it: that it is a UUID."""
    kind, pairs = written(text)
    return kind, [(k, bool(UUID4.fullmatch(v))) if k == "trace_id" else (k, v) for k, v in pairs]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["answer"])
def test_each_documented_answer_comes_back_equal(row: dict[str, str]) -> None:
    """Values, keys and their order, types, the form of numbers; nothing but white space differs."""
    answer, golden = answered(row), (GOLDEN / row["answer"]).read_text(encoding="utf-8")
    assert answer.status_code == int(row["status code"])
    assert answer.headers["content-type"] == "application/json"
    same = without_trace_id if "error.api_error" in row["answer"] else written
    assert same(answer.body) == same(golden)
    assert answer.body.decode() == json.dumps(answer.json(), separators=(",", ":"), ensure_ascii=False)


def test_the_page_lists_every_golden() -> None:
    """Each answer once; and each request that a document prints is sent by some row."""
    files = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*.json")}
    requests = {name for name in files if name.endswith(".request.json")}
    assert sorted(row["answer"] for row in ROWS) == sorted(files - requests)
    assert {row["body"] for row in ROWS if row["body"].endswith(".json")} == requests


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
        ("10", "10.0"),
        ("1760105642.045", "1760105642.0450"),
        ("10", '"10"'),
        ("true", "1"),
        ('{"a": 1}', '{"a": 1, "a": 1}'),
        ("[1, 1]", "[1]"),
        ("null", "{}"),
    ],
)
def test_the_comparison_sees_every_difference(one: str, other: str) -> None:
    """What counts as equal differs in white space alone."""
    assert written(one) != written(other)
    assert written(one) == written(f" {one}\n")


def test_the_pages_commands_give_its_first_answer() -> None:
    """The command as it is typed, in a process of its own, and the request that follows it."""
    block = re.findall(r"```sh\n(.*?)```", PAGE, re.S)[0].replace("\\\n", " ")
    serve, curl = (shlex.split(line) for line in block.strip().splitlines())
    assert serve[:2] == ["video-emulator", "serve"]
    with serving.process(*serve[2:]) as server:
        answer = ask(server, curl)
    golden = GOLDEN / ROWS[0]["answer"]
    assert written(answer) == written(golden.read_text(encoding="utf-8"))


def ask(server: serving.Served, curl: list[str]) -> str:
    """What a curl command of the page prints, sent to this server."""
    command = [word.replace("http://127.0.0.1:8080", server.url) for word in curl]
    done = subprocess.run(  # noqa: S603 - the page's own command
        serving.tool(command), capture_output=True, text=True, check=True, cwd=ROOT, timeout=serving.PATIENCE
    )
    return done.stdout
