"""With what a registry is entered: who one is, whom one trusts, where copies are."""

import base64
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.images.collect.registry.names import HUB, HUB_HOST

MAX_CONFIG = 4 << 20
HELPER_SECONDS = 60
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOKEN_USER = "<token>"  # noqa: S105 - what helpers say instead of a name when the secret is an identity token


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name with a password, or a token instead."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)
    """A refresh token: buys access tokens at the registry's token service."""
    bearer: str = field(default="", repr=False)
    """An access token, used as it is."""

    def basic(self) -> str:
        """The header's value."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Access:
    """All that a user may say of how registries are entered. Nothing is looked up that is not named here."""

    credentials: Credentials | None = None
    """For the registry of the target itself, never for a mirror."""
    config: Path | None = None
    """Docker's configuration, read for what `credentials` does not give."""
    helpers: bool = False
    """Whether programs that the configuration names (docker-credential-…) may be run."""
    ca_file: Path | None = None
    """Trusted beside the system's own authorities."""
    certificate: Path | None = None
    """The client's, PEM; with its key when `key` is not given."""
    key: Path | None = None
    insecure: bool = False
    """Certificates are not checked."""
    plain_http: bool = False
    """No TLS at all."""
    mirrors: tuple[str, ...] = ()
    """HOST or HOST/PREFIX, asked first, in this order."""
    token_hosts: tuple[str, ...] = ()
    """Token services of another domain than the registry's that may hear the credentials."""
    timeout: float = 30.0
    """Seconds of each wait for a peer."""

    def of(self, host: str) -> Credentials | None:
        """Those for a registry. Raises SeawallError when the configuration cannot be read."""
        if self.credentials is not None:
            return self.credentials
        return configured(self.config, host, self.helpers) if self.config is not None else None


def default_config() -> Path:
    """Where Docker's client keeps its own."""
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"


def configured(path: Path, host: str, helpers: bool) -> Credentials | None:
    """What Docker's configuration has for a registry; None when it has nothing, or there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONFIG + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SeawallError(f"cannot read {path}: {error.strerror}") from error
    try:
        found = json.loads(data) if len(data) <= MAX_CONFIG else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SeawallError(f"{path} is no configuration of Docker")
    if helpers and (helper := _helper(found, host)):
        return _asked(helper, _keys(host)[0])
    entries = _object(found, "auths")
    return next((one for key in _keys(host) if (one := _entry(_object(entries, key))) is not None), None)


def _keys(host: str) -> list[str]:
    """As the configuration may name a registry."""
    if host == HUB:
        return ["https://index.docker.io/v1/", "index.docker.io", HUB, f"https://{HUB}", HUB_HOST]
    plain = [host, f"https://{host}", f"https://{host}/", f"https://{host}/v1/", f"https://{host}/v2/"]
    return [*plain, f"http://{host}"]


def _helper(found: dict[str, Any], host: str) -> str:
    own = _object(found, "credHelpers")
    name = next((own[key] for key in _keys(host) if key in own), found.get("credsStore"))
    if name is None:
        return ""
    if not isinstance(name, str) or not _HELPER.fullmatch(name):
        raise SeawallError("Docker's configuration names a credential helper that cannot be one")
    return name


def _asked(helper: str, key: str) -> Credentials | None:
    import subprocess

    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, "get"], input=key.encode(), capture_output=True, timeout=HELPER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SeawallError(f"cannot ask {program}: {error}") from error
    if done.returncode != 0:
        return None
    try:
        found = json.loads(done.stdout[:MAX_CONFIG])
        name, secret = str(found["Username"]), str(found["Secret"])
    except (ValueError, KeyError, TypeError):
        raise SeawallError(f"{program} gave an answer that is not understood") from None
    return Credentials(identity=secret) if name == _TOKEN_USER else Credentials(name, secret)


def _entry(entry: dict[str, Any]) -> Credentials | None:
    texts = {key: value for key, value in entry.items() if isinstance(value, str) and value}
    if "registrytoken" in texts:
        return Credentials(bearer=texts["registrytoken"])
    if "identitytoken" in texts:
        return Credentials(identity=texts["identitytoken"])
    if "auth" in texts:
        try:
            name, colon, password = base64.b64decode(texts["auth"], validate=True).decode().partition(":")
        except ValueError:
            return None
        return Credentials(name, password.strip("\0")) if colon else None
    return Credentials(texts["username"], texts.get("password", "")) if "username" in texts else None


def _object(found: dict[str, Any], key: str) -> dict[str, Any]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}
