"""What somebody forces on a task by hand: where it goes, what it shows, and what stays as it was."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core import template
from emulator.core.effects import Failure
from emulator.core.plan import Entry, Ramp, Video, plan_of, settled
from emulator.core.steps import StepRefused, advanced, forced
from emulator.core.task import Snapshot, Task, link_dies_at, next_change, polled, state_at
from emulator.core.units import HOUR, SECOND
from emulator.core.words import TERMINAL, Status
from tests.strategies import CREATED_AT, DURATION, FAILURE, HORIZON, PERCENT, task_of, timelines

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = Status


def task(*entries: Entry, **others: object) -> Task:
    """A task with this timeline, created at the instant 0."""
    return task_of(plan_of(entries, scenario="written", **others), created_at=0)


def poll(task: Task, now: int) -> Task:
    """The task after one more poll."""
    return polled(task, state_at(task, now), now, tracks_shown=True)


# Lives: polls and steps, in any order


class Force(msgspec.Struct, frozen=True):
    """What is asked of `forced`."""

    status: Status
    progress: int | None = None
    failure: Failure | None = None


Action = Force | str
"""A poll, an advance, or what is forced."""


class Moment(msgspec.Struct, frozen=True):
    """Something done to a task; a step that was refused left it as it was."""

    now: int
    action: Action
    before: Task
    after: Task
    refusal: str | None


STATUS = st.sampled_from([*[QUEUED] * 3, *[PROCESSING] * 6, COMPLETED, FAILED, CANCELLED])


@st.composite
def forces(draw: st.DrawFn) -> Force:
    """Statuses that a task that hasn't ended can be put into; most of them don't end it."""
    status = draw(STATUS)
    failure = draw(st.none() | FAILURE) if status is FAILED else None
    return Force(status, draw(st.none() | PERCENT), failure)


ACTION: st.SearchStrategy[Action] = st.sampled_from(["poll", "poll", "poll", "advance"]) | forces()
GAP = st.sampled_from([0, 0, 1, 1, 2, 5])


@st.composite
def new_tasks(draw: st.DrawFn) -> Task:
    """New tasks of drawn plans of several entries, some of which wait to be stepped."""
    counts_polls = draw(st.sampled_from([None, True]))
    timeline = draw(
        timelines(durations=DURATION, counts_polls=counts_polls).filter(lambda entries: len(entries) > 1)
    )
    manual = draw(st.sampled_from([False, False, False, True]))
    return task_of(plan_of(settled(timeline, b"entropy"), scenario="drawn", manual=manual))


@st.composite
def stepped_lives(draw: st.DrawFn) -> tuple[Task, list[Moment]]:
    """A new task, and what was done to it."""
    new = draw(new_tasks())
    now, facts, moments = CREATED_AT, new, []
    for gap, action in draw(st.lists(st.tuples(GAP, ACTION), min_size=draw(st.integers(0, 8)), max_size=16)):
        now += gap
        moments.append(done(facts, now, action))
        facts = moments[-1].after
    return new, moments


def done(task: Task, now: int, action: Action) -> Moment:
    """The task after this was done to it."""
    try:
        return Moment(now, action, task, after(task, now, action), None)
    except StepRefused as refusal:
        return Moment(now, action, task, task, str(refusal))


def after(task: Task, now: int, action: Action) -> Task:
    """The task with this done to it, if it lets it be done."""
    if isinstance(action, Force):
        return forced(task, now, action.status, action.progress, action.failure)
    return poll(task, now) if action == "poll" else advanced(task, now)


def steps_of(moments: list[Moment]) -> list[Moment]:
    """Those of them that are steps which were taken."""
    return [moment for moment in moments if moment.action != "poll" and moment.refusal is None]


def last(life: tuple[Task, list[Moment]]) -> tuple[Task, int]:
    """The final facts, and the instant of the last deed."""
    new, moments = life
    return (moments[-1].after, moments[-1].now) if moments else (new, CREATED_AT)


class Ticking:
    """The same life led by a machine that changes with time, rather than told from facts."""

    def __init__(self, task: Task) -> None:
        self.plan, self.created_at = task.plan, task.created_at
        self.place = self.floor = 0
        self.is_made_up = False
        self.entry = task.plan.entries[0]
        self.entered_at = self.since = task.created_at
        self.answered = 0

    def tick(self, now: int) -> None:
        """Let the time come to ``now``."""
        while (end := self._end()) is not None and end <= now:
            self._leave(end)

    def do(self, now: int, action: Action) -> None:
        """Meet a poll or take a step."""
        self.tick(now)
        if isinstance(action, Force):
            self._force(now, action)
        elif action == "advance":
            self._advance(now)
        elif self.entry.polls is not None and not self.plan.manual:
            self.answered += 1
            if self.answered == self.entry.polls:
                self._leave(now)
        self.tick(now)

    def progress(self, now: int) -> int:
        """In per cent."""
        told = self.entry.progress
        if told is None:
            return 100 if self.entry.status is COMPLETED else self.floor
        if isinstance(told, int):
            return told
        end, value = self._end(), told.start
        if self.entry.polls is not None and self.entry.polls > 1:
            value += (told.end - told.start) * self.answered // (self.entry.polls - 1)
        elif end is not None and end > self.entered_at:
            value += (told.end - told.start) * (now - self.entered_at) // (end - self.entered_at)
        return max(self.floor, value)

    def seen(self, now: int) -> tuple[Any, ...]:
        """What a snapshot says."""
        ended_at = self.since if self.entry.status in TERMINAL else None
        return self.entry.status, self.progress(now), self.entry, self.entered_at, self.since, ended_at

    def _end(self) -> int | None:
        if self.plan.manual or self.is_made_up or self.place == len(self.plan.entries) - 1:
            return None
        if isinstance(self.entry.until, int):
            return max(self.entered_at, self.created_at + self.entry.until)
        return self.entered_at + self.entry.stay if isinstance(self.entry.stay, int) else None

    def _leave(self, now: int) -> None:
        told = self.entry.progress
        self.floor = max(self.floor, told.end) if isinstance(told, Ramp) else self.progress(now)
        self._enter(self.place + 1, self.plan.entries[self.place + 1], now)

    def _enter(self, place: int, entry: Entry, now: int, *, is_made_up: bool = False) -> None:
        if entry.status is not self.entry.status:
            self.since = now
        self.place, self.entry, self.is_made_up = place, entry, is_made_up
        self.entered_at, self.answered = now, 0

    def _advance(self, now: int) -> None:
        for following in self.plan.entries[self.place + 1 : self.place + 2]:
            if following.status is self.entry.status or self.entry.status not in TERMINAL:
                self.floor = self.progress(now)
                self._enter(self.place + 1, following, now)

    def _force(self, now: int, asked: Force) -> None:
        if self.entry.status in TERMINAL:
            return
        if asked.status is self.entry.status:
            if asked.progress is not None:
                self.entry = msgspec.structs.replace(self.entry, progress=asked.progress)
            return
        self.floor = self.progress(now)
        present = self.place
        for place, entry in list(enumerate(self.plan.entries))[present + 1 :]:
            if entry.status is not asked.status:
                continue
            self._enter(place, _worded(entry, asked), now)
            if self._end() != now:
                return
        made_up = Entry(status=asked.status, stuck=asked.status not in TERMINAL)
        self._enter(present, _worded(made_up, asked), now, is_made_up=True)


def _worded(entry: Entry, asked: Force) -> Entry:
    progress = entry.progress if asked.progress is None else asked.progress
    failure = entry.failure if asked.failure is None else asked.failure
    return msgspec.structs.replace(entry, progress=progress, failure=failure)


def seen(task: Task, now: int) -> tuple[Any, ...]:
    """What a snapshot says, as `Ticking.seen` does."""
    s = state_at(task, now)
    return s.status, s.progress, s.entry, s.entered_at, s.since, s.ended_at


@given(stepped_lives())
def test_leads_the_life_of_a_machine_that_ticks(life: tuple[Task, list[Moment]]) -> None:
    """Facts tell, of each instant and after each deed, what a machine shows that lived through it all."""
    new, moments = life
    machine, now = Ticking(new), CREATED_AT
    for moment in moments:
        for instant in range(now, moment.now):
            machine.tick(instant)
            assert seen(moment.before, instant) == machine.seen(instant)
        now = moment.now
        machine.do(now, moment.action)
        assert seen(moment.after, now) == machine.seen(now)
    facts, _ = last(life)
    for instant in range(now, now + HORIZON):
        machine.tick(instant)
        assert seen(facts, instant) == machine.seen(instant)


# Properties


@given(stepped_lives())
def test_never_rewrites_the_past(life: tuple[Task, list[Moment]]) -> None:
    """A step, as a poll, changes nothing of what the task looked like before it."""
    for moment in life[1]:
        for instant in range(CREATED_AT, moment.now):
            assert state_at(moment.after, instant) == state_at(moment.before, instant)


@given(stepped_lives())
def test_shows_what_was_asked(life: tuple[Task, list[Moment]]) -> None:
    """At the instant of a step the task shows the status, the progress and the failure that were asked for."""
    for moment in steps_of(life[1]):
        shown, asked = state_at(moment.after, moment.now), moment.action
        if not isinstance(asked, Force):
            continue
        assert shown.status is asked.status
        assert asked.progress is None or shown.progress == asked.progress
        assert asked.failure is None or shown.entry.failure == asked.failure
        assert shown.ended_at == (moment.now if asked.status in TERMINAL else None)


@given(stepped_lives())
def test_goes_on_in_the_timeline_when_advanced(life: tuple[Task, list[Moment]]) -> None:
    """An advance leads to the next entry at that instant, or past it where that has no time left."""
    for moment in steps_of(life[1]):
        if moment.action == "advance":
            was = state_at(moment.before, moment.now).index
            place = was if was < moment.before.plan.length else moment.before.steps[-1].place
            shown = state_at(moment.after, moment.now)
            assert place < shown.index < moment.after.plan.length
            assert shown.entered_at == moment.now


@given(stepped_lives())
def test_stays_terminal(life: tuple[Task, list[Moment]]) -> None:
    """A task that has ended keeps status and end, whatever is done to it, and takes nothing forced."""
    new, moments = life
    seen = [state_at(new, CREATED_AT)]
    for moment in moments:
        was = state_at(moment.before, moment.now)
        if was.status in TERMINAL and isinstance(moment.action, Force):
            assert moment.refusal is not None
        seen += [was, state_at(moment.after, moment.now)]
    facts, now = last(life)
    seen += [state_at(facts, instant) for instant in range(now, now + HORIZON)]
    for earlier, later in pairwise(seen):
        if earlier.status in TERMINAL:
            assert (later.status, later.ended_at) == (earlier.status, earlier.ended_at)


def may_fall(task: Task, earlier: Snapshot, later: Snapshot) -> bool:
    """Whether a literal number stands on the later entry, or on one that may have been passed in between."""
    place = earlier.index if earlier.index < task.plan.length else task.steps[-1].place
    passed = task.plan.entries[place + 1 : min(later.index, task.plan.length)]
    return any(isinstance(entry.progress, int) for entry in (*passed, later.entry))


@given(stepped_lives())
def test_never_lets_progress_fall_by_itself(life: tuple[Task, list[Moment]]) -> None:
    """Progress falls, by step or by time, only where a number says so."""
    _, moments = life
    facts, now = last(life)
    looks = [(facts, instant) for instant in range(now, now + HORIZON)]
    for moment in reversed(moments):
        looks[:0] = [(moment.before, moment.now), (moment.after, moment.now)]
    for (before, earlier), (facts, later) in pairwise(looks):
        was, is_now = state_at(before, earlier), state_at(facts, later)
        assert is_now.progress >= was.progress or may_fall(before, was, is_now)


@given(stepped_lives())
def test_names_the_first_instant_of_change(life: tuple[Task, list[Moment]]) -> None:
    """Until the next change the task stays in its entry, at it the task is in another; without one, for ever."""
    facts, now = last(life)
    present = state_at(facts, now).index
    others = [i for i in range(now, now + HORIZON) if state_at(facts, i).index != present]
    assert next_change(facts, now) == (others[0] if others else None)


@given(stepped_lives())
def test_dates_entry_and_status(life: tuple[Task, list[Moment]]) -> None:
    """The status is the same from `since` on and another before; the entry is the same from `entered_at` on."""
    facts, now = last(life)
    for instant in range(CREATED_AT, now + HORIZON):
        shown = state_at(facts, instant)
        assert CREATED_AT <= shown.since <= shown.entered_at <= instant
        assert state_at(facts, shown.entered_at).index == shown.index
        assert {state_at(facts, i).status for i in range(shown.since, instant + 1)} == {shown.status}


@given(stepped_lives())
def test_keeps_the_plan_true(life: tuple[Task, list[Moment]]) -> None:
    """The index of a snapshot is that of an entry of this status; a plain plan is in no entry that isn't plain."""
    facts, now = last(life)
    for instant in range(CREATED_AT, now + HORIZON):
        shown, plan = state_at(facts, instant), facts.plan
        assert plan.entries[shown.index].status is shown.status
        words = None if shown.entry.failure is None else shown.entry.failure.message
        assert not plan.is_plain or (shown.entry.delay is None and not template.holds_any(str(words)))
    assert facts.plan.entries[: facts.plan.length] == life[0].plan.entries


@given(stepped_lives())
def test_keeps_every_fact_in_a_store(life: tuple[Task, list[Moment]]) -> None:
    """A stepped task read back is equal to the one written, and looks the same."""
    facts, now = last(life)
    restored = msgspec.json.decode(msgspec.json.encode(facts), type=Task)
    assert restored == facts
    for instant in (CREATED_AT, now, now + HORIZON):
        assert state_at(restored, instant) == state_at(facts, instant)


# Advancing


def test_ends_the_present_entry() -> None:
    """The next entry begins at the step, and what follows is dated from there."""
    new = task(Entry(status=QUEUED, stay=100), Entry(status=PROCESSING, stay=10), Entry(status=COMPLETED))
    facts = advanced(new, 7)
    assert [state_at(facts, t).status for t in (6, 7, 16, 17)] == [QUEUED, PROCESSING, PROCESSING, COMPLETED]
    assert (state_at(facts, 17).ended_at, next_change(facts, 7), next_change(facts, 17)) == (17, 17, None)


def test_moves_a_plan_that_waits_for_it() -> None:
    """Under manual progression an advance leads from entry to entry, and nothing else does."""
    entries = (Entry(status=QUEUED, polls=1), Entry(status=PROCESSING, stay=1), Entry(status=COMPLETED))
    facts = advanced(poll(task(*entries, manual=True), 5), 8)
    facts = poll(facts, 1000)
    assert (state_at(facts, 1000).status, next_change(facts, 1000)) == (PROCESSING, None)
    facts = advanced(facts, 1000)
    assert (state_at(facts, 1000).status, state_at(facts, 10**15).ended_at) == (COMPLETED, 1000)


def test_leads_a_waiting_task_to_its_second_result() -> None:
    """An ended task is advanced to a further entry of its status, which has the same end and another video."""
    videos = Video(id="first"), Video(id="second", expires_in=HOUR)
    new = task(*(Entry(status=COMPLETED, stay=5, video=v) for v in videos), manual=True)
    facts = advanced(new, 50)
    shown = state_at(facts, 50)
    assert (shown.entry.video, shown.ended_at, shown.entered_at) == (videos[1], 0, 50)
    assert link_dies_at(facts, shown, 50) == HOUR
    with pytest.raises(StepRefused, match="ended at 1970-01-01T00:00:00Z as completed"):
        advanced(facts, 60)


def test_measures_until_from_creation() -> None:
    """An entry that ends so long after creation does so however early it was entered, or is passed at once."""
    entries = (
        Entry(status=QUEUED, until=10), Entry(status=PROCESSING, until=30), Entry(status=PROCESSING, until=40),
        Entry(status=COMPLETED),
    )  # fmt: skip
    early = advanced(task(*entries), 3)
    assert [state_at(early, t).index for t in (3, 29, 30, 40)] == [1, 1, 2, 3]
    twice = advanced(advanced(early, 4), 5)
    assert [state_at(twice, t).index for t in (3, 4, 5)] == [1, 2, 3]


def test_counts_the_polls_of_the_entry_that_it_enters() -> None:
    """Polls that an entry answered before it was left count for no other, and each entry gets all of its own."""
    new = task(
        Entry(status=QUEUED, polls=2, progress=Ramp(0, 5)), Entry(status=QUEUED, polls=3, progress=Ramp(5, 10)),
        Entry(status=PROCESSING, polls=2), Entry(status=PROCESSING, polls=3, progress=Ramp(20, 80)),
        Entry(status=COMPLETED),
    )  # fmt: skip
    facts = advanced(poll(poll(poll(poll(new, 0), 0), 1), 2), 3)
    shown = []
    for now in range(4, 10):
        shown.append((state_at(facts, now).index, state_at(facts, now).progress))
        facts = poll(facts, now)
    assert shown == [(2, 10), (2, 10), (3, 20), (3, 50), (3, 80), (4, 100)]
    assert [state_at(facts, t).index for t in (-1, 0, 2, 3, 5, 8)] == [0, 1, 1, 2, 3, 4]


def test_takes_steps_and_polls_of_one_instant_in_their_order() -> None:
    """Under a clock that stands still a poll before a step and a poll after it lead to different ends."""
    entries = (
        Entry(status=QUEUED, polls=1), Entry(status=PROCESSING, polls=1), Entry(status=PROCESSING, stay=5),
        Entry(status=COMPLETED),
    )  # fmt: skip
    polled_first = advanced(poll(task(*entries), 9), 9)
    polled_last = poll(forced(task(*entries), 9, PROCESSING), 9)
    assert polled_first.ended == polled_last.ended == (9,)
    assert [state_at(facts, 9).index for facts in (polled_first, polled_last)] == [2, 2]
    assert [state_at(facts, 9).since for facts in (polled_first, polled_last)] == [9, 9]
    assert state_at(advanced(polled_last, 9), 9).ended_at == 9


def test_begins_with_the_progress_that_was_shown() -> None:
    """Where the next entry names no progress it keeps what was seen last, not what was still to come."""
    entries = (Entry(status=PROCESSING, stay=10, progress=Ramp(0, 100)), Entry(status=FAILED))
    assert state_at(advanced(task(*entries), 4), 4).progress == 40


# Forcing


RENDERED = Video(id="rendered", expires_in=10)
TIMELINE = (
    Entry(status=QUEUED, stay=100),
    Entry(status=PROCESSING, stay=10, word="rendering", progress=Ramp(0, 99)),
    Entry(status=COMPLETED, video=RENDERED),
)


def test_jumps_to_the_entry_ahead() -> None:
    """The entry is the timeline's, with its word and progress, its stay runs from the step, the rest follows."""
    facts = forced(task(*TIMELINE), 20, PROCESSING)
    assert [state_at(facts, t).progress for t in (19, 20, 25, 30)] == [0, 0, 49, 100]
    assert (state_at(facts, 20).entry, state_at(facts, 30).ended_at) == (TIMELINE[1], 30)
    assert facts.plan.length == len(facts.plan.entries) == 3


def test_jumps_over_what_lies_between() -> None:
    """A task forced to its end gets the result that its timeline has for it."""
    facts = forced(task(*TIMELINE), 20, COMPLETED)
    shown = state_at(facts, 20)
    assert (shown.entry, shown.progress, shown.ended_at, shown.index) == (TIMELINE[2], 100, 20, 2)
    assert link_dies_at(facts, shown, 25) == 30


def test_passes_over_an_entry_without_time_left() -> None:
    """An entry that would end at the instant of the step can't be shown, so the next of its status is taken."""
    entries = (
        Entry(status=QUEUED, stay=5), Entry(status=PROCESSING, stay=0, word="no"),
        Entry(status=PROCESSING, stay=7, word="yes"), Entry(status=COMPLETED),
    )  # fmt: skip
    facts = forced(task(*entries), 2, PROCESSING)
    assert [state_at(facts, t).entry.word for t in (2, 8, 9)] == ["yes", "yes", None]


def test_stays_where_the_time_of_every_entry_ahead_is_up() -> None:
    """Asked for a status whose time after creation has passed, a task stays in it all the same."""
    facts = forced(
        task(Entry(status=QUEUED, until=20), Entry(status=PROCESSING, until=15), Entry(status=COMPLETED)),
        15,
        PROCESSING,
    )
    assert state_at(facts, 10**9).entry == Entry(status=PROCESSING, stuck=True)


@pytest.mark.parametrize("status", [FAILED, CANCELLED])
def test_makes_up_the_end_that_the_timeline_lacks(status: Status) -> None:
    """A task whose timeline doesn't end so ends so all the same, there and then, and keeps its progress."""
    facts = forced(task(*TIMELINE), 105, status)
    shown = state_at(facts, 10**9)
    assert (shown.status, shown.ended_at, shown.progress, shown.index) == (status, 105, 49, 3)
    assert shown.entry == Entry(status=status)


def test_stays_in_a_status_that_it_was_put_back_to() -> None:
    """Put back to queued, a task stays there until it is stepped again, and goes on from where it was."""
    back = forced(task(*TIMELINE), 105, QUEUED, progress=0)
    assert (state_at(back, 10**9).status, state_at(back, 10**9).since, next_change(back, 105)) == (
        QUEUED,
        105,
        None,
    )
    for onward in (advanced(back, 200), forced(back, 200, COMPLETED)):
        assert (state_at(onward, 200).entry, state_at(onward, 200).ended_at) == (TIMELINE[2], 200)
    assert state_at(forced(back, 200, PROCESSING), 10**9).entry == Entry(status=PROCESSING, stuck=True)


@pytest.mark.parametrize("last", [Entry(status=PROCESSING, stay=5), Entry(status=PROCESSING, polls=1)])
def test_never_leaves_the_last_entry_for_a_made_up_one(last: Entry) -> None:
    """What was made up lies behind no entry of the timeline, whatever its last one says."""
    made_up = forced(task(Entry(status=PROCESSING, stay=9), last), 1, QUEUED)
    assert made_up.plan.entries[2].status is QUEUED
    facts = poll(poll(forced(made_up, 2, PROCESSING), 3), 10)
    assert (state_at(facts, 10).index, state_at(facts, 10**9).index) == (1, 1)


def test_keeps_the_end_that_was_made_up() -> None:
    """What lay ahead of a task before it was ended early doesn't come to pass by an advance."""
    ended = forced(task(*TIMELINE), 50, FAILED)
    with pytest.raises(StepRefused, match=r"ended at 1970-01-01T00:00:00\.00005Z as failed"):
        advanced(ended, 60)


def test_words_the_failure_anew() -> None:
    """A failure that is given stands in place of the timeline's, whose entry otherwise stays as it is."""
    planned = Entry(status=FAILED, failure=Failure(code="planned"), word="broken", progress=7)
    facts = forced(task(Entry(status=QUEUED, stay=9), planned), 1, FAILED, failure=Failure(message="forced"))
    shown = state_at(facts, 1)
    assert shown.entry == msgspec.structs.replace(planned, failure=Failure(message="forced"))
    assert state_at(
        forced(task(*TIMELINE), 1, FAILED, failure=Failure(code="c")), 1
    ).entry.failure == Failure(code="c")


@pytest.mark.parametrize(
    "timeline",
    [
        TIMELINE,
        (Entry(status=QUEUED, stay=9), Entry(status=FAILED)),
        (Entry(status=QUEUED, polls=9), Entry(status=FAILED)),
    ],
    ids=["made up", "by time", "by polls"],
)
def test_is_no_longer_plain_with_a_template(timeline: tuple[Entry, ...]) -> None:
    """A plan that a forced failure brings templates into isn't one that takes the shortcut."""
    assert forced(task(*timeline), 1, FAILED, failure=Failure(message="plain")).plan.is_plain
    assert not forced(task(*timeline), 1, FAILED, failure=Failure(message="{{ now }}")).plan.is_plain


# Progress


def test_shows_a_number_until_the_entry_ends() -> None:
    """A number stands, lower than what was shown too, and the entry runs on as if nothing had happened."""
    entries = (
        Entry(status=PROCESSING, stay=10, progress=Ramp(0, 100)), Entry(status=PROCESSING, stay=10),
        Entry(status=COMPLETED),
    )  # fmt: skip
    facts = forced(task(*entries), 6, PROCESSING, progress=33)
    assert [state_at(facts, t).progress for t in (5, 6, 9, 10, 20)] == [50, 33, 33, 33, 100]
    shown = state_at(facts, 6)
    assert (shown.index, shown.entered_at, shown.since, next_change(facts, 6)) == (0, 0, 0, 10)


def test_counts_polls_on_with_another_progress() -> None:
    """An entry of three polls whose progress is changed after two of them answers one more."""
    new = task(
        Entry(status=QUEUED, polls=3, progress=Ramp(0, 90)), Entry(status=PROCESSING, polls=3, progress=Ramp(0, 99)),
        Entry(status=COMPLETED),
    )  # fmt: skip
    facts = forced(poll(poll(new, 1), 2), 3, QUEUED, progress=8)
    shown = []
    for now in range(4, 9):
        shown.append(state_at(facts, now).progress)
        facts = poll(facts, now)
    assert shown == [8, 8, 49, 99, 100]


def test_leaves_a_task_alone_that_is_as_asked() -> None:
    """Nothing changes where the task has the status already and nothing else is asked for."""
    new = task(*TIMELINE)
    assert forced(new, 5, QUEUED) is new


# Refusals


ENDED_AT_ONE = (Entry(status=QUEUED, stay=SECOND), Entry(status=COMPLETED))
WAITING = (Entry(status=PROCESSING, stuck=True),)


@pytest.mark.parametrize(
    ("timeline", "now", "action", "told"),
    [
        (
            ENDED_AT_ONE,
            HOUR,
            "advance",
            (
                "task video_1 ended at 1970-01-01T00:00:01Z as completed, and what has ended stays as it is; "
                "a new task can be made with POST /__admin/tasks"
            ),
        ),
        (
            (Entry(status=CANCELLED),),
            HOUR,
            Force(CANCELLED, 5),
            (
                "task video_1 ended at 1970-01-01T00:00:00Z as cancelled, and what has ended stays as it is; "
                "a new task can be made with POST /__admin/tasks"
            ),
        ),
        (
            WAITING,
            HOUR,
            "advance",
            (
                "task video_1 is processing and its timeline has no further entry to advance to; "
                "complete, fail or cancel it, or PATCH it with a status"
            ),
        ),
        (WAITING, 5, Force(FAILED, 101), "progress: expected a whole number from 0 to 100, got 101"),
        (WAITING, 5, Force(PROCESSING, -1), "progress: expected a whole number from 0 to 100, got -1"),
        (
            WAITING,
            5,
            Force(QUEUED, None, Failure()),
            "error: only a failed task has one; name it with the status failed, not queued",
        ),
        (
            WAITING,
            -SECOND,
            Force(FAILED),
            (
                "task video_1 can't be stepped at 1969-12-31T23:59:59Z: it was created or changed at "
                "1970-01-01T00:00:00Z, and a step changes nothing of the past; advance the clock to there first"
            ),
        ),
    ],
)
def test_says_why_it_refuses(timeline: tuple[Entry, ...], now: int, action: Action, told: str) -> None:
    """A refusal names the task or the argument, the reason, and what would work."""
    assert done(task(*timeline), now, action).refusal == told


SLOW = (Entry(status=QUEUED, stuck=True),)
POLLED = (Entry(status=QUEUED, polls=1), Entry(status=PROCESSING, stay=9), Entry(status=COMPLETED))
MOVED = (Entry(status=QUEUED, polls=2, progress=Ramp(0, 9)), Entry(status=COMPLETED))


@pytest.mark.parametrize(
    "facts",
    [forced(task(*SLOW), 50, QUEUED, progress=1), poll(task(*POLLED), 50), poll(task(*MOVED), 50)],
    ids=["a step", "a poll that ended an entry", "a poll that moved the progress"],
)
def test_takes_no_step_before_what_is_known(facts: Task) -> None:
    """A step would falsify what happened after it; what happened at its own instant it follows."""
    with pytest.raises(StepRefused, match="a step changes nothing of the past"):
        forced(facts, 49, FAILED)
    assert state_at(forced(facts, 50, FAILED), 50).ended_at == 50
