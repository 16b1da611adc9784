"""The pages of documentation on the control API: conversations that run as they stand, and lists that are whole."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from emulator.control import ROUTES
from emulator.control.routes import PREFIX
from tests import serving
from tests.serving import Process

DOCS: Final = Path(__file__).parent.parent.parent / "docs"
PAGES: Final = {
    name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("control-api", "evidence")
}
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
OMITTED: Final = "..."


class Turn(msgspec.Struct, frozen=True):
    """One request of a page, and what the page says of the answer."""

    method: str
    target: str
    headers: dict[str, str]
    body: str
    answer: Any = None
    text: str | None = None


def turns(page: str) -> Iterator[Turn]:
    """The requests of a page in their order, each with the block of JSON or text that follows it."""
    blocks = [(match[1], match[2]) for match in BLOCK.finditer(page)]
    for number, (language, content) in enumerate(blocks):
        if language != "http":
            continue
        head, _, body = content.partition("\n\n")
        first, *fields = head.strip().split("\n")
        method, target = first.split(" ")
        headers = dict(field.split(": ", 1) for field in fields)
        following = blocks[number + 1] if number + 1 < len(blocks) else ("", "")
        answer = json.loads(following[1]) if following[0] == "json" else None
        text = following[1] if following[0] == "text" else None
        yield Turn(method, target, headers, body, answer, text)


@pytest.mark.parametrize("name", PAGES)
def test_its_conversation_runs_as_it_stands(name: str) -> None:
    """Every answer is the page's, less what the page omits; what it shows nothing of succeeds."""
    with serving.process("--clock", "manual", "--start", "2025-01-01T00:00:00Z", "--port", "0") as server:
        last_id = ""
        count = 0
        for turn in turns(PAGES[name]):
            count += 1
            last_id = take(server, turn, last_id)
    assert count > 5


def take(server: Process, turn: Turn, last_id: str) -> str:
    """One turn; the id of the task that was spoken of last."""
    headers = {"host": "localhost:8080", **turn.headers}
    body = turn.body.encode() if turn.body else None
    if body is not None:
        headers.setdefault("content-type", "application/json")
    answer = server.call(turn.method, turn.target.replace(f"video_{OMITTED}", last_id), body, headers)
    where = f"{turn.method} {turn.target}: {answer.body!r}"
    expected = turn.answer["status"] if is_problem(turn.answer) else None
    assert answer.status_code == expected if expected else answer.status_code < 300, where
    if turn.answer is not None:
        agree(answer.json(), turn.answer, where)
    if turn.text is not None:
        for line in turn.text.splitlines():
            assert line in answer.body.decode(), line
    found = re.search(rb'"id":"(video_\w{20,})"', answer.body)
    return found[1].decode() if found else last_id


def is_problem(answer: Any) -> bool:
    """Whether the page shows a problem document."""
    return isinstance(answer, dict) and {"title", "status", "detail"} <= set(answer)


def agree(got: Any, page: Any, where: str) -> None:
    """That the answer is what the page shows: ``...`` at a text's, an object's or a list's end stands for the rest."""
    if isinstance(page, str) and page.endswith(OMITTED):
        assert page == OMITTED or (isinstance(got, str) and got.startswith(page.removesuffix(OMITTED))), where
    elif isinstance(page, dict):
        shown = {name: value for name, value in page.items() if name != OMITTED}
        assert isinstance(got, dict), where
        assert (set(shown) <= set(got)) if OMITTED in page else (list(shown) == list(got)), (list(got), where)
        for name, value in shown.items():
            agree(got[name], value, f"{name} of {where}")
    elif isinstance(page, list) and page and page[-1] == OMITTED:
        for item in page[:-1]:
            assert any(agrees(one, item) for one in got), (item, where)
    elif isinstance(page, list):
        assert isinstance(got, list), where
        assert len(got) == len(page), where
        for one, item in zip(got, page, strict=True):
            agree(one, item, where)
    else:
        assert got == page, where


def agrees(got: Any, page: Any) -> bool:
    """Whether `agree` would say so."""
    try:
        agree(got, page, "")
    except AssertionError:
        return False
    return True


def test_each_route_has_a_row_and_a_section() -> None:
    """On one of the two pages, and nothing that isn't a route has."""
    routes = sorted(f"{route.method} {PREFIX}{route.path}" for route in ROUTES)
    for pattern in (r"^\| `(\w+ /__admin\S*)` \|", r"^###? `(\w+ /__admin\S*)`$"):
        told = [found for page in PAGES.values() for found in re.findall(pattern, page, re.M)]
        assert sorted(told) == routes
