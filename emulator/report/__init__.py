"""The report that judges the client under test: by what its requests were, and when; nothing is enforced.

`judge` is a pure function from records and expectations to verdicts. What can't be known is never held
against a client, and never passed.
"""

from emulator.report.judgement import CHECKS, Question, judge, report_on
from emulator.report.written import as_junit, as_text

__all__ = ["CHECKS", "Question", "as_junit", "as_text", "judge", "report_on"]
