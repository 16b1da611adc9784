"""What ``contract`` does with its options: everything is checked first, and told at once; then it runs."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click
import msgspec
import orjson

from emulator.cli import options
from emulator.cli.options import Refused
from emulator.cli.whereabouts import is_own
from emulator.clock import Clock, real_time, wall_time
from emulator.contract import baseline, comparison, keeping, running, written
from emulator.contract.calling import Caller
from emulator.contract.dialect import CHEAPEST, KEY_VARIABLES, Dialect
from emulator.contract.evidence import Evidence
from emulator.contract.masks import Sample
from emulator.contract.report import Report, nearest, report_of
from emulator.contract.session import Means, Session
from emulator.contracts.findings import Severity
from emulator.core.scenario import ClockSettings
from emulator.core.units import MINUTE, SECOND
from emulator.core.words import Profile

_INTERRUPTED: Final = 130
Told = Mapping[str, Any]


class Plan(msgspec.Struct, kw_only=True):
    """The options, understood."""

    provider: str
    base_url: str
    key: str
    key_name: str
    fields: Mapping[str, Any] | None
    accepted: frozenset[str]
    state: Path
    evidence: Evidence


def contracted(ctx: click.Context, told: Told) -> int:
    """Run the checks, write the report; the exit status."""
    plan = _planned(ctx, told)
    if told["create"] > len(plan.evidence.creates) and not told["yes"]:
        _ask(plan, told["create"] - len(plan.evidence.creates))
    is_complete = _run(plan, told)
    report = _report(plan, told, is_complete=is_complete)
    _write(report, told)
    if told["write_baseline"] is not None:
        _write_baseline(report, plan, told["write_baseline"])
    if is_complete:
        keeping.forget(plan.state)
        return _status(report, told)
    _say(f"Interrupted. What was seen is kept in {plan.state}; to go on, give the same options and --resume.")
    return _INTERRUPTED


# Understanding


def _planned(ctx: click.Context, told: Told) -> Plan:
    mistakes = options.mistakes(ctx)
    provider = told["provider"]
    if told["base_url"] is None and not any("--base-url" in mistake for mistake in mistakes):
        mistakes.append(
            "--base-url: expected where the provider is, such as https://octopusx.ai, got nothing"
        )
    key_name = told["api_key_env"] or KEY_VARIABLES.get(provider or "", "")
    key = _key(key_name, mistakes)
    fields = _fields(told["request"], mistakes)
    _judge_company(told, mistakes)
    accepted = _accepted(told["baseline"], mistakes)
    options.refuse_mistakes(ctx)
    dialect = Dialect(provider, told["base_url"], key)
    state = keeping.default_path(provider) if told["state"] is None else Path(told["state"])
    evidence = _begun(state, dialect, resumes=told["resume"])
    return Plan(
        provider=provider,
        base_url=dialect.base_url,
        key=key,
        key_name=key_name,
        fields=fields,
        accepted=accepted,
        state=state,
        evidence=evidence,
    )


def _key(name: str, mistakes: list[str]) -> str:
    key = os.environ.get(name, "").strip() if name else ""
    if name and not key:
        mistakes.append(
            f"${name}: expected the API key, got nothing; set it, or name another by --api-key-env"
        )
    elif not (key.isascii() and key.isprintable()) or " " in key:
        mistakes.append(f"${name}: expected an API key, got a text with a character that no key has")
    return key


def _fields(request: str | None, mistakes: list[str]) -> Mapping[str, Any] | None:
    if request is None:
        return None
    try:
        text = Path(request[1:]).read_text(encoding="utf-8") if request.startswith("@") else request
        value = orjson.loads(text)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it is no JSON"
        mistakes.append(f"--request: expected JSON, or @ and the path of a file that holds it: {reason}")
        return None
    if isinstance(value, dict):
        return value
    mistakes.append('--request: expected a JSON object such as {"prompt": "a cat"}, got another JSON value')
    return None


def _judge_company(told: Told, mistakes: list[str]) -> None:
    """What goes wrong between options."""
    if told["request"] is not None and not told["create"]:
        mistakes.append("--request says what a create asks for, and none is made without --create")
    if told["watch"] and not told["tasks"]:
        mistakes.append("--watch looks at the tasks of --task until they end, and none is given")
    for option in ("output", "write_baseline"):
        _judge_file(f"--{option.replace('_', '-')}", told[option], mistakes)
    interval = told["interval"]
    if interval is not None and interval < SECOND and told["base_url"] and not is_own(told["base_url"]):
        mistakes.append("--interval: expected 1s or more for a provider that isn't on this machine")


def _judge_file(option: str, name: str | None, mistakes: list[str]) -> None:
    """Say before anything is asked that a file couldn't be written."""
    path = None if name is None else Path(name)
    if path is not None and path.is_dir():
        mistakes.append(f"{option}: expected a file, and {path} is a folder")
    elif path is not None and not path.parent.is_dir():
        mistakes.append(f"{option}: there is no folder {path.parent}")


def _accepted(path: str | None, mistakes: list[str]) -> frozenset[str]:
    if path is None:
        return frozenset()
    try:
        return baseline.accepted_in(Path(path))
    except baseline.Unreadable as problem:
        mistakes.append(f"--baseline: {problem}")
        return frozenset()


def _begun(state: Path, dialect: Dialect, *, resumes: bool) -> Evidence:
    provider = dialect.provider.name
    if resumes:
        try:
            evidence = keeping.kept(state, provider, dialect.base_url)
        except keeping.Unusable as problem:
            raise Refused([f"--resume: {problem}"]) from None
        # What went wrong then may go well now.
        evidence.problems, evidence.not_run, evidence.stopped = [], {}, False
        return evidence
    if keeping.holds_creates(state):
        told = (
            f"an earlier run was interrupted, or is still under way, and is kept in {state}: go on with it by "
            "--resume, name another --state, or remove the file"
        )
        raise Refused([told])
    return Evidence(provider=provider, base_url=dialect.base_url, begun_at=wall_time())


def _ask(plan: Plan, count: int) -> None:
    """Ask before anything that may cost money."""
    fields = CHEAPEST[plan.provider] if plan.fields is None else plan.fields
    what = f"{count} task{'' if count == 1 else 's'}"
    _say(
        f"This makes at most {what} at {plan.base_url}, which may cost money: {orjson.dumps(fields).decode()}"
    )
    if not sys.stdin.isatty():
        raise Refused(["--create: nobody is there to be asked; --yes says that it's fine"])
    if not click.confirm("Go on?", err=True):
        raise Refused(["nothing was sent"])


# Running


def _run(plan: Plan, told: Told) -> bool:
    """Run the checks; whether they came to their end."""
    try:
        asyncio.run(_checked(plan, told))
    except (KeyboardInterrupt, asyncio.CancelledError):
        with suppress(keeping.Unusable):
            keeping.keep(plan.state, plan.evidence)
        return False
    except keeping.Unusable as problem:
        raise Refused([str(problem)]) from None
    return True


async def _checked(plan: Plan, told: Told) -> None:
    _end_by_signal()
    begun = real_time()

    def tell(step: str) -> None:
        if not told["quiet"]:
            _say(f"{(real_time() - begun) // SECOND:>4}s  {step}")

    caller = Caller(told["timeout"] / SECOND)
    means = Means(
        interval=told["interval"],
        longest=int(told["max_minutes"] * MINUTE),
        creates=told["create"],
        paces=not is_own(plan.base_url),
    )
    session = Session(
        Dialect(plan.provider, plan.base_url, plan.key),
        caller,
        plan.evidence,
        means,
        clock=Clock(ClockSettings()),
        tell=tell,
        # What costs nothing may as well be asked again: only an interruption keeps it.
        keep=(lambda: keeping.keep(plan.state, plan.evidence)) if told["create"] else (lambda: None),
    )
    wish = running.Wish(
        tasks=told["tasks"], watches=told["watch"], fields=plan.fields, key_name=plan.key_name
    )
    try:
        await running.run(session, wish)
    finally:
        await caller.close()


def _end_by_signal() -> None:
    """Let the signal by which CI ends jobs end the run as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError):  # on Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


# Telling


def _report(plan: Plan, told: Told, *, is_complete: bool) -> Report:
    profile = None if told["profile"] == "auto" else Profile(told["profile"])
    twins: Mapping[tuple[str, str], Sample] = {}
    if told["compare"] and is_complete:
        judged = profile or nearest(plan.evidence).profile
        with suppress(KeyboardInterrupt):  # the report is more than what would stand beside it
            emulated = asyncio.run(comparison.emulated(plan.provider, judged, wall_time()))
            twins = comparison.twins_in(emulated, judged)
    return report_of(
        plan.evidence, profile=profile, accepted=plan.accepted, twins=twins, is_complete=is_complete
    )


def _write(report: Report, told: Told) -> None:
    form = told["form"]
    text = written.in_form(form, report, _fails_at(told), requires_all=told["require_all"])
    if told["output"] is None:
        click.echo(_coloured(text) if form == "text" and sys.stdout.isatty() else text, nl=False)
        return
    try:
        Path(told["output"]).write_text(text, encoding="utf-8")
    except OSError as problem:
        click.echo(text, nl=False)
        raise Refused(
            [f"--output: {told['output']} can't be written: {problem.strerror or problem}"]
        ) from None


_COLOURS: Final = {
    "passed": "green",
    "accepted": "cyan",
    "drift": "yellow",
    "FAILED": "red",
    "not run": "bright_black",
    "error": "red",
    "warning": "yellow",
}


def _coloured(text: str) -> str:
    return "".join(_line(line) for line in text.splitlines(keepends=True))


def _line(line: str) -> str:
    state = next((state for state in _COLOURS if line.startswith(f"{state} ")), None)
    return line if state is None else click.style(state, fg=_COLOURS[state]) + line[len(state) :]


def _write_baseline(report: Report, plan: Plan, name: str) -> None:
    if report.problems or not report.is_complete:
        _say(f"{name} isn't written: the run didn't see everything that it was to see.")
        return
    try:
        count = baseline.write(Path(name), report, plan.accepted)
    except baseline.Unreadable as problem:
        raise Refused([f"--write-baseline: {problem}"]) from None
    _say(f"{name} accepts {count} drift{'' if count == 1 else 's'} now.")


def _fails_at(told: Told) -> Severity | None:
    severity: Severity | None = None if told["fail_on"] == "never" else told["fail_on"]
    return severity


def _status(report: Report, told: Told) -> int:
    fails_at = _fails_at(told)
    if any(written.reaches(drift, fails_at) for drift in report.drifts):
        return 1
    missing = [check.name for check in report.checks if check.state == "not run"]
    if told["require_all"] and missing:
        _say(f"Error: --require-all, and these weren't run: {', '.join(missing)}")
        return 1
    return 2 if report.problems else 0


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
