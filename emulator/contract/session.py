"""One run's means: requests at a respectful pace, each answer held against the contract and written down."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeAlias

import msgspec

from emulator.clock import real_time
from emulator.contract.calling import Ask, Caller, Came, Unreachable
from emulator.contract.checks import UNKNOWN
from emulator.contract.dialect import Dialect, Question
from emulator.contract.evidence import Evidence, Observation, of_both
from emulator.contract.masks import sample_of
from emulator.contracts.behaviours import Behaviour, behaviours_of, broken
from emulator.contracts.findings import Finding
from emulator.contracts.judgement import Judgement, judged
from emulator.core.units import SECOND, Duration, format_duration
from emulator.core.words import OperationName, Profile

_PACE: Final[Duration] = SECOND
"""Fact sheet, AceData's guide: stay under one request a second. Nobody minds on this machine."""
_WAITS: Final = (2, 4, 8, 16, 30)
"""Seconds before an answer that says "later" is asked for again."""
_LATER: Final = frozenset({429, 500, 502, 503, 504})
_WORSE: Final = frozenset({500, 502, 503, 504})
_TRIES_WORSE: Final = 2
_BY_STATUS: Final = {
    429: ("rate_limited",),
    500: ("internal",),
    502: ("bad_gateway",),
    503: ("unavailable",),
    504: ("timeout",),
}


Among: TypeAlias = tuple[str, ...] | Mapping[Profile, tuple[str, ...]] | None
"""The outcomes that are right, by name: in each profile, or in both; ``None``: whichever it is."""


TIME_IS_UP: Final = "the time was up before everything had been asked; --max-minutes allows more"


class Waits(Protocol):
    """What waits: a clock, or whoever moves the provider's own clock instead."""

    async def pause(self, duration: Duration) -> None:
        """Come back once that much time has passed for the provider."""


class NotNow(Exception):
    """The provider put the run off for good: the text says how."""


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may spend."""

    interval: Duration = 5 * SECOND
    """Between two looks at a task. documents/003 recommends 3 to 5 s."""
    longest: Duration = 15 * 60 * SECOND
    creates: int = 0
    paces: bool = True
    """Whether requests are kept a second apart."""


class Session:
    """The run: what it asks, and what it has seen."""

    def __init__(
        self,
        dialect: Dialect,
        caller: Caller,
        evidence: Evidence,
        means: Means,
        *,
        clock: Waits,
        tell: Callable[[str], None] = lambda _: None,
        keep: Callable[[], None] = lambda: None,
    ) -> None:
        """Take over what the run has.

        Args:
            dialect: whom it asks, and how.
            caller: what sends.
            evidence: what earlier sittings saw, and where this one writes.
            means: what it may spend.
            clock: what waits between requests.
            tell: hears of each step, in a few words.
            keep: puts the evidence where an interruption can't take it.
        """
        self.dialect = dialect
        self.evidence = evidence
        self.means = means
        self.clock = clock
        self.tell = tell
        self.keep = keep
        self.behaviours = behaviours_of(dialect.provider.name)
        self._caller = caller
        self._ends_at = real_time() + means.longest
        self._asked_at: Duration | None = None

    @property
    def time_left(self) -> Duration:
        """How much longer it may take."""
        return self._ends_at - real_time()

    async def ask(self, check: str, question: Question, among: Among = None) -> Came:
        """The answer, held against the contract under a check's name.

        An answer that says "later" is written down as such, and asked for again.

        Args:
            check: the check.
            question: the request.
            among: the outcomes that are right.

        Raises:
            Unreachable: none came.
            NotNow: the provider puts it off for good.
        """
        for number, wait in enumerate((*_WAITS, None), 1):
            came = await self.send(question.ask)
            code = came.response.status_code
            if code not in _LATER or self._is_right(question, code, among):
                break
            self.observe("error-bodies", question, came, _BY_STATUS[code])
            if wait is None or (code in _WORSE and number > _TRIES_WORSE):
                raise NotNow(
                    f"the provider put a request off {number} times in a row, the last time with {code}"
                )
            await self._wait_out(code, came, wait)
        self.observe(check, question, came, among)
        return came

    def _is_right(self, question: Question, code: int, among: Among) -> bool:
        """Whether a status code is that of an outcome that is right: the gateway words a dead link as 502."""
        outcomes = (
            self.dialect.contract.outcome(question.operation, profile, name)
            for profile in Profile
            for name in _right(among, profile) or ()
        )
        return any(outcome is not None and outcome.status_code == code for outcome in outcomes)

    async def send(self, ask: Ask) -> Came:
        """The answer as it came, at the run's pace.

        Raises:
            Unreachable: none came.
            NotNow: the run's time is up.
        """
        if self.time_left <= 0:
            raise NotNow(TIME_IS_UP)
        if self.means.paces and self._asked_at is not None:
            await self.pause(self._asked_at + _PACE - real_time())
        self._asked_at = real_time()
        return await self._caller.send(ask)

    async def _wait_out(self, code: int, came: Came, otherwise: int) -> None:
        told = came.response.headers.get("retry-after", "")
        is_asked = told.isascii() and told.isdigit() and len(told) < 6
        seconds = int(told) if is_asked else otherwise
        if seconds * SECOND > self.time_left:
            raise NotNow(f"the provider answered {code}, and the run ends before it is worth asking again")
        self.tell(f"{code}: waiting {seconds}s{', as the provider asks' if is_asked else ''}")
        await self.pause(seconds * SECOND)

    async def pause(self, duration: Duration) -> None:
        """Wait, but not for longer than the run may take."""
        await self.clock.pause(max(0, min(duration, self.time_left)))

    def observe(self, check: str, question: Question, came: Came, among: Among = None) -> dict[Profile, str]:
        """Write an answer down; what it was taken for, by each profile."""
        contract = self.dialect.contract
        judgements = {
            profile: judged(contract, question.operation, profile, came.response, _right(among, profile))
            for profile in Profile
        }
        outcome = {profile: _outcome(judgement) for profile, judgement in judgements.items()}
        hide = self.dialect.hide
        self.evidence.observations.append(
            Observation(
                check=check,
                operation=question.operation,
                outcome=outcome,
                findings={p: tuple(map(hide, judgement.findings)) for p, judgement in judgements.items()},
                sample=hide(sample_of(contract, question.ask, question.path, came)),
            )
        )
        return outcome

    def found(self, check: str, operation: OperationName, got: str | None) -> None:
        """Write down how answers follow one another; ``None``: as they should."""
        behaviour: Behaviour = self.behaviours[check]
        findings: dict[Profile, tuple[Finding, ...]] = {
            profile: () if got is None else (broken(behaviour, operation, got, profile),)
            for profile in Profile
        }
        self.evidence.observations.append(
            Observation(check=check, operation=operation, outcome=of_both(check), findings=findings)
        )

    def forget(self, check: str) -> None:
        """Take back what was written down under a check's name: it turned out to say nothing of the provider."""
        kept = [observation for observation in self.evidence.observations if observation.check != check]
        self.evidence.observations[:] = kept

    def forget_last(self) -> None:
        """Take back the last thing that was written down."""
        self.evidence.observations.pop()

    def leave_out(self, check: str, why: str) -> None:
        """Write down that a check can't be run."""
        self.evidence.not_run[check] = why

    def has(self, check: str) -> bool:
        """Whether anything was observed of it."""
        return any(observation.check == check for observation in self.evidence.observations)

    def trouble(self, sentence: str) -> None:
        """Write down what kept the run from doing what it was told."""
        if sentence not in self.evidence.problems:
            self.evidence.problems.append(sentence)

    def stop(self, sentence: str) -> None:
        """Write down why nothing more is asked."""
        self.evidence.stopped = True
        self.trouble(sentence)

    async def attempt(self, check: str, question: Question, among: Among = None) -> Came | None:
        """As `ask`; where there is no answer, the check is left out for that reason."""
        try:
            return await self.ask(check, question, among)
        except (Unreachable, NotNow) as problem:
            self.leave_out(check, str(problem))
            self.trouble(str(problem))
            return None

    def spoken(self, duration: Duration) -> str:
        """A duration in whole seconds, as people read it."""
        return format_duration(duration // SECOND * SECOND)


def _outcome(judgement: Judgement) -> str:
    """What an answer was taken for; a task whose status is no word that the contract knows is an unknown one."""
    telling = judgement.answer.known_by
    is_unknown = any(f.kind == "new word" and f.member in telling for f in judgement.findings)
    return UNKNOWN if is_unknown else judgement.answer.name


def _right(among: Among, profile: Profile) -> tuple[str, ...] | None:
    return among[profile] if isinstance(among, Mapping) else among
