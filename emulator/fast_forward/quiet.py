"""Whether a loop has nothing left to do but to let its sleepers sleep."""

import asyncio
from collections.abc import Collection
from typing import Final
from weakref import WeakSet

from emulator.core.units import MILLISECOND, SECOND, Duration
from emulator.fast_forward.stand_ins import REAL_MONOTONIC
from emulator.fast_forward.waits import AnyFuture, AnyTask, patience_with, waiter_of

_ROUNDS: Final = 2
"""In one round of asyncio's loop all that could run has run; the second has looked for input, too."""
_ROUNDS_UNSEEN: Final = 12
"""uvloop doesn't show what is about to run: a chain of callbacks takes one round a link."""
_SPINS: Final = 1000
"""A task that could run in so many rounds and got nowhere polls something, which may well be the time."""
_OFTEN: Final[Duration] = MILLISECOND // 2
_SELDOM: Final[Duration] = 5 * MILLISECOND


class Quiet:
    """Watches the tasks of a loop: each look compares them with the last one's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._shows = hasattr(loop, "_ready")
        self._outwaited: WeakSet[AnyFuture] = WeakSet()
        """What was waited for long enough once: an idle connection needn't be, before each sleep."""
        self.forget()

    def forget(self) -> None:
        """Time has moved: what comes now is new."""
        self._picture: dict[AnyTask, AnyFuture | None] | None = None
        self._since = 0.0
        self._rounds = 0

    def lacking(self, asleep: Collection[AnyFuture]) -> Duration | None:
        """How much real time to let pass before another look; ``None``: time may move.

        Args:
            asleep: what the sleeping tasks await.
        """
        picture = {task: waiter_of(task) for task in asyncio.all_tasks(self._loop)}
        quiet = self._quiet_since(picture)
        if self._busy(picture):
            return 0 if self._rounds < _SPINS else None
        rest = self._patience(picture, asleep) - quiet
        if rest > 0:
            self._rounds = 0  # an answer takes some rounds to reach whoever waits for it
            return min(rest, max(_OFTEN, min(quiet, _SELDOM)))
        if self._rounds < (_ROUNDS if self._shows else _ROUNDS_UNSEEN):
            return 0
        self._outwaited.update(waiter for waiter in picture.values() if waiter is not None)
        return None

    def _quiet_since(self, picture: dict[AnyTask, AnyFuture | None]) -> Duration:
        now = REAL_MONOTONIC()
        if picture != self._picture:
            self._picture, self._since, self._rounds = picture, now, 0
        self._rounds += 1
        return int((now - self._since) * SECOND)

    def _busy(self, picture: dict[AnyTask, AnyFuture | None]) -> bool:
        """Whether something is about to run."""
        return bool(getattr(self._loop, "_ready", None)) or any(
            waiter is None or waiter.done() for waiter in picture.values()
        )

    def _patience(self, picture: dict[AnyTask, AnyFuture | None], asleep: Collection[AnyFuture]) -> Duration:
        return max(
            (
                patience_with(task, waiter, asleep)
                for task, waiter in picture.items()
                if waiter is not None and waiter not in asleep and waiter not in self._outwaited
            ),
            default=0,
        )
