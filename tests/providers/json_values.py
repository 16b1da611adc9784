"""Any JSON value, for what must take whatever a client sends."""

from typing import Final

from hypothesis import strategies as st

JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=6,
)
