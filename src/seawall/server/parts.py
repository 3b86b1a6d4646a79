"""What the server is made of, passed to those who build routes from it."""

from collections.abc import Callable
from dataclasses import dataclass

from seawall.intel.listed import Listed
from seawall.server.ca import Authority
from seawall.server.config import Config
from seawall.server.db import Database
from seawall.server.door import ServerDoor
from seawall.server.guard import Guard
from seawall.server.jobs import Bell
from seawall.server.knowledge import Knowledge
from seawall.server.live import Hub
from seawall.server.plans import Plans
from seawall.server.vault import Vault


@dataclass(frozen=True, slots=True)
class Installer:
    """What a new node downloads. The script knows the archive's hash, the command knows the script's."""

    script: bytes
    archive: bytes
    scanner: bytes = b""
    """The engine of the malware scanner, for nodes that were told to have it; b"" when this server has none."""


@dataclass(frozen=True, slots=True)
class Parts:
    """One running server."""

    config: Config
    database: Database
    authority: Authority
    hub: Hub
    bell: Bell
    guard: Guard
    door: ServerDoor
    plans: Plans
    knowledge: Knowledge
    listed: Listed
    vault: Vault
    installer: Callable[[], Installer]
    """Made on the first call: packing the agent takes a moment."""
