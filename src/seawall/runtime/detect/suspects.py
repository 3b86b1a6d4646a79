"""What was told of each container lately, as far as it makes more likely what is seen of it next. Pure, bounded."""

from collections import OrderedDict

LASTS = 86_400.0
"""Seconds for which a rule that fired counts."""
MAX_CONTAINERS = 1024
_RULES = (
    "coin_miner dropped_program dropped_script fileless_program program_in_shared_memory program_in_temporary_folder "
    "program_on_tmpfs packed_program mining_pool_contacted mining_pool_port listed_address_contacted "
    "anonymous_network_contacted malware_executed malware_written malware_suspected"
)
RULES = frozenset(_RULES.split())
"""After which a container that keeps processors busy is likely to mine."""


class Suspects:
    """Rules that fired, by container."""

    def __init__(self) -> None:
        self._fired: OrderedDict[str, dict[str, float]] = OrderedDict()

    def told(self, container: str, rule: str, now: float) -> None:
        """A rule has fired in a container."""
        if rule not in RULES:
            return
        self._fired.setdefault(container, {})[rule] = now
        self._fired.move_to_end(container)
        if len(self._fired) > MAX_CONTAINERS:
            self._fired.popitem(last=False)

    def of(self, container: str, now: float) -> tuple[str, ...]:
        """The rules that fired there lately."""
        return tuple(rule for rule, at in self._fired.get(container, {}).items() if at > now - LASTS)
