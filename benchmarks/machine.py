"""The machine that is measured on: its cores, how busy it is, and what a process took of it."""

import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

MEASURED: Final = ("uvicorn", "uvloop", "httptools", "msgspec", "orjson")
"""The packages whose versions the figures depend on."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_IDLE: Final = (3, 4)
"""Where a line of /proc/stat counts time that nobody used: idle, and waiting for disks."""
_GUESTS: Final = 8
"""From here on it counts time again that it has counted before."""


class CannotMeasure(Exception):
    """The figures can't be taken here; the text says why and what would help."""


class Cores(msgspec.Struct, frozen=True):
    """Who runs where. On a machine with one core both are the same, and the figures are worth less."""

    server: int
    load: int


def cores() -> Cores:
    """Two of the cores that this process may use."""
    if not Path("/proc/stat").exists() or not hasattr(os, "sched_setaffinity"):
        raise CannotMeasure("the benchmarks read /proc and pin processes to cores: they need Linux")
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1 % len(usable)])


@contextmanager
def running_on(core: int) -> Iterator[None]:
    """What is started inside runs on this core, and keeps to it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has taken so far, of all its threads, in user and system mode.

    From the process's own clock, whose number is made as clock_getcpuclockid(3) makes it: the same figure
    in /proc/PID/stat comes in hundredths of a second, a slice has a hundred of them.
    """
    return time.clock_gettime(~pid << 3 | 2)


def busy_seconds(stat: str | None = None) -> float:
    """The processor time that everybody has taken so far, on all cores together."""
    text = Path("/proc/stat").read_text(encoding="ascii") if stat is None else stat
    counts = [int(field) for field in text.partition("\n")[0].split()[1:]][:_GUESTS]
    return sum(count for place, count in enumerate(counts) if place not in _IDLE) / _TICKS


def resident_bytes(pid: int) -> int:
    """How much memory a process has, as /proc/PID/status says."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)
    if found is None:
        raise CannotMeasure(f"process {pid} has ended")
    return int(found[1]) * 1024


def described(where: Cores) -> str:
    """The machine and what runs on it, in one line."""
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    name = model[1] if model else platform.machine()
    count = os.cpu_count() or 1
    placing = f"server on core {where.server}, load on core {where.load}"
    if where.server == where.load:
        placing = "server and load share the only core"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    packages = ", ".join(f"{name} {_version(name)}" for name in MEASURED)
    kernel = f"Linux {platform.release()}"
    return f"{name}, {count} core{'s' if count != 1 else ''} ({placing}), {kernel}, {python}, {packages}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
