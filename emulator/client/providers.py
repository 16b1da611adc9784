"""Providers: what each of them answers."""

from typing import Any, Literal

from emulator.client.calls import Call, S, Subject, call, get, named


class Providers(Subject[S]):
    """The providers that the emulator stands in for."""

    @call
    def openapi(
        self, name: str, *, profile: Literal["documented", "current"] | None = None
    ) -> Call[dict[str, Any]]:
        """The contract of one of them, as an OpenAPI document.

        Args:
            name: whose, such as ``octopusx``.
            profile: which of its faces; left out: the one that is in force in the namespace.

        Raises:
            NotFound: there is no such provider; `names` has those that there are.
        """
        path = f"/providers/{named('name', name, 'the name of a provider')}/openapi.json"
        return get(path, dict[str, Any], {"profile": profile})
