"""Which paths could be what a package is known by: of the files of an OS package only these are remembered."""

import re

_EVIDENT = re.compile(
    r".*(?:-info(?:/(?:METADATA|PKG-INFO))?|\.(?:jar|war|ear|gemspec|phar|deps\.json))"
    r"|.*/(?:package\.json|installed\.json|conda-meta/[^/]+\.json|DESCRIPTION|version\.php|ebin/[^/]+\.app)"
    r"|.*/(?:(?:OTP_)?VERSION|RELEASE-NOTES|Drupal\.php|joomla\.xml|Defines\.php|Version\.php)"
    r"|(?:.*/)?s?bin/[^/]+|.*\.so(?:\.[\d.]+)?"
    r"|(?:.*/)?(?:libexec|lib)/(?:.*/)?[a-z0-9][^/.]*",
    re.DOTALL,
)
_MERGED = re.compile(r"(?=(?:s?bin|lib(?:32|64|x32)?)/)")


def evident(path: str) -> bool:
    """Manifests of languages, archives, programs and libraries."""
    return _EVIDENT.fullmatch(path) is not None


def place(path: str) -> str:
    """One name for a file of a system where /bin, /sbin and /lib are links into /usr: databases have either."""
    return f"usr/{path}" if _MERGED.match(path) else path
