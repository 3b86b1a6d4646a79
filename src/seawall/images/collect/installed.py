"""The analyser of installed packages: hands each file to the format that knows it."""

from collections.abc import Sequence

from seawall.images.collect.files import File
from seawall.images.collect.found import Found
from seawall.images.collect.packages import FORMATS
from seawall.images.collect.packages.format import Format
from seawall.images.model import ImageConfig, Layer


class Packages:
    """Needs nothing, has no options."""

    version = "1"

    def __init__(self, _options: object = None) -> None:
        self._formats = tuple(FORMATS.values())

    def limit(self, file: File) -> int:
        """The format's."""
        found = self._format(file)
        return found.limit if found else 0

    def needs(self, path: str) -> bool:
        """Databases and manifests are what the verdict stands on."""
        return any(known.wanted(path) for known in self._formats)

    def read(self, file: File) -> Found | None:
        """What the format made of it; an empty one is an answer too: it hides what a lower layer had there."""
        found = self._format(file)
        return found.read(file.path, bytes(file.data)) if found else None

    def described(self, _config: ImageConfig, _layers: Sequence[Layer]) -> Found | None:
        """Nothing: packages lie in files."""
        return None

    def _format(self, file: File) -> Format | None:
        return next((known for known in self._formats if known.wanted(file.path)), None)
