"""The machine that is measured on: its cores, how busy it is, and what a process took of it."""

import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

MEASURED: Final = ("uvicorn", "uvloop", "httptools", "msgspec", "orjson")
"""The packages whose versions the figures depend on."""

_UNWANTED: Final = ("VIDEO_EMULATOR_", "PYTHONDONTWRITEBYTECODE")
"""Variables that would change what is measured: settings of the emulator, and no compiled files."""
TICKS: Final = os.sysconf("SC_CLK_TCK")
"""How many of the units of /proc/stat a second has."""
_IDLE: Final = (3, 4)
"""Where a line of /proc/stat counts time that nobody used: idle, and waiting for disks."""
_GUESTS: Final = 8
"""From here on it counts time again that it has counted before."""


class CannotMeasure(Exception):
    """The figures can't be taken here; the text says why and what would help."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs where, and in which environment."""

    server: int
    """The servers' core."""
    load: int
    """The load's core. On a machine with one core it is the same, and the figures are worth less."""
    environment: Mapping[str, str]


def place(folder: Path) -> Place:
    """Two of the cores that this process may use, and an environment that leaves its traces in ``folder``.

    Raises:
        CannotMeasure: on another system than Linux.
    """
    if not Path("/proc/stat").exists() or not hasattr(os, "sched_setaffinity"):
        raise CannotMeasure("the benchmarks read /proc and pin processes to cores: they need Linux")
    usable = sorted(os.sched_getaffinity(0))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
    # An installed program is compiled when it is first run, and so are these.
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    return Place(server=usable[0], load=usable[1 % len(usable)], environment=environment)


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
    return sum(count for place, count in enumerate(counts) if place not in _IDLE) / TICKS


def resident_bytes(pid: int) -> int:
    """How much memory a process has, as /proc/PID/status says."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)
    if found is None:
        raise CannotMeasure(f"process {pid} has ended")
    return int(found[1]) * 1024


def described(where: Place) -> str:
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
