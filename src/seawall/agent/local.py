"""How commands on this machine reach its own server: `<state>/local.json` {url, token, ca}, mode 0600.

`seawall up` writes it; `ca` is the path of the CA's certificate.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seawall.agent import tls
from seawall.agent.identity import write
from seawall.core.errors import SeawallError, Unreachable

FILE = "local.json"
MAX_ANSWER = 64 << 20


class Denied(SeawallError):
    """The server answered with an error."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class Local:
    """One server, and by what right we ask it."""

    url: str
    token: str
    ca: str

    def call(self, method: str, path: str, body: Any = None, timeout: float = 30.0) -> Any:
        """The JSON that the API answers. Raises Unreachable (no server), Denied (it refused)."""
        headers = {"Connection": "close", "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        peer = tls.peer(self.url)
        connection = tls.dial(peer, tls.context(Path(self.ca)))
        try:
            content = json.dumps(body).encode() if body is not None else None
            answer = connection.request(method, path, content, headers, timeout=timeout, total=4 * timeout)
            said = answer.read(MAX_ANSWER)
        except OSError as error:
            raise Unreachable(f"the server at {peer.name} broke off at {path}: {error}", "seawall up") from error
        finally:
            connection.close()
        try:
            value = json.loads(said) if said.strip() else None
        except (ValueError, RecursionError) as error:
            raise SeawallError(f"the server at {peer.name} answers no JSON to {path}: {error}") from error
        if answer.status >= 400:
            found = value if isinstance(value, dict) else {}
            message = str(found.get("error") or f"the server answers {answer.status} to {path}")
            raise Denied(answer.status, message, str(found.get("hint") or ""))
        return value


def load(state: Path) -> Local:
    """The server that `seawall up` started here. Raises SeawallError when there is none."""
    try:
        return Local(**json.loads((state / FILE).read_bytes()))
    except FileNotFoundError as error:
        raise SeawallError(f"no server was started from {state}", "seawall up") from error
    except (OSError, ValueError, TypeError) as error:
        raise SeawallError(f"cannot read {state / FILE}: {error}", "seawall up writes it anew") from error


def save(state: Path, local: Local) -> None:
    """Keep it, for this user only."""
    write(state / FILE, json.dumps(asdict(local), indent=1) + "\n")
