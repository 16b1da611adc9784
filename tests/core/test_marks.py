"""Marks: each stands for one thing of one version, and says which version that is."""

import pytest

from emulator.core import marks
from emulator.core.effects import Failure
from emulator.core.plan import Entry, Video
from emulator.core.words import ErrorName, Status

VERSION = "slow-queue@1a2b"
ALL = (
    marks.entry(VERSION, 1, 0, 2),
    marks.entry(VERSION, 10, 0, 2),
    marks.entry(VERSION, 1, 0, 20),
    marks.entry(VERSION, -1, 0, 2),
    marks.expiry(marks.entry(VERSION, 1, 0, 2)),
    marks.expired(marks.entry(VERSION, 1, 0, 2)),
    marks.rule(VERSION, "2"),
    marks.rejection(VERSION, 2),
    marks.limit(VERSION, 2),
    marks.unknown_key(VERSION),
)


def test_no_two_marks_are_the_same() -> None:
    """Neither of one version nor of two whose names begin alike."""
    others = [mark.replace(VERSION, f"{VERSION}0") for mark in ALL]
    assert len({*ALL, *others}) == 2 * len(ALL)


@pytest.mark.parametrize("mark", ALL)
def test_a_mark_tells_its_version(mark: str) -> None:
    """The whole of it, so that an edited scenario begins anew."""
    assert marks.version_of(mark) == VERSION


def test_a_mark_tells_whether_an_item_took_the_task() -> None:
    """The happy path stands in for an item only in the marks of its entries."""
    assert [mark for mark in ALL if marks.is_unfitted(mark)] == [marks.entry(VERSION, -1, 0, 2)]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (Entry(status=Status.COMPLETED), False),
        (Entry(status=Status.COMPLETED, video=Video(id="v")), False),
        (Entry(status=Status.COMPLETED, video=Video(expires_in=0)), True),
        (Entry(status=Status.COMPLETED, video=Video(expired=Failure(name=ErrorName.NOT_FOUND))), True),
        (Entry(status=Status.COMPLETED, video=Video(expires_in=5, renew=True)), True),
        (Entry(status=Status.COMPLETED, video=Video(expires_in=5, has_link=False)), False),
        (Entry(status=Status.COMPLETED, video=Video(expires_in=5, url="https://a.example/v.mp4")), False),
        (Entry(status=Status.PROCESSING, video=Video(expires_in=5)), False),
    ],
)
def test_a_link_can_expire_whose_author_says_so(entry: Entry, expected: bool) -> None:
    """If it is a link that the emulator serves; a day after the creation is no part of a story."""
    assert marks.can_expire(entry) is expected
