"""Namespaces: the one that a client speaks to, and all of them."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from emulator.client.calls import Call, S, Subject, call, get, named, of_process, write
from emulator.client.times import Instant, instant_text
from emulator.messages.namespaces import NamespaceDropped, NamespaceList, NamespaceState, Reset


class ClockWanted(TypedDict, total=False):
    """A clock to begin with; what is left out is as the server's options and the scenario say."""

    mode: Literal["real", "scaled", "manual", "auto"]
    now: Instant
    """What it shows at first. Here it may go back."""
    scale: float


class Namespaces(Subject[S]):
    """All namespaces of the emulator, whichever the client speaks to. Looking at them is no use of them."""

    @call
    def list(self, *, limit: int | None = None, offset: int | None = None) -> Call[NamespaceList]:
        """The default one, then the others by name; 100 unless ``limit`` says otherwise."""
        return of_process(get("/namespaces", NamespaceList, {"limit": limit, "offset": offset}))

    @call
    def get(self, name: str) -> Call[NamespaceState]:
        """One of them, and how clients get into it."""
        return of_process(get(_path(name), NamespaceState))

    @call
    def create(
        self,
        name: str | None = None,
        *,
        scenario: str | None = None,
        seed: int | str | None = None,
        clock: ClockWanted | None = None,
        default_clock: ClockWanted | None = None,
        profile: Literal["documented", "current"] | None = None,
    ) -> Call[NamespaceState]:
        """Make one. The first request that names one does that too, with the server's own settings.

        Args:
            name: left out: the first of ``ns-1``, ``ns-2`` and so on that is free.
            scenario: the one to put in force, of those that every namespace has.
            seed: what its draws are keyed by.
            clock: how its clock begins.
            default_clock: how it begins where neither ``clock``, the server nor the scenario says.
            profile: the providers' face for scenarios that name none.

        Raises:
            Conflict: there is one of this name.
            NoRoom: it would be one too many.
        """
        fields = {
            "name": name,
            "scenario": scenario,
            "seed": seed,
            "clock": clock_fields(clock),
            "default_clock": clock_fields(default_clock),
            "profile": profile,
        }
        return of_process(write("POST", "/namespaces", NamespaceState, fields))

    @call
    def drop(self, name: str) -> Call[NamespaceDropped]:
        """Drop one with all that is in it."""
        return of_process(write("DELETE", _path(name), NamespaceDropped))


def _path(name: str) -> str:
    return f"/namespaces/{named('name', name, 'the name of a namespace')}"


class Resets(Subject[S]):
    """Beginning anew."""

    @call
    def reset(self, clock: ClockWanted | None = None) -> Call[Reset]:
        """Forget every task, count and request of this namespace, and of no other.

        Args:
            clock: how its clock begins; left out: as the server's options and the scenario say.
        """
        return write("POST", "/reset", Reset, {"clock": clock_fields(clock)})


def clock_fields(clock: ClockWanted | None) -> dict[str, Any] | None:
    """A clock as the control API reads it; ``TypeError`` where it is none."""
    if clock is None:
        return None
    if not isinstance(clock, Mapping):
        raise TypeError(f'clock: expected a mapping such as {{"mode": "manual"}}, got {clock!r}')
    return {**clock, "now": instant_text(clock["now"])} if "now" in clock else {**clock}
