"""Tables of scenario files and what is said of them, kept as text so that lines and columns can be counted."""

from pathlib import Path

Rows = dict[str, tuple[str, list[str]]]


def rows(name: str) -> Rows:
    """The blocks of a text file beside this module: for each name a scenario file, and what is said of it."""
    blocks = Path(__file__).with_name(name).read_text(encoding="utf-8").split("\n== ")[1:]
    read = {}
    for block in blocks:
        title, _, rest = block.partition("\n")
        text, *said = rest.split("\n!! ")
        read[title] = (text.removesuffix("\n") + "\n", [line.strip("\n") for line in said])
    assert len(read) == len(blocks), "two blocks have one name"
    return read
