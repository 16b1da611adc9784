"""Scenarios: which choice a task gets, whom items and files speak of, which keys are good."""

from collections import Counter

import pytest
from hypothesis import given

from emulator.core.matching import Matcher
from emulator.core.scenario import HAPPY_PATH, Auth, Choice, Item, Scenario, chosen, key_is_known, takes
from emulator.core.seeded import task_entropy
from tests.strategies import ENTROPY, ITEM


@given(ITEM, ENTROPY)
def test_draws_the_same_choice_from_the_same_entropy(item: Item, entropy: bytes) -> None:
    """A task's choice is one of its item's, and depends on nothing but its entropy."""
    choice = chosen(item, entropy)
    assert choice in item.choices
    assert chosen(item, entropy) is choice


def test_draws_choices_by_their_weights() -> None:
    """Of two thousand tasks nine tenths get the choice of weight nine, and none that of weight nought."""
    item = Item(
        choices=(
            Choice(name="never", weight=0),
            Choice(name="usual", weight=9),
            Choice(name="unlucky", weight=1),
        )
    )
    names = Counter(chosen(item, task_entropy(b"namespace", b"request", n)).name for n in range(2000))
    assert names["never"] == 0
    assert 160 <= names["unlucky"] <= 240


def test_takes_the_last_choice_where_no_weight_counts() -> None:
    """Weights that are all nought still give a choice."""
    item = Item(choices=(Choice(name="a", weight=0), Choice(name="b", weight=0)))
    assert chosen(item, b"key").name == "b"


@pytest.mark.parametrize(
    ("providers", "fits"), [((), True), (("ezmodel", "octopusx"), True), (("ezmodel",), False)]
)
def test_speaks_of_the_providers_it_names(providers: tuple[str, ...], fits: bool) -> None:
    """Files and items are about the providers that they name, or about all."""
    assert Scenario(name="s", providers=providers).speaks_of("octopusx") is fits
    assert takes(Item(providers=providers), "octopusx") is fits


@pytest.mark.parametrize(
    ("keys", "known"),
    [((), True), ((Matcher(glob="sk-good-*"),), True), ((Matcher(equals="other"),), False)],
)
def test_knows_the_keys_that_it_names(keys: tuple[Matcher, ...], known: bool) -> None:
    """Without keys every key is good, else those that one of the matchers fits."""
    assert key_is_known(Auth(keys=keys), "sk-good-1") is known


def test_takes_every_create_by_default() -> None:
    """A scenario without a word is the happy path: one item that takes all."""
    assert Scenario(name="happy-path") == HAPPY_PATH
    assert [(item.id, item.match, item.calls) for item in HAPPY_PATH.items] == [(None, (), ())]
