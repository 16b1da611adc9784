"""Reading files: what can't be read is one clear problem, and never another exception."""

import json
import os
from pathlib import Path

import pytest

from emulator.core.errors import Problem
from emulator.scenario_file import ScenarioError, load, load_text


def problem_of(path: Path | str) -> Problem:
    """The one problem with a file."""
    with pytest.raises(ScenarioError) as raised:
        load(path)
    assert len(raised.value.problems) == 1
    return raised.value.problems[0]


def test_name_is_the_files_without_its_suffix(tmp_path: Path) -> None:
    """A file that gives no name is called as itself, and the scenario knows where it came from."""
    file = tmp_path / "slow.queue.yaml"
    file.write_text("version: 1\n")
    scenario = load(file).scenario
    assert (scenario.name, scenario.source) == ("slow.queue", str(file))


def test_name_in_the_file_wins(tmp_path: Path) -> None:
    """The file's own name goes before the path's."""
    file = tmp_path / "a b.yaml"
    file.write_text("version: 1\nname: good\n")
    assert load(file).scenario.name == "good"


def test_unusable_file_name_is_a_mistake(tmp_path: Path) -> None:
    """A file whose name no request could name must give one."""
    file = tmp_path / "a b.yaml"
    file.write_text("version: 1\n")
    problem = problem_of(file)
    assert (problem.line, problem.column) == (1, 1)
    assert "a b" in problem.message
    assert problem.hint == "add a line such as name: slow-queue"


def test_missing_file(tmp_path: Path) -> None:
    """A file that isn't there is told as such."""
    problem = problem_of(tmp_path / "none.yaml")
    assert (problem.id, problem.message, problem.line) == ("unreadable", "there is no such file", 0)


def test_directory(tmp_path: Path) -> None:
    """A directory is told as such."""
    assert problem_of(tmp_path).message == "expected a scenario file, got a directory"


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A named pipe, which might never end, isn't opened."""
    os.mkfifo(tmp_path / "pipe.yaml")
    assert problem_of(tmp_path / "pipe.yaml").message == "expected a scenario file, got no regular file"


@pytest.mark.parametrize("path", ["a\0b.yaml", "x" * 5000 + ".yaml"])
def test_impossible_path(path: str) -> None:
    """A path that the system refuses is a problem like any other."""
    assert problem_of(path).id == "unreadable"


def test_file_below_a_file(tmp_path: Path) -> None:
    """A path through something that is no directory is a problem like any other."""
    (tmp_path / "file").write_text("")
    problem = problem_of(tmp_path / "file" / "a.yaml")
    assert problem.message == "the file can't be read: Not a directory"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# nothing but words\n", b"---\n", b"\xef\xbb\xbf"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    """A file that holds nothing is told as such, with how to begin."""
    file = tmp_path / "a.yaml"
    file.write_bytes(content)
    problem = problem_of(file)
    assert (problem.id, problem.hint) == ("empty", "begin it with version: 1")


def test_file_of_another_encoding(tmp_path: Path) -> None:
    """The first byte that isn't UTF-8 is named, with its place."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"version: 1\nabout: caf" + b"\xe9\n")
    problem = problem_of(file)
    assert (problem.id, problem.line, problem.column) == ("not-utf-8", 2, 11)
    assert "0xe9" in problem.message


@pytest.mark.parametrize(("byte", "shown"), [(b"\0", "U+0000"), (b"\x1b", "U+001B"), (b"\x7f", "U+007F")])
def test_control_character(tmp_path: Path, byte: bytes, shown: str) -> None:
    """A control character is named, with its place, and doesn't reach the terminal."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"version: 1\nabout: a" + byte + b"b\n")
    problem = problem_of(file)
    assert (problem.id, problem.line, problem.column) == ("control-character", 2, 9)
    assert shown in problem.message
    assert problem.source == "about: a\ufffdb"


def test_large_file(tmp_path: Path) -> None:
    """A file of two megabytes is refused; one of a mebibyte of comments is read."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"version: 1\n" + b"#" * (2 << 20))
    assert problem_of(file).id == "too-large"
    file.write_bytes(b"version: 1\n" + b"#" * ((1 << 20) - 11))
    assert load(file).scenario.name == "a"


def test_large_text() -> None:
    """A text from elsewhere has the same bound, in bytes."""
    with pytest.raises(ScenarioError) as raised:
        load_text("version: 1\nabout: " + "é" * (600 << 10), "x")
    assert [problem.id for problem in raised.value.problems] == ["too-large"]


def test_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    """A file that an editor marked as UTF-8 is read, and its columns count without the mark."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfversion: 2\n")
    assert problem_of(file).column == 10


def test_windows_line_ends(tmp_path: Path) -> None:
    """Carriage returns don't shift lines or columns."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"version: 1\r\nabout: x\r\nzzz: 1\r\n")
    problem = problem_of(file)
    assert (problem.line, problem.column, problem.source) == (3, 1, "zzz: 1")


@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_file(tmp_path: Path, ascii_only: bool) -> None:
    """JSON as Python's json module writes it is read, with characters beyond the basic plane."""
    said = {
        "version": 1,
        "about": "a 😀 \\u00 \\ud83d",
        "rules": [{"operation": "poll", "patch": {"a": None}, "calls": 3}],
    }
    file = tmp_path / "a.json"
    file.write_text(json.dumps(said, ensure_ascii=ascii_only), encoding="utf-8")
    scenario = load(file).scenario
    assert scenario.about == said["about"]
    assert scenario.rules[0].patch == {"a": None}


def test_text_without_a_source_is_called_by_its_name() -> None:
    """Messages about a text name what the caller named it; the scenario has a source only where there is one."""
    with pytest.raises(ScenarioError, match=r"^from-the-environment:1:1: "):
        load_text("nonsense", "from-the-environment")
    assert load_text("version: 1\n", "x").scenario.source is None


@pytest.mark.parametrize(
    "content",
    [
        "version: 1\r\nabout: é 😀\r\n\r\n# the end",
        json.dumps({"version": 1, "about": "😀"}),
        "version: 1\nx-spare: [1]\n",
    ],
)
def test_text_is_kept_to_the_letter(tmp_path: Path, content: str) -> None:
    """What stood in the file comes with the scenario, comments, line ends and escapes as they were."""
    file = tmp_path / "a.yaml"
    file.write_bytes(content.encode())
    assert load(file).text == content
    assert load_text(content, "a").text == content


def test_byte_order_mark_is_no_part_of_the_text() -> None:
    """An editor's mark at the beginning is neither kept nor counted."""
    marked, plain = load_text("\ufeffversion: 1\n", "a"), load_text("version: 1\n", "a")
    assert (marked.text, marked.scenario) == (plain.text, plain.scenario)


def test_digest_tells_two_texts_apart(tmp_path: Path) -> None:
    """It is twelve hex digits that depend on the text alone: not on the name, nor on where the text came from."""
    file = tmp_path / "b.yaml"
    file.write_text("version: 1\n")
    digests = [
        load(file).scenario.digest,
        load_text("version: 1\n", "a").scenario.digest,
        load_text("version: 1 \n", "a").scenario.digest,
    ]
    # The same in every process, and for ever.
    assert digests == ["9e8a797b8daf", "9e8a797b8daf", "315f3859685e"]
