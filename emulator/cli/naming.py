"""What people call scenarios on the command line: by name, or by file."""

import os
from pathlib import Path

from emulator.library import SUFFIXES, Library


def chosen(library: Library, scenario: str) -> str:
    """The name of the scenario that a name or a file means; a file's is added to the library.

    Raises:
        ScenarioError: the file has mistakes.
        LookupError: no scenario has the name; the text says which there are.
    """
    if is_file(scenario):
        return library.add(Path(scenario)).name
    names = library.names()
    if scenario not in names:
        from difflib import get_close_matches  # noqa: PLC0415 - only a wrong name needs it

        near = get_close_matches(scenario, names, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        if Path(scenario).is_dir():
            hint = "the folder of that name goes to --scenarios; "
        raise LookupError(f"no scenario is called {scenario!r}; {hint}there are: {', '.join(names)}")
    library.get(scenario)
    return scenario


def is_file(scenario: str) -> bool:
    """Whether this means a file rather than a name: it is one, looks like a path, or ends as scenario files do."""
    separators = {os.sep, os.altsep} - {None}
    looks_like_one = any(str(separator) in scenario for separator in separators)
    return looks_like_one or scenario.endswith(SUFFIXES) or Path(scenario).is_file()
