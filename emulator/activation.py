"""What a scenario and a seed are in one namespace: counts since an instant, plans, keys, accounts."""

import re
from typing import Any, Final

from emulator.core import scenario, seeded, spans
from emulator.core.plan import Plan
from emulator.core.rules import Occasion, match_holds
from emulator.core.scenario import Item, Scenario
from emulator.core.units import Instant
from emulator.core.words import OperationName, Profile
from emulator.limits import Counts
from emulator.providers.base import Provider

_MAX_CACHED_KEYS: Final = 1024
_NAMESPACED_KEY: Final = re.compile(r"sk-ns-(?:(?!--).)+--")


class Activation:
    """One scenario in force in one namespace since an instant, with the counts that its spans ask for."""

    def __init__(self, what: Scenario, at: Instant, profile: Profile, seed: int | str) -> None:
        self.scenario = what
        self.at = at
        self.seed = seed
        self.profile = what.profile or profile
        self.is_open = not what.auth.keys and not what.auth.reject
        """Whether every API key is good."""
        self.limits = Counts(what.limits) if what.limits else None
        """What its limits have counted; ``None``: it has none."""
        self.poll_limits = self.limits if self.limits and self.limits.concern(OperationName.POLL) else None
        """The same, where any of them has a say in polls."""
        self.fired: dict[str, int] = {}
        self._calls: dict[str, int] = {}
        self._arrivals: dict[int, int] = {}
        self._plans: dict[tuple[int, int], Plan] = {}
        self._good_keys: dict[str, bool] = {}

    def count(self, what: str) -> int:
        """How manieth call of this kind the present one is."""
        number = self._calls[what] = self._calls.get(what, 0) + 1
        return number

    def item_for(self, occasion: Occasion) -> int:
        """The number of the first task item that takes this new task; -1: none does."""
        for number, item in enumerate(self.scenario.items):
            if item.id is None and self._takes(number, item, occasion):
                return number
        return -1

    def _takes(self, number: int, item: Item, occasion: Occasion) -> bool:
        if not scenario.takes(item, occasion.provider) or not match_holds(item.match, occasion):
            return False
        if not item.calls:
            return True
        arrival = self._arrivals[number] = self._arrivals.get(number, 0) + 1
        return spans.holds_call(item.calls, arrival)

    def plan_for(self, number: int, entropy: bytes) -> Plan:
        """The plan of a task of this entropy that the item took; shared where nothing of it is drawn."""
        item = self.scenario.items[number] if number >= 0 else scenario.UNFITTED
        choice = scenario.chosen(item, entropy)
        if scenario.is_drawn(item, choice):
            return self._resolved(number, choice, entropy)
        place = (number, item.choices.index(choice))
        plan = self._plans.get(place)
        if plan is None:
            plan = self._plans[place] = self._resolved(number, choice, entropy)
        return plan

    def _resolved(self, number: int, choice: scenario.Choice, entropy: bytes) -> Plan:
        return scenario.resolved(self.scenario, number, choice, entropy, self.profile, self.at, self.seed)

    def takes_any_time(self, key: str) -> bool:
        """Whether the key is good whatever the circumstances, as far as can be told at a glance."""
        return self.is_open or (not self.scenario.auth.reject and self.knows(key))

    def knows(self, key: str) -> bool:
        """Whether the scenario counts this key among the good ones."""
        if not self.scenario.auth.keys:
            return True
        good = self._good_keys.get(key)
        if good is None:
            if len(self._good_keys) >= _MAX_CACHED_KEYS:
                self._good_keys.clear()
            good = self._good_keys[key] = scenario.key_is_known(self.scenario.auth, judged_key(key))
        return good


def judged_key(key: str) -> str:
    """The key as ``auth`` sees it: ``sk-ns-NAME--REST`` is judged as ``sk-REST``."""
    return _NAMESPACED_KEY.sub("sk-", key, count=1) if key.startswith("sk-ns-") else key


class Identity:
    """What follows from one seed: the key of draws and signatures, and the accounts of the providers."""

    def __init__(self, seed: int | str) -> None:
        self.key = seeded.key_of("namespace", seed)
        self._accounts: dict[str, Any] = {}

    def account(self, provider: Provider) -> Any:
        """What is the same for all of the provider's tasks under this seed."""
        account = self._accounts.get(provider.name)
        if account is None:
            account = self._accounts[provider.name] = provider.account(self.key)
        return account
