"""Whole scenarios."""

from collections.abc import Collection
from typing import Final, Literal

import hypothesis
from hypothesis import strategies as st

from emulator.core.plan import HAPPY_TIMELINE
from emulator.core.words import Profile, Status
from emulator.strategies.about import about
from emulator.strategies.arguments import Json, count_of, provider_called, words_of
from emulator.strategies.callbacks import callbacks_of, sentence_about
from emulator.strategies.generated import GeneratedScenario, generated
from emulator.strategies.rules import OPERATIONS, rules_of, trouble_of
from emulator.strategies.timelines import Possible, possible_of, timelines_of

_MOST_TASKS: Final = 10
_MOST_RULES: Final = 3


def scenarios(  # noqa: PLR0913 - each switches one thing off
    provider: str,
    *,
    statuses: Collection[str] = tuple(Status),
    max_duration: str = "10m",
    unknown_words: bool = True,
    missing_results: bool = True,
    short_links: bool = True,
    stuck: bool = False,
    rules: bool = True,
    errors: bool | Collection[str] = True,
    faults: bool | Collection[str] = False,
    max_delay: str = "5ms",
    tasks: int = 1,
    callbacks: bool = False,
    profile: Literal["documented", "current"] | None = None,
) -> st.SearchStrategy[GeneratedScenario]:
    """Scenarios of one provider; Hypothesis prints the YAML of one that makes a test fail.

    The simplest is the happy path. All that happens in one is drawn by Hypothesis, nothing by the emulator: the same
    scenario does the same again, whatever the seed.

    Args:
        provider: whose.
        statuses: which a task may be in.
        max_duration: as for `timelines`.
        unknown_words: as for `timelines`.
        missing_results: as for `timelines`.
        short_links: as for `timelines`.
        stuck: as for `timelines`.
        rules: whether single calls may go wrong; `rules` says how.
        errors: as for `rules`.
        faults: as for `rules`; creates are left alone.
        max_delay: as for `rules`.
        tasks: how many creates may get timelines of their own; the last one is that of all further ones, too.
        callbacks: whether the end of a task may be told late, twice or never to the ``callback_url`` of its create;
            only for a provider that calls back.
        profile: the provider's face, written into the scenario; left out: the server's.

    Raises:
        ValueError: an argument isn't what it should be.
    """
    possible = possible_of(
        provider,
        statuses=statuses,
        max_duration=max_duration,
        unknown_words=unknown_words,
        missing_results=missing_results,
        short_links=short_links,
        stuck=stuck,
    )
    most_rules = _MOST_RULES if rules else 0
    trouble = trouble_of(provider, OPERATIONS, errors, faults, max_delay, most_rules)
    head = {
        "providers": provider,
        "profile": None if profile is None else words_of("profile", [profile], Profile)[0].value,
    }
    lives = _lives(possible, count_of("tasks", tasks, least=1, most=_MOST_TASKS))
    called = callbacks_of(provider_called(provider), callbacks)
    return st.builds(_scenario, st.just(head), lives, called, rules_of(trouble)).map(_noted)


def _lives(possible: Possible, tasks: int) -> st.SearchStrategy[list[list[Json]]]:
    """Timelines, one for each create; none at all where the happy path will do."""
    several = st.lists(timelines_of(possible), min_size=1, max_size=tasks)
    # Mostly there, for the happy path has nothing to find in it; but it is what an example shrinks to.
    absent = st.just(list[list[Json]]())
    return st.sampled_from((False, True, True, True)).flatmap(
        lambda is_there: several if is_there or not _may_be_happy(possible) else absent
    )


def _may_be_happy(possible: Possible) -> bool:
    """Whether what a file leaves out, the happy path, is something that may become of a task."""
    statuses = {entry.status for entry in HAPPY_TIMELINE}
    stays = sum(entry.stay for entry in HAPPY_TIMELINE if isinstance(entry.stay, int))
    return statuses <= set(possible.statuses) and stays <= possible.longest


def _scenario(
    head: Json, lives: list[list[Json]], callback: Json | None, rules: list[Json]
) -> GeneratedScenario:
    tasks = [_item(number, life, len(lives), callback) for number, life in enumerate(lives, 1)]
    if callback is not None and not lives:
        tasks = [{"callback": callback}]
    return generated(
        {
            "version": 1,
            "about": about(lives, rules, sentence_about(callback)),
            **head,
            "tasks": tasks,
            "rules": rules,
        }
    )


def _item(number: int, life: list[Json], of: int, callback: Json | None) -> Json:
    item = {"timeline": life} if number == of else {"calls": number, "timeline": life}
    return item if callback is None else {**item, "callback": callback}


def _noted(scenario: GeneratedScenario) -> GeneratedScenario:
    """The scenario, whose text stands in the failure's report."""
    hypothesis.note(scenario.yaml)
    return scenario
