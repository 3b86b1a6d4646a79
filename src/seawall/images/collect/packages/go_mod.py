"""go.mod: modules that a Go project is built with. go.sum is not read: it has every version that was ever looked at.

Source: Go Modules Reference, "go.mod files"
"""

import re

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, text

_REQUIRED = re.compile(r"(?:require\s+)?(\S+)\s+(v\d\S*)(?:\s*//.*)?")
_REPLACED = re.compile(r"(?:replace\s+)?(\S+)(?:\s+(v\S+))?\s*=>\s*(\S+)(?:\s+(v\S+))?(?:\s*//.*)?")


def read(_path: str, data: Buffer) -> Read:
    """Modules, with what they are replaced by; a folder in place of one is none."""
    required: dict[str, str] = {}
    replaced: dict[tuple[str, str], tuple[str, str]] = {}
    block = ""
    for line in text(data).split("\n"):
        words = line[:4096].strip()
        if words.endswith("(") and words.split("(")[0].strip().isalpha():
            block = words.split("(")[0].strip()
        elif words == ")":
            block = ""
        elif block == "require" or words.startswith("require "):
            if match := _REQUIRED.fullmatch(words):
                required[match[1]] = match[2]
        elif (block == "replace" or words.startswith("replace ")) and (match := _REPLACED.fullmatch(words)):
            replaced[match[1], match[2] or ""] = (match[3], match[4] or "")
    modules = (
        replaced.get((name, version)) or replaced.get((name, "")) or (name, version)
        for name, version in required.items()
    )
    return named("golang", modules, "go.mod")


FORMAT = Format(files=("**/go.mod",), read=read, kinds=("golang",), declared=True)
