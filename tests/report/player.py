"""A client that is generated: it keeps every rule, or all but one that it is told to break once.

It drives the real application and sleeps by its clock, so that hours pass in no time.
"""

import re
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from hypothesis import strategies as st

from emulator.core.units import HOUR, MILLISECOND, MINUTE, SECOND, Duration, as_datetime, format_duration
from tests.worlds import KEY, Answer, World

ACEDATA: Final = {"acedata-sora": "/acedata/sora", "acedata-veo": "/acedata/veo"}
_ENDED: Final = frozenset({"completed", "failed"})
_LINK: Final = re.compile(r'"(http://[^"]+/media/[^"]+)"')


class Plan(msgspec.Struct, frozen=True):
    """What the client is up to, and what it meets."""

    provider: str
    tasks: int
    pace: Duration
    jitter: Duration
    in_batches: bool
    waiting: Duration
    working: Duration
    hint: Duration | None
    fails: bool
    refusals: tuple[tuple[int, str, str], ...]
    """Which polls of each task are refused, how, and with which wait."""
    refuses_create: bool
    says_pace: bool
    """Whether the scenario says what it expects of the pace; else it is as for every client."""

    def scenario(self) -> str:
        """The scenario's file."""
        hint = "" if self.hint is None else f", poll_after: {format_duration(self.hint)}"
        end = "failed" if self.fails else "completed, video: {expires_in: 1h}"
        lines = [
            "version: 1",
            "tasks:",
            "  - timeline:",
            f"      - {{status: queued, for: {format_duration(self.waiting)}}}",
            f"      - {{status: processing, for: {format_duration(self.working)}{hint}}}",
            f"      - {{status: {end}}}",
            "rules:",
            "  - {operation: download, calls: 9000, error: internal}",
            *(
                f"  - {{operation: poll, while: [queued, processing], calls: {call}, error: {error}, "
                f"retry_after: {wait}}}"
                for call, error, wait in self.refusals
            ),
        ]
        if self.refuses_create:
            lines.append("  - {operation: create, calls: 1, error: rate_limited, retry_after: 3s}")
        lines.append(f"expect: {{poll: {{max_interval: {format_duration(self.longest)}")
        lines[-1] += f", min_interval: {format_duration(self.pace)}}}}}" if self.says_pace else "}}"
        return "\n".join(lines) + "\n"

    @property
    def longest(self) -> Duration:
        """No gap between two polls is longer, unless the client is asked to wait."""
        return self.pace + self.jitter + SECOND


_CALLS: Final = st.integers(1, 4)
_ERRORS: Final = st.sampled_from(["rate_limited", "internal", "unavailable"])


def _refusals(seconds: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[tuple[int, str, str], ...]]:
    """Some of the first polls, refused, with waits of so many seconds."""
    wait = seconds.map(lambda number: f"{number}s")
    one = st.tuples(_CALLS, _ERRORS, wait | wait.map(lambda text: f"{{http_date: {text}}}"))
    return st.lists(one, max_size=3, unique_by=lambda refusal: refusal[0]).map(tuple)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of every kind."""
    says_pace = draw(st.booleans())
    pace = draw(st.integers(20, 900) if says_pace else st.integers(1000, 9000)) * MILLISECOND
    hint = draw(st.none() | st.sampled_from([pace // 3, pace, 3 * pace, 7 * pace]))
    return Plan(
        provider=draw(st.sampled_from(["acedata-sora", "acedata-veo", "octopusx", "ezmodel"])),
        tasks=draw(st.integers(1, 2)),
        pace=pace,
        jitter=draw(st.integers(0, 500)) * MILLISECOND,
        in_batches=draw(st.booleans()),
        waiting=draw(st.integers(1, 4)) * pace,
        working=draw(st.integers(0, 4)) * pace,
        hint=None if hint is None else hint // MILLISECOND * MILLISECOND,
        fails=draw(st.booleans()),
        refusals=draw(_refusals(st.integers(2, 40))),
        refuses_create=draw(st.booleans()),
        says_pace=says_pace,
    )


@st.composite
def temptations(draw: st.DrawFn, misdeed: str) -> Plan:
    """Plans that leave room for the misdeed."""
    plan = draw(plans())
    changes: dict[str, Any] = {}
    if misdeed.startswith(("create", "download")):
        changes["fails"] = False
    elif misdeed.endswith("_interval"):
        # The first poll is answered, and asks for no wait.
        changes = {"hint": None, "refusals": tuple(refusal for refusal in plan.refusals if refusal[0] > 1)}
    elif misdeed == "poll.honours_retry_after":
        # The first poll is refused, and asks for a wait that is much longer than the client's pace.
        long = 3 + 2 * plan.pace // SECOND
        refusals = draw(
            _refusals(st.integers(long, 2 * long)).filter(lambda r: any(call == 1 for call, *_ in r))
        )
        changes = {"hint": None, "refusals": refusals}
    elif misdeed == "poll.honours_poll_after":
        changes = {
            "hint": draw(st.sampled_from([3, 7])) * plan.pace,
            "refusals": (),
            "working": 2 * (plan.pace + plan.jitter),
        }
    return msgspec.structs.replace(plan, **changes)


class Player:
    """Carries a plan out. With a `misdeed`, the name of a check, it breaks that rule as soon as it can, once."""

    def __init__(self, plan: Plan, misdeed: str | None = None) -> None:
        self.plan = plan
        self.world = World(plan.scenario())
        self.misdeed = misdeed
        self.has_misbehaved = False

    def run(self) -> None:
        """Make the tasks, and see each through to its end."""
        for number in range(self.plan.tasks):
            prompt = f"cat number {number}"
            self._see_through(self._created(prompt), prompt)

    def _may(self, misdeed: str) -> bool:
        """Whether now is the time for it."""
        if self.misdeed != misdeed or self.has_misbehaved:
            return False
        self.has_misbehaved = True
        return True

    # Requests

    def _created(self, prompt: str) -> str:
        base = ACEDATA.get(self.plan.provider)
        path = f"/{self.plan.provider}/v1/videos" if base is None else f"{base}/videos"
        answer = self.world.post(path, {"prompt": prompt, "async": True})
        while answer.status_code != 200:
            self._rest(answer, SECOND)
            answer = self.world.post(path, {"prompt": prompt, "async": True})
        told = answer.json()
        return str(told["id"] if base is None else told["task_id"])

    def _poll(self, task_id: str) -> Answer:
        base = ACEDATA.get(self.plan.provider)
        if base is None:
            return self.world.get(f"/{self.plan.provider}/v1/videos/{task_id}")
        if self.plan.in_batches:
            asked: Any = {"action": "retrieve_batch", "ids": [task_id, "nobody", task_id]}
        else:
            asked = {"action": "retrieve", "id": task_id}
        return self.world.post(f"{base}/tasks", asked)

    def _download(self, link: str, **headers: str) -> None:
        parts = urlsplit(link)
        self.world.get(f"{parts.path}?{parts.query}", headers=headers)

    # The life of a task

    def _see_through(self, task_id: str, prompt: str) -> None:
        answer = self._poll(task_id)
        while not self._has_ended(answer):
            self._before_next_poll(task_id, answer)
            answer = self._poll(task_id)
        if self._may("poll.after_terminal"):
            self._rest(answer, self.plan.pace)
            self._poll(task_id)
        found = _LINK.search(answer.body.decode())
        if found is not None:
            self._fetch(found[1], prompt)

    def _before_next_poll(self, task_id: str, answer: Answer) -> None:
        if answer.status_code == 200 and self.plan.hint is None and self._may("poll.min_interval"):
            answer = self._poll(task_id)
            if self._has_ended(answer):
                return None
        asked = {"retry-after", "openai-poll-after-ms"} & answer.headers.keys()
        is_long = self._asked(answer) > 2 * self.plan.pace
        if is_long and asked == {"retry-after"} and self._may("poll.honours_retry_after"):
            return self.world.advance(self.plan.pace)
        if is_long and asked == {"openai-poll-after-ms"} and self._may("poll.honours_poll_after"):
            return self.world.advance(self.plan.pace)
        if not asked and answer.status_code == 200 and self._may("poll.max_interval"):
            return self.world.advance(2 * self.plan.longest)
        return self._rest(answer, self.plan.pace + self.plan.jitter)

    def _fetch(self, link: str, prompt: str) -> None:
        if self._may("download.at_least"):
            return
        self._download(link, **(KEY if self._may("download.without_key") else {}))
        if self._may("create.repeated"):
            self._created(prompt)
        if self._may("download.before_expiry"):
            self.world.advance(HOUR + MINUTE)
            self._download(link)

    def _has_ended(self, answer: Answer) -> bool:
        if answer.status_code != 200:
            return False
        told = answer.json()
        if self.plan.provider not in ACEDATA:
            return told["status"] in _ENDED
        return "response" in (told["items"][0] if self.plan.in_batches else told)

    # Waits

    def _rest(self, answer: Answer, least: Duration) -> None:
        """Wait as long as the answer asks for, and no less than this."""
        self.world.advance(max(least, self._asked(answer)))

    def _asked(self, answer: Answer) -> Duration:
        hint = int(answer.headers.get("openai-poll-after-ms", 0)) * MILLISECOND
        value = answer.headers.get("retry-after", "0")
        if value.isdigit():
            return max(hint, int(value) * SECOND)
        ahead = parsedate_to_datetime(value) - as_datetime(self.world.namespace.clock.now())
        return max(hint, int(ahead.total_seconds() * SECOND))
