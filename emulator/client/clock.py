"""The clock of a namespace."""

from datetime import datetime
from typing import Literal

from emulator.client.answers import Answer, message
from emulator.client.calls import Call, S, Subject, call, get, write
from emulator.client.times import Duration, Instant, duration_text, instant_text
from emulator.messages.clock import Advance, ClockState


def _instant_shown(answer: Answer) -> datetime:
    return datetime.fromisoformat(message(ClockState)(answer).now)


class Clock(Subject[S]):
    """Shows the clock and moves it.

    Each raises `Conflict` where the clock can't do that, and while an advance is under way.
    """

    @call
    def state(self) -> Call[ClockState]:
        """Its mode, instant and scale."""
        return get("/clock", ClockState)

    @call
    def now(self) -> Call[datetime]:
        """The instant that it shows, in UTC."""
        return Call(method="GET", path="/clock", read=_instant_shown)

    @call
    def freeze(self) -> Call[ClockState]:
        """Let it stand still at the present instant, until it is told."""
        return write("POST", "/clock/freeze", ClockState)

    @call
    def set(self, now: Instant) -> Call[ClockState]:
        """Move it forward to an instant. It never goes backwards, but by `reset`."""
        return write("POST", "/clock/set", ClockState, {"now": instant_text(now)})

    @call
    def advance(self, by: Duration | None = None, *, to: Instant | None = None) -> Call[Advance]:
        """Move it forward, by a duration or to an instant, through whatever falls due on the way.

        Args:
            by: such as ``"5m"``. Either this or ``to``.
            to: such as ``"2025-01-01T00:05:00Z"``.
        """
        fields = {
            "by": None if by is None else duration_text(by),
            "to": None if to is None else instant_text(to),
        }
        return write("POST", "/clock/advance", Advance, fields)

    @call
    def advance_to_next(self) -> Call[Advance]:
        """Move it forward to the next instant at which time alone changes a task; `Conflict`: there is none."""
        return write("POST", "/clock/advance", Advance, {"to": "next"})

    @call
    def scale(self, scale: float) -> Call[ClockState]:
        """Let it run so many times as fast as real time: with 60 an hour passes in a minute."""
        return write("POST", "/clock/scale", ClockState, {"scale": scale})

    @call
    def resume(self) -> Call[ClockState]:
        """Let it run with real time, from the present instant."""
        return write("POST", "/clock/resume", ClockState)

    @call
    def auto(self) -> Call[ClockState]:
        """Let it stand still, and be moved on by polls that would see nothing new."""
        return write("POST", "/clock/auto", ClockState)

    @call
    def change(
        self,
        *,
        mode: Literal["real", "scaled", "manual", "auto"] | None = None,
        now: Instant | None = None,
        scale: float | None = None,
    ) -> Call[ClockState]:
        """Change several things at once; what isn't given stays as it is."""
        instant = None if now is None else instant_text(now)
        return write("PUT", "/clock", ClockState, {"mode": mode, "now": instant, "scale": scale})

    @call
    def reset(self) -> Call[ClockState]:
        """Begin anew as the server's options or the scenario say, else at the real time. The tasks stay."""
        return write("POST", "/clock/reset", ClockState)
