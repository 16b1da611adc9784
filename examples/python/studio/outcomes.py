"""How a render may end, if not with a video."""


class NoVideo(Exception):
    """Any of those below."""


class KeyRefused(NoVideo):
    """The provider doesn't take our API key, or there is no credit left on it: somebody has to look at it."""


class RequestRefused(NoVideo):
    """The provider doesn't take what we asked for, and won't take it the next time either."""


class Unavailable(NoVideo):
    """The provider throttles us, or has a problem of its own: the same request may do well later."""

    def __init__(self, status_code: int | None, retry_after: float) -> None:
        super().__init__(f"the provider answered {status_code}" if status_code else "no answer came")
        self.status_code = status_code
        self.retry_after = retry_after


class RenderFailed(NoVideo):
    """The provider gave up. Its code says whether another try makes sense."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class LinkMissing(NoVideo):
    """The provider calls the task done, and says nowhere where the video is."""


class LinkDied(NoVideo):
    """We came too late for the video."""


class Broken(NoVideo):
    """The video didn't come whole, however often we tried. What came is kept."""


class GaveUp(NoVideo):
    """We have waited for long enough. The task may still end well: its id is worth keeping."""

    def __init__(self, task: str, waited: float) -> None:
        super().__init__(f"{task} hasn't ended after {waited:.0f} s")
        self.task = task
