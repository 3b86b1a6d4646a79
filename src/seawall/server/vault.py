"""Secrets that the server has to know again: sealed with a key that lies beside the database, never in it."""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from seawall.core.errors import SeawallError

NAME = "vault.key"


class Vault:
    """Opens the key, or makes one the first time somebody seals something."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._fernet: Fernet | None = None

    def seal(self, text: str) -> str:
        """What may lie in the database; "" stays ""."""
        return self._opened().encrypt(text.encode()).decode() if text else ""

    def unseal(self, sealed: str) -> str:
        """The text again. Raises SeawallError when it was sealed with another key."""
        if not sealed:
            return ""
        try:
            return self._opened().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SeawallError(
                f"a stored secret cannot be read with {self._path}", "was the key replaced? Enter the secret again"
            ) from error

    def _opened(self) -> Fernet:
        if self._fernet is None:
            if not self._path.exists():
                _write(self._path, Fernet.generate_key())
            try:
                self._fernet = Fernet(self._path.read_bytes().strip())
            except (OSError, ValueError) as error:
                raise SeawallError(f"cannot read the key {self._path}: {error}", "restore it from a backup") from error
        return self._fernet


def _write(path: Path, key: bytes) -> None:
    """Whole or not at all, and for nobody else to read."""
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
