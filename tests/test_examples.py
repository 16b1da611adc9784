"""The examples run as a reader would run them: from a copy, with the package as its wheel would install it.

A workflow, a compose file and Testcontainers need an engine to run whole. Here they are read by their own rules, and
what they run is tried, one command after the other, against a server in a process of its own.
"""

import importlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from inspect import signature
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import pytest
import yaml

from tests import serving

ROOT: Final = Path(__file__).parent.parent
EXAMPLES: Final = ROOT / "examples"
PATIENCE: Final = 240
"""Seconds until a command that doesn't end fails the test."""
UNLESS_TRIED: Final = "python -m pip install"
"""What would ask an index; what it names is compared instead."""


def project(folder: Path) -> dict[str, Any]:
    """What the folder's project file says."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


class Installed(msgspec.Struct, frozen=True):
    """The package as its wheel would install it, and a folder with a copy of the examples."""

    site: Path
    folder: Path

    def environment(self, **variables: str) -> dict[str, str]:
        """What a command of a reader's finds: the package and its command, and nothing else of the clone."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("VIDEO_EMULATOR_")}
        path = f"{self.site / 'bin'}:{Path(sys.executable).parent}:{own['PATH']}"
        return {**own, "PATH": path, "PYTHONPATH": str(self.site), **variables}

    def run(self, command: list[str], folder: str, **variables: str) -> str:
        """What a command prints; it must succeed."""
        done = subprocess.run(  # noqa: S603 - the examples' own
            command,
            cwd=self.folder / folder,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @contextmanager
    def served(self, **variables: str) -> Iterator[str]:
        """The address of a server that was told these variables, as a container would be."""
        command = [str(self.site / "bin/video-emulator"), "serve"]
        told = self.environment(**{**variables, "VIDEO_EMULATOR_PORT": "0"})
        with subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=self.folder, env=told, stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stdout is not None
                found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
                assert found is not None
                yield found[0]
            finally:
                server.terminate()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Laid out by what pyproject.toml says of the wheel, which would take pip and an index to build."""
    site = tmp_path_factory.mktemp("site")
    said = project(ROOT)
    wheel = said["tool"]["hatch"]["build"]["targets"]["wheel"]
    for package in wheel["packages"]:
        shutil.copytree(ROOT / package, site / package)
    for source, target in wheel["force-include"].items():
        shutil.copytree(ROOT / source, site / target)
    name = said["project"]["name"]
    about = site / f"{name.replace('-', '_')}-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n")
    groups = said["project"]["entry-points"]
    (about / "entry_points.txt").write_text("".join(_entry_points(groups)))
    (site / "bin").mkdir()
    for script, target in said["project"]["scripts"].items():
        module, _, function = target.partition(":")
        program = site / "bin" / script
        program.write_text(f"#!{sys.executable}\nfrom {module} import {function}\n{function}()\n")
        program.chmod(0o755)
    folder = tmp_path_factory.mktemp("reader")
    ignored = shutil.ignore_patterns("__pycache__", ".hypothesis", ".pytest_cache")
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True, ignore=ignored)
    # The workflow is for a repository that has both.
    shutil.copytree(folder / "python", folder / "repository")
    shutil.copytree(folder / "node", folder / "repository", dirs_exist_ok=True)
    return Installed(site, folder)


def _entry_points(groups: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for group, entries in groups.items():
        yield f"[{group}]\n"
        yield from (f"{name} = {target}\n" for name, target in entries.items())


def passed(printed: str) -> int:
    """How many tests passed; none may have ended otherwise."""
    found = re.search(r"^=*\s*(\d+) passed(?:, \d+ deselected)? in ", printed, re.M)
    assert found is not None, printed
    return int(found[1])


def python(*arguments: str) -> list[str]:
    """A command of Python's."""
    return [sys.executable, "-m", *arguments]


PYTEST: Final = python("pytest", "-p", "no:cacheprovider", "--hypothesis-seed=0")
"""Hypothesis tries the same each time: a new find would be one in the examples' client, not in the emulator."""


# ---------------------------------------------------------------- Python


def test_the_python_examples_pass(installed: Installed) -> None:
    """There are fifty and more, they come to every provider and every scenario for clients, and none is skipped."""
    assert passed(installed.run(PYTEST, "python")) >= 50
    text = "\n".join(path.read_text(encoding="utf-8") for path in EXAMPLES.glob("python/test_*.py"))
    shipped = {path.stem for path in (ROOT / "scenarios").glob("*.yaml")} - {"documents-failed", "contract"}
    assert {name for name in shipped if f'"{name}"' not in text} <= {"happy-path"}


def test_the_examples_without_a_socket_need_none(installed: Installed) -> None:
    """As the file says of itself."""
    arguments = ["--video-emulator-no-socket", "test_transport.py"]
    assert passed(installed.run([*PYTEST, *arguments], "python")) == 6


def test_the_example_of_unittest_runs_under_unittest(installed: Installed) -> None:
    """Without pytest."""
    printed = installed.run(python("unittest", "test_unittest"), "python")
    assert re.search(r"^Ran 3 tests .*\n\nOK$", printed, re.M), printed


def test_what_the_python_examples_need_is_what_they_name() -> None:
    """Whatever they import comes with what their project file names, and all of that is here."""
    groups = project(EXAMPLES / "python")["dependency-groups"]
    named = {*groups["studio"], *(one for one in groups["test"] if isinstance(one, str))}
    plain = {name.partition("[")[0] for name in named}
    text = "\n".join(path.read_text(encoding="utf-8") for path in EXAMPLES.glob("python/**/*.py"))
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.M)) - set(sys.stdlib_module_names)
    homes = {"emulator": "video-emulator", "pytest_asyncio": "pytest-asyncio", "hypothesis": "video-emulator"}
    assert {homes.get(name, name) for name in imported} <= plain | {"studio"}
    for name in plain - {"video-emulator"}:
        assert metadata.version(name)


# ---------------------------------------------------------------- Node


def test_the_node_examples_pass(installed: Installed) -> None:
    """Against a server whose clock runs: each test asks for one that stands still, or that polls move."""
    command = serving.tool(["node", "--test"])
    with installed.served() as url:
        printed = installed.run(command, "node", EMULATOR_URL=url)
    assert re.search(r"^\W*pass 10$", printed, re.M), printed


# ---------------------------------------------------------------- GitHub Actions

WORKFLOW: Final[dict[str, Any]] = yaml.safe_load(
    (EXAMPLES / "ci/github-actions.yml").read_text(encoding="utf-8").replace("\non:", '\n"on":')
)
"""GitHub reads YAML 1.2, where `on` is a text."""
JOBS: Final[dict[str, Any]] = WORKFLOW["jobs"]


@pytest.mark.parametrize("name", list(JOBS))
def test_a_job_of_the_workflow_is_one(name: str) -> None:
    """It has the keys that GitHub's syntax has, and each of its steps does one thing."""
    job = JOBS[name]
    assert set(WORKFLOW) == {"name", "on", "permissions", "env", "jobs"}
    assert set(job) <= {"runs-on", "services", "env", "steps"}
    for step in job["steps"]:
        assert ("uses" in step) != ("run" in step), step
        assert set(step) <= {"uses", "run", "with", "if", "name", "env"}
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
    for service in job.get("services", {}).values():
        assert set(service) <= {"image", "ports", "env", "options", "credentials", "volumes"}
        assert service["ports"] == ["8080:8080"]


def test_the_workflow_installs_what_the_examples_name() -> None:
    """The package from the reader's own clone of it, and the group of their project file."""
    installs = [line for name in JOBS for line in commands(name) if line.startswith(UNLESS_TRIED)]
    assert installs == ['python -m pip install "$PACKAGE" --group test'] * 2
    requirement, _, source = WORKFLOW["env"]["PACKAGE"].partition(" @ ")
    groups = project(EXAMPLES / "python")["dependency-groups"]
    assert requirement in groups["test"]
    assert source.startswith("git+https://github.com/")


def test_the_workflows_first_job_runs(installed: Installed) -> None:
    """All of the Python examples, with two workers of pytest-xdist."""
    printed = run_job(installed, "in-process")
    assert passed(printed[0]) >= 50


def test_the_workflows_second_job_runs(installed: Installed) -> None:
    """All of them, and Node's, against a server that was told what the service is told."""
    service = JOBS["container"]["services"]["emulator"]
    with installed.served(**service["env"]) as url:
        assert JOBS["container"]["env"] == {"EMULATOR_URL": "http://localhost:8080"}
        in_python, in_node, coverage, health = run_job(installed, "container", EMULATOR_URL=url)
    assert passed(in_python) >= 50
    assert re.search(r"^\W*fail 0$", in_node, re.M), in_node
    assert "slow-queue" in coverage
    assert '"status":"ok"' in health


def commands(job: str) -> list[str]:
    """What the job runs, in its order."""
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def run_job(installed: Installed, job: str, **variables: str) -> list[str]:
    """What each command of a job prints, less the installation."""
    tried = [command for command in commands(job) if not command.startswith(UNLESS_TRIED)]
    quiet = {"PYTEST_ADDOPTS": "-p no:cacheprovider --hypothesis-seed=0"}
    return [
        installed.run(["bash", "-e", "-c", command], "repository", **quiet, **variables) for command in tried
    ]


# ---------------------------------------------------------------- compose

COMPOSE: Final[dict[str, Any]] = yaml.safe_load(
    (EXAMPLES / "compose/compose.yaml").read_text(encoding="utf-8")
)
SERVICES: Final[dict[str, Any]] = COMPOSE["services"]
KNOWN: Final = frozenset(
    {
        "command",
        "depends_on",
        "environment",
        "healthcheck",
        "image",
        "ports",
        "read_only",
        "volumes",
        "working_dir",
    }
)
"""Of the keys of the compose specification, those that are used."""


def test_the_compose_file_is_one() -> None:
    """Its keys are the specification's, and what it names is there."""
    assert set(COMPOSE) == {"services"}
    for service in SERVICES.values():
        assert set(service) <= KNOWN
        for volume in service["volumes"]:
            source, target, mode = volume.split(":")
            assert (EXAMPLES / "compose" / source).is_dir()
            assert target.startswith("/")
            assert mode == "ro"
    assert SERVICES["emulator"]["ports"] == ["127.0.0.1:8080:8080"]
    assert SERVICES["tests"]["depends_on"] == {"emulator": {"condition": "service_healthy"}}
    assert set(SERVICES["emulator"]["healthcheck"]) == {"test", "interval", "timeout", "retries"}


def test_its_scenarios_stand_where_the_image_looks() -> None:
    """And its port is the image's."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    [volume] = SERVICES["emulator"]["volumes"]
    assert f"VIDEO_EMULATOR_SCENARIOS={volume.split(':')[1]}\n" in dockerfile
    place = urlsplit(SERVICES["tests"]["environment"]["EMULATOR_URL"])
    assert f"EXPOSE {place.port}\n" in dockerfile
    assert place.hostname in SERVICES


def test_its_services_run(installed: Installed) -> None:
    """The emulator with its variables and its folder; its health check; then the tests, in their folder."""
    emulator, tests = SERVICES["emulator"], SERVICES["tests"]
    [mounted], [work] = emulator["volumes"], tests["volumes"]
    scenarios = str(installed.folder / "compose" / mounted.split(":")[0])
    assert work.split(":")[1] == tests["working_dir"]
    with installed.served(**emulator["environment"], VIDEO_EMULATOR_SCENARIOS=scenarios) as url:
        kind, *check = emulator["healthcheck"]["test"]
        assert kind == "CMD"
        port = str(urlsplit(url).port)
        assert "unlucky-day" in installed.run(
            ["bash", "-ec", f"{shlex.join(check)} && curl -sf {url}/__admin/scenarios"],
            "compose",
            VIDEO_EMULATOR_PORT=port,
        )
        folder = f"compose/{work.split(':')[0]}"
        printed = installed.run(serving.tool(tests["command"]), folder, EMULATOR_URL=url)
    assert re.search(r"^\W*pass 10$", printed, re.M), printed


# ---------------------------------------------------------------- Testcontainers


def test_the_example_of_testcontainers_runs(installed: Installed) -> None:
    """Against a server that runs already, which its fixture takes in place of a container."""
    with installed.served() as url:
        assert passed(installed.run(PYTEST, "testcontainers", EMULATOR_URL=url)) == 2


def test_its_container_is_one_that_testcontainers_can_start() -> None:
    """The classes take what they are given, and the engine's client knows the option beside it."""
    containers = importlib.import_module("docker.models.containers")
    example = conftest()
    text = (EXAMPLES / "testcontainers/conftest.py").read_text(encoding="utf-8")
    options = dict.fromkeys(
        re.findall(r"\b(\w+)=", text.partition("DockerContainer(IMAGE")[2].partition(")")[0])
    )
    made = signature(example.DockerContainer).bind(example.IMAGE, **options)
    assert made.arguments["image"] == "video-emulator"
    assert {*made.kwargs} == {*options} <= {*containers.RUN_CREATE_KWARGS, *containers.RUN_HOST_CONFIG_KWARGS}
    assert f"EXPOSE {example.PORT}\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for method in re.findall(r"\b(?:DockerContainer\(.*?\)|started)\.(\w+)\(", text):
        assert callable(getattr(example.DockerContainer, method))


def test_its_wait_ends_once_the_emulator_is_ready(installed: Installed) -> None:
    """It asks the address that a container would have, and no other answer will do."""
    ready = conftest().READY
    with installed.served() as url:
        ready.with_startup_timeout(10).wait_until_ready(Target(url))
        elsewhere = type(ready)(8080, "/__admin/nothing").with_startup_timeout(1).with_poll_interval(0.1)
        with pytest.raises(TimeoutError):
            elsewhere.wait_until_ready(Target(url))


class Target:
    """What Testcontainers waits for, as far as this wait asks it: an address."""

    status = "running"

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url)

    def get_container_host_ip(self) -> str:
        """Its host."""
        return str(self._place.hostname)

    def get_exposed_port(self, _port: int) -> int:
        """Its port there."""
        assert self._place.port is not None
        return self._place.port

    def reload(self) -> None:
        """It doesn't change."""

    def get_logs(self) -> tuple[bytes, bytes]:
        """It has none."""
        return b"", b""

    def get_wrapped_container(self) -> "Target":
        """It is none."""
        return self


def conftest() -> Any:
    """The module of the example, loaded from its file."""
    spec = importlib.util.spec_from_file_location("example_conftest", EXAMPLES / "testcontainers/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
