"""The intelligence in use: opened once, opened again when an import has swapped in a newer file."""

import threading
from pathlib import Path

import structlog

from seawall.core.errors import SeawallError
from seawall.intel.store import Store, open_store

LOG = structlog.get_logger("seawall.knowledge")


class Knowledge:
    """Hands out the newest store; those who still read an older one keep it until they are done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._version = 0

    def current(self) -> Store | None:
        """The store, or None before the first import."""
        return self.newest()[0]

    def newest(self) -> tuple[Store | None, int]:
        """The store, and a number that grows with each newer file: what was judged before it is out of date."""
        with self._lock:
            if self._store is None or self._store.changed():
                self._open()
            return self._store, self._version

    def _open(self) -> None:
        try:
            found = open_store(self._path)
        except SeawallError as error:
            LOG.warning("intelligence cannot be used", error=str(error), hint=error.hint)
            return
        if found is not None:
            self._store = found
            self._version += 1
