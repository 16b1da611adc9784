"""Measures the emulator against its goals: ``make bench``, or ``python benchmarks/compare.py``.

Polls are compared with an ASGI app that answers a constant of the same size on the same uvicorn. The contenders
take turns, a second each, so that whatever slows the machine slows all of them; what counts are medians of
ratios. docs/performance.md says more.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

# So that it measures this clone, whatever else is installed and wherever it is called from.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec

from benchmarks import load, machine, servers, suites, worlds
from benchmarks.figures import HEAD, Figure, Goal, Rounds, at_least, at_most, imports, row, table, with_block
from benchmarks.load import Load, Requests, Slice
from benchmarks.machine import CannotMeasure, Place
from benchmarks.servers import ROOT, Server, Spec, Start

PAGE: Final = ROOT / "docs" / "performance.md"
_MOST_REPEATS: Final = 4
"""How often one slice is taken again because it was disturbed."""
_FEW: Final = 10
_MEGABYTE: Final = 1_000_000


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What every measurement needs at hand."""

    place: Place
    load: Load
    rounds: int
    starts: int
    tasks: int
    folder: Path

    def new_folder(self) -> Path:
        """A folder for the ids of one contender's tasks."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def interleaved(self, contenders: Sequence[tuple[Server, Requests]]) -> Rounds:
        """Slices of the contenders in turn. Disturbed ones are taken again, up to as many as there are at all."""
        for server, requests in contenders:
            self.load.slice(server, requests)  # a first one, to warm up
        rounds = []
        spare = most = self.rounds * len(contenders)
        for _ in range(self.rounds):
            slices = []
            for server, requests in contenders:
                taken, left_out = self._taken(server, requests, min(spare, _MOST_REPEATS))
                slices.append(taken)
                spare -= left_out
            rounds.append(tuple(slices))
        return Rounds(rounds=tuple(rounds), left_out=most - spare)

    def _taken(self, server: Server, requests: Requests, repeats: int) -> tuple[Slice, int]:
        """A slice, the first that wasn't disturbed or the last, and how many were before it."""
        for number in range(repeats):
            taken = self.load.slice(server, requests)
            if taken.flaw is None:
                return taken, number
        return self.load.slice(server, requests), repeats


# Polls

_TIMELINE: Final = """
version: 1
tasks:
  - timeline:
      - {status: queued, for: 1ms}
      - {status: processing, for: 1d, progress: {from: 0, to: 99}}
      - {status: completed}
"""
_FINISHED: Final = """
version: 1
tasks:
  - timeline:
      - {status: queued, for: 1ms}
      - {status: completed}
"""
_GUARDED: Final = """
auth: {keys: ["sk-bench-*"]}
rules:
  - {operation: create, calls: 5+, error: insufficient_quota}
  - {operation: poll, probability: 0.000001%, error: internal}
"""
"""A list of good keys, and rules of which one is drawn for every poll, though it never fires."""


class Endpoint(msgspec.Struct, frozen=True):
    """A way to poll."""

    provider: str
    method: str
    path: str
    goal: Goal

    @property
    def name(self) -> str:
        """As the documents write it."""
        return f"{self.method} {self.path}{'{id}' if self.method == 'GET' else ''}"

    def requests(self, folder: Path) -> Requests:
        """Polls of the tasks whose ids are in the folder."""
        ids = folder / self.provider
        if self.method == "GET":
            return load.get(self.path, ids)
        with ids.open("rb") as lines:
            return load.post(self.path, ids, len(lines.readline().strip()))


ENDPOINTS: Final = (
    Endpoint("octopusx", "GET", "/octopusx/v1/videos/", at_least(0.70)),
    Endpoint("ezmodel", "GET", "/ezmodel/v1/videos/", at_least(0.70)),
    Endpoint("acedata-sora", "POST", "/acedata/sora/tasks", at_least(0.65)),
    Endpoint("acedata-veo", "POST", "/acedata/veo/tasks", at_least(0.65)),
)
_PROVIDERS: Final = tuple(endpoint.provider for endpoint in ENDPOINTS)
_WORLDS: Final = {
    "keys, rules, journal": _TIMELINE + _GUARDED,
    "journal alone": _TIMELINE,
    "keys, rules, journal, finished tasks": _FINISHED + _GUARDED,
}
"""The scenarios that are measured; the goals are the first one's."""


def polls(bench: Bench, endpoints: Sequence[Endpoint] = ENDPOINTS) -> Iterator[Figure]:
    """Each endpoint in each world against a constant answer."""
    with ExitStack() as stack:
        worlds = []
        for name, scenario in _WORLDS.items():
            ids = bench.new_folder()
            spec = Spec(scenario=scenario, tasks=_FEW, providers=_PROVIDERS, ids=str(ids))
            worlds.append((name, ids, stack.enter_context(servers.serving(name, spec, bench.place))))
        for endpoint in endpoints:
            yield from _polls_of(bench, endpoint, worlds)


def _polls_of(
    bench: Bench, endpoint: Endpoint, worlds: Sequence[tuple[str, Path, Server]]
) -> Iterator[Figure]:
    _, ids, first = worlds[0]
    asked = endpoint.requests(ids)
    size = servers.answer_length(first.port, asked.before + asked.ids.read_bytes().split()[0] + asked.after)
    with servers.serving("constant answer", Spec(size=size), bench.place) as constant:
        contenders = [(server, endpoint.requests(folder)) for _, folder, server in worlds]
        rounds = bench.interleaved([*contenders, (constant, asked)])
    for number, (name, _, _) in enumerate(worlds):
        compared = rounds.compared(number, len(worlds))
        remark = rounds.remark if number == 0 else ""
        yield Figure(
            name=f"{endpoint.name}: {name}",
            value=compared.speed,
            goal=endpoint.goal if number == 0 else None,
            detail="; ".join(filter(None, (compared.detail, remark))),
            samples=compared.speeds,
        )


# Many tasks


def growth(bench: Bench) -> Iterator[Figure]:
    """Polls of many tasks against polls of few; memory, and pauses, at that many."""
    endpoint, scenario = ENDPOINTS[0], _TIMELINE + _GUARDED
    with ExitStack() as stack:
        contenders = []
        for tasks, more in ((_FEW, 0), (bench.tasks, max(1, bench.tasks // 10))):
            ids = bench.new_folder()
            spec = Spec(
                scenario=scenario, tasks=tasks, providers=(endpoint.provider,), ids=str(ids), more=more
            )
            server = stack.enter_context(servers.serving(f"{tasks:,} tasks", spec, bench.place))
            contenders.append((server, endpoint.requests(ids)))
        rounds = bench.interleaved(contenders)
    many = contenders[1][0].ready
    compared = rounds.compared(1, 0)
    yield Figure(
        name=f"{endpoint.name}: {bench.tasks:,} tasks against {_FEW}",
        value=compared.speed,
        goal=at_least(0.90),
        detail="; ".join(filter(None, (compared.detail, rounds.remark))),
        samples=compared.speeds,
    )
    yield Figure(
        name="memory for each of them, besides its request",
        value=many.bytes_per_task,
        unit="B",
        goal=at_most(600),
        detail=f"creating them took {many.seeding_seconds:.1f} s",
    )
    yield Figure(
        name="longest pause of the collector, creating on top of them",
        value=many.worst_collection * 1000,
        unit="ms",
        goal=at_most(50),
        detail=f"longest creation {many.longest_create * 1000:.1f} ms; "
        f"{many.longest_seeding_create * 1000:.1f} ms while there were fewer",
    )


# Starts

_SERVE: Final = (sys.executable, "-m", "emulator", "serve", "--port")
_BARE: Final = (sys.executable, "benchmarks/bare.py")


def start(bench: Bench) -> Iterator[Figure]:
    """From the start of the process to its first answer, in turn with a bare uvicorn app's; and idle memory."""
    _start_once(bench)  # the first start of all writes .pyc files
    pairs = [_start_once(bench) for _ in range(bench.starts)]
    ratios = tuple(mine.seconds / bare.seconds for mine, bare in pairs)
    thrift = median(mine.cpu / bare.cpu for mine, bare in pairs)
    ours, bare = (_typical(starts) for starts in zip(*pairs, strict=True))
    yield Figure(
        name="start to first answer, against bare uvicorn",
        value=median(ratios),
        goal=at_most(1.5),
        detail=f"{ours.seconds * 1000:.0f} and {bare.seconds * 1000:.0f} ms ({min(ratios):.2f} to {max(ratios):.2f}); "
        f"CPU {ours.cpu * 1000:.0f} and {bare.cpu * 1000:.0f} ms, ratio {thrift:.2f}",
        samples=ratios,
    )
    yield Figure(
        name="idle memory after the first answer",
        value=ours.resident / _MEGABYTE,
        unit="MB",
        goal=at_most(45),
        detail=f"bare uvicorn {bare.resident / _MEGABYTE:.1f} MB",
    )
    for option in ("--version", "--help"):
        command = (sys.executable, "-m", "emulator", option)
        runs = tuple(servers.ran(command, bench.place).seconds * 1000 for _ in range(bench.starts))
        yield Figure(
            name=f"video-emulator {option}", value=median(runs), unit="ms", detail="to its end", samples=runs
        )


def _typical(starts: Sequence[Start]) -> Start:
    """The median of each."""
    return Start(
        seconds=median(start.seconds for start in starts),
        cpu=median(start.cpu for start in starts),
        resident=round(median(start.resident for start in starts)),
    )


def _start_once(bench: Bench) -> tuple[Start, Start]:
    return servers.started(_SERVE, bench.place), servers.started(_BARE, bench.place)


def import_table(bench: Bench) -> str:
    """Where the time of `serve`'s imports goes."""
    command = (sys.executable, "-X", "importtime", "-c", "import emulator.cli.run")
    report = servers.printed_errors(command, bench.place)
    return table(imports(report), ("package", "modules", "ms (slowed by measuring)"))


# Namespaces, time, evidence


def evidence(bench: Bench) -> Iterator[Figure]:
    """What namespaces, a clock of one's own and a journal cost."""
    yield from worlds.render(bench.place)
    yield from worlds.advance(bench.place)
    yield from worlds.namespaces(bench.place)
    yield from worlds.journal(bench.place, bench.load, bench.new_folder())


# Suites of tests


def tests(bench: Bench) -> Iterator[Figure]:
    """What the plugin costs who doesn't use it, and who does."""
    yield from suites.plugin(bench.place, bench.starts)
    yield from suites.embedded(bench.place)


# The command

_GROUPS: Final[dict[str, Callable[[Bench], Iterator[Figure]]]] = {
    "polls": polls,
    "growth": growth,
    "start": start,
    "evidence": evidence,
    "tests": tests,
    **{endpoint.provider: partial(polls, endpoints=(endpoint,)) for endpoint in ENDPOINTS},
}
_EVERYTHING: Final = ("polls", "growth", "start", "evidence", "tests")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status: 0, unless something couldn't be measured. It judges nothing."""
    told = _parser().parse_args(arguments)
    try:
        text, figures = _measured(told)
    except CannotMeasure as reason:
        print(f"cannot measure: {reason}", file=sys.stderr)
        return 1
    print(text)
    if told.json is not None:
        told.json.write_bytes(
            msgspec.json.format(msgspec.json.encode({"figures": figures}), indent=1) + b"\n"
        )
    if told.write_docs:
        PAGE.write_text(with_block(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="compare.py", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument(
        "--only", action="append", choices=_GROUPS, help="measure this alone; may be repeated"
    )
    parser.add_argument("--quick", action="store_true", help="fewer slices and starts: a first impression")
    parser.add_argument("--rounds", type=int, help="slices for each contender (default 9; --quick 3)")
    parser.add_argument("--starts", type=int, help="starts of each (default 15; --quick 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a slice (default 1)")
    parser.add_argument(
        "--tasks", type=int, default=1_000_000, help="how many tasks are many (default 1000000)"
    )
    parser.add_argument("--no-wrk", action="store_true", help="make the load with benchmarks/hammer.py")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--write-docs", action="store_true", help=f"write the tables into {PAGE.name}")
    return parser


def _measured(told: argparse.Namespace) -> tuple[str, list[Figure]]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        place = machine.place(folder)
        bench = Bench(
            place=place,
            load=Load(place, told.seconds, folder, prefer_wrk=not told.no_wrk),
            rounds=told.rounds or (3 if told.quick else 9),
            starts=told.starts or (5 if told.quick else 15),
            tasks=told.tasks,
            folder=folder,
        )
        figures = []
        groups = told.only or _EVERYTHING
        for name in groups:
            for figure in _GROUPS[name](bench):
                print(f"  {figure.name}: {row(figure)[1]} {figure.verdict}", file=sys.stderr)
                figures.append(figure)
        parts = [_about(bench), table(map(row, figures), HEAD)]
        if "start" in groups:
            parts.append(import_table(bench))
    return "\n\n".join(parts), figures


def _about(bench: Bench) -> str:
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    how = f"{bench.rounds} slices of {bench.load.seconds:g} s, {bench.starts} starts"
    who = f"load: {bench.load.name}, {load.CONNECTIONS} connections"
    return f"{day}. {machine.described(bench.place)}. {who}; {how}."


if __name__ == "__main__":
    sys.exit(main())
