"""How the rooms touch a node: the Docker Engine API over its socket, and /proc. Standard library only, read-only by
default, with a time limit on every call; no room's logic lives here."""
