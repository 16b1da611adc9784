"""Metrics in the text formats of Prometheus: what is kept anyway, read when somebody scrapes it."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from emulator import __version__
from emulator.clock import MODES
from emulator.core.units import SECOND
from emulator.namespaces import Namespaces

_NAMES: Final = "video_emulator_"


def exposition(namespaces: Namespaces, accept: str) -> tuple[bytes, str]:
    """The metrics of the whole process and their content type, in the format that an ``Accept`` header prefers."""
    # A registry of its own, made for each scrape: nothing is shared, and two applications don't meet in it.
    registry = CollectorRegistry()
    registry.register(_Collector(namespaces))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    try:
        encode, content_type = choose_encoder(accept)
    except TypeError:
        # The library compares the parts of an asked version with numbers, whatever they are.
        encode, content_type = choose_encoder("")
    return encode(registry), content_type


class _Collector:
    """Reads the namespaces. Counters count from the start of the process; nothing that clients do resets them."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    def collect(self) -> Iterator[Metric]:
        """Every metric of ours."""
        yield InfoMetricFamily(f"{_NAMES}build", "Which version this is.", {"version": __version__})
        yield self._requests()
        yield from self._namespace_metrics()
        yield from self._clock_metrics()

    def _requests(self) -> Metric:
        family = CounterMetricFamily(
            f"{_NAMES}requests",
            "Requests to the emulated providers and for videos; none where nothing is emulated at the path.",
            labels=("provider", "operation", "status_code"),
        )
        for (provider, operation, code), count in sorted(
            self._namespaces.budget.counts().items(), key=lambda row: tuple(map(str, row[0]))
        ):
            family.add_metric((provider or "none", operation or "none", str(code)), count)
        return family

    def _namespace_metrics(self) -> Iterator[Metric]:
        namespaces = self._namespaces
        each = list(namespaces)
        yield _gauge("namespaces", "Namespaces that there are.", len(each))
        yield CounterMetricFamily(
            f"{_NAMES}namespaces_dropped", "Namespaces given up because they were idle.", namespaces.dropped
        )
        yield _gauge("tasks", "Tasks that are kept.", sum(len(one.store) for one in each))
        yield _gauge(
            "tasks_dropped",
            "Tasks given up for want of room since the last reset of their namespace.",
            sum(one.store.dropped for one in each),
        )
        yield _gauge("journal_entries", "Requests that are kept.", sum(len(one.journal) for one in each))
        yield _gauge(
            "journal_entries_dropped",
            "Requests given up for want of room since the last reset of their namespace.",
            sum(one.journal.dropped for one in each),
        )
        yield _gauge("journal_bytes", "About what the kept requests take.", namespaces.budget.used)
        yield _gauge("journal_limit_bytes", "What they may take.", namespaces.budget.most)

    def _clock_metrics(self) -> Iterator[Metric]:
        clock = self._namespaces.default.clock
        yield _gauge(
            "clock_timestamp_seconds",
            "What the clock of the namespace default shows, in seconds since 1970.",
            clock.now() / SECOND,
        )
        mode = GaugeMetricFamily(
            f"{_NAMES}clock_mode", "1 for how the clock of the namespace default runs.", labels=("mode",)
        )
        for name in MODES:
            mode.add_metric((name,), name == clock.mode)
        yield mode


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{_NAMES}{name}", about, value)
