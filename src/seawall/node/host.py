"""Which machine this is."""

import hashlib
from pathlib import Path


def host_id() -> str:
    """A name for this machine that stays: a hash of its machine id, which itself is not to be told to others."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id", "/sys/class/dmi/id/product_uuid"):
        try:
            found = Path(path).read_text().strip()
        except OSError:
            continue
        if found:
            return hashlib.sha256(b"seawall:" + found.encode()).hexdigest()[:32]
    return hashlib.sha256(b"seawall:" + Path("/proc/sys/kernel/hostname").read_bytes().strip()).hexdigest()[:32]
