"""Rule files that change while a node works by them: the last good plan holds until a better one is there."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from seawall.runtime.load import Compiled, compile_paths, system

Stamp = tuple[tuple[str, int, int], ...]


class Renewal:
    """Watches files and folders by their times and sizes."""

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self.paths: Sequence[Path] = tuple(Path(path) for path in paths)
        self._seen = self._stamp()
        self._waits: Stamp | None = None

    def compiled(self) -> Compiled:
        """The packaged rules and these, as they are now."""
        self._seen = self._stamp()
        return compile_paths(self.paths, system())

    def changed(self) -> bool:
        """Whether they are other files than those last compiled, and have been still since the last question: an
        editor may be in the middle of writing."""
        now = self._stamp()
        if now == self._seen:
            self._waits = None
            return False
        settled, self._waits = now == self._waits, now
        return settled

    def _stamp(self) -> Stamp:
        found: list[tuple[str, int, int]] = []
        for path in self.paths:
            try:
                files = sorted(path.iterdir()) if path.is_dir() else [path]
                known = [(str(file), file.stat()) for file in files]
            except OSError:  # gone for a moment, as editors replace files
                found.append((str(path), 0, 0))
                continue
            found += [(name, stat.st_mtime_ns, stat.st_size) for name, stat in known]
        return tuple(found)
