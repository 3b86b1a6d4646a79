"""Package formats, one a file."""

from seawall.images.collect.packages import apk, dpkg, npm, python
from seawall.images.collect.packages.format import Format

FORMATS: dict[str, Format] = {
    "apk": apk.FORMAT,
    "dpkg": dpkg.FORMAT,
    "npm": npm.FORMAT,
    "python": python.FORMAT,
}
