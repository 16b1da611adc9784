"""The README's examples run as a reader would run them, against a real server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.scenario_file import load_text

ROOT = Path(__file__).parent.parent
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/docker.md")}
README = PAGES["README.md"]


def blocks(page: str, language: str) -> list[str]:
    """The page's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], re.M | re.S)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server that runs the happy path."""
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - ours
        assert server.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())
        assert found is not None
        yield int(found[1])
        server.terminate()


def run(command: list[str], folder: Path) -> str:
    """What a command prints; it must succeed."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - the README's own
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_curl_commands_work(port: int, tmp_path: Path) -> None:
    """And the create answers what the page shows, less what is drawn."""
    scripts = [block for block in blocks("README.md", "sh") if block.startswith("curl")]
    assert len(scripts) == 4
    printed = [
        run(["bash", "-ec", s.replace(":8080", f":{port}").replace("-s ", "-sf ")], tmp_path) for s in scripts
    ]
    shown = blocks("README.md", "json")[0].strip()
    pattern = re.escape(shown).replace(r"video_\.\.\.", r"video_\w+").replace("1735689600", r"\d+")
    assert re.fullmatch(pattern, printed[0].strip())
    assert '"mode":"manual"' in printed[1]
    assert printed[2].count('"status":"queued"') == 3
    assert '"verified":true' in printed[3]
    assert '"operation":"create"' in printed[3]


def test_its_python_example_works(port: int, tmp_path: Path) -> None:
    """And prints what the page shows."""
    (code, _), (shown,) = blocks("README.md", "python"), blocks("README.md", "text")
    command = [sys.executable, "-W", "ignore", "-c", code.replace(":8080", f":{port}")]
    assert run(command, tmp_path) == shown


def test_its_test_file_passes(project: pytest.Pytester) -> None:
    """As it stands, in a project that has nothing else."""
    file = blocks("README.md", "python")[1]
    project.makepyfile(test_videos=file)
    project.runpytest_subprocess("-Werror").assert_outcomes(passed=file.count("def test_"))


def test_its_commands_for_authors_work(tmp_path: Path) -> None:
    """From an empty folder, one after the other; serve is seen to start elsewhere."""
    (script,) = [block for block in blocks("README.md", "sh") if block.startswith("video-emulator")]
    for line in script.splitlines():
        words = line.split()
        assert words[0] == "video-emulator"
        if words[1] != "serve":
            assert run([sys.executable, "-m", "emulator", *words[1:]], tmp_path)


def test_its_make_targets_exist(tmp_path: Path) -> None:
    """Make knows what to do for each."""
    commands = [
        line for block in blocks("README.md", "sh") for line in block.splitlines() if line.startswith("make")
    ]
    assert commands
    for line in commands:
        run(["bash", "-c", f"cd '{ROOT}' && {line} -n"], tmp_path)


@pytest.mark.parametrize("page", list(PAGES))
def test_its_scenarios_load(page: str) -> None:
    """Also those in the environment of a service."""
    for block in blocks(page, "yaml"):
        text = block
        if "VIDEO_EMULATOR_SCENARIO_YAML: |" in block:
            lines = block.partition("VIDEO_EMULATOR_SCENARIO_YAML: |\n")[2].splitlines()
            text = "\n".join(line[8:] for line in lines)
        assert load_text(text, "readme", "readme.yaml").warnings == ()


@pytest.mark.parametrize("page", list(PAGES))
def test_its_links_lead_somewhere(page: str) -> None:
    """Every page that it names exists."""
    for target in re.findall(r"\]\((?!http)([^)#]+)", PAGES[page]):
        assert (ROOT / page).parent.joinpath(target).exists(), target
