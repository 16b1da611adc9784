"""What drifts at an independent stand-in is found, told as what it is, and nothing besides."""

from collections.abc import Iterator
from typing import Final

import pytest

from emulator.clock import wall_time
from emulator.core.units import MILLISECOND, SECOND
from emulator.core.words import Profile
from tests.contract.runs import report_on, told
from tests.contract.standin import DRIFTS, NO_EFFECT, PROFILES, PROVIDERS, StandIn

Told = tuple[str, str, str, str]
"""Operation, member, kind and severity."""
KEY: Final = "sk-good-standin"

ACEDATA: Final = ("acedata-sora", "acedata-veo")
GATEWAYS: Final = ("octopusx", "ezmodel")
RESULT: Final = {
    "octopusx": "video_url",
    "ezmodel": "url",
    "acedata-sora": "response.data[].video_url",
    "acedata-veo": "response.data[].video_url",
}
RENAMED: Final = {
    "octopusx": "videoUrl",
    "ezmodel": "video_url",
    "acedata-sora": "response.data[].url",
    "acedata-veo": "response.data[].url",
}
REQUEST_ID: Final = {
    "octopusx": "x-oneapi-request-id",
    "ezmodel": "x-oneapi-request-id",
    "acedata-sora": "x-request-id",
    "acedata-veo": "x-request-id",
}


def poll(member: str, kind: str, severity: str) -> Told:
    """Of a query."""
    return ("poll", member, kind, severity)


def expected(provider: str, profile: str, drift: str) -> set[Told]:
    """What a drift is to be told as."""
    table = _of_acedata(profile) if provider in ACEDATA else _of_gateways(provider, profile)
    both = {
        "renamed-field": {
            poll(RESULT[provider], "field removed", "error"),
            poll(RENAMED[provider], "field added", "notice"),
        },
        "added-field": {poll("queue_position", "field added", "notice")},
        "link-dies-early": {("download", "", "timing", "error")},
        "link-dead": {("download", "", "timing", "error")},
        "no-range": {("download", "", "behaviour", "warning")},
        "not-a-video": {("download", "", "behaviour", "error")},
        "header-gone": {poll(f"header {REQUEST_ID[provider]}", "header", "warning")},
        "content-type": {poll("header content-type", "header", "error")},
        "progress-falls": {poll("", "behaviour", "error")},
        "terminal-changes": {poll("", "behaviour", "error")},
        "batch-dedupes": {poll("", "behaviour", "error")},
        "batch-sorts": {poll("", "behaviour", "error")},
        "short-range": {("download", "", "behaviour", "warning")},
    }
    if provider == "acedata-veo" and drift == "link-dead":
        # Its link doesn't say when it dies: a dead one is just that.
        return {("download", "", "behaviour", "error")}
    return {**both, **table}[drift]


def _of_acedata(profile: str) -> dict[str, set[Told]]:
    # The newest specification doesn't demand a credential_id of every record.
    is_demanded = "error" if profile == "documented" else "warning"
    shape = {"error": "error", "trace_id": "error"} | (
        {"success": "error"} if profile == "documented" else {}
    )
    return {
        "removed-field": {poll("credential_id", "field removed", is_demanded)},
        "new-word": {poll("response.data[].state", "new word", "error")},
        "status-code": {poll("", "status code", "error")},
        "null-member": {poll("response", "field added", "warning")},
        "number-for-text": {poll("created_at", "type changed", "error")},
        "accepts-any-key": {poll("", "status code", "error")},
        "accepts-no-key": {poll("", "status code", "error")},
        "error-shape": {poll(name, "field removed", severity) for name, severity in shape.items()}
        | {poll("message", "field added", "notice")},
        "error-code": {poll("error.code", "new word", "warning")},
    }


def _of_gateways(provider: str, profile: str) -> dict[str, set[Told]]:
    # documents/003 shows one error, the unknown task; documents/001 none.
    own = "notice" if provider == "octopusx" else "warning"
    refused = "warning" if profile == "current" else own
    unknown = {"octopusx": "notice", "ezmodel": "error"}[provider] if profile == "documented" else "warning"
    code = ("new word", own) if profile == "documented" else ("value changed", "warning")
    return {
        "removed-field": {
            poll({"octopusx": "size", "ezmodel": "completed_at"}[provider], "field removed", "error")
        },
        "new-word": {poll("status", "new word", "error")},
        "status-code": {poll("", "status code", unknown)},
        "null-member": {
            poll("error", "type changed", "error")
            if provider == "octopusx"
            else poll("error", "field added", "warning")
        },
        "number-for-text": {poll("seconds", "type changed", "error")},
        "accepts-any-key": {poll("", "status code", refused)},
        "accepts-no-key": {poll("", "status code", refused)},
        "error-shape": _error_shape(provider, profile),
        "error-code": {poll("error.code", *code)},
    }


def _error_shape(provider: str, profile: str) -> set[Told]:
    if profile == "current":
        removed = {poll(name, "field removed", "warning") for name in ("code", "data", "error")}
        removed.add(("content", "error", "field removed", "warning"))
    else:
        severity = "notice" if provider == "octopusx" else "error"
        removed = {(operation, "error", "field removed", severity) for operation in ("poll", "content")}
    added = {(operation, "message", "field added", "notice") for operation in ("poll", "content")}
    return removed | added


def cases() -> Iterator[tuple[str, str, str]]:
    """Every drift that changes something at a provider, in both profiles."""
    for provider in PROVIDERS:
        for profile in PROFILES:
            for drift in DRIFTS:
                if provider not in NO_EFFECT.get(drift, ()) and drift != "link-lives-on":
                    yield provider, profile, drift


@pytest.mark.parametrize(("provider", "profile", "drift"), list(cases()))
def test_a_planted_drift_is_found_and_nothing_else(provider: str, profile: str, drift: str) -> None:
    """With its kind, its place and its gravity; and the profile is the right one all the same."""
    slowly = drift == "link-dies-early"
    with StandIn(provider, profile=profile, drift=(drift,), dies_early_after=0.15) as standin:
        # A link without an end that is dead when first seen may be an old one's: a young task tells more.
        tasks = [id for name, id in standin.tasks.items() if not (slowly and name == "completed")]
        report = report_on(
            provider,
            standin.url,
            KEY,
            tasks=tasks,
            creates=1,
            interval=(100 if slowly else 10) * MILLISECOND,
        )
    assert report.profile == profile
    assert {told(each) for each in report.drifts} == expected(provider, profile, drift)
    assert len(report.drifts) == len(expected(provider, profile, drift))
    assert report.problems == ()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_a_drift_there_is_none(provider: str, profile: str) -> None:
    """And what couldn't be looked at is said."""
    with StandIn(provider, profile=profile) as standin:
        report = report_on(provider, standin.url, KEY, tasks=list(standin.tasks.values()), creates=1)
    assert report.profile == profile
    assert [(each.id, each.finding.sentence) for each in report.drifts] == []
    assert report.problems == ()
    not_run = {check.name for check in report.checks if check.state == "not run"}
    assert not_run == {"link-expiry"} | ({"content-gone"} if provider in GATEWAYS else set())


@pytest.mark.parametrize(("drift", "is_found"), [(None, False), ("link-lives-on", True)])
@pytest.mark.parametrize("provider", ["octopusx", "acedata-sora"])
def test_a_link_is_to_be_dead_after_its_end(provider: str, drift: str | None, is_found: bool) -> None:
    """The run waits for it, where it may take that long."""
    drifts = () if drift is None else (drift,)
    with StandIn(provider, drift=drifts, link_lives=1.0) as standin:
        report = report_on(provider, standin.url, KEY, creates=1, longest=30 * SECOND)
    checked = {check.name: check.state for check in report.checks}
    assert checked["link-expiry"] == ("failed" if is_found else "passed")
    assert {told(each) for each in report.drifts} == (
        {("download", "", "timing", "error")} if is_found else set()
    )


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("days", [1, -20_000], ids=["tomorrow", "in 1972"])
def test_dates_that_can_t_be_are_found(provider: str, days: int) -> None:
    """A creation in the future, or long before the service was there, of the clock that the answers' Date has."""
    with StandIn(provider, clock=lambda: wall_time() / SECOND + days * 86_400) as standin:
        report = report_on(provider, standin.url, KEY, tasks=[standin.tasks["queued"]])
    checked = {check.name: check for check in report.checks}
    assert checked["timestamps"].state == "failed"
    (drift,) = [drift for drift in report.drifts if drift.seen_in == ("timestamps",)]
    assert drift.finding.kind == "timing"
    assert drift.finding.got == (
        "a creation in the future: seconds are expected, of Unix"
        if days > 0
        else "a creation long before the service was there: seconds are expected, of Unix"
    )


def test_several_drifts_at_once_are_each_found() -> None:
    """None hides another."""
    drifts = ("renamed-field", "added-field", "number-for-text", "header-gone", "progress-falls")
    with StandIn("ezmodel", drift=drifts) as standin:
        report = report_on("ezmodel", standin.url, KEY, tasks=list(standin.tasks.values()), creates=1)
    wanted = set[Told]().union(*(expected("ezmodel", "documented", drift) for drift in drifts))
    assert {told(each) for each in report.drifts} == wanted


def test_a_forced_profile_judges_by_that_one() -> None:
    """The words of the other one are drift then, and what isn't there in this one is no check."""
    with StandIn("octopusx", profile="current") as standin:
        report = report_on(
            "octopusx", standin.url, KEY, Profile.DOCUMENTED, tasks=list(standin.tasks.values())
        )
    assert report.profile is Profile.DOCUMENTED
    assert report.why_profile == "as told"
    words = [drift.finding for drift in report.drifts if drift.finding.kind == "new word"]
    assert "'in_progress'" in {finding.got for finding in words}
