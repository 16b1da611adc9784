"""What can go wrong between the client and the emulator: each is one sentence with its likely repair.

Each has what it was made of as its ``args``, so that it can be sent from one process to another.
"""

import os

TYPE_CHECKING = False  # `typing` costs more to import than all of this
if TYPE_CHECKING:
    from emulator.messages.problem import Mistake, ProblemDocument
    from emulator.messages.report import Report
    from emulator.messages.verify import Verification


class EmulatorError(Exception):
    """Something that was asked of an emulator didn't happen."""


class EmulatorUnreachable(EmulatorError):
    """Nothing answers at the URL, or not in time."""

    def __init__(self, url: str, reason: str, repair: str) -> None:
        super().__init__(url, reason, repair)
        self.url = url
        self.reason = reason
        """What the operating system or the other side said, such as ``Connection refused``."""
        self.repair = repair

    def __str__(self) -> str:
        return f"no video-emulator can be reached at {self.url}: {self.reason}; {self.repair}"


class EmulatorClosed(EmulatorError, RuntimeError):
    """It was closed by this program itself, and then asked for something."""

    def __str__(self) -> str:
        return "this emulator is closed, and its namespace is gone with all that was in it"


class NotAnEmulator(EmulatorError):
    """Something answers at the URL, and it isn't a video-emulator, or one of another version."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason
        """What came in place of the answer."""

    def __str__(self) -> str:
        return f"{self.url}: {self.reason}; give the URL that `video-emulator serve` prints"


class Refused(EmulatorError):
    """The emulator refused, and nothing has changed there. A subclass tells the commoner status codes apart."""

    def __init__(self, document: "ProblemDocument") -> None:
        super().__init__(document)
        self.document = document
        """The emulator's own words."""
        self.status_code: int = document.status
        self.title: str = document.title
        """The kind of refusal, in a few words."""
        self.detail: str = document.detail
        """What was expected, what came, and the likely repair."""
        self.mistakes: list[Mistake] = document.mistakes or []
        """Every mistake, where there may be several: in a request's fields or in a scenario."""
        self.names: list[str] = document.names or []
        """What there is, where a name was unknown."""
        self.text: str = document.text or document.detail
        """The mistakes of a scenario as the command line prints them, with lines and carets; else the detail."""

    def __str__(self) -> str:
        if self.text != self.detail:  # of a scenario: every mistake, with its line
            return f"{self.title} (status code {self.status_code}):\n{self.text}"
        return f"{self.title} (status code {self.status_code}): {self.detail}"


class BadRequest(Refused):
    """The request can't be understood: a wrong value, an unknown field, a scenario with mistakes."""


class NotAllowed(Refused):
    """The admin token is missing or wrong, or the URL's host isn't one that the emulator trusts."""


class NotFound(Refused):
    """There is no task, scenario or namespace of this name."""


class Conflict(Refused):
    """It can't be done as things stand."""


class NoRoom(Refused):
    """The namespace would be one too many."""


_REFUSALS: dict[int, type[Refused]] = {
    400: BadRequest,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: BadRequest,
    415: BadRequest,
    503: NoRoom,
}


class NotVerified(AssertionError):
    """Clients didn't do what was expected of them; its text shows what came nearest."""

    def __init__(self, verification: "Verification") -> None:
        super().__init__(verification)
        self.verification = verification

    def __str__(self) -> str:
        return self.verification.text


class NotWellBehaved(AssertionError):
    """The client under test broke a rule; its text is the report."""

    def __init__(self, report: "Report") -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        from emulator.report import as_text  # noqa: PLC0415 - the whole judge, which only a failure needs

        return as_text(self.report)


def refusal(document: "ProblemDocument") -> Refused:
    """The exception that tells of a refusal."""
    return _REFUSALS.get(document.status, Refused)(document)


def reason_of(problem: BaseException) -> str:
    """Why a connection failed, in the operating system's words where it has some."""
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, ConnectionError) and cause.errno:
            return os.strerror(cause.errno)  # asyncio has other words for it
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(problem) or type(problem).__name__
