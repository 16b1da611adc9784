"""What is said of a correct client: nothing by itself, and what was said survives a store."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.expectations import (
    CallbackExpectations,
    CreateExpectations,
    DownloadExpectations,
    Expectations,
    PollExpectations,
)
from emulator.core.scenario import HAPPY_PATH, Scenario
from tests.strategies import DURATION, TEXT

COUNT = st.none() | st.integers(0, 9)
FLAG = st.none() | st.booleans()
EXPECTATIONS = st.builds(
    Expectations,
    about=st.none() | TEXT,
    poll=st.builds(
        PollExpectations,
        min_interval=st.none() | DURATION,
        max_interval=st.none() | DURATION,
        after_terminal=COUNT,
        honours_retry_after=FLAG,
        honours_poll_after=FLAG,
    ),
    create=st.builds(CreateExpectations, repeated=COUNT),
    download=st.builds(DownloadExpectations, at_least=COUNT, before_expiry=FLAG, without_key=FLAG),
    callback=st.builds(CallbackExpectations, answered=FLAG),
)


def test_says_nothing_by_default() -> None:
    """Everything is open, also in the happy path: "not said" is told from nought and from ``False``."""
    said = Expectations()
    parts = (said.poll, said.create, said.download, said.callback)
    assert said.about is None
    assert {value for part in parts for value in msgspec.structs.asdict(part).values()} == {None}
    assert HAPPY_PATH.expect == said


@given(EXPECTATIONS)
def test_survives_a_store(expectations: Expectations) -> None:
    """Written with its scenario and read again, every value is what it was, of the type that it had."""
    scenario = Scenario(name="drawn", expect=expectations)
    restored = msgspec.json.decode(msgspec.json.encode(scenario), type=Scenario)
    assert restored == scenario
    assert repr(restored.expect) == repr(expectations)
