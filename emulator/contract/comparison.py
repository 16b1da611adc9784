"""The same checks run against an emulator of this process: what stands beside the provider's answers."""

from collections.abc import Mapping
from typing import Final

from emulator.contract.calling import Caller
from emulator.contract.dialect import Dialect
from emulator.contract.evidence import Evidence
from emulator.contract.masks import Sample
from emulator.contract.running import Wish, run
from emulator.contract.session import Means, Session
from emulator.core.scenario import Scenario, takes
from emulator.core.units import MINUTE, SECOND, Duration, Instant, format_duration
from emulator.core.words import Profile
from emulator.embedded import Emulator
from emulator.library import Library

SCENARIO: Final = "contract"
"""The shipped one that has a task in every status."""
KEY: Final = "sk-good-contract"
"""One that it counts among the good ones."""
_TIMEOUT: Final = 30.0
_MEANS: Final = Means(interval=SECOND, longest=10 * MINUTE, creates=1, paces=False)


class _Forward:
    """Moves the emulator's clock instead of waiting."""

    def __init__(self, emulator: Emulator) -> None:
        self._clock = emulator.clock

    async def pause(self, duration: Duration) -> None:
        """Let that much time pass in the emulator."""
        if duration > 0:
            self._clock.advance(format_duration(duration))


def tasks_of(provider: str) -> tuple[str, ...]:
    """The ids of the provider's tasks in the shipped scenario."""
    scenario: Scenario | None = Library().get(SCENARIO)
    assert scenario is not None  # it is shipped
    return tuple(item.id for item in scenario.items if item.id is not None and takes(item, provider))


async def emulated(provider: str, profile: Profile, begun_at: Instant) -> Evidence:
    """What the checks see of an emulator of this process, in one of the provider's faces, at once."""
    with Emulator(SCENARIO, profile=profile.value) as emulator:
        url = emulator.url(provider)
        evidence = Evidence(provider=provider, base_url=url, begun_at=begun_at)
        caller = Caller(_TIMEOUT)
        try:
            session = Session(Dialect(provider, url, KEY), caller, evidence, _MEANS, clock=_Forward(emulator))
            await run(session, Wish(tasks=tasks_of(provider)))
        finally:
            await caller.close()
    return evidence


def twins_in(evidence: Evidence, profile: Profile) -> Mapping[tuple[str, str], Sample]:
    """The answers by operation and outcome: the first of each."""
    found: dict[tuple[str, str], Sample] = {}
    for observation in evidence.observations:
        if observation.sample is not None:
            found.setdefault((observation.operation, observation.outcome[profile]), observation.sample)
    return found
