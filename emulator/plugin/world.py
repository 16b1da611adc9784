"""The world of one test."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from emulator.client.errors import BadRequest, EmulatorError, NotFound, Refused
from emulator.embedded.emulators import Emulator, EmulatorServer
from emulator.plugin.marks import Wanted, wanted
from emulator.plugin.refusals import refused
from emulator.plugin.session import session_of

_SUFFIXES: Final = (".yaml", ".yml", ".json")
_REQUEST: Final = re.compile("^request:", re.M)


@contextmanager
def world(request: pytest.FixtureRequest, server: EmulatorServer) -> Iterator[Emulator]:
    """A fresh namespace as the test's markers ask for it, watched until the test ends."""
    item: pytest.Item = request.node
    emulator = _made(item, server, wanted(item))
    session = session_of(item.config)
    patience = session.patience
    try:
        if patience is not None:
            patience.watch(emulator)
        yield emulator
    finally:
        if patience is not None and patience.rest():
            session.haunted.append(emulator)
        else:
            emulator.close()


def _made(item: pytest.Item, server: EmulatorServer, asked: Wanted) -> Emulator:
    what = _found(item, asked.what)
    try:
        return server.emulator(what, name=item.name, folder=item.path.parent, **asked.beginning)
    except (BadRequest, NotFound) as refusal:
        raise refused(f"@pytest.mark.scenario: {_words(refusal)}") from None
    except EmulatorError as problem:
        raise refused(str(problem)) from None
    except (TypeError, ValueError, OSError) as problem:
        raise refused(f"@pytest.mark.scenario: {problem}") from None


def _words(refusal: Refused) -> str:
    """What was refused, with the lines of a scenario's mistakes, which stand in no request that the author knows of."""
    if refusal.text == refusal.detail:
        return refusal.detail
    return f"the scenario has mistakes\n{_REQUEST.sub('scenario:', refusal.text)}"


def _found(item: pytest.Item, what: Any) -> Any:
    """The scenario. The relative path of a file that isn't beside the test begins where the run does."""
    if isinstance(what, str) and what.endswith(_SUFFIXES) and "\n" not in what:
        what = Path(what)
    if isinstance(what, Path) and not (item.path.parent / what).exists():
        from_root = item.config.rootpath / what
        return from_root if from_root.exists() else what
    return what
