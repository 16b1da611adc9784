"""The store in memory: what is kept, what is given up, and at what cost."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.plan import HAPPY_TIMELINE, plan_of
from emulator.core.task import Task
from emulator.store import MemoryStore, Store
from tests.strategies import task_of

PLAN = plan_of(HAPPY_TIMELINE, scenario="written")
PROVIDERS = ("octopusx", "ezmodel", "acedata-veo")


def task(name: str, provider: str = "octopusx", created_at: int = 0) -> Task:
    """A task under this id."""
    return msgspec.structs.replace(task_of(PLAN, created_at), id=name, provider=provider)


def ids(store: Store, provider: str | None = None) -> list[str]:
    """The ids of the tasks that the store lists."""
    return [found.id for found in store.newest_first(provider)]


def filled(max_tasks: int, count: int, providers: tuple[str, ...] = ("octopusx",)) -> MemoryStore:
    """A store into which so many tasks were put, one after the other, turn by turn for each provider."""
    store = MemoryStore(max_tasks)
    for number in range(count):
        store.put(task(f"t{number}", providers[number % len(providers)], number))
    return store


def test_gives_back_what_was_put() -> None:
    """A task is found under its provider and id, and nowhere else."""
    store = MemoryStore(10)
    kept = task("a")
    store.put(kept)
    assert store.get("octopusx", "a") is kept
    assert (store.get("ezmodel", "a"), store.get("octopusx", "b")) == (None, None)
    assert (len(store), store.dropped) == (1, 0)


def test_keeps_the_newest_value_of_a_task() -> None:
    """A task's new value takes the place of the one before, and counts as no other task."""
    store = filled(3, 3)
    for polls in range(10):
        store.put(msgspec.structs.replace(task("t0"), polls=polls))
    found = store.get("octopusx", "t0")
    assert found is not None
    assert found.polls == 9
    assert (len(store), store.dropped, ids(store)) == (3, 0, ["t2", "t1", "t0"])


def test_renews_only_what_is_there() -> None:
    """A new value takes the place of the one before; a task that was given up meanwhile stays so."""
    store = filled(2, 3)
    for name in ("t0", "t2"):
        store.renew(msgspec.structs.replace(task(name), polls=9))
    found = store.get("octopusx", "t2")
    assert found is not None
    assert (found.polls, store.get("octopusx", "t0")) == (9, None)
    assert (len(store), store.dropped, ids(store)) == (2, 1, ["t2", "t1"])
    store.clear()
    store.renew(task("t2"))
    store.renew(task("t2", "nobody"))
    assert (len(store), ids(store)) == (0, [])


def test_keeps_one_id_under_two_providers_apart() -> None:
    """An id at one provider is another task than the same id at the other, also for other names."""
    store = MemoryStore(10)
    one, other = task("a", "octopusx"), task("a", "ezmodel")
    store.put(one)
    store.put(other)
    store.alias("octopusx", "name", "a")
    assert (store.get("octopusx", "a"), store.get("ezmodel", "a")) == (one, other)
    assert (store.find_alias("octopusx", "name"), store.find_alias("ezmodel", "name")) == ("a", None)
    assert len(store) == 2


def test_lists_the_newest_first() -> None:
    """Tasks come last added first, those of all providers in one order."""
    store = filled(100, 7, PROVIDERS)
    assert ids(store) == ["t6", "t5", "t4", "t3", "t2", "t1", "t0"]
    assert ids(store, "ezmodel") == ["t4", "t1"]
    assert ids(store, "nobody") == []
    assert ids(MemoryStore(1)) == []


def test_forgets_everything() -> None:
    """A cleared store is as new: no tasks, no other names, nothing counted as given up."""
    store = filled(2, 5)
    store.alias("octopusx", "name", "t4")
    store.clear()
    assert (len(store), store.dropped, ids(store)) == (0, 0, [])
    assert store.find_alias("octopusx", "name") is None
    assert store.get("octopusx", "t4") is None


# Too many


@pytest.mark.parametrize("max_tasks", [1, 2, 5, 99, 100, 101])
@pytest.mark.parametrize("providers", [PROVIDERS[:1], PROVIDERS], ids=["one provider", "three providers"])
def test_gives_up_the_oldest(max_tasks: int, providers: tuple[str, ...]) -> None:
    """Past the limit the oldest tasks of all go, and are counted; the newcomer stays."""
    store = MemoryStore(max_tasks)
    for number in range(3 * max_tasks):
        newcomer = task(f"t{number}", providers[number % len(providers)], number)
        store.put(newcomer)
        assert store.get(newcomer.provider, newcomer.id) is newcomer
        assert len(store) <= max_tasks
        assert len(store) + store.dropped == number + 1
        assert ids(store) == [f"t{kept}" for kept in range(number, number - len(store), -1)]


def test_gives_up_no_more_than_a_hundredth_at_a_time() -> None:
    """A store that is full stays nearly so."""
    store = filled(1000, 5000, PROVIDERS)
    assert 990 <= len(store) <= 1000


@pytest.mark.parametrize("newcomer", PROVIDERS)
def test_never_gives_up_the_newcomer(newcomer: str) -> None:
    """A newcomer stays whoever's it is, and be its creation older than all others'."""
    store = filled(1, 1, PROVIDERS)
    store.put(task("new", newcomer, created_at=-1_000_000))
    assert (ids(store), len(store), store.dropped) == (["new"], 1, 1)


def test_counts_a_task_that_comes_back_as_a_newcomer() -> None:
    """A task that was given up while somebody held it is kept again when it is put."""
    store = filled(2, 2)
    held = task("t0")
    store.put(task("t2", created_at=2))
    assert store.get("octopusx", "t0") is None
    store.put(held)
    assert store.get("octopusx", "t0") is held
    assert (len(store), store.dropped) == (2, 2)


def test_lets_other_names_go_with_their_tasks() -> None:
    """A task that is given up takes its other names with it, and nobody else's."""
    store = MemoryStore(2)
    for number, provider in enumerate(("octopusx", "ezmodel")):
        store.put(task("same", provider, number))
        store.alias(provider, "first name", "same")
        store.alias(provider, "second name", "same")
    store.put(task("new", created_at=2))
    assert store.get("octopusx", "same") is None
    assert [store.find_alias("octopusx", name) for name in ("first name", "second name")] == [None, None]
    assert [store.find_alias("ezmodel", name) for name in ("first name", "second name")] == ["same", "same"]


def test_removes_a_task_and_its_other_names() -> None:
    """Of one provider; the others stay, and so does the count of those given up. A second time changes nothing."""
    store = filled(10, 4, ("octopusx", "ezmodel"))
    (name, other) = ids(store, "octopusx")
    store.alias("octopusx", "alias", name)
    store.alias("octopusx", "another", other)
    gone = store.get("octopusx", name)
    assert gone is not None
    for _ in range(2):
        store.remove(gone)
        assert store.get("octopusx", name) is None
        assert ids(store, "octopusx") == [other]
        assert (len(store), store.dropped) == (3, 0)
        assert (store.find_alias("octopusx", "alias"), store.find_alias("octopusx", "another")) == (
            None,
            other,
        )
    store.renew(gone)
    assert store.get("octopusx", name) is None
    store.put(gone)
    assert (store.get("octopusx", name), len(store)) == (gone, 4)


def test_gives_tasks_up_in_few_rounds() -> None:
    """What is dear, a round of giving up, happens once in a hundredth of the limit: newcomers stay cheap."""
    rounds, store, dropped = 0, filled(2000, 2000, PROVIDERS), 0
    for number in range(10_000):
        store.put(task(f"n{number}", PROVIDERS[number % 3], 10_000 + number))
        rounds += store.dropped != dropped
        dropped = store.dropped
    assert rounds <= 10_000 // (2000 // 100)


OPERATIONS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(PROVIDERS), st.integers(0, 5), st.booleans()),
    max_size=40,
)


@given(st.integers(1, 6), OPERATIONS)
def test_keeps_what_a_list_would_keep(max_tasks: int, operations: list[tuple[str, str, int, bool]]) -> None:
    """Whatever is put in whatever order, the store holds what a plain list with the same rule holds."""
    store, kept, names = MemoryStore(max_tasks), dict[tuple[str, str], Task](), set[tuple[str, str]]()
    dropped = 0
    for name, provider, created_at, has_alias in operations:
        newcomer = task(name, provider, created_at)
        store.put(newcomer)
        kept[provider, name] = newcomer
        if len(kept) > max_tasks:
            older = [key for key in kept if key != (provider, name)]
            oldest = {key[0]: key for key in reversed(older)}.values()
            (gone,) = [key for key in kept if store.get(*key) is None]
            assert gone in oldest
            assert kept[gone].created_at == min(kept[key].created_at for key in oldest)
            del kept[gone]
            names.discard(gone)
            dropped += 1
        if has_alias:
            store.alias(provider, f"alias of {name}", name)
            names.add((provider, name))
    assert {key: store.get(*key) for key in kept} == kept
    assert (len(store), store.dropped) == (len(kept), dropped)
    assert sorted(ids(store)) == sorted(name for _, name in kept)
    for name, provider, _, _ in operations:
        expected = name if (provider, name) in names else None
        assert store.find_alias(provider, f"alias of {name}") == expected
