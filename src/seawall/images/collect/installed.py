"""The analyser of installed packages: hands each file to the formats that know it."""

from collections.abc import Iterator, Mapping, Sequence

from seawall.images.collect import programs
from seawall.images.collect.files import File
from seawall.images.collect.found import Found
from seawall.images.collect.packages import FORMATS
from seawall.images.collect.packages.format import Format
from seawall.images.model import ImageConfig, Layer


class Packages:
    """Needs nothing, has no options. Of an image's hundred thousand files most are of no format: these pass quickly."""

    version = "3"

    def __init__(self, _options: object = None, formats: Mapping[str, Format] = FORMATS) -> None:
        self._names: dict[str, list[Format]] = {}
        """By the last part of the path, whole."""
        self._endings: dict[str, list[Format]] = {}
        """By what is behind its last full stop."""
        self._folders: list[tuple[str, Format]] = []
        """By the folder, for globs that leave the name open."""
        self._heads: list[Format] = []
        """By their first bytes, whatever the name."""
        for known in formats.values():
            for pattern in known.files:
                self._file(pattern, known)

    def _file(self, pattern: str, known: Format) -> None:
        name = pattern.rpartition("/")[2]
        if pattern == "**/*":
            self._heads.append(known)
        elif "*" not in name:
            self._names.setdefault(name, []).append(known)
        elif "." in name and "*" not in name.rpartition(".")[2]:
            self._endings.setdefault(name.rpartition(".")[2], []).append(known)
        elif "*" not in (folder := pattern.rpartition("/")[0]):
            self._folders.append((f"{folder}/", known))
        else:
            raise ValueError(f"{pattern}: would have to be tried on every file")

    def limit(self, file: File) -> int:
        """The largest of the formats'."""
        return max((known.limit for known in self._formats(file)), default=0)

    def needs(self, path: str) -> bool:
        """Databases and manifests are what the verdict stands on."""
        return bool(self._by_path(path))

    def read(self, file: File) -> Found | None:
        """What the formats made of it; an empty one is an answer too: it hides what a lower layer had there.

        Of a program nothing is told when nothing is known: every third file is one.
        """
        found = Found()
        told = False
        program = None
        for known in self._formats(file):
            if file.size > known.limit:
                raise ValueError(f"{file.size} bytes, the limit is {known.limit}")
            if known.inspect is None:
                found.add(known.read(file.path, file.data))
            elif (program := program or programs.read(file.data)) is not None:
                found.add(known.inspect(file.path, program))
            told = told or known not in self._heads
        return found if told or found.packages else None

    def described(self, _config: ImageConfig, _layers: Sequence[Layer]) -> Found | None:
        """Nothing: packages lie in files."""
        return None

    def _formats(self, file: File) -> Iterator[Format]:
        for known in self._by_path(file.path):
            if not known.begins or file.head.startswith(known.begins):
                yield known
        for known in self._heads:
            if file.head.startswith(known.begins):
                yield known

    def _by_path(self, path: str) -> list[Format]:
        name = path[path.rfind("/") + 1 :]
        named = self._names.get(name, ())
        ending = self._endings.get(name[name.rfind(".") + 1 :], ())
        found = [known for known in (*named, *ending) if known.wanted(path)]
        found += [known for folder, known in self._folders if path.startswith(folder) and known.wanted(path)]
        return list(dict.fromkeys(found)) if len(found) > 1 else found
