"""Package formats, one a file."""

from seawall.images.collect.packages import apk, dpkg, go, java, npm, python, rpm, rust
from seawall.images.collect.packages.format import Format

FORMATS: dict[str, Format] = {
    "apk": apk.FORMAT,
    "dpkg": dpkg.FORMAT,
    "go": go.FORMAT,
    "java": java.FORMAT,
    "npm": npm.FORMAT,
    "python": python.FORMAT,
    "rpm": rpm.FORMAT,
    "rust": rust.FORMAT,
}
