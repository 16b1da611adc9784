"""From a journal and a question to a report."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import msgspec

from emulator.core.expectations import Expectations
from emulator.core.task import Task
from emulator.engine import Namespace
from emulator.journal import Record
from emulator.messages.report import Basis, Check, Report, Verdict
from emulator.report import callbacks, creates, downloads, polls
from emulator.report.findings import Case, as_it_was
from emulator.report.gauge import Gauge
from emulator.report.history import History, identity
from emulator.report.patience import POLL_AFTER, RETRY_AFTER, honours
from emulator.report.terms import Book

CHECKS: Final[tuple[Callable[[Case], Check], ...]] = (
    polls.min_interval,
    polls.max_interval,
    polls.after_terminal,
    partial(honours, RETRY_AFTER),
    partial(honours, POLL_AFTER),
    creates.repeated,
    downloads.at_least,
    downloads.before_expiry,
    downloads.without_key,
    callbacks.answered,
)
"""Every check, in the order in which reports list them."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to know of a client."""

    expect: Expectations | None = None
    """What it is judged by before its scenario has a say."""
    clock: Basis | None = None
    """What it sleeps by; ``None``: what follows from the mode of the namespace's clock."""
    task: str | None = None
    """The id of the task that alone is judged."""
    after: int = 0
    """The number of the request after which those judged begin."""
    unfinished: bool = False
    """Whether the client may not be done yet."""


def judge(
    records: Iterable[Record],
    book: Book,
    question: Question,
    *,
    namespace: str = "default",
    dropped: int = 0,
    scale: float | None = None,
    present: Callable[[Task], Task] = as_it_was,
) -> Report:
    """The report on the client whose requests these are.

    Args:
        records: what the journal has, oldest first.
        book: what scenarios expect.
        question: what is asked; its expectations go before the book's.
        namespace: where the records come from.
        dropped: how many there were before them.
        scale: of the namespace's clock, where it is scaled.
        present: a task as it is known now.
    """
    book = msgspec.structs.replace(book, given=question.expect, unfinished=question.unfinished)
    history, gauge = History(list(records), dropped), Gauge(question.clock, scale)
    case = Case(history, book, gauge, question.task, question.after, present)
    checks = [check(case) for check in CHECKS]
    verdicts = [check.verdict for check in checks]
    return Report(
        verdict=_overall(verdicts),
        namespace=namespace,
        scenario=book.active.name,
        clock=question.clock,
        task=question.task,
        after=question.after,
        requests=sum(map(case.asks_about, history.records)),
        dropped=case.lost,
        passed=verdicts.count("passed"),
        failed=verdicts.count("failed"),
        not_judged=verdicts.count("not judged"),
        checks=checks,
    )


def _overall(verdicts: list[Verdict]) -> Verdict:
    if "failed" in verdicts:
        return "failed"
    return "passed" if "passed" in verdicts else "not judged"


def report_on(namespace: Namespace, question: Question) -> Report:
    """The report on the client of a namespace, from its journal as it stands."""
    journal, clock = namespace.journal, namespace.clock
    return judge(
        journal,
        Book(namespace.active.scenario, namespace.ledger.scenarios),
        question,
        namespace=namespace.name,
        dropped=journal.dropped,
        scale=clock.scale if clock.mode == "scaled" else None,
        present=partial(_present, namespace),
    )


def _present(namespace: Namespace, task: Task) -> Task:
    found = namespace.store.get(task.provider, task.id)
    return task if found is None or identity(found) != identity(task) else found
