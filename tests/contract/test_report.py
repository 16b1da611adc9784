"""Reports: verdicts, the nearer profile, baselines, and the four forms."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, Final

import pytest

from emulator.contract import baseline, comparison
from emulator.contract.evidence import Evidence, Observation, of_both
from emulator.contract.masks import Sample
from emulator.contract.report import Report, report_of
from emulator.contract.written import as_github, as_json, as_junit, as_text, reaches
from emulator.contracts.contract import contract_of
from emulator.contracts.judgement import Response, judged
from emulator.core.words import OperationName, Profile

ROOT: Final = Path(__file__).parents[2]
GOLDEN: Final[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "golden" / "ezmodel" / "query.processing.json").read_text(encoding="utf-8")
)
HEADERS: Final = {
    "content-type": "application/json",
    "x-oneapi-request-id": "20260101000000000000000abcdef1234567890",
    "x-new-api-version": "v1",
    "access-control-allow-origin": "*",
}


def observed(body: Any, *, check: str = "status", status_code: int = 200) -> Observation:
    """A poll that was answered so."""
    response = Response(status_code=status_code, headers=HEADERS, body=body)
    judgements = {
        profile: judged(contract_of("ezmodel"), OperationName.POLL, profile, response) for profile in Profile
    }
    return Observation(
        check=check,
        operation="poll",
        outcome={profile: judgement.answer.name for profile, judgement in judgements.items()},
        findings={profile: judgement.findings for profile, judgement in judgements.items()},
        sample=Sample(
            method="GET", path="/v1/videos/{task_id}", status_code=status_code, headers={}, body=body
        ),
    )


def evidence(*bodies: Any) -> Evidence:
    """A run that saw polls with these bodies."""
    return Evidence(
        provider="ezmodel",
        base_url="http://provider.example",
        begun_at=0,
        observations=[observed(body) for body in bodies],
    )


def drifted(**others: Any) -> Report:
    """A run that saw one error, one warning and one notice."""
    body = {**GOLDEN, "seconds": 10, "error": None, "extra": 1}
    return report_of(evidence(body), profile=Profile.DOCUMENTED, **others)


# Verdicts


def test_a_check_is_as_bad_as_the_worst_of_its_drifts() -> None:
    """An error fails it; without one it drifts; accepted ones have a state of their own."""
    state = {check.name: check.state for check in drifted().checks}
    assert state["status-processing"] == "failed"
    only_notice = report_of(evidence({**GOLDEN, "extra": 1}), profile=Profile.DOCUMENTED)
    assert {check.name: check.state for check in only_notice.checks}["status-processing"] == "drift"
    accepted = drifted(accepted=[drift.id for drift in drifted().drifts])
    check = next(check for check in accepted.checks if check.name == "status-processing")
    assert check.state == "accepted"
    assert check.why.startswith("known drift: ")
    assert (drifted().worst(), only_notice.worst(), accepted.worst()) == ("error", "notice", None)


def test_what_was_never_looked_at_never_passes() -> None:
    """A run that saw nothing has no check that passed, and each says why."""
    report = report_of(evidence())
    assert {check.state for check in report.checks} == {"not run"}
    assert all(check.why for check in report.checks)
    interrupted = report_of(evidence(), is_complete=False)
    assert {check.why for check in interrupted.checks} == {"the run was interrupted before"}


def test_a_drift_that_many_answers_share_is_told_once() -> None:
    """With every check that saw it."""
    failed = {**GOLDEN, "status": "failed", "error": {"message": "m", "code": "c"}, "seconds": 10}
    for name in ("size", "metadata"):
        failed.pop(name)
    report = report_of(evidence({**GOLDEN, "seconds": 10}, failed), profile=Profile.DOCUMENTED)
    assert [drift.id for drift in report.drifts] == ["poll: seconds: type changed: a number"]
    assert report.drifts[0].seen_in == ("status-processing", "status-failed")


def test_the_gravest_comes_first() -> None:
    """Then warnings, then notices."""
    assert [drift.finding.severity for drift in drifted().drifts] == ["error", "warning", "notice"]


# The profile


def test_the_nearer_profile_judges_and_says_why() -> None:
    """By what differs from it, weighed; with one thing that the other would call wrong."""
    current = report_of(evidence({**GOLDEN, "status": "in_progress"}))
    assert current.profile is Profile.CURRENT
    assert "0 findings; by documented there would be 1, such as poll, " in current.why_profile
    assert "'in_progress'" in current.why_profile
    documented = report_of(evidence(GOLDEN))
    assert documented.profile is Profile.DOCUMENTED
    assert "0 findings; by current there would be 1, such as poll, " in documented.why_profile


def test_where_nothing_tells_the_documents_judge() -> None:
    """And the report says that nothing does."""
    report = report_of(evidence())
    assert report.profile is Profile.DOCUMENTED
    assert report.why_profile == "nothing that was seen tells it from the other one"


# Baselines


def test_a_baseline_accepts_what_was_found(tmp_path: Path) -> None:
    """What it holds fails nothing; what it holds and isn't seen any more is told."""
    path = tmp_path / "known.txt"
    assert baseline.write(path, drifted()) == 3
    accepted = baseline.accepted_in(path)
    assert accepted == {drift.id for drift in drifted().drifts}
    again = drifted(accepted=accepted)
    assert not any(reaches(drift, "notice") for drift in again.drifts)
    gone = report_of(evidence(GOLDEN), profile=Profile.DOCUMENTED, accepted=accepted)
    assert set(gone.stale) == accepted
    assert "not seen in this run" in as_text(gone)


def test_a_baseline_that_is_written_again_keeps_what_is_still_seen(tmp_path: Path) -> None:
    """And drops the rest."""
    path = tmp_path / "known.txt"
    baseline.write(path, drifted(), ["poll: gone: field removed"])
    assert len(baseline.accepted_in(path)) == 4
    report = drifted(accepted=["poll: gone: field removed"])
    baseline.write(path, report, ["poll: gone: field removed"])
    assert len(baseline.accepted_in(path)) == 3


def test_the_same_drift_has_one_id_whatever_the_values() -> None:
    """Lengths and numbers don't count, so a baseline holds from run to run."""
    ids = [
        [d.id for d in report_of(evidence({**GOLDEN, "object": text}), profile=Profile.DOCUMENTED).drifts]
        for text in ("a film of one", "another film of two")
    ]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("problem", ["binary", "absent", "folder"])
def test_a_baseline_that_can_t_be_read_says_so(tmp_path: Path, problem: str) -> None:
    """In a sentence with the path."""
    path = tmp_path / "known.txt"
    if problem == "binary":
        path.write_bytes(b"\xff\xfe")
    elif problem == "folder":
        path.mkdir()
    with pytest.raises(baseline.Unreadable, match=r"known\.txt"):
        baseline.accepted_in(path)


# Forms


def test_the_text_tells_each_drift_with_its_place() -> None:
    """Kind, sentence, checks, file and line of the contract, source."""
    text = as_text(drifted())
    assert "FAILED    status-processing" in text
    assert "error     type changed: poll: seconds: expected a text, got a number" in text
    assert "seen in status-processing" in text
    assert re.search(r"emulator/contracts/ezmodel\.yaml:\d+ says so; source: document", text)
    assert "not run   auth-missing" in text


def test_the_place_is_the_line_that_says_so() -> None:
    """The line of the contract's file holds the member."""
    for drift in drifted().drifts:
        file, _, line = drift.finding.place.rpartition(":")
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        here = lines[int(line) - 1]
        assert drift.finding.member in here or drift.finding.kind == "field added", here


def test_with_a_comparison_both_samples_stand_side_by_side() -> None:
    """And the lines that differ are marked."""
    ours = Sample(
        method="GET", path="/v1/videos/{task_id}", status_code=200, headers={}, body={"seconds": "<text>"}
    )
    report = drifted(twins={("poll", "processing"): ours})
    text = as_text(report)
    assert re.search(r"the provider +\| the emulator", text)
    assert re.search(r'^ +\* +"seconds": 10.*\|', text, re.M)
    assert comparison.twins_in(evidence(GOLDEN), Profile.DOCUMENTED).keys() == {("poll", "processing")}


def test_json_holds_everything() -> None:
    """Counts, the worst, checks, drifts with samples."""
    told = json.loads(as_json(drifted()))
    assert told["worst"] == "error"
    assert told["counts"]["failed"] == 1
    assert told["drifts"][0]["finding"]["place"].startswith("emulator/contracts/ezmodel.yaml:")
    assert told["drifts"][0]["sample"]["body"]["seconds"] == 10
    assert {check["state"] for check in told["checks"]} == {"failed", "not run"}


@pytest.mark.parametrize(("fails_at", "failures"), [("error", 1), ("notice", 1), (None, 0)])
def test_junit_has_a_case_for_each_check(fails_at: Any, failures: int) -> None:
    """Failed, skipped with its reason, or passed."""
    root = ET.fromstring(as_junit(drifted(), fails_at))  # noqa: S314 - our own
    suite = root[0]
    assert len(suite) == len(drifted().checks) + 1 == int(suite.attrib["tests"])
    assert len(suite.findall("testcase/failure")) == failures == int(suite.attrib["failures"])
    skipped = suite.findall("testcase/skipped")
    assert len(skipped) == int(suite.attrib["skipped"])
    assert all(each.attrib["message"].startswith("not run: ") for each in skipped)


def test_junit_and_github_fail_where_the_run_couldn_t_do_as_told() -> None:
    """Else CI would be green over a run that saw nothing."""
    found = evidence(GOLDEN)
    found.problems = ["the key was refused"]
    report = report_of(found)
    suite = ET.fromstring(as_junit(report))[0]  # noqa: S314 - our own
    assert suite.attrib["errors"] == "1"
    (error,) = suite.findall("testcase[@name='run']/error")
    assert error.attrib["message"] == "the key was refused"
    assert as_github(report).startswith("::error title=video-emulator contract::the key was refused\n")


def test_what_wasn_t_run_fails_where_all_is_required() -> None:
    """In both forms."""
    report = report_of(evidence(GOLDEN))
    left_out = report.count("not run")
    assert left_out > 10
    suite = ET.fromstring(as_junit(report, requires_all=True))[0]  # noqa: S314 - our own
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure")) == left_out
    assert as_github(report, requires_all=True).count("::error ") == left_out


def test_fewer_differences_are_nearer_than_slighter_ones() -> None:
    """One grave drift doesn't turn the profile around."""
    found = evidence({**GOLDEN, "seconds": 10, "status": "processing"})
    assert report_of(found).profile is Profile.DOCUMENTED


def test_github_gets_an_annotation_for_each_drift() -> None:
    """At the contract's own line, with its gravity."""
    lines = as_github(drifted()).splitlines()
    assert re.fullmatch(
        r"::error file=emulator/contracts/ezmodel\.yaml,line=\d+,title=type changed in poll::seconds: .+",
        lines[0],
    )
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning", "::notice", "::notice"]


def test_what_a_terminal_would_act_on_reaches_no_form() -> None:
    """Nor what XML can't hold."""
    found = evidence(GOLDEN)
    found.problems = ["bad \x1b[31m\x00 <news> & \u2028more"]
    found.observations.append(
        Observation(
            check="error-bodies", operation="poll", outcome=of_both("x"), findings=dict.fromkeys(Profile, ())
        )
    )
    report = report_of(found)
    for text in (as_text(report), as_junit(report), as_github(report)):
        assert "\x1b" not in text
        assert "\x00" not in text
    ET.fromstring(as_junit(report))  # noqa: S314 - our own
