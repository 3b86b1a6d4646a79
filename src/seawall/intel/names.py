"""How each ecosystem spells its own and a package's name, so that an advisory and an installed package meet."""

import re

_LOWER = ("Packagist", "NuGet", "Hex", "Pub", "GitHub Actions", "Conda", "Generic")
_RED_HAT = re.compile(r"Red Hat:(?:enterprise_linux|rhel)[:_]([0-9]+)(?![0-9.])")
_SUSE = re.compile(r"SUSE:.*?\b([0-9]+)(?:\.([0-9]+)| SP([0-9]+))?\b.*")


def normalise(ecosystem: str, name: str) -> str:
    """The name to compare. PyPI: PEP 503; some do not tell letters by case, crates.io not - from _; else exact."""
    family = ecosystem.partition(":")[0]
    if family == "PyPI":
        return re.sub(r"[-_.]+", "-", name).lower()
    if family == "crates.io":
        return name.replace("_", "-")
    if family == "SwiftURL":
        return name.lower().removeprefix("https://").removesuffix(".git")
    return name.lower() if family in _LOWER else name


def release(ecosystem: str) -> str:
    """An ecosystem as Seawall asks for it: parts and editions of one release are one.

    "Red Hat:enterprise_linux:9::appstream" is "Red Hat:9", "SUSE:Linux Enterprise Server 15 SP5" is "SUSE:15.5". Others
    are as OSV names them; an unheard-of edition (extended updates of one minor release) stays what it is.
    """
    if found := _RED_HAT.match(ecosystem):
        return f"Red Hat:{found[1]}"
    if found := _SUSE.fullmatch(ecosystem):
        return f"SUSE:{found[1]}.{found[2] or found[3] or '0'}"
    return ecosystem
