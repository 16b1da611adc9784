"""The page on the Python client: its examples run, and its tables are whole."""

import inspect
import re
from pathlib import Path
from typing import Any

import emulator.client
from emulator import Client
from tests.serving import thread
from tests.worlds import World

PAGE = (Path(__file__).parents[2] / "docs" / "python-client.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def test_its_examples_run() -> None:
    """One after the other, as one program."""
    names: dict[str, Any] = {}
    with thread(World().app) as served:
        for block in BLOCKS:
            exec(block.replace("http://127.0.0.1:8080", served.url), names)  # noqa: S102 - the page's own


def test_its_examples_check_something() -> None:
    """Each of them."""
    assert len(BLOCKS) == 10
    assert all("assert " in block for block in BLOCKS)


def test_it_lists_every_argument() -> None:
    """With its default."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE.partition("## A test")[0], re.M)
    parameters = list(inspect.signature(Client).parameters.values())
    assert [name for name, _ in rows] == [parameter.name for parameter in parameters]
    for (_, written), parameter in zip(rows, parameters, strict=True):
        if parameter.default is not None:
            assert str(parameter.default) == written.strip('`"')


def test_it_lists_every_exception() -> None:
    """That the package has, and no other."""
    _, _, section = PAGE.partition("## When something goes wrong")
    listed = re.findall(r"^\| `(\w+)` \|", section, re.M)
    assert set(listed) == set(emulator.client.__all__) - {"Client", "AsyncClient"}


def test_it_names_every_method() -> None:
    """Of the client and of its subjects, somewhere."""
    with Client() as client:
        subjects = [
            *(client, client.clock, client.scenarios, client.tasks, client.requests, client.namespaces),
            client.providers,
        ]
        names = {name for subject in subjects for name in dir(subject) if not name.startswith("_")}
    words = set(re.findall(r"\w+", PAGE))
    assert names - words == set()
