"""What the tests in this package test: an emulator of this process, or the provider that pytest's options name."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import pytest

from emulator.client.place import is_here
from emulator.clock import Clock, wall_time
from emulator.contract import comparison
from emulator.contract.calling import Caller
from emulator.contract.checks import names_of
from emulator.contract.dialect import KEY_VARIABLES, Dialect
from emulator.contract.evidence import Evidence
from emulator.contract.report import Report, report_of
from emulator.contract.running import Wish, run
from emulator.contract.session import Means, Session
from emulator.contracts.contract import contract_of
from emulator.core.scenario import ClockSettings
from emulator.core.units import MINUTE, Duration, parse_duration
from emulator.core.words import Profile
from emulator.providers import by_name

_PREFIX: Final = "video_emulator_"
_TIMEOUT: Final = 30.0
_MOST_CREATES: Final = 20
"""As the command has it."""
RUN: Final = "run"
"""The test that fails where a run couldn't do what it was told: the checks that it left out are skipped."""


class Target(msgspec.Struct, frozen=True):
    """One provider, and the profile that it is judged by."""

    provider: str
    profile: Profile | None
    """``None``: the nearer one."""

    def __str__(self) -> str:
        return f"{self.provider}-{self.profile or 'auto'}"


def targets_of(config: pytest.Config) -> list[Target]:
    """What is tested.

    Raises:
        pytest.UsageError: the options can't be understood, or don't go together.
    """
    provider, url = _said(config, "provider"), _said(config, "base_url")
    if provider is not None and provider not in by_name:
        names = ", ".join(by_name)
        raise pytest.UsageError(f"--video-emulator-provider: expected one of {names}, got {provider!r}")
    if url is not None and provider is None:
        raise pytest.UsageError("--video-emulator-base-url: whose it is, --video-emulator-provider says")
    if url is None and (_said(config, "create") or config.getoption(f"{_PREFIX}task")):
        raise pytest.UsageError("--video-emulator-create and -task go with --video-emulator-base-url")
    if url is not None and provider is not None:
        _key(config, provider)
        _means(config)
    told = _said(config, "profile")
    if told is not None or url is not None:
        profiles: tuple[Profile | None, ...] = (None if told is None else Profile(told),)
    else:
        profiles = tuple(Profile)
    return [Target(name, profile) for name in ([provider] if provider else by_name) for profile in profiles]


def checks_of(target: Target) -> list[str]:
    """The checks of a target; where its profile isn't known ahead those of both."""
    contract = contract_of(target.provider)
    profiles = tuple(Profile) if target.profile is None else (target.profile,)
    return [RUN, *dict.fromkeys(name for profile in profiles for name in names_of(contract, profile))]


def _said(config: pytest.Config, name: str) -> str | None:
    text = config.getoption(f"{_PREFIX}{name}")
    return str(text) if text else None


class Reports:
    """One run for each target, made when somebody first asks for it."""

    def __init__(self, config: pytest.Config) -> None:
        """Nothing is sent yet."""
        self._config = config
        self._reports: dict[Target, Report] = {}

    def of(self, target: Target) -> Report:
        """What the target's run came to."""
        if target not in self._reports:
            self._reports[target] = self._report(target)
        return self._reports[target]

    def _report(self, target: Target) -> Report:
        url = _said(self._config, "base_url")
        if url is not None:
            evidence = asyncio.run(self._asked(target, url))
        else:
            profile = target.profile or Profile.DOCUMENTED
            evidence = asyncio.run(comparison.emulated(target.provider, profile, wall_time()))
        return report_of(evidence, profile=target.profile)

    async def _asked(self, target: Target, url: str) -> Evidence:
        name, key = _key(self._config, target.provider)
        dialect = Dialect(target.provider, url, key)
        means = msgspec.structs.replace(_means(self._config), paces=not is_here(url))
        evidence = Evidence(provider=target.provider, base_url=dialect.base_url, begun_at=wall_time())
        caller = Caller(_TIMEOUT)
        try:
            session = Session(dialect, caller, evidence, means, clock=Clock(ClockSettings()), tell=_tell)
            tasks = tuple(self._config.getoption(f"{_PREFIX}task") or ())
            await run(session, Wish(tasks=tasks, key_name=name))
        finally:
            await caller.close()
        return evidence


def _key(config: pytest.Config, provider: str) -> tuple[str, str]:
    """The variable that holds the key, and the key."""
    name = _said(config, "api_key_env") or KEY_VARIABLES[provider]
    key = os.environ.get(name, "").strip()
    if not key:
        told = "set it, or name another by --video-emulator-api-key-env"
        raise pytest.UsageError(f"${name}: expected the API key, got nothing; {told}")
    return name, key


def _means(config: pytest.Config) -> Means:
    values: dict[str, Any] = {}
    for name, (setting, read) in _READERS.items():
        text = _said(config, name)
        try:
            values |= {} if text is None else {setting: read(text)}
        except ValueError as problem:
            raise pytest.UsageError(f"--video-emulator-{name.replace('_', '-')}: {problem}") from None
    means = Means(**values)
    if means.creates and (hasattr(config, "workerinput") or config.getoption("numprocesses", None)):
        told = "each of several workers would make tasks; leave -n out"
        raise pytest.UsageError(f"--video-emulator-create: {told}")
    return means


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= _MOST_CREATES):
        raise ValueError(f"expected how many paid tasks may be made, from 0 to {_MOST_CREATES}, got {text!r}")
    return int(text)


def _minutes(text: str) -> Duration:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text):
        raise ValueError(f"expected a number of minutes such as 15 or 0.5, got {text!r}")
    return int(float(text) * MINUTE)


_READERS: Final[Mapping[str, tuple[str, Any]]] = {
    "create": ("creates", _whole),
    "interval": ("interval", parse_duration),
    "max_minutes": ("longest", _minutes),
}


def _tell(step: str) -> None:
    """Progress, where pytest is told to show it (``-s``)."""
    print(step, file=sys.stderr)  # noqa: T201 - it is what -s is for


def ids(targets: list[Target]) -> Iterator[tuple[Target, str]]:
    """Every check of every target."""
    for target in targets:
        for check in checks_of(target):
            yield target, check
