"""Whether clients did what a test expects of them: a pattern, held against every request in the journal.

Where too few requests fit, the answer names those that came nearest, with each criterion ticked or crossed.
What can't be known, because it was cut or dropped, is never taken for what was hoped for.
"""

from emulator.verification.judgement import NEAREST, NUMBERS, verify
from emulator.verification.pattern import Expected, Pattern
from emulator.verification.received import tasks_of

__all__ = ["NEAREST", "NUMBERS", "Expected", "Pattern", "tasks_of", "verify"]
