"""The log: to stderr, a line for each record."""

import logging
import os
import traceback
from typing import Final

FORM: Final = "%(asctime)s %(levelname)s %(message)s"
_CONTROL: Final = {number: f"\\x{number:02x}" for number in (*range(32), 127)} | {9: "\t"}


def configure() -> None:
    """Send the emulator's log, and warnings of everyone else, to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(Line(FORM))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("emulator").setLevel(logging.INFO)
    # It warns of every broken form; the client is told, and that is enough.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


class Line(logging.Formatter):
    """Writes a record as one line; a traceback only for those who asked for it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record).translate(_CONTROL)
        if record.exc_info is None or record.exc_info[1] is None:
            return line
        if os.environ.get("VIDEO_EMULATOR_DEBUG"):
            return f"{line}\n{self.formatException(record.exc_info)}"
        return f"{line}: {_brief(record.exc_info[1])}; VIDEO_EMULATOR_DEBUG=1 shows more"


def _brief(problem: BaseException) -> str:
    """What went wrong, and in which line of which file."""
    text = f"{type(problem).__name__}: {problem}".translate(_CONTROL)[:500]
    frames = traceback.extract_tb(problem.__traceback__)
    return f"{text} at {frames[-1].filename}:{frames[-1].lineno}" if frames else text
