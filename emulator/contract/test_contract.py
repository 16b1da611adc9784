"""The contract as tests: the same for an emulator of this process and for the real provider.

pytest --pyargs emulator.contract
pytest --pyargs emulator.contract --video-emulator-provider octopusx --video-emulator-base-url URL
"""

import pytest

from emulator.contract.targets import RUN, Reports, Target, ids, targets_of
from emulator.contract.written import drift_text, reaches


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each check of what is tested."""
    if "check" in metafunc.fixturenames:
        found = list(ids(targets_of(metafunc.config)))
        names = [f"{target}-{check}" for target, check in found]
        metafunc.parametrize(("target", "check"), found, ids=names)


@pytest.fixture(scope="session")
def reports(pytestconfig: pytest.Config) -> Reports:
    """The runs; what they saw is shared by all checks."""
    return Reports(pytestconfig)


def test_contract(target: Target, check: str, reports: Reports) -> None:
    """The provider answers as its contract says."""
    report = reports.of(target)
    if check == RUN:
        assert not report.problems, "\n".join(report.problems)
        return
    found = next((each for each in report.checks if each.name == check), None)
    if found is None:
        pytest.skip(f"no check in profile {report.profile}")
    if found.state == "not run":
        pytest.skip(f"not run: {found.why}")
    drifts = [drift for drift in report.drifts if drift.id in found.drifts]
    told = "\n\n".join(drift_text(drift) for drift in drifts)
    if any(reaches(drift, "error") for drift in drifts):
        pytest.fail(f"{found.about}; judged by profile {report.profile}:\n\n{told}", pytrace=False)
    print(told)  # noqa: T201 - what drifts and fails nothing is shown by -rP
