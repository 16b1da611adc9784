"""Where Hypothesis isn't installed, the package says how to get it."""

import subprocess
import sys

WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "hypothesis":
            raise ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis")

sys.meta_path.insert(0, Missing())
import emulator.strategies
"""


def test_the_import_says_what_to_install() -> None:
    """One sentence, and no chain of exceptions before it."""
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert last == (
        'ModuleNotFoundError: emulator.strategies needs Hypothesis: pip install "video-emulator[hypothesis]"'
    )
    assert "During handling" not in ended.stderr
