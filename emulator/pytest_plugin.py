"""The pytest plugin: fixtures, markers and options. Nothing to import: an installed package brings it along.

It loads in every pytest run of everybody who has the package installed, before coverage is measured, so it imports
nothing of ours until a test asks for a fixture or somebody sets an option.
"""

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from emulator.embedded.emulators import Emulator, EmulatorServer

_FIXTURE = "video_emulator"
OPTIONS = (
    (
        "url",
        "URL",
        "Use the emulator that runs at this URL, in a container say, in place of one in this process.",
    ),
    ("admin-token", "TOKEN", "What the control API of the emulator at --video-emulator-url asks for."),
    ("scenarios", "DIR", "A folder of scenario files, for tests to name."),
    ("seed", "SEED", "What draws are keyed by where no marker says: a whole number or a text."),
    (
        "profile",
        "PROFILE",
        "The providers' face where neither marker nor scenario says: documented or current.",
    ),
    ("patience", "DURATION", "How long a test may poll while its clock stands still: 5s, or off for ever."),
    (
        "fail-on",
        "WHAT",
        "What else fails a test where no marker says: unused, unexpected, findings; or all, or none.",
    ),
    ("save-failures", "DIR", "Where to keep the scenario of a test that failed, if the test made it up."),
)
"""Each is an option of the command line and, with underscores, a setting of the configuration file."""
CONTRACT_OPTIONS = (
    ("provider", "NAME", "Of emulator.contract: whose contract to test; otherwise that of all four."),
    (
        "base-url",
        "URL",
        "Of emulator.contract: where the provider is; otherwise an emulator in this process is tested.",
    ),
    ("api-key-env", "NAME", "Of emulator.contract: the variable that holds the provider's API key."),
    ("task", "ID", "Of emulator.contract: a task that is there already; may be given again."),
    ("create", "N", "Of emulator.contract: make at most so many tasks, which may cost money."),
    ("max-minutes", "MINUTES", "Of emulator.contract: how long it may take; otherwise 15."),
    ("interval", "DURATION", "Of emulator.contract: between two looks at a task; otherwise 5s."),
)
"""Options of the tests in `emulator.contract`, which ``pytest --pyargs emulator.contract`` runs."""
_NO_SOCKET = "video_emulator_no_socket"
MARKERS = (
    (
        "scenario(what=None, *, clock=None, start=None, seed=None, profile=None, fail_on=None): what the world of "
        "the fixture video_emulator begins with. what: the name of a scenario, the path of a file, its text in YAML, "
        "or its keys and values; clock: manual, auto, real or scaled:60; start: what it shows at first; seed: what "
        "draws are keyed by; profile: documented or current; fail_on: what else fails the test, such as 'findings' "
        "or ['unused', 'unexpected'], or 'none'. Of several markers the closest goes first, argument by argument."
    ),
    (
        "fast_forward(limit='6h'): while the test runs, sleeps of its thread and of its asyncio tasks move the clock "
        "of the fixture video_emulator instead of waiting, limit at most in all."
    ),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ours."""
    group = parser.getgroup("video-emulator", "video-emulator, a fake of video-generation APIs")
    for name, what, told in OPTIONS:
        setting = f"video_emulator_{name.replace('-', '_')}"
        group.addoption(f"--video-emulator-{name}", dest=setting, metavar=what, help=told)
        parser.addini(setting, told, default="")
    for name, what, told in CONTRACT_OPTIONS:
        group.addoption(
            f"--video-emulator-{name}",
            dest=f"video_emulator_{name.replace('-', '_')}",
            metavar=what,
            action="append" if name == "task" else "store",
            help=told,
        )
    told = "Open no socket: only video_emulator.transport() leads to the emulator."
    group.addoption("--video-emulator-no-socket", dest=_NO_SOCKET, action="store_true", help=told)
    parser.addini(_NO_SOCKET, told, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Tell `pytest --markers` of ours, and refuse settings that can't be understood before a test runs."""
    for line in MARKERS:
        config.addinivalue_line("markers", line)
    if _is_told(config):
        from emulator.plugin.settings import settings_of  # noqa: PLC0415 - the module's docstring says why

        settings_of(config)
    if any(config.getoption(f"video_emulator_{name.replace('-', '_')}") for name, _, _ in CONTRACT_OPTIONS):
        from emulator.contract.targets import targets_of  # noqa: PLC0415 - as above

        targets_of(config)


def _is_told(config: pytest.Config) -> bool:
    """Whether the command line or the configuration file says anything to us."""
    settings = [f"video_emulator_{name.replace('-', '_')}" for name, _, _ in OPTIONS]
    try:
        return any(config.getoption(name) or config.getini(name) for name in (*settings, _NO_SOCKET))
    except (TypeError, ValueError):  # of another type than the setting's
        return True


@pytest.fixture(scope="session")
def video_emulator_server(pytestconfig: pytest.Config) -> "Iterator[EmulatorServer]":
    """An emulator for the whole run, in a thread of this process or wherever --video-emulator-url says.

    ``with video_emulator_server.emulator(scenario=...) as emulator:`` gives a world of its own each time, for tests
    that need several, or one for each example of Hypothesis. ``url`` is where it is.
    """
    from emulator.plugin.session import served  # noqa: PLC0415 - as above

    with served(pytestconfig) as server:
        yield server


@pytest.fixture
def video_emulator(
    request: pytest.FixtureRequest, video_emulator_server: "EmulatorServer"
) -> "Iterator[Emulator]":
    """A fake of the video APIs for this test alone: a fresh world, whose clock stands still until it is told.

    ``url("ezmodel")`` is the base URL and ``api_key`` the key for the client under test; ``clock.advance("5m")`` lets
    time pass; ``requests("poll").count()`` and ``assert_well_behaved()`` tell what the client did. The marker
    ``scenario`` says what happens.
    """
    from emulator.plugin.world import world  # noqa: PLC0415 - as above

    with world(request, video_emulator_server) as emulator:
        # There it is for the hooks below, also where the test has it by `request.getfixturevalue` alone.
        request.node.funcargs[_FIXTURE] = emulator
        yield emulator


# The hooks about a test are the innermost ones, so that nothing of pytest's own is interrupted with the test.


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """From here on nobody interrupts the fixtures that were set up."""
    try:
        return (yield)
    finally:
        if _world_of(item) is not None:
            from emulator.plugin.calling import let_go  # noqa: PLC0415 - as above

            let_go(item)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run the test in the time that its marker asks for; then let what it left undone fail it."""
    if _world_of(item) is None and item.get_closest_marker("fast_forward") is None:
        around: AbstractContextManager[None] = nullcontext()
    else:
        from emulator.plugin.calling import running  # noqa: PLC0415 - as above

        around = running(item)
    try:
        with around:
            result = yield
    finally:
        if _world_of(item) is not None:  # it may have come with the test
            from emulator.plugin.calling import let_go  # noqa: PLC0415 - as above

            let_go(item)
    if _world_of(item) is not None:
        from emulator.plugin.judging import judge  # noqa: PLC0415 - as above

        judge(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell, where a test failed, what had happened in its world."""
    report = yield
    if call.when != "teardown" and report.failed and call.excinfo is not None:
        problem = call.excinfo.value
        if _world_of(item) is not None or _has_story(problem):
            from emulator.plugin.telling import tell  # noqa: PLC0415 - as above

            tell(item, problem, report)
    return report


def _world_of(item: pytest.Item) -> object:
    """The world that the test has by the fixture; ``None``: it has none."""
    return getattr(item, "funcargs", {}).get(_FIXTURE)


def _has_story(problem: BaseException) -> bool:
    """Whether it comes from a world that a test made by itself, alone or in a group."""
    return hasattr(problem, _FIXTURE) or any(map(_has_story, getattr(problem, "exceptions", ())))
