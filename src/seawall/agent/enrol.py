"""Enrolment and renewal: a token buys the first certificate, each certificate buys the next.

The key is made here and never leaves the node. Python's standard library cannot make one, so `openssl` does, in a
child process; the resident agent starts `python -m seawall.agent.enrol STATE` to renew and stays small.
"""

import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from seawall import __version__
from seawall.agent import tls
from seawall.agent.identity import Home, Identity
from seawall.core.clock import now, parse_time
from seawall.core.errors import SeawallError
from seawall.node.http import Connection

MAX_ANSWER = 1 << 18


def enrol(home: Home, server: str, token: str, ca_fingerprint: str, host_id: str) -> Identity:
    """Buy this node's first certificate. Raises SeawallError: wrong CA, token used up, server away, no openssl."""
    peer = tls.peer(server)
    ca = tls.fetch_unverified(peer, "/v1/agent/ca").decode("ascii", "replace")
    if not tls.same_fingerprint(ca, ca_fingerprint):
        raise SeawallError(
            f"the server at {peer.name} shows a CA with another fingerprint: {tls.fingerprint(ca)}",
            "take the install command from the console again; if it is right, somebody stands between you and it",
        )
    home.folder.mkdir(0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.folder) as folder:
        path = Path(folder) / "ca.crt"
        path.write_text(ca)
        key, csr = key_and_request(Path(folder))
        connection = tls.dial(peer, tls.context(path))
        body = {
            "token": token,
            "csr": csr,
            "hostname": socket.gethostname(),
            "host_id": host_id,
            "version": __version__,
        }
        try:
            answer = _post(connection, "/v1/agent/enroll", body)
        finally:
            connection.close()
    return _keep(home, answer, server, key, ca)


def renew(home: Home) -> Identity:
    """Buy the next certificate with the one in use. Raises SeawallError; the old one stays in use then."""
    old = home.identity()
    if old is None:
        raise SeawallError("this agent is not enrolled", "seawall agent enroll --help")
    with tempfile.TemporaryDirectory(dir=home.folder) as folder:
        key, csr = key_and_request(Path(folder))
    connection = tls.dial(tls.peer(old.gateway), home.context())
    try:
        answer = _post(connection, "/v1/agent/renew", {"csr": csr})
    finally:
        connection.close()
    if answer.get("agent_id") != old.agent_id:
        raise SeawallError("the server renewed the certificate of another agent", "enrol this agent again")
    # The CA stays the one that was verified by its fingerprint: a renewal cannot put another in its place.
    return _keep(home, answer | {"gateway": old.gateway}, old.server, key, home.ca.read_text())


def key_and_request(folder: Path) -> tuple[str, str]:
    """A new P-256 key and a certificate request for it, both PEM. `folder` is private and goes away after."""
    key, csr = folder / "agent.key", folder / "agent.csr"
    command = [
        *("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch"),
        *("-subj", "/CN=seawall-agent", "-keyout", str(key), "-out", str(csr)),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError as error:
        raise SeawallError(
            "openssl is not installed: the agent needs it to make its key", "apt-get install openssl"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SeawallError("openssl did not make a key within 30 s") from error
    if done.returncode != 0:
        raise SeawallError(f"openssl cannot make a key: {done.stderr.strip()[-300:]}")
    return key.read_text(), csr.read_text()


def _post(connection: Connection, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    try:
        answer = connection.request("POST", path, json.dumps(body).encode(), headers, timeout=20, total=40)
        content = answer.read(MAX_ANSWER)
    except OSError as error:
        raise SeawallError(f"the server broke off at {path}: {error}", "try again") from error
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise SeawallError(
            f"the server answers {answer.status} and no JSON object to {path}", "is it a Seawall server?"
        )
    if answer.status != 200:
        said = str(value.get("error", f"status {answer.status}"))
        hint = "tokens expire and have a number of uses: make a new one in the console" if answer.status == 403 else ""
        raise SeawallError(f"the server refuses: {said}", str(value.get("hint") or hint))
    return value


def _keep(home: Home, answer: dict[str, Any], server: str, key: str, ca: str) -> Identity:
    try:
        identity = Identity(
            agent_id=str(answer["agent_id"]),
            gateway=str(answer["gateway"]),
            server=server,
            issued_at=now(),
            expires_at=str(answer["expires_at"]),
        )
        tls.peer(identity.gateway)
        parse_time(identity.expires_at)
        certificate = str(answer["certificate"])
        tls.fingerprint(certificate)
    except (KeyError, ValueError) as error:
        raise SeawallError(
            f"the server's answer lacks something: {error!r}", "are both of the same version?"
        ) from error
    home.keep(identity, certificate, key, ca)
    return identity


def main() -> int:
    """Renew once; the reason of a failure goes to stderr."""
    try:
        renew(Home(Path(sys.argv[1])))
    except (SeawallError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
