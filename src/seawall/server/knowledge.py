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
        self._warned = ""

    def current(self) -> Store | None:
        """The newest store, or None before the first import. A file that cannot be read leaves the one before."""
        with self._lock:
            if self._store is None or self._store.changed():
                self._open()
            return self._store

    def _open(self) -> None:
        try:
            found = open_store(self._path)
        except SeawallError as error:
            if self._warned != str(error):  # this is asked every second
                LOG.warning("intelligence cannot be used", error=str(error), hint=error.hint)
            self._warned = str(error)
            return
        self._warned = ""
        if found is not None:
            self._store = found
