"""Names of the functions that are stood in for: ``from time import sleep`` makes one of the module's own."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, ClassVar, Final, TypeAlias

from emulator.fast_forward.stand_ins import STAND_INS, is_tool

_Namespace: TypeAlias = dict[str, Any]
_Pairs: TypeAlias = Iterable[tuple[Callable[..., Any], Callable[..., Any]]]

# Not `vars`: a lazy module would begin to load, and some kinds of module make up a `__dict__` of their own.
_namespace_of: Final = vars(ModuleType)["__dict__"].__get__
_OURS: Final = __name__.rpartition(".")[0]


class _Known:
    """What earlier looks have found: most modules have none of the names, and get none later."""

    clean: ClassVar[dict[str, tuple[int, int]]] = {}
    """Modules without them: which namespace it was, and how many names it had."""
    seen: ClassVar[frozenset[str]] = frozenset()
    """The modules that there were when the stand-ins were put."""
    changed: ClassVar[list[_Namespace]] = []
    """Where they were put."""


def put_stand_ins() -> None:
    """Put the stand-ins in place of the real functions.

    The standard library keeps what it has imported by name: its queues, locks and selectors wait really.
    """
    _Known.seen = frozenset(sys.modules)
    _Known.changed = [vars(time), vars(asyncio), vars(asyncio.tasks)]
    _exchange(_Known.changed, STAND_INS)
    for name, namespace in _namespaces():
        sign = (id(namespace), len(namespace))
        if (
            _Known.clean.get(name) == sign
            or name.partition(".")[0] in sys.stdlib_module_names
            or is_tool(name)
        ):
            continue
        if _exchange([namespace], STAND_INS):
            _Known.changed.append(namespace)
        else:
            _Known.clean[name] = sign


def put_back() -> None:
    """Put the real functions back, in modules that were imported meanwhile, too."""
    back = [(stand_in, real) for real, stand_in in STAND_INS]
    later = [
        namespace
        for name, namespace in _namespaces()
        if name not in _Known.seen and not name.startswith(_OURS)
    ]
    _exchange([*_Known.changed, *later], back)
    _Known.changed = []


def _namespaces() -> Iterator[tuple[str, _Namespace]]:
    for name, module in list(sys.modules.items()):
        if issubclass(type(module), ModuleType):  # `isinstance` would ask a lazy one what it is
            yield name, _namespace_of(module)


def _exchange(namespaces: Iterable[_Namespace], pairs: _Pairs) -> bool:
    """Whether there was anything to exchange. By identity alone: a comparison would run other people's code."""
    others = {id(old): new for old, new in pairs}
    wanted = frozenset(others)
    found = False
    for namespace in namespaces:
        if wanted.isdisjoint(map(id, list(namespace.values()))):
            continue
        found = True
        for name, value in list(namespace.items()):
            if id(value) in others:
                namespace[name] = others[id(value)]
    return found
