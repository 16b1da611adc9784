"""Names that modules gave to the functions: found, put back, and nothing else touched."""

import asyncio
import importlib.util
import queue
import selectors
import sys
import threading
import time
from types import ModuleType
from typing import Any

import pytest

from emulator.core.units import DAY, SECOND
from emulator.fast_forward import FastForward

CLIENT = "from time import sleep as nap, monotonic\nfrom asyncio import sleep\n"


def client(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that imported the functions by name."""
    module = ModuleType(name)
    exec(CLIENT, vars(module))  # noqa: S102 - the text above
    monkeypatch.setitem(sys.modules, name, module)
    return module


def test_finds_names_that_modules_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """``from time import sleep`` follows, whatever it is called there, and is the original afterwards."""
    advances: list[int] = []
    module = client("some_client.polling", monkeypatch)
    before = dict(vars(module))
    with FastForward(advances.append, limit=DAY):
        module.nap(5)
        asyncio.run(module.sleep(7))
        ahead = module.monotonic() - before["monotonic"]()
    assert advances == [5 * SECOND, 7 * SECOND]
    assert ahead > 11
    assert vars(module) == before


def test_puts_back_what_was_imported_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that loads while it holds gets the stand-ins, and the originals afterwards."""
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY):
        late = [client("late_client", monkeypatch), client("pytest_late", monkeypatch)]
        late[0].nap(5)
    assert advances == [5 * SECOND]
    for module in late:
        assert (module.nap, module.monotonic, module.sleep) == (time.sleep, time.monotonic, asyncio.sleep)


@pytest.mark.parametrize(
    "name", ["_pytest.mine", "pytest_mine", "hypothesis.mine", "xdist.mine", "emulator.mine"]
)
def test_leaves_tools_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs the tests keeps its real functions."""
    module = client(name, monkeypatch)
    before = dict(vars(module))
    with FastForward(lambda _: None, limit=DAY):
        assert vars(module) == before


def test_leaves_the_standard_library_alone() -> None:
    """Its locks and queues count real time; `asyncio`'s own names are the only ones that change."""
    modules = (queue, selectors, threading)
    before = [dict(vars(module)) for module in modules]
    with FastForward(lambda _: None, limit=DAY):
        assert [dict(vars(module)) for module in modules] == before
        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(timeout=0.001)


def test_loads_no_lazy_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that would load at the first look at it stays unloaded."""
    spec = importlib.util.find_spec("this")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "some_lazy_client", lazy)
    spec.loader.exec_module(lazy)
    with FastForward(lambda _: None, limit=DAY):
        pass
    assert type(lazy) is not ModuleType, "it has been loaded: that makes an ordinary module of it"


class Touchy(ModuleType):
    """A module that makes up its names, and doesn't like to be asked."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"asked for {name}")

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        raise RuntimeError("asked for all")


class Prickly:
    """A value that doesn't like to be compared, nor to be asked what it is."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    __hash__ = None  # type: ignore[assignment]

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("asked for its class")


def test_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at names by identity alone; what isn't a module is passed over."""
    module = client("touchy_client", monkeypatch)
    module.value = Prickly()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "touchy", Touchy("touchy"))
    monkeypatch.setitem(sys.modules, "no_module", Prickly())
    monkeypatch.setitem(sys.modules, "none", None)
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY):
        module.nap(1)
    assert advances == [SECOND]
