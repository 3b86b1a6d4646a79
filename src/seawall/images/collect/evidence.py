"""Which paths could be what a package is known by: of the files of an OS package only these are remembered."""

import re

_NAMES = frozenset(
    (
        *("METADATA", "PKG-INFO", "package.json", "installed.json", "DESCRIPTION", "version.php", "VERSION"),
        *("OTP_VERSION", "RELEASE-NOTES", "Drupal.php", "joomla.xml", "Defines.php", "Version.php"),
    )
)
_ENDINGS = frozenset(("egg-info", "dist-info", "jar", "war", "ear", "gemspec", "phar", "app"))
_MERGED = re.compile(r"(?=(?:s?bin|lib(?:32|64|x32)?)/)")


def evident(path: str) -> bool:
    """Manifests of languages, archives, programs and libraries.

    Asked of each file of each package of the system, a hundred thousand times: so it is no regular expression.
    """
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    if dot < 0:
        lower = name[:1].islower() or name[:1].isdigit()
        return name in _NAMES or (name != "" and "bin/" in path) or (lower and ("lib/" in path or "libexec/" in path))
    if name in _NAMES or name[dot + 1 :] in _ENDINGS or ".so" in name or "bin/" in path:
        return True
    return name.endswith(".deps.json") or (name.endswith(".json") and "/conda-meta/" in path)


def place(path: str) -> str:
    """One name for a file of a system where /bin, /sbin and /lib are links into /usr: databases have either."""
    return f"usr/{path}" if _MERGED.match(path) else path
