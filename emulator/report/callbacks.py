"""Whether a client takes the callbacks that it asked for."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from emulator.core.callbacks import Attempt
from emulator.core.units import format_instant
from emulator.messages.report import Check, Evidence
from emulator.report.findings import Case, Criterion, Tally, concluded, of
from emulator.report.gauge import Unknown
from emulator.report.history import Life
from emulator.report.terms import Said

ANSWERED: Final = Criterion(
    "callback.answered",
    "Callbacks are answered",
    "callbacks",
    "No callback was sent.",
)
_UNDER_WAY: Final = Unknown("it is under way, or another attempt at it is to come: ask again later")
_REFUSED: Final = Unknown(
    "the emulator doesn't send to its address: the task's facts say why, and --allow-callbacks may help"
)


def answered(case: Case) -> Check:
    """Each callback was answered with 2xx, at the last attempt at the latest."""
    tally = Tally()
    for life in case.lives():
        said = case.terms(life).said_or(lambda expected: expected.callback.answered, True)
        if not said.value:
            tally.waive(said.by)
            continue
        for attempts, is_over in _callbacks(case, life):
            _judge(case, life, attempts, is_over, said, tally)
    told = f"{of(tally.failures, tally.judged, ANSWERED.cases)} got no answer of 2xx, to whichever attempt."
    return concluded(ANSWERED, tally, case, told)


def _judge(
    case: Case, life: Life, attempts: list[Attempt], is_over: bool, said: Said[bool], tally: Tally
) -> None:
    last = attempts[-1]
    if last.is_delivered:
        tally.fine()
    elif last.is_refused:
        tally.unsure(_REFUSED)
    elif is_over:
        tally.fail(partial(_unanswered, case, life, attempts, said))
    else:
        tally.unsure(_UNDER_WAY)


def _callbacks(case: Case, life: Life) -> Iterator[tuple[list[Attempt], bool]]:
    """The attempts at each of the task's callbacks that was sent, and whether there will be no more of them."""
    task = case.present(life.task)
    for number in range(len(task.plan.callback.after)):
        attempts = [attempt for attempt in task.attempts if attempt.number == number]
        if attempts:
            is_over = attempts[-1].ended_at is not None and len(attempts) > len(task.plan.callback.retry)
            yield attempts, is_over


def _unanswered(case: Case, life: Life, attempts: list[Attempt], said: Said[bool]) -> Evidence:
    last = attempts[-1]
    outcome = last.problem if last.status_code is None else f"it was answered with {last.status_code}"
    return case.evidence(
        f"Callback {last.number + 1} of the task was sent at {format_instant(attempts[0].at)}, and "
        f"{'not taken' if len(attempts) == 1 else f'not taken at {len(attempts)} attempts'}: {outcome}.",
        life,
        [life.create] if life.create is not None else [],
        f"{len(attempts)} attempts, none answered with 2xx",
        f"answered with 2xx, {said.by}",
    )
