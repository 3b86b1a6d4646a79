"""Who this agent is: the files it keeps under `<state>/agent`, written once at enrolment and at each renewal."""

import json
import os
import ssl
from dataclasses import asdict, dataclass
from pathlib import Path

from seawall.agent import tls
from seawall.core.clock import parse_time
from seawall.core.errors import SeawallError


@dataclass(frozen=True, slots=True)
class Identity:
    """What the server gave. Times are core.clock texts."""

    agent_id: str
    gateway: str
    """https://HOST:PORT of the gateway door."""
    server: str
    """https://HOST:PORT of the API door, where it enrolled."""
    issued_at: str
    expires_at: str

    def renew_at(self) -> float:
        """Seconds since the epoch at which two thirds of the certificate's life are over."""
        issued = parse_time(self.issued_at)
        return issued + (parse_time(self.expires_at) - issued) * 2 / 3


class Home:
    """The agent's folder."""

    def __init__(self, state: Path) -> None:
        self.folder = state / "agent"
        self.pem = self.folder / "agent.pem"
        """Certificate and key in one file, so that no crash can part them."""
        self.ca = self.folder / "ca.crt"
        self.spool = self.folder / "spool"
        self.config = self.folder / "config.json"
        self.status = self.folder / "status.json"
        self._identity = self.folder / "identity.json"

    def identity(self) -> Identity | None:
        """Who this agent is, or None before it is enrolled. Raises SeawallError when the file is damaged."""
        try:
            return Identity(**json.loads(self._identity.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise SeawallError(f"cannot read {self._identity}: {error}", "enrol this agent again") from error

    def keep(self, identity: Identity, certificate: str, key: str, ca: str) -> None:
        """Take a new identity; a crash in between leaves the old one or asks for one more renewal."""
        self.folder.mkdir(0o700, parents=True, exist_ok=True)
        write(self.ca, ca)
        write(self.pem, f"{certificate.strip()}\n{key.strip()}\n")
        write(self._identity, json.dumps(asdict(identity), indent=1))

    def context(self) -> ssl.SSLContext:
        """TLS as this agent. Raises SeawallError when the files cannot be used."""
        return tls.context(self.ca, self.pem)


def write(path: Path, text: str) -> None:
    """Swap in a file that only its owner may read, whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
