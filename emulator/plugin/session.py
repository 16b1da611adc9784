"""The emulator that a run of pytest has."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from emulator.client.errors import EmulatorError, NotAllowed
from emulator.core.errors import ScenarioError, as_text
from emulator.embedded.emulators import Emulator, EmulatorServer
from emulator.embedded.servers import Here, There
from emulator.library import Library
from emulator.plugin.patience import Patience
from emulator.plugin.refusals import refused
from emulator.plugin.settings import Settings, settings_of

_STATE: Final = pytest.StashKey["Session"]()


class Session:
    """What a run has, from the first test that asks for it on."""

    def __init__(self, config: pytest.Config) -> None:
        self.settings = settings_of(config)
        seconds = self.settings.patience
        self.patience = None if seconds is None else Patience(seconds)
        self.haunted: list[Emulator] = []
        """Worlds of tests that were interrupted, whose clients may poll on: they are told there that it is over."""
        config.pluginmanager.register(self)

    def pytest_enter_pdb(self) -> None:
        """Whoever looks around in a debugger has all the time in the world."""
        if self.patience is not None:
            self.patience.rest()

    def pytest_unconfigure(self) -> None:
        """The run is over, also where a fixture of its own had the server in place of ours."""
        if self.patience is not None:
            self.patience.close()


def session_of(config: pytest.Config) -> Session:
    """What the run has."""
    if _STATE not in config.stash:
        config.stash[_STATE] = Session(config)
    return config.stash[_STATE]


@contextmanager
def served(config: pytest.Config) -> Iterator[EmulatorServer]:
    """The emulator, until the run ends. Where there can't be one, each test that asks for it is told why."""
    session = session_of(config)
    with _refusals(session.settings):
        server = _server(session.settings)
    try:
        with _refusals(session.settings):
            server.client().namespaces.list(limit=0)  # what tests will need, and not everybody may ask for
        yield server
    finally:
        for emulator in session.haunted:
            emulator.close()
        server.close()


@contextmanager
def _refusals(settings: Settings) -> Iterator[None]:
    """Have whoever asks for the emulator told what keeps it away."""
    try:
        yield
    except ScenarioError as error:
        told = "\n".join(map(as_text, error.problems))
        raise refused(f"the scenarios of {settings.scenarios} have mistakes\n{told}") from None
    except OSError as problem:
        raise refused(f"the scenarios of {settings.scenarios} can't be read: {problem}") from None
    except NotAllowed as refusal:
        option = "admin-token" if refusal.status_code == 401 else "url"
        raise refused(f"--video-emulator-{option}: {refusal.detail}") from None
    except EmulatorError as problem:
        raise refused(f"--video-emulator-url: {problem}") from None


def _server(settings: Settings) -> EmulatorServer:
    given = {"seed": settings.seed, "profile": settings.profile}
    defaults = {name: value for name, value in given.items() if value is not None}
    if settings.url is None:
        return EmulatorServer(Here(scenarios=settings.scenarios, listens=not settings.no_socket), **defaults)
    own = Library(settings.scenarios)  # the emulator elsewhere hasn't got them
    texts = {name: own.text(name) or "" for name in own.own_names()}
    return EmulatorServer(There(settings.url, admin_token=settings.admin_token), texts, **defaults)
