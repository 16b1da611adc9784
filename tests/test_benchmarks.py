"""The benchmarks: that they read, reckon and print right, and measure something at all. How much, no test says."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compare, hammer, load, machine
from benchmarks.figures import (
    BEGIN,
    END,
    HEAD,
    Figure,
    Rounds,
    at_least,
    at_most,
    imports,
    row,
    table,
    with_block,
)
from benchmarks.load import Slice
from benchmarks.machine import CannotMeasure
from benchmarks.servers import Spec, serving

ROOT = Path(compare.__file__).parents[1]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks need Linux")


def a_slice(rate: float = 1000, micros: float = 10, load_cores: float = 0.5, foreign: float = 0.0) -> Slice:
    """Two seconds at this rate, at this price."""
    requests = int(rate * 2)
    return Slice(
        requests=requests,
        seconds=2.0,
        server_cpu=requests * micros / 1e6,
        load_cores=load_cores,
        foreign_cores=foreign,
    )


# What is read

WRK = """Running 1s test @ http://127.0.0.1:9000
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   292.05us   93.04us   2.03ms   87.14%
    Req/Sec    55.21k     2.92k   58.21k    90.91%
  60391 requests in {lasted}, 25.34MB read
{errors}Requests/sec:  54901.00
Transfer/sec:     23.04MB
"""


@pytest.mark.parametrize(
    ("lasted", "errors", "expected"),
    [
        ("1.10s", "", load.Counted(60391, 1.10, 0)),
        ("998.50ms", "", load.Counted(60391, 0.9985, 0)),
        ("1.10s", "  Non-2xx or 3xx responses: 12\n", load.Counted(60391, 1.10, 12)),
        ("1.00m", "  Socket errors: connect 1, read 2, write 3, timeout 4\n", load.Counted(60391, 60.0, 10)),
    ],
)
def test_wrk_says_how_many_requests_how_long_and_what_failed(
    lasted: str, errors: str, expected: load.Counted
) -> None:
    """In whichever unit it chose."""
    assert load.of_wrk(WRK.format(lasted=lasted, errors=errors)) == expected


def test_another_report_than_wrks_is_not_measured() -> None:
    """Rather than taken for nothing."""
    with pytest.raises(CannotMeasure, match="unable to connect"):
        load.of_wrk("unable to connect to 127.0.0.1:9000 Connection refused")


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (b"", False),
        (b"HTTP/1.1 200 OK\r\ncontent-len", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", True),
        (b"HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 0\r\nc: d\r\n\r\n", True),
    ],
)
def test_an_answer_is_whole_by_its_length(answer: bytes, whole: bool) -> None:
    """Head and body may come apart."""
    assert hammer.is_whole(answer) is whole


def test_work_is_what_is_neither_idle_nor_waiting_nor_counted_twice() -> None:
    """user, nice and system, the interrupts and what a host took; guests are in user already."""
    stat = "cpu  100 10 50 9000 700 5 15 20 33 44\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
    ticks = 100 + 10 + 50 + 5 + 15 + 20
    assert machine.busy_seconds(stat) == pytest.approx(ticks / machine.TICKS)


IMPORTTIME = """import time: self [us] | cumulative | imported package
import time:      1000 |       1000 |   yaml.error
import time:      3000 |       4000 | yaml
import time:       200 |        200 | orjson
import time:      2500 |       6700 | emulator
import time:       100 |        100 | stat
"""


def test_import_time_is_told_by_package() -> None:
    """The dearest first, the cheap ones together, and the sum."""
    assert imports(IMPORTTIME, fewest_micros=1000) == [
        ("yaml", "2", "4.0"),
        ("emulator", "1", "2.5"),
        ("2 others", "2", "0.3"),
        ("all", "5", "6.8"),
    ]


# What is asked


def test_a_poll_by_get_ends_with_its_id(tmp_path: Path) -> None:
    """And carries a key."""
    asked = load.get("/octopusx/v1/videos/", tmp_path)
    request = asked.before + b"video_1" + asked.after
    assert request.startswith(b"GET /octopusx/v1/videos/video_1 HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n")
    assert b"\r\nauthorization: Bearer sk-bench-1\r\n" in request


def test_a_poll_by_post_says_how_long_it_is(tmp_path: Path) -> None:
    """The whole body, once an id of that length stands in it."""
    asked = load.post("/acedata/sora/tasks", tmp_path, len("one-id"))
    head, _, body = (asked.before + b"one-id" + asked.after).partition(b"\r\n\r\n")
    assert json.loads(body) == {"id": "one-id", "action": "retrieve"}
    assert f"content-length: {len(body)}".encode() in head.split(b"\r\n")


# What is reckoned


@pytest.mark.parametrize(
    ("load_cores", "foreign", "flaw"),
    [
        (0.5, 0.0, None),
        (0.5, load.MOST_FOREIGN, None),
        (0.5, 0.16, "other work"),
        (0.99, 0.0, "the load was at its limit"),
    ],
)
def test_a_slice_is_flawed_by_other_work_or_by_its_own_load(
    load_cores: float, foreign: float, flaw: str | None
) -> None:
    """Else it counts."""
    assert a_slice(load_cores=load_cores, foreign=foreign).flaw == flaw


def test_ratios_are_taken_pair_by_pair() -> None:
    """The machine slowed down by half in the second round; the ratios don't show it, the rates do."""
    rounds = Rounds(
        rounds=(
            (a_slice(800, 20), a_slice(1000, 10)),
            (a_slice(400, 40), a_slice(500, 20)),
            (a_slice(600, 25), a_slice(1000, 10)),
        )
    )
    compared = rounds.compared(0, 1)
    assert compared.speeds == pytest.approx((0.8, 0.8, 0.6))
    assert compared.speed == pytest.approx(0.8)
    assert compared.thrift == pytest.approx(0.5)
    assert (compared.rate, compared.other_rate) == (600, 1000)
    assert (compared.micros, compared.other_micros) == pytest.approx((25, 10))


def test_disturbed_slices_are_spoken_of() -> None:
    """Those left out and, the more so, those that had to be kept."""
    kept = (a_slice(), a_slice(foreign=0.5))
    assert Rounds(rounds=(kept,), left_out=3).remark == (
        "3 disturbed slices left out; 1 SLICES KEPT ALL THE SAME: other work"
    )
    assert Rounds(rounds=((a_slice(),),)).remark == ""


@pytest.mark.parametrize(
    ("figure", "cells"),
    [
        (Figure(name="a", value=0.7, goal=at_least(0.7)), ("a", "0.70", ">= 0.70", "met", "")),
        (
            Figure(name="a", value=0.694, goal=at_least(0.7), detail="d"),
            ("a", "0.69", ">= 0.70", "missed", "d"),
        ),
        (
            Figure(name="b", value=50.0, unit="ms", goal=at_most(50)),
            ("b", "50.0 ms", "<= 50.0 ms", "met", ""),
        ),
        (
            Figure(name="b", value=1234.5, unit="B", goal=at_most(600)),
            ("b", "1,234 B", "<= 600 B", "missed", ""),
        ),
        (Figure(name="c", value=3.14159, unit="MB"), ("c", "3.1 MB", "", "", "")),
    ],
)
def test_a_figure_stands_beside_its_goal(figure: Figure, cells: Sequence[str]) -> None:
    """Judged by the value, not by how it is written."""
    assert row(figure) == tuple(cells)


def test_a_table_is_text_and_markdown() -> None:
    """Its columns as wide as what is in them."""
    assert table([("x", "long one")], ("head", "y")) == (
        "| head | y        |\n| ---- | -------- |\n| x    | long one |"
    )


def test_the_page_keeps_what_stands_around_the_figures() -> None:
    """And takes new figures in place of old ones."""
    page = with_block(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new")
    assert page == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert with_block(page, "newer") == page.replace("new\n", "newer\n")
    with pytest.raises(ValueError, match="markers"):
        with_block("a page without them", "new")


def test_the_page_of_the_docs_has_room_for_the_figures() -> None:
    """``--write-docs`` finds its markers."""
    page = compare.PAGE.read_text(encoding="utf-8")
    assert "new figures" in with_block(page, "new figures")


# The whole


@LINUX
def test_a_short_run_prints_every_figure_with_its_goal(tmp_path: Path) -> None:
    """Whatever they come to: the script measures and doesn't judge."""
    file = tmp_path / "figures.json"
    options = [f"--only={name}" for name in ("octopusx", "acedata-veo", "growth", "start")]
    options += ["--rounds=1", "--starts=1", "--seconds=0.05", "--tasks=40", "--no-wrk", f"--json={file}"]
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "benchmarks/compare.py", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    figures: list[dict[str, Any]] = json.loads(file.read_bytes())["figures"]
    goals = {figure["name"]: figure["goal"] and figure["goal"]["bound"] for figure in figures}
    assert goals == {
        "GET /octopusx/v1/videos/{id}: keys, rules, journal": 0.7,
        "GET /octopusx/v1/videos/{id}: journal alone": None,
        "GET /octopusx/v1/videos/{id}: keys, rules, journal, finished tasks": None,
        "POST /acedata/veo/tasks: keys, rules, journal": 0.65,
        "POST /acedata/veo/tasks: journal alone": None,
        "POST /acedata/veo/tasks: keys, rules, journal, finished tasks": None,
        "GET /octopusx/v1/videos/{id}: 40 tasks against 10": 0.9,
        "memory for each of them, besides its request": 600,
        "longest pause of the collector, creating on top of them": 50,
        "start to first answer, against bare uvicorn": 1.5,
        "idle memory after the first answer": 45,
        "video-emulator --version": None,
        "video-emulator --help": None,
    }
    ratios = [figure for figure in figures if figure["unit"] == ""]
    assert ratios
    assert all(figure["value"] > 0 and figure["samples"] for figure in ratios)
    lines = done.stdout.splitlines()
    assert sum(line.startswith("| ") and line.count(" | ") == len(HEAD) - 1 for line in lines) > len(figures)
    assert any(line.startswith(("| yaml ", "| asyncio ")) for line in lines)


@LINUX
def test_a_load_that_meets_errors_is_not_measured(tmp_path: Path) -> None:
    """Unknown ids are answered 404: a wrong scenario would look fast."""
    place = machine.place(tmp_path)
    ids = tmp_path / "ids"
    ids.write_text("nobody\n", encoding="ascii")
    spec = Spec(scenario="version: 1\n")
    with serving("without tasks", spec, place) as server:
        polls = load.get("/octopusx/v1/videos/", ids)
        with pytest.raises(CannotMeasure, match=r"^without tasks: \d+ of \d+ polls failed"):
            load.Load(place, 0.05, tmp_path).slice(server, polls)
