"""What comes in and what goes out: a request to a provider, and the reply with all that decided it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from emulator.core.call import Variant
from emulator.core.limits import Reached
from emulator.core.rules import NOTHING, Verdict
from emulator.core.task import Snapshot, Task
from emulator.core.units import Duration, Instant
from emulator.core.words import OperationName
from emulator.providers.base import Clip

Stage = Literal["route", "auth", "limits", "rules", "validation", "timeline", "link"]
"""Which step of the road answered. ``validation``: the provider's own, an unknown task among it."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request to a provider, read whole."""

    method: str
    path: str
    """Below the provider's base."""
    params: tuple[str, ...] = ()
    query: bytes = b""
    headers: Mapping[bytes, bytes] = {}
    fields: Any = None
    broken: str | None = None
    """Why the body can't be understood, in a sentence."""
    too_large: str | None = None
    """Why the body wasn't read to its end, in a sentence."""
    origin: str = ""
    """Scheme and host that links start with."""
    prefix: str = ""
    """What stands before ``/media`` in the links of the namespace."""


LEFT: Final = 499
"""The status code, nginx's word for it, under which the journal keeps an answer that nobody waited for."""


class Hold(msgspec.Struct, frozen=True):
    """A create whose answer comes when its task has ended."""

    task: Task
    """The new task, as it would go if its create weren't held."""
    ended: "Callable[[Task, Instant], Reply]"
    """The answer, from the task and the instant at which it ended."""
    line: Callable[[Task, Instant], bytes] | None = None
    """What is streamed at the instants of its changes before; ``None``: nothing."""


class Reply(msgspec.Struct, gc=False):
    """What to send, how long to wait before, and what decided it."""

    status_code: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    delay: Duration = 0
    now: Instant = 0
    """The instant that the exchange was judged at."""
    task: Task | None = None
    """The task that had a say, as the exchange left it; of a batch, the first."""
    snapshot: Snapshot | None = None
    """What that task looked like; ``None``: it wasn't looked at."""
    clip: Clip | None = None
    """A video of this kind is to be sent in place of `body`, or a picture of one."""
    clip_size: int | None = None
    """How many bytes the video is padded to; ``None``: it comes as it is."""
    variant: Variant = "video"
    """What is to be sent of the video."""
    others: tuple[tuple[Task, Snapshot | None], ...] = ()
    """The other tasks of a batch or a listing."""
    operation: OperationName | None = None
    """What the body asked for where that isn't what the row's path and method say; ``None``: it is."""
    stage: Stage = "timeline"
    error: str | None = None
    """The named error or situation that was answered."""
    verdict: Verdict = NOTHING
    """What the rules made of it."""
    call: int = 0
    """How manieth call of its operation it was where a rule asked, else 0."""
    scenario: str = ""
    """The version (``NAME@DIGEST``) of the scenario whose rules, auth and limits judged it; empty: the task's own."""
    rejection: int | None = None
    """Which of that scenario's ``auth.reject`` refused the key."""
    reached: Reached | None = None
    """Which of that scenario's ``limits`` refused the call."""
    expired: bool = False
    """Whether a result was asked for after its link had died."""
    died_at: Instant | None = None
    """When that was."""
    entropy: bytes | None = None
    """What the rules' draws were keyed by where no task brought its own: of a create, a listing, an unknown id."""
    strangers: tuple[str, ...] = ()
    """Ids that it named and no task has, each cut: the first few."""
    hold: Hold | None = None
    """What is to be sent in its place, once the task has ended."""
