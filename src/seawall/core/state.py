"""Where Seawall keeps what must outlive it. One rule for every command, so that they find each other's files."""

import os
from pathlib import Path

INSTALLED = Path("/var/lib/seawall")
_CHECKOUT = Path(__file__).parents[3]


def state_dir() -> Path:
    """SEAWALL_STATE if it is set, `./.seawall` of a checkout, else /var/lib/seawall. The folder may not exist yet."""
    named = os.environ.get("SEAWALL_STATE")
    if named:
        return Path(named).absolute()
    if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "src" / "seawall").is_dir():
        return _CHECKOUT / ".seawall"
    return INSTALLED
