"""Every format takes whatever bytes come: packages or a ValueError, in bounded time. tests/fuzz goes on for hours."""

import pytest

from fuzz import targets


@pytest.mark.parametrize("name", targets.TARGETS)
def test_bytes_by_chance(name: str) -> None:
    mutated = targets.mutated(name, targets.random.Random(7))
    for _ in range(150):
        targets.TARGETS[name](next(mutated))
