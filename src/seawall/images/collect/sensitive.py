"""The analyser of files that should not be in an image: logins, leaks, open doors."""

from collections.abc import Sequence

from seawall.images.collect.files import File
from seawall.images.collect.found import Found
from seawall.images.detect import sensitive
from seawall.images.detect.sensitive import accounts
from seawall.images.model import ImageConfig, Layer

MAX_ACCOUNTS = 4 << 20


class Sensitive:
    """Needs nothing, has no options."""

    version = "1"

    def __init__(self, _options: object = None) -> None:
        pass

    def limit(self, file: File) -> int:
        """Path, mode and the first bytes tell of a file of any size; those of accounts are read whole."""
        if accounts.looks_at(file.path):
            return MAX_ACCOUNTS
        return max(file.size, 1) if sensitive.concerns(file.path, file.entry.mode) else 0

    def needs(self, path: str) -> bool:
        """The files of accounts: a gap there is no all-clear."""
        return path in ("etc/passwd", "etc/shadow")

    def read(self, file: File) -> Found | None:
        """What is wrong with it."""
        entry = file.entry
        found = list(sensitive.risks(file.path, entry.mode, entry.uid, file.head))
        if accounts.looks_at(file.path):
            found += accounts.risks(file.path, bytes(file.data).decode("utf-8", "replace"))
        return Found(risks=found) if found else None

    def described(self, _config: ImageConfig, _layers: Sequence[Layer]) -> Found | None:
        """Nothing: the configuration has checks of its own."""
        return None
