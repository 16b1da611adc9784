"""`Emulator`: a world of one's own in an emulator, in this process or elsewhere, asked and judged in the same words."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from emulator.client.clients import AsyncClient, Client
from emulator.client.errors import BadRequest, EmulatorError
from emulator.client.scenarios import ScenarioSource, names_itself
from emulator.client.times import Duration, Instant, TimeOut, duration_text
from emulator.clock import wall_time
from emulator.core import units
from emulator.embedded.servers import Here, Server, There
from emulator.embedded.stay import AsyncStaying, Stay, Staying
from emulator.embedded.worlds import Beginning, Profile, beginning

if TYPE_CHECKING:
    from emulator.fast_forward import FastForward

_LIMIT: Final = "6h"
_UNASKED: Final = "happy-path"
"""What is in force where nobody names a scenario."""
_LONGEST_HINT: Final = 36
_SOURCE: Final = re.compile(r"\brequest:(?=\d+:\d+: )")
"""What the place of a mistake begins with in a text that was posted."""
_numbers = count(1)


class Emulator(Client):
    """A fresh namespace, in an emulator of this process or in one that runs elsewhere, until `close`.

    It has all that `Client` has. Used as a context manager it is dropped at the end; `async with` gives the same as an
    `AsyncEmulator`.
    """

    _server: Server
    _owns: bool
    _namespace: str
    _stay: Stay

    def __init__(  # noqa: PLR0913 - what `serve` may be told
        self,
        scenario: ScenarioSource | None = None,
        *,
        url: str | None = None,
        clock: str | None = None,
        start: Instant | None = None,
        seed: int | str | None = None,
        profile: Profile | None = None,
        scenarios: Path | str | None = None,
        listen: bool = True,
        admin_token: str | None = None,
        timeout: TimeOut = "10s",
    ) -> None:
        """Make the namespace.

        Args:
            scenario: the one in force: a name, a path, a text in YAML or JSON, or keys and values; left out:
                ``happy-path``.
            url: of an emulator that runs elsewhere; left out: one in this process.
            clock: ``manual``, ``auto``, ``real`` or ``scaled:60``; left out: as the scenario says, else ``manual``.
            start: what the clock shows at first; left out: as the scenario says, else the present.
            seed: what draws are keyed by, for scenarios that name none; left out: the server's, which is 0 here.
            profile: the providers' face for scenarios that name none: ``documented`` or ``current``.
            scenarios: a folder of scenario files that can be named; for an emulator in this process.
            listen: whether an emulator in this process may open a socket; else `transport` alone reaches it.
            admin_token: what the control API of one elsewhere asks for.
            timeout: how long a call of the control API may take, in real time.

        Raises:
            BadRequest: the scenario has mistakes, which its text shows with their lines; or a value is out of bounds.
            NotFound: no scenario has this name.
            ScenarioError: the folder has files with mistakes.
            EmulatorUnreachable: nothing answers at the URL.
            OSError: the scenario's file or the folder can't be read.
            TypeError: an argument is of another type.
            ValueError: an argument can't be understood, or doesn't go with another.
        """
        _check_company(url, scenarios, admin_token, listen=listen)
        wanted = beginning(scenario, clock=clock, start=start, seed=seed, profile=profile)
        server: Server = (
            Here(scenarios=_folder(scenarios), listens=listen, timeout=timeout)
            if url is None
            else There(url, admin_token=admin_token, timeout=timeout)
        )
        try:
            self._settle(server, wanted, "emulator", owns=True)
        except BaseException:
            server.close()
            raise

    def _settle(self, server: Server, wanted: Beginning, hint: str, *, owns: bool) -> None:
        """Make a fresh namespace on the server, and speak about it from now on."""
        name = _fresh_name(server, hint)
        self._server, self._owns, self._namespace, self._stay = server, owns, name, Stay()
        self._begin(Staying(server.sender(name), self._stay), closes=False)
        self.namespaces.create(
            name,
            # Also where the server was started with another one: a world is the same wherever it is.
            scenario=_UNASKED if wanted.scenario is None else wanted.scenario,
            seed=wanted.seed,
            clock=wanted.clock_fields,  # type: ignore[arg-type] # read by `worlds`
            default_clock={"mode": "manual"},
            profile=wanted.profile,
        )
        if wanted.posted is not None:
            try:
                self._post(wanted.posted, wanted.posted_name)
            except BaseException:
                self._drop()
                raise

    def _post(self, scenario: ScenarioSource, name: str | None) -> None:
        try:
            self.scenarios.post(scenario, name=name, activate=True)
        except BadRequest as refusal:
            if isinstance(scenario, Path):
                raise _told_of(scenario, refusal) from None
            raise

    @property
    def name(self) -> str:
        """The namespace's."""
        return self._namespace

    def transport(self) -> Any:
        """A transport for ``httpx.Client`` and ``httpx.AsyncClient``, or for those of httpx2, into this namespace.

        To an emulator in this process it needs no socket, and it doesn't mind which host a request names: a client
        whose base URL is built in needs nothing else.
        """
        return self._server.transport(self._namespace, self._stay)

    @contextmanager
    def fast_forward(self, limit: Duration = _LIMIT) -> "Iterator[FastForward]":
        """While it holds, sleeps of this thread and of its asyncio tasks move the emulator's clock instead of waiting.

        Gaps between polls are judged by the emulator's clock from then on.

        Args:
            limit: how much may be slept in all.

        Raises:
            SleptTooLong: in the code that sleeps, once it has slept more than ``limit``: it would never give up.
        """
        from emulator.fast_forward import FastForward  # noqa: PLC0415 - few need it

        self._basis = self.aio._basis = "emulator"  # noqa: SLF001 - its twin
        with FastForward(self._forward, limit=units.parse_duration(duration_text(limit))) as forward:
            yield forward

    def _forward(self, by: units.Duration) -> None:
        self.clock.advance(units.format_duration(by))

    @cached_property
    def aio(self) -> "AsyncEmulator":
        """The same namespace for an event loop: each call is awaited."""
        return AsyncEmulator(self)

    def close(self) -> None:
        """Drop the namespace, and stop the emulator if it was made for it. Closing it twice is closing it once.

        Requests that are held are let go of where the emulator stops. Afterwards nothing can be asked of it.
        """
        try:
            self._drop()
        finally:
            self._stay.is_over = True
            if self._owns:
                self._server.close()

    def _drop(self) -> None:
        if self._server.is_mine:  # else it is another process's to drop
            with suppress(EmulatorError):  # it is gone already, or its server is
                self.namespaces.drop(self._namespace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._leave(raised)

    async def __aenter__(self) -> "AsyncEmulator":
        return self.aio

    async def __aexit__(self, *raised: object) -> None:
        self._leave(raised)

    def _leave(self, raised: Sequence[object]) -> None:
        """Close; a failure tells first what had happened here."""
        problem = raised[1] if len(raised) > 1 else None
        if isinstance(problem, Exception) and not self._stay.is_over:
            from emulator.embedded.story import story  # noqa: PLC0415 - only a failure tells it

            with suppress(EmulatorError):
                told = story(self)
                problem.add_note(told.text)
                problem.video_emulator = told  # type: ignore[attr-defined] # for the plugin, which may keep the scenario
        self.close()


class AsyncEmulator(AsyncClient):
    """As `Emulator`, for an event loop: what ``async with Emulator()`` gives, and what `Emulator.aio` is."""

    def __init__(self, emulator: Emulator) -> None:
        """See `Emulator.aio`."""
        self._emulator = emulator
        sender = emulator._server.async_sender(emulator.name)  # noqa: SLF001 - its twin
        self._begin(AsyncStaying(sender, emulator._stay), closes=False)  # noqa: SLF001 - as above

    @property
    def name(self) -> str:
        """The namespace's."""
        return self._emulator.name

    def transport(self) -> Any:
        """As `Emulator.transport`."""
        return self._emulator.transport()

    def fast_forward(self, limit: Duration = _LIMIT) -> "AbstractContextManager[FastForward]":
        """As `Emulator.fast_forward`: a plain context manager."""
        return self._emulator.fast_forward(limit)

    async def close(self) -> None:
        """As `Emulator.close`, which takes a few milliseconds."""
        self._emulator.close()


class EmulatorServer:
    """An emulator that gives worlds away: what the fixture ``video_emulator_server`` is."""

    def __init__(self, server: Server, texts: Mapping[str, str] | None = None, **defaults: Any) -> None:
        """Take over a server.

        Args:
            server: where namespaces are made.
            texts: scenarios that can be named, and that the server hasn't got.
            defaults: what worlds begin with where nobody says.
        """
        self._server = server
        self._texts = texts or {}
        self._defaults = defaults

    @property
    def url(self) -> str:
        """What clients reach it by."""
        return self._server.url

    def emulator(
        self,
        scenario: ScenarioSource | None = None,
        *,
        clock: str | None = None,
        start: Instant | None = None,
        seed: int | str | None = None,
        profile: Profile | None = None,
        name: str = "test",
        folder: Path | None = None,
    ) -> Emulator:
        """A fresh namespace, as a context manager or until it is closed.

        Args:
            scenario: as `Emulator` takes it.
            clock: as `Emulator` takes it.
            start: as `Emulator` takes it.
            seed: as `Emulator` takes it.
            profile: as `Emulator` takes it.
            name: what the namespace's name begins with.
            folder: where the relative path of a scenario begins.
        """
        told = {"clock": clock, "start": start, "seed": seed, "profile": profile}
        given = {**self._defaults, **{key: value for key, value in told.items() if value is not None}}
        made = Emulator.__new__(Emulator)
        wanted = self._brought(beginning(scenario, folder=folder, **given))
        made._settle(self._server, wanted, name, owns=False)  # noqa: SLF001 - it makes them
        return made

    def _brought(self, wanted: Beginning) -> Beginning:
        """With the text of a scenario that the server can't know by its name."""
        asked = _UNASKED if wanted.scenario is None else wanted.scenario
        text = self._texts.get(asked) if wanted.posted is None else None
        if text is None:
            return wanted
        name = None if names_itself(text) else asked
        return msgspec.structs.replace(wanted, scenario=None, posted=text, posted_name=name)

    def client(self) -> Client:
        """The control API of the server and its default namespace."""
        made = Client.__new__(Client)
        made._begin(self._server.sender(None), closes=False)  # noqa: SLF001 - it makes them
        return made

    def close(self) -> None:
        """Stop it if it was started for this."""
        self._server.close()


def _check_company(url: str | None, scenarios: object, admin_token: object, *, listen: bool) -> None:
    """Refuse arguments that would have no effect."""
    if url is None:
        if admin_token is not None:
            raise ValueError(
                "admin_token: an emulator in this process asks for none; give it together with url"
            )
        return
    if scenarios is not None:
        raise ValueError(
            "scenarios: an emulator at a url has its own; give one of them as scenario, with its Path"
        )
    if not listen:
        raise ValueError("listen: an emulator at a url listens already; leave one of the two out")


def _folder(scenarios: Path | str | None) -> Path | None:
    if scenarios is not None and not isinstance(scenarios, str | Path):
        raise TypeError(f"scenarios: expected the path of a folder, got {scenarios!r}")
    folder = None if scenarios is None else Path(scenarios)
    if folder is not None and not folder.is_dir():
        raise NotADirectoryError(f"scenarios: expected the path of a folder, and there is none at {folder}")
    return folder


def _told_of(path: Path, refusal: BadRequest) -> BadRequest:
    """The refusal of a file's text, with the file's path where the emulator knows of a request alone."""
    document = refusal.document
    text, detail = (
        None if told is None else _SOURCE.sub(lambda _: f"{path}:", told)
        for told in (document.text, document.detail)
    )
    return BadRequest(msgspec.structs.replace(document, text=text, detail=detail or ""))


def _fresh_name(server: Server, hint: str) -> str:
    """A name that no other namespace of the server has; elsewhere others make namespaces, too."""
    plain = re.sub(r"[^a-z0-9]+", "-", hint.lower()).strip("-")[:_LONGEST_HINT].strip("-") or "test"
    own = f"{wall_time():x}-{os.getpid():x}-" if isinstance(server, There) else ""
    return f"{plain}-{own}{next(_numbers)}"
