"""The engine: namespaces, and everything that writes to them.

A `Namespace` is an isolated world: its own tasks, active scenario, clock, seed and counters. It knows
providers only as the tables of `emulator.providers.base`, and nothing of HTTP.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, Protocol

import msgspec
import orjson

from emulator.activation import Activation, Identity, judged_key
from emulator.agenda import Agenda, Change, Passage
from emulator.clock import Clock, ClockRefused
from emulator.core import scenario, seeded
from emulator.core.call import Refusal
from emulator.core.effects import Failure
from emulator.core.plan import Plan
from emulator.core.rules import Occasion, RetryAfter
from emulator.core.scenario import ClockSettings, Item, Scenario
from emulator.core.task import Snapshot, Task, end_of, next_change, polled, state_at
from emulator.core.units import LAST_INSTANT, Duration, Instant, format_instant
from emulator.core.words import ErrorName, OperationName, Profile
from emulator.journal import Budget, Journal
from emulator.ledger import Ledger
from emulator.providers.base import Offspring, Provider
from emulator.store import MemoryStore, Store

NewId = Callable[[bytes, Instant, Mapping[str, Any]], str]
"""As `emulator.providers.base.Operation.new_id`."""
_POLL: Final = OperationName.POLL
MAX_STARTED: Final = 100
"""How many unknown ids of one batch begin as new tasks, under ``unknown_task: start``."""
_ALONE: Final = 64 << 20
"""What the journal of a namespace may take that has no others beside it, in bytes."""
_NAMED_IN_PROMPT: Final = re.compile(r"scenario:([A-Za-z0-9][A-Za-z0-9._-]*)")


class Library(Protocol):
    """Where scenarios are found by name."""

    def get(self, name: str) -> Scenario | None: ...  # noqa: D102 - said by the class

    def names(self) -> Sequence[str]: ...  # noqa: D102


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `serve` was told, as far as namespaces care."""

    seed: int | str = 0
    clock: ClockSettings | None = None
    """``None``: as the scenario's file says, else as `default_clock`."""
    default_clock: ClockSettings = ClockSettings()
    """Where neither `clock` nor the scenario's file says how time passes."""
    profile: Profile = Profile.DOCUMENTED
    """For scenarios that name none."""
    max_tasks: int = 100_000
    max_journal_entries: int = 10_000
    scenario: str = "happy-path"
    """The scenario that a namespace begins with."""


class Claim(Protocol):
    """A link that somebody asks for, before it is believed."""

    def holds(self, key: bytes) -> bool: ...  # noqa: D102


class Events(Protocol):
    """Those who listen to a namespace. They must neither raise nor wait."""

    def changed(self, change: Change) -> None: ...  # noqa: D102

    def clock(self, moved_from: Instant | None = None) -> None: ...  # noqa: D102

    def activated(self, name: str) -> None: ...  # noqa: D102

    def reset(self) -> None: ...  # noqa: D102

    def dropped(self) -> None: ...  # noqa: D102

    def wake(self) -> None: ...  # noqa: D102

    def publish(self, kind: str, message: msgspec.Struct) -> None: ...  # noqa: D102

    def end(self) -> None: ...  # noqa: D102


class Jobs(Protocol):
    """What waits for a namespace's clock: callbacks that are to be sent, and creates that are held."""

    def expect(self, task: Task) -> None: ...  # noqa: D102 - said by the class

    def ahead(self) -> Instant | None: ...  # noqa: D102

    async def do_next(self) -> None: ...  # noqa: D102

    async def settled(self) -> None: ...  # noqa: D102

    def wake(self) -> None: ...  # noqa: D102

    def clear(self) -> None: ...  # noqa: D102


class UnknownScenario(LookupError):
    """No scenario has this name."""

    def __init__(self, name: str, names: Sequence[str]) -> None:
        super().__init__(f"no scenario is called {name!r}; there are: {', '.join(names)}")
        self.name = name


class Exchange(msgspec.Struct):
    """What is known of one request before it is judged."""

    provider: Provider
    operation: OperationName
    key: str | ErrorName
    """The API key, or what is wrong with the header that should hold it."""
    headers: Mapping[bytes, bytes]
    origin: str
    now: Instant
    activation: Activation
    """What applies to the request: its rules count where no task brings its own."""
    call: int = 0
    """How manieth call of its operation it was on its first task, or in the namespace; 0: no rule asked."""
    rejection: int | None = None
    """Which item of ``auth.reject`` refused the key."""

    @property
    def profile(self) -> Profile:
        """The provider's face that answers where no task brings its own."""
        return self.activation.profile


class Namespace:
    """One isolated world."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        library: Library,
        journal: Journal | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.name = name
        self.prefix = "" if name == "default" else f"/ns/{name}"
        """What stands before ``/media`` in its links."""
        self.settings = settings
        self.library = library
        # Not `or`: an empty journal is as false as none.
        self.journal = Journal(settings.max_journal_entries, Budget(_ALONE)) if journal is None else journal
        self.ledger = ledger or Ledger()
        self.store: Store = MemoryStore(settings.max_tasks)
        self.met: set[str] = set()
        """The marks of what clients have met of its scenarios."""
        self.touched: Duration = 0
        """When it was last spoken to, in real time."""
        self.visitors = 0
        """How many requests to it aren't answered to their end yet."""
        self.clock_is_set = False
        """Whether the control API set the clock: then no scenario's file does."""
        self.agenda: Agenda | None = None
        """What lies ahead of its tasks; ``None``: nobody has asked yet."""
        self.passage: Passage | None = None
        """The advance of the clock that is under way."""
        self.events: Events | None = None
        """Those who listen to what happens here; ``None``: nobody."""
        self.told = 0
        """How many events there were to tell, as long as somebody listened."""
        self.jobs: Jobs | None = None
        """What waits for the clock; ``None``: nobody sees to it here, so no callback is sent."""
        self._begin()

    def close(self) -> None:
        """Give back what it holds of the process's; nobody speaks to it any more."""
        self._give_back()
        self.journal.close()
        if self.events is not None:
            self.events.dropped()

    def _give_back(self) -> None:
        self.ledger.marks |= self.met
        self.met.clear()
        self.journal.clear()
        if self.jobs is not None:
            self.jobs.clear()

    def _begin(self, clock: ClockSettings | None = None) -> None:
        self.store.clear()
        self._give_back()
        self._digests: dict[int, int] = {}
        self._exchanges = 0
        self.made = 0
        """How many tasks were made by hand without an id."""
        self._identities: dict[int | str, Identity] = {}
        self.links: dict[object, str] = {}
        """Links that polls printed lately: every poll of a finished task prints the same one again."""
        self._activations: dict[str, Activation] = {}
        self._fired: dict[str, dict[str, int]] = {}
        """How often the rules of each version of a scenario fired."""
        self.clock = Clock(clock or self.settings.clock or self.settings.default_clock)
        self.clock_is_set = clock is not None

    # Scenarios

    def start(self, providers: Sequence[Provider]) -> None:
        """Put the scenario that the settings name in force. Call it once, when the providers are known."""
        self.providers = providers
        found = self.library.get(self.settings.scenario)
        if found is None:
            raise UnknownScenario(self.settings.scenario, self.library.names())
        self.activate(found)

    def activate(self, what: Scenario) -> Activation:
        """Put a scenario in force, from now on: its counts begin at zero, its existing tasks appear."""
        self._take_clock_of(what)
        self.seed: int | str = what.seed if what.seed is not None else self.settings.seed
        self.key = self.identity(self.seed).key
        if self.events is not None:
            self.events.activated(what.name)
        self.active = self._activated(what)
        self._happy = Activation(scenario.HAPPY_PATH, self.active.at, self.settings.profile, self.seed)
        return self.active

    def in_force(self, provider: Provider, activation: Activation | None = None) -> Activation:
        """What applies to the provider: the scenario named, else the active one, or the happy path."""
        activation = activation or self.active
        if not activation.scenario.providers or activation.scenario.speaks_of(provider.name):
            return activation
        return self._happy

    def _take_clock_of(self, what: Scenario) -> None:
        if what.clock is None or self.settings.clock is not None or self.clock_is_set:
            return
        start, now = what.clock.start, self.clock.now()
        # A clock that already dated a client's task never goes back; the mode changes all the same.
        keeps_now = start is None or (start < now and len(self.store) > 0)
        self.clock = Clock(msgspec.structs.replace(what.clock, start=now if keeps_now else start))
        if self.jobs is not None:
            self.jobs.wake()
        if self.events is not None:
            self.events.clock(None if start is None or keeps_now else now)

    def _activated(self, what: Scenario) -> Activation:
        activation = Activation(what, self.clock.now(), self.settings.profile, self.seed)
        self._activations[what.name] = activation
        self._fired[what.version] = activation.fired
        self.ledger.know(what)
        for number, item in enumerate(what.items):
            if item.id is not None:
                self._add_existing(activation, number, item)
        return activation

    def _add_existing(self, activation: Activation, number: int, item: Item) -> None:
        for provider in self.providers:
            if not scenario.takes(item, provider.name) or not activation.scenario.speaks_of(provider.name):
                continue
            created_at = item.created if item.created_is_instant else activation.at + item.created
            entropy = seeded.task_entropy(self.key, seeded.key_of("existing", provider.name, str(item.id)), 0)
            plan = activation.plan_for(number, entropy)
            request = item.request or provider.example_request
            task = new_task(provider, str(item.id), created_at, entropy, plan, request, "")
            task = called_back(task, provider, item.request, activation.at)
            self.add(provider, task, max(created_at, activation.at))

    def activation_named(self, name: str) -> Activation | None:
        """A scenario that a request names, in force for that request; ``None``: there is none of that name.

        The name of the scenario in force means the version in force; any other, what the library has now.
        """
        found = None if name == self.active.scenario.name else self.library.get(name)
        known = self._activation_of(name, found)
        return known if known is not None or found is None else self._activated(found)

    def _activation_of(self, name: str, found: Scenario | None) -> Activation | None:
        """The activation under this name, unless the scenario found under it is another version by now."""
        if name == self.active.scenario.name:
            return self.active
        known = self._activations.get(name)
        return known if known and found and known.scenario.version == found.version else None

    def brings_along(self, name: str, provider: Provider, task_id: str) -> bool:
        """Whether the scenario of this name has a task of this id that exists from its first use on."""
        found = self.library.get(name)
        if found is None or not found.speaks_of(provider.name):
            return False
        return any(item.id == task_id and scenario.takes(item, provider.name) for item in found.items)

    def activation_in_prompt(self, prompt: str) -> Activation | None:
        """The scenario that the word ``scenario:NAME`` in a prompt names, if there is one of that name."""
        for name in _NAMED_IN_PROMPT.findall(prompt) if "scenario:" in prompt else ():
            activation = self.activation_named(name) or self.activation_named(name.rstrip("."))
            if activation is not None:
                return activation
        return None

    def reset(self, clock: ClockSettings | None = None) -> None:
        """Forget every task and count; the active scenario begins anew, on the clock that it had or on this one.

        Raises:
            ClockRefused: an advance is under way.
        """
        self.still()
        active = self.active.scenario
        self._begin(clock)
        if self.events is not None:
            self.events.reset()
        self.activate(active)

    # Tasks

    def identity(self, seed: int | str) -> Identity:
        """What follows from a seed. A task keeps the one that it was created under."""
        identity = self._identities.get(seed)
        if identity is None:
            identity = self._identities[seed] = Identity(seed)
        return identity

    def signed(self, claim: Claim) -> bool:
        """Whether a link is one of this namespace's, under whichever seed it was made."""
        return any(claim.holds(identity.key) for identity in self._identities.values())

    def find(self, provider: Provider, task_id: str, now: Instant) -> Task | None:
        """The task, unless it is unknown, given up, or not yet created."""
        found = self.store.get(provider.name, task_id)
        return found if found is None or found.created_at <= now else None

    def find_alias(self, provider: Provider, name: str, now: Instant) -> Task | None:
        """The task that has this other name."""
        task_id = self.store.find_alias(provider.name, name)
        if task_id is not None:
            return self.find(provider, task_id, now)
        for seed, identity in self._identities.items():
            task_id = provider.alias_of(name, identity.account(provider))
            found = None if task_id is None else self.find(provider, task_id, now)
            if found is not None and found.plan.seed == seed:
                return found
        return None

    def start_unknown(self, exchange: Exchange, task_id: str) -> Task:
        """A task that begins here and now under an id that nobody knew."""
        provider, activation = exchange.provider, exchange.activation
        entropy = seeded.task_entropy(self.key, seeded.key_of("started", provider.name, task_id), 0)
        number = activation.item_for(occasion_of(exchange, entropy, task_id, dict))
        plan = activation.plan_for(number, entropy)
        now, origin = exchange.now, exchange.origin
        task = new_task(provider, task_id, now, entropy, plan, provider.example_request, origin)
        return self.add(provider, task, now)

    def entropy_for(self, provider: Provider, fields: Mapping[str, Any]) -> bytes:
        """The entropy of the task that this create request makes; the same request gives another each time."""
        content = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
        digest = blake2b(content, key=provider.name.encode(), digest_size=8).digest()
        short = int.from_bytes(digest, "big")
        nth = self._digests.get(short, 0)
        self._digests[short] = nth + 1
        return seeded.task_entropy(self.key, digest, nth)

    def create(
        self, exchange: Exchange, offspring: Offspring, entropy: bytes, new_id: NewId | None = None
    ) -> Task:
        """A new task for a create request, under the plan that its scenario gives it.

        Args:
            exchange: the request.
            offspring: what the task is to have of it, and of another task.
            entropy: the task's own.
            new_id: what makes its id, where that isn't the provider's usual way.
        """
        provider, activation, fields = exchange.provider, exchange.activation, offspring.fields
        occasion = occasion_of(exchange, entropy, None, lambda: fields)
        plan = activation.plan_for(activation.item_for(occasion), entropy)
        if offspring.values:
            plan = msgspec.structs.replace(plan, values={**offspring.values, **plan.values})
        now = exchange.now
        if new_id is not None:
            task_id = new_id(entropy, now, fields)
        else:
            task_id = provider.new_id(entropy, now, self.identity(plan.seed).account(provider))
        task = new_task(provider, task_id, now, entropy, plan, fields, exchange.origin)
        return self.add(provider, called_back(task, provider, fields, now), now)

    def add(self, provider: Provider, task: Task, known_from: Instant | None = None) -> Task:
        """A new task, kept; it is known from this instant on, or from now."""
        self.store.put(task)
        alias = provider.alias(task, self.identity(task.plan.seed).account(provider))
        if alias is not None:
            self.store.alias(provider.name, alias, task.id)
        if self.agenda is not None:
            now = self.clock.now()
            self.changed(task, None, now if known_from is None else min(known_from, now))
        self._expect_jobs(task)
        return task

    def _expect_jobs(self, task: Task) -> None:
        """Take note of a task's callback or held create, whose instant may be another now."""
        if self.jobs is not None:
            self.jobs.expect(task)

    def renew(self, task: Task, before: Snapshot, now: Instant) -> Task:
        """A task that somebody changed by hand at ``now``, when it looked like ``before``, kept."""
        self.store.renew(task)
        if self.agenda is not None:
            self.changed(task, before, now)
        self._expect_jobs(task)
        return task

    def fired_in_all(self, task: Task) -> dict[str, int]:
        """How often the rules of the task's scenario fired, for whichever task."""
        return self._fired.get(task.plan.version, {})

    # Polling

    def count_poll(self, task: Task, snapshot: Snapshot, now: Instant) -> Task:
        """The task with a poll counted that showed ``snapshot`` at ``now``."""
        counted = polled(task, snapshot, now, tracks_shown=self.clock.mode == "auto")
        self.store.renew(counted)
        if counted.ended is not task.ended:
            if self.agenda is not None:
                self.changed(counted, snapshot, now)
            self._expect_jobs(counted)
        return counted

    def exchange_entropy(self, exchange: Exchange, task: Task | None, answered: bool) -> bytes:
        """Sixteen bytes that the ids of one exchange are cut from.

        They are the task's own where it counts such exchanges, so that no other client's calls change them.
        """
        if task is not None and answered:
            return poll_entropy(task)
        if task is not None and task.calls is not None:
            number = task.calls.get(exchange.operation, 0)
            return seeded.draw(task.entropy, f"exchange {exchange.operation}", number)
        self._exchanges += 1
        return seeded.draw(self.key, "exchange", self._exchanges)

    def wait_out(self, retry_after: RetryAfter | None) -> None:
        """In the clock's mode ``auto``, move to the end of the wait that a refusal asked for."""
        if self.clock.mode == "auto" and retry_after is not None and retry_after.wait is not None:
            self.hurry_to(min(self.clock.now() + retry_after.wait, LAST_INSTANT))

    def hurry(self, tasks: Sequence[Task], now: Instant) -> Instant:
        """In the clock's mode ``auto``, the instant to answer polls of these tasks at.

        Where every one of them would show the status that its last poll showed, the clock first
        moves to the earliest change among them.
        """
        if self.clock.mode != "auto" or not tasks:
            return now
        changes = []
        for task in tasks:
            if task.shown < 0 or task.plan.entries[task.shown].status is not state_at(task, now).status:
                return now
            changes.append(next_change(task, now))
        ahead = [change for change in changes if change is not None]
        return self.hurry_to(min(*ahead, LAST_INSTANT)) if ahead else now

    def hurry_to(self, instant: Instant) -> Instant:
        """In the clock's mode ``auto``, the instant after moving on to this one."""
        begun = self.clock.now()
        now = self.clock.move_to(instant)
        if self.jobs is not None:
            self.jobs.wake()
        if self.events is not None:
            self.events.clock(begun)
        return now

    # What lies ahead (`emulator.timekeeping` moves the clock through it)

    def still(self) -> None:
        """Raise `ClockRefused` while an advance is under way: nothing else may set the clock then."""
        if self.passage is not None:
            raise ClockRefused(
                f"an advance to {format_instant(self.passage.to)} is under way in this namespace; wait for "
                f"its answer, then try again"
            )

    def catch_up(self) -> None:
        """Take note of what fell due up to now, where somebody wants to know."""
        if self.agenda is None:
            return
        now = self.clock.now()
        while (change := self.agenda.take(now)) is not None:
            self.note(change)

    def note(self, change: Change) -> None:
        """Tell of a change that fell due."""
        if self.passage is not None:
            self.passage.note(change)
        if self.events is not None:
            self.events.changed(change)

    def changed(self, task: Task, before: Snapshot | None, now: Instant) -> None:
        """Take note that something other than time changed a task that is in the store, or made it.

        ``before`` is what the task looked like at ``now``; ``None``: it is new.
        """
        if self.agenda is None:
            return
        self.catch_up()
        self.agenda.expect(task, now)
        if self.events is None:
            return
        after = state_at(task, now)
        if task.created_at <= now and (before is None or before.entry is not after.entry):
            was = None if before is None else before.status
            self.events.changed(Change(task, now, was, after.status))
        self.events.wake()

    def latest_fact(self) -> Instant:
        """The latest instant up to now by which anything kept here is dated: tasks, requests, activations."""
        now = self.clock.now()
        instants = [activation.at for activation in self._activations.values()]
        instants += [self.active.limits.latest] if self.active.limits is not None else []
        instants += [record.reply.now for record in islice(self.journal.newest_first(), 1)]
        for task in self.store.newest_first():
            steps = [step.at for step in task.steps[-1:]]
            instants += [task.created_at, *task.ended[-1:], *task.moved[-1:], *steps]
        return max(instant for instant in instants if instant <= now)


def new_task(
    provider: Provider,
    task_id: str,
    created_at: Instant,
    entropy: bytes,
    plan: Plan,
    request: Mapping[str, Any],
    origin: str,
) -> Task:
    """A task as a create request makes it."""
    return Task(
        provider=provider.name,
        id=task_id,
        created_at=created_at,
        entropy=entropy,
        plan=plan,
        # orjson leaves its answer in a buffer of four kilobytes; a copy has its own length.
        request=bytes(memoryview(orjson.dumps(request))),
        echo=provider.echo(request, entropy),
        origin=origin,
    )


def called_back(task: Task, provider: Provider, request: Mapping[str, Any], known_from: Instant) -> Task:
    """The new task with the callback that its request asks for, unless it ended before anybody knew of it."""
    url = provider.callback_url(request)
    if url is None:
        return task
    ended_at = end_of(task)
    return (
        task
        if ended_at is not None and ended_at < known_from
        else msgspec.structs.replace(task, callback_url=url)
    )


def occasion_of(
    exchange: Exchange, entropy: bytes, task_id: str | None, fields: Callable[[], Any]
) -> Occasion:
    """What conditions are asked about, short of ages, counts and status."""
    key = exchange.key
    return Occasion(
        exchange.operation,
        exchange.provider.name,
        task_id,
        None if isinstance(key, ErrorName) else judged_key(key),
        exchange.headers,
        fields,
        entropy,
    )


def poll_entropy(task: Task) -> bytes:
    """Sixteen bytes that are the task's last answered poll's own."""
    return task.entropy[32:44] + (task.polls & 0xFFFFFFFF).to_bytes(4, "big")


def refusal_of(failure: Failure) -> Refusal:
    """An error that a scenario words, as a refusal; without a name it is an internal one."""
    return Refusal(failure.name or ErrorName.INTERNAL, failure.message, failure.code)
