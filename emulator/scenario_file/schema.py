"""The JSON Schema of scenario files, from the same definitions that read them. ``python -m`` prints it."""

import json
from functools import lru_cache

from emulator.scenario_file.kinds import Defs, Json
from emulator.scenario_file.language import SCENARIO, VERSION


@lru_cache(maxsize=1)
def scenario_schema() -> Json:
    """The schema, draft 2020-12. Don't change what you get: it is shared."""
    defs: Defs = {}
    own = SCENARIO.own_schema(defs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"video-emulator scenario, version {VERSION}",
        **own,
        "$defs": dict(sorted(defs.items())),
    }


def main() -> None:
    """Print the schema, as it is kept in the repository."""
    print(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))  # noqa: T201 - it is what this command is for


if __name__ == "__main__":
    main()
