"""Coverage: what clients have met of the scenarios, worked out from their marks when somebody asks."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, get_args

from emulator.core import marks
from emulator.core.scenario import Scenario
from emulator.messages.coverage import Coverage, Kind, Part, ScenarioCoverage, Share
from emulator.parts import Known, parts_of

_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


def coverage_of(
    met: Iterable[str],
    scenarios: Mapping[str, Scenario],
    *,
    also: Collection[str] = (),
    namespace: str | None = None,
) -> Coverage:
    """What the marks in ``met`` make of the scenarios (by version, the newest last).

    Shown are those of which anything was met and, in any case, the versions in ``also``. Marks of other versions
    count for nothing, nor do those of what isn't part of a scenario.
    """
    by_version = _by_version(met)
    newest_first = list(scenarios.items())[::-1]
    shown = []
    for version, scenario in sorted(newest_first, key=lambda item: item[1].name):
        own = by_version.get(version, set())
        if not own and version not in also:
            continue
        parts = parts_of(scenario)
        if version in also or _is_touched(own, parts):
            shown.append(_scenario(scenario, own, parts))
    everything = [part for one in shown for part in one.parts]
    return Coverage(
        namespace=namespace, overall=_share(everything), kinds=_kinds(everything), scenarios=shown
    )


def _by_version(met: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for mark in met:
        found.setdefault(marks.version_of(mark), set()).add(mark)
    return found


def _is_touched(met: Collection[str], parts: Iterable[Known]) -> bool:
    """Whether clients have met anything of it, or a task of the happy path because no item of it took their create."""
    if any(map(marks.is_unfitted, met)):
        return True
    return any(mark in met for part in parts for mark in part.marks)


def _scenario(scenario: Scenario, met: Collection[str], known: Iterable[Known]) -> ScenarioCoverage:
    parts = [_part(part, met) for part in known]
    return ScenarioCoverage(
        name=scenario.name,
        digest=scenario.digest,
        source=scenario.source,
        about=scenario.about,
        overall=_share(parts),
        kinds=_kinds(parts),
        parts=parts,
    )


def _part(known: Known, met: Collection[str]) -> Part:
    return Part(
        kind=known.kind,
        place=known.place,
        line=known.line or None,
        what=known.what,
        about=known.about,
        touched=any(mark in met for mark in known.marks),
    )


def _share(parts: Sequence[Part]) -> Share:
    total, touched = len(parts), sum(part.touched for part in parts)
    return Share(total=total, touched=touched, percent=100 * touched // total if total else 0)


def _kinds(parts: Iterable[Part]) -> dict[Kind, Share]:
    by_kind: dict[Kind, list[Part]] = {kind: [] for kind in _KINDS}
    for part in parts:
        by_kind[part.kind].append(part)
    return {kind: _share(own) for kind, own in by_kind.items() if own}


# Text


def missing(coverage: Coverage) -> list[tuple[ScenarioCoverage, Part]]:
    """What clients haven't met, each with its scenario."""
    return [(one, part) for one in coverage.scenarios for part in one.parts if not part.touched]


def share_words(share: Share) -> str:
    """``71%, 10 of 14``."""
    return f"{share.percent}%, {share.touched} of {share.total}"


def title(scenario: ScenarioCoverage) -> str:
    """What tells the version of a scenario from others."""
    return f"{scenario.name}@{scenario.digest}" if scenario.digest else scenario.name


def place_of(part: Part) -> str:
    """Where a part stands: its line, as far as it is known, and the way to it."""
    return part.place if part.line is None else f"line {part.line}: {part.place}"


def as_text(coverage: Coverage) -> str:
    """The coverage for people to read: of each scenario first what is missing, and the sum at the end."""
    lines: list[str] = []
    for scenario in coverage.scenarios:
        lines += [*_scenario_lines(scenario), ""]
    return "\n".join([*lines, *sum_words(coverage)]) + "\n"


def _scenario_lines(scenario: ScenarioCoverage) -> Iterator[str]:
    yield f"{title(scenario)}: {share_words(scenario.overall)}"
    for heading, touched in (("not met", False), ("met", True)):
        parts = [part for part in scenario.parts if part.touched is touched]
        if parts:
            yield f"  {heading}:"
            width = max(len(place_of(part)) for part in parts)
            yield from (_part_line(part, width) for part in parts)


def _part_line(part: Part, width: int) -> str:
    about = "" if part.about is None else f" ({' '.join(part.about.split())})"
    return f"    {part.kind:<9}  {place_of(part):<{width}}  {part.what}{about}"


def sum_words(coverage: Coverage) -> Iterator[str]:
    """The shares of all scenarios together, a line each."""
    where = "" if coverage.namespace is None else f" of namespace {coverage.namespace}"
    if not coverage.scenarios:
        yield f"coverage{where}: clients have met nothing of any scenario"
        return
    yield f"coverage{where}: {share_words(coverage.overall)}"
    yield from (f"  {kind:<9}  {share_words(share)}" for kind, share in coverage.kinds.items())
