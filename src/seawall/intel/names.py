"""How each ecosystem spells a package's name, so that an advisory and an installed package meet."""

import re


def normalise(ecosystem: str, name: str) -> str:
    """The name to compare. PyPI: PEP 503. Others are exact."""
    if ecosystem.partition(":")[0] == "PyPI":
        return re.sub(r"[-_.]+", "-", name).lower()
    return name
