"""How a distribution's releases are named in the store, whatever a feed calls them: "Red Hat:9", "SUSE:15.5"."""

import re

_ENTERPRISE = re.compile(r"cpe:/[oa]:redhat:(?:enterprise_linux|rhel):(\d+)")
_SUSE = re.compile(r"(\d+)(?:[ -]?SP(\d+)|\.(\d+))?")
_LEAP = re.compile(r"Leap (\d+\.\d+)")
_AMAZON = re.compile(r"(?:Amazon Linux|AL|ALAS|alas|amzn|amazonlinux)[ :-]?(2022|2023|2|1)?\b")


def redhat(cpe: str) -> str:
    """The release of a CPE (2.2), "" for products beside the distribution and for paid extended support."""
    found = _ENTERPRISE.match(cpe)
    return f"Red Hat:{found[1]}" if found else ""


def suse(product: str) -> str:
    """ "SUSE Linux Enterprise Server 15 SP5" or "Linux Enterprise Module for Basesystem 15 SP5"; openSUSE too."""
    if "openSUSE" in product:
        return opensuse(product)
    if "Linux Enterprise" not in product or "Micro" in product or "Live Patching" in product:
        return ""
    found = _SUSE.search(product)
    if not found:
        return ""
    return f"SUSE:{found[1]}.{found[2] or found[3] or '0'}"


def opensuse(product: str) -> str:
    """ "openSUSE Leap 15.5", "Tumbleweed"."""
    if "Tumbleweed" in product:
        return "openSUSE:Tumbleweed"
    found = _LEAP.search(product)
    return f"openSUSE:Leap {found[1]}" if found else ""


def amazon(text: str) -> str:
    """ "Amazon Linux 2023", "ALAS2-2021-1", "AL2023"; Amazon Linux 1 bears no number."""
    found = _AMAZON.search(text)
    return f"Amazon Linux:{found[1] or '1'}" if found else ""


def evr(epoch: str, version: str, release: str) -> str:
    """An rpm's version as packages have it: the epoch only where it is not 0."""
    whole = f"{version}-{release}" if release else version
    return f"{epoch}:{whole}" if epoch and epoch not in ("0", "(none)") else whole


def bare(version: str) -> str:
    """Without an epoch of 0."""
    return version[2:] if version.startswith("0:") else version
