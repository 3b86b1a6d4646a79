"""Addresses in text compared with networks, without the half megabyte that `ipaddress` costs the agent."""

from collections.abc import Callable, Sequence

MAX_REMEMBERED = 2048
"""Addresses whose answer one set of networks remembers."""
_MAPPED = 0xFFFF << 32


def number(text: str) -> tuple[int, int] | None:
    """(bits of the family, value) of an address; an IPv4 one inside IPv6 is itself. None if it is no address."""
    try:
        if ":" not in text:
            return 32, _four(text)
        value = _six(text)
    except ValueError:
        return None
    return (32, value & 0xFFFFFFFF) if value >> 32 == _MAPPED >> 32 else (128, value)


def network(text: str) -> tuple[int, int, int]:
    """(bits of the family, length of the prefix, its value). Raises ValueError."""
    address, slash, length = text.partition("/")
    found = number(address)
    if found is None:
        raise ValueError(f"{text!r} is neither an address nor a network")
    bits, value = found
    prefix = int(length) if slash else bits
    if not 0 <= prefix <= bits:
        raise ValueError(f"{text!r} has no such prefix")
    return bits, prefix, value >> (bits - prefix)


def within(values: Sequence[str]) -> Callable[[str], bool]:
    """Whether an address lies in one of the networks. Raises ValueError on what is none."""
    networks = [network(value) for value in values]
    known: dict[str, bool] = {}

    def inside(host: str) -> bool:
        answer = known.get(host)
        if answer is None:
            found = number(host)
            answer = found is not None and any(
                found[0] == bits and found[1] >> (bits - prefix) == value for bits, prefix, value in networks
            )
            if len(known) >= MAX_REMEMBERED:
                known.clear()
            known[host] = answer
        return answer

    return inside


def _four(text: str) -> int:
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        raise ValueError(text)
    one, two, three, four = map(int, parts)
    return one << 24 | two << 16 | three << 8 | four


def _six(text: str) -> int:
    head, gap, tail = text.partition("::")
    before, after = _groups(head), _groups(tail)
    missing = 8 - len(before) - len(after)
    if missing < 0 or (not gap and missing) or (gap and not missing):
        raise ValueError(text)
    value = 0
    for group in [*before, *[0] * missing, *after]:
        value = value << 16 | group
    return value


def _groups(text: str) -> list[int]:
    if not text:
        return []
    groups: list[int] = []
    for part in text.split(":"):
        if "." in part:
            four = _four(part)
            groups += [four >> 16, four & 0xFFFF]
        elif 0 < len(part) <= 4:
            groups.append(int(part, 16))
        else:
            raise ValueError(text)
    return groups
