"""Scenarios by name: shipped ones, an author's, and a namespace's own over both."""

import sys
from pathlib import Path

import pytest

from emulator.library import SHIPPED, Library, Overlay
from emulator.scenario_file import ScenarioError, load_text

MINE = "version: 1\nabout: Mine.  # to the letter\n"
DOUBTFUL = "version: 1\ntasks: [{match: {prompt: a}}, {match: {prompt: a}}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of an author's with one file, called as a shipped one."""
    (tmp_path / "happy-path.yaml").write_text(MINE, encoding="utf-8")
    return tmp_path


# Names


def test_tells_an_authors_scenarios_from_those_shipped(folder: Path) -> None:
    """Also where one is called as a shipped one, and whichever were asked for."""
    library = Library(folder)
    assert library.own_names() == ["happy-path"]
    library.get("slow-queue")
    library.add_text("version: 1\nname: told\n", "x", "X")
    assert library.own_names() == ["happy-path", "told"]
    assert set(library.own_names()) < set(library.names())


def test_a_shipped_scenario_that_was_read_is_no_authors() -> None:
    """Reading it makes it nobody's own."""
    library = Library()
    for name in library.names():
        library.get(name)
    assert library.own_names() == []


# Texts


@pytest.mark.parametrize("name", Library().names())
def test_gives_the_text_of_a_shipped_scenario(name: str) -> None:
    """As it stands in its file, whether or not somebody asked for the scenario before."""
    written = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    asked_before, never_asked = Library(), Library()
    asked_before.get(name)
    assert asked_before.text(name) == never_asked.text(name) == written


def test_gives_the_text_of_an_authors_scenario(folder: Path) -> None:
    """The author's own goes before the shipped one, its text too; texts and single files are kept alike."""
    library = Library(folder)
    library.add_text("version: 1\nname: told\n", "x", "X")
    (folder / "more.yaml").write_text("version: 1\n# more\n")
    library.add(folder / "more.yaml")
    assert library.text("happy-path") == MINE
    assert library.text("told") == "version: 1\nname: told\n"
    assert library.text("more") == "version: 1\n# more\n"


def test_gives_the_text_that_was_loaded(folder: Path) -> None:
    """A file that changed since doesn't change what its scenario was loaded from."""
    library = Library(folder)
    (folder / "happy-path.yaml").write_text("nonsense")
    found = library.get("happy-path")
    assert found is not None
    assert library.text("happy-path") == MINE
    assert load_text(MINE, "happy-path").scenario.digest == found.digest


def test_gives_a_shipped_text_of_one_reading(tmp_path: Path) -> None:
    """What a shipped file becomes after it was read changes neither the scenario nor its text."""
    file = tmp_path / "later.yaml"
    file.write_text(MINE)
    library = Library(shipped=tmp_path)
    assert library.text("later") == MINE
    file.write_text("nonsense")
    found = library.get("later")
    assert found is not None
    assert (found.about, library.text("later")) == ("Mine.", MINE)


def test_reads_no_shipped_file_before_it_is_asked_for(tmp_path: Path) -> None:
    """One that is broken hurts nobody until somebody names it."""
    (tmp_path / "broken.yaml").write_text("nonsense")
    library = Library(shipped=tmp_path)
    assert library.names() == ["broken"]
    with pytest.raises(ScenarioError):
        library.text("broken")


def test_gives_no_text_of_a_name_that_nobody_has() -> None:
    """``None``, as `get` does."""
    library = Library()
    assert (library.text("nope"), library.get("nope")) == (None, None)


# Overlays


def test_an_overlay_shows_the_library() -> None:
    """While it has none of its own, it answers as the library does, and owns nothing."""
    library = Library()
    overlay = Overlay(library)
    assert overlay.names() == library.names()
    assert overlay.get("happy-path") is library.get("happy-path")
    assert overlay.text("happy-path") == library.text("happy-path")
    assert (overlay.get("nope"), overlay.text("nope")) == (None, None)
    assert not overlay.owns("happy-path")


def test_an_overlays_own_go_before_the_librarys() -> None:
    """A text of its own is found by its name, also where the library has the name; the library has it as before."""
    library = Library()
    overlay = Overlay(library)
    overlay.add_text(MINE, "happy-path", "request")
    overlay.add_text("version: 1\nname: aaa\n", "unused", "request")
    own = overlay.get("happy-path")
    shared = library.get("happy-path")
    assert own is not None
    assert shared is not None
    assert (own.about, own.source, overlay.text("happy-path")) == ("Mine.", "request", MINE)
    assert shared.about != "Mine."
    assert overlay.names() == ["aaa", *library.names()]
    assert (overlay.owns("aaa"), overlay.owns("happy-path"), overlay.owns("documents")) == (True, True, False)
    assert library.get("aaa") is None


def test_an_overlay_gives_back_what_was_loaded() -> None:
    """The scenario, its warnings and its text."""
    loaded = Overlay(Library()).add_text(DOUBTFUL, "x", "request")
    assert (loaded.scenario.name, loaded.text) == ("x", DOUBTFUL)
    assert [warning.id for warning in loaded.warnings] == ["task-shadowed"]


def test_an_overlay_replaces_its_own() -> None:
    """The last text of a name counts; a scenario that was got before stays what it was."""
    overlay = Overlay(Library())
    overlay.add_text(MINE, "x", "request")
    before = overlay.get("x")
    overlay.add_text("version: 1\nabout: New.\n", "x", "request")
    after = overlay.get("x")
    assert before is not None
    assert after is not None
    assert (before.about, after.about) == ("Mine.", "New.")
    assert before.digest != after.digest


def test_an_overlay_keeps_what_was_loaded_elsewhere() -> None:
    """A scenario that its caller loaded, to look at it first, is found as one that it loaded itself."""
    overlay = Overlay(Library())
    loaded = load_text(MINE, "x", "request")
    overlay.keep(loaded)
    assert overlay.get("x") is loaded.scenario
    assert overlay.text("x") == MINE


def test_a_text_with_mistakes_changes_nothing() -> None:
    """What stood under the name before is found still."""
    overlay = Overlay(Library())
    overlay.add_text(MINE, "x", "request")
    with pytest.raises(ScenarioError, match=r"^request:2:1: unknown key 'abuot'; did you mean 'about'\?$"):
        overlay.add_text("version: 1\nabuot: New.\n", "x", "request")
    with pytest.raises(ScenarioError):
        overlay.add_text("nonsense", "y", "request")
    assert overlay.text("x") == MINE
    assert not overlay.owns("y")


def test_an_overlay_removes_only_its_own() -> None:
    """Once; what the library has of that name is found again, and can't be removed."""
    library = Library()
    overlay = Overlay(library)
    for name in ("x", "happy-path"):
        overlay.add_text(MINE, name, "request")
    assert overlay.remove("happy-path")
    assert not overlay.remove("happy-path")
    assert not overlay.remove("documents")
    assert overlay.get("happy-path") is library.get("happy-path")
    assert overlay.names() == sorted([*library.names(), "x"])
    assert overlay.remove("x")
    assert (overlay.get("x"), overlay.names()) == (None, library.names())


def test_overlays_do_not_see_one_another() -> None:
    """What one namespace was given, no other finds."""
    library = Library()
    one, other = Overlay(library), Overlay(library)
    one.add_text(MINE, "x", "request")
    assert other.get("x") is None
    other.add_text("version: 1\nabout: Other.\n", "x", "request")
    assert other.remove("x")
    assert one.text("x") == MINE


def test_an_empty_overlay_costs_next_to_nothing() -> None:
    """Two references, no container of its own; also after its last own scenario went."""
    library = Library()
    used, new = Overlay(library), Overlay(library)
    used.add_text(MINE, "x", "request")
    used.remove("x")
    assert sys.getsizeof(new) < 100
    assert not hasattr(new, "__dict__")
    assert used._own is new._own  # noqa: SLF001 - that nothing of its own is held can't be seen from outside
