"""Which means of response this node has: `python -m seawall.runtime.respond.probe` tries each and prints JSON.

A child of its own, because trying costs memory. "" means that it works; any other text is the reason why it does not.
"""

import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable

from seawall.node.docker import Docker, find_socket
from seawall.runtime.respond import fanotify


def fanotify_exec() -> str:
    """Permission events on executions: fanotify(7), CONFIG_FANOTIFY_ACCESS_PERMISSIONS and CAP_SYS_ADMIN."""
    try:
        group = fanotify.init()
    except OSError as error:
        return f"fanotify_init: {error.strerror}"
    folder = -1
    try:
        with tempfile.TemporaryDirectory() as empty:  # nothing is run from there: the kernel only says if it would ask
            folder = os.open(empty, os.O_PATH | os.O_DIRECTORY)
            fanotify.mark(group, fanotify.ADD, fanotify.OPEN_EXEC_PERM, folder)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return "this kernel has no permission events (CONFIG_FANOTIFY_ACCESS_PERMISSIONS) or is older than 5.0"
        return f"fanotify_mark: {error.strerror}"
    finally:
        for descriptor in {folder, group} - {-1}:
            os.close(descriptor)
    return ""


def firewall() -> str:
    """nft (or iptables) and the right to use it."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin"
    for program, words in (("nft", ["list", "tables"]), ("iptables", ["-w", "2", "-S"])):
        found = shutil.which(program, path=path)
        if found:
            done = subprocess.run([found, *words], capture_output=True, text=True, timeout=10, check=False)
            return "" if done.returncode == 0 else f"{program}: {done.stderr.strip()[-200:] or 'refused'}"
    return "neither nft nor iptables is installed"


def docker() -> str:
    """A daemon that answers."""
    if find_socket() is None:
        return "no Docker socket"
    Docker(timeout=5.0).version()
    return ""


def quarantine() -> str:
    """openat2(2), which keeps hostile paths inside their container."""
    root = os.open("/", os.O_PATH | os.O_DIRECTORY)
    try:
        os.close(fanotify.openat2(root, "/proc", os.O_PATH))
    except OSError as error:
        return f"openat2: {error.strerror}; Linux 5.6 or newer is needed"
    finally:
        os.close(root)
    return ""


def egress() -> str:
    """Programs at the root of the unified cgroup hierarchy that refuse connections."""
    return _loads("egress")


def deny() -> str:
    """Programs that kill at an exec and at an open for writing."""
    return _loads("deny")


def lsm() -> str:
    """A security module of ours: it is loaded, because the kernel's own list of modules does not tell."""
    return _loads("lsm")


def _loads(name: str) -> str:
    """Load it with empty tables, where it denies nothing, and let it go at once."""
    from seawall.core.errors import SeawallError
    from seawall.runtime.respond import kernel

    try:
        maps, links = kernel.load(name, {})
    except SeawallError as error:
        return str(error).split(". ")[0].splitlines()[0][:300]  # what the verifier says behind it is for builders
    for descriptor in (*links, *maps.values()):
        os.close(descriptor)
    return ""


CHECKS: dict[str, Callable[[], str]] = {
    "fanotify": fanotify_exec,
    "firewall": firewall,
    "docker": docker,
    "quarantine": quarantine,
    "cgroup": egress,
    "deny": deny,
    "lsm": lsm,
}


def look() -> dict[str, str]:
    """Each means and why it is not there, or ""."""
    found = {}
    for name, check in CHECKS.items():
        try:
            found[name] = check()
        except Exception as error:  # whatever it is: the means is not there, and that is why
            found[name] = str(error) or repr(error)
    return found


def main() -> None:
    """Print what was found."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(look()) + "\n")


if __name__ == "__main__":
    main()
