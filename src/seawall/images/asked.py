"""What a command line says of how an image is read: options, and the reading that they make."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from seawall.core.errors import SeawallError
from seawall.core.state import state_dir
from seawall.images.collect.analysers import Options, opened
from seawall.images.collect.cache import Cache
from seawall.images.collect.progress import Progress
from seawall.images.collect.reading import Reading
from seawall.images.collect.registry.access import Access, Credentials, default_config
from seawall.images.collect.streams import Budget, OutOfTime

PASSWORD = "SEAWALL_REGISTRY_PASSWORD"  # noqa: S105 - the variable's name
SECONDS = 900.0
GRACE = 10.0
"""Seconds after which a scan that does not end by itself is ended."""


def add(command: argparse.ArgumentParser) -> None:
    """Everything but the target."""
    one = command.add_argument_group("which image, how long")
    one.add_argument("--image", default="", metavar="NAME", help="the one that is meant, where an archive has several")
    one.add_argument("--platform", default="", metavar="OS/ARCH", help="linux/arm64 …; default: this machine's")
    one.add_argument("--timeout", type=float, default=SECONDS, metavar="SECONDS", help="default: %(default).0f")
    one.add_argument("--no-cache", action="store_true", help="read everything anew, and remember nothing")
    one.add_argument("--offline", action="store_true", help="never use the network: registries are refused")
    enter = command.add_argument_group("registries")
    enter.add_argument("--username", metavar="NAME", help=f"the password comes from {PASSWORD}, or:")
    enter.add_argument("--password-stdin", action="store_true", help="read it from stdin")
    enter.add_argument("--docker-config", type=Path, metavar="FILE", help="logins; default: Docker's own config.json")
    enter.add_argument("--credential-helper", action="store_true", help="run the helpers that it names")
    enter.add_argument("--ca-file", type=Path, metavar="FILE", help="trust this authority too")
    enter.add_argument("--client-cert", type=Path, metavar="FILE", help="show this certificate (PEM)")
    enter.add_argument("--client-key", type=Path, metavar="FILE", help="its key, if that is in another file")
    enter.add_argument("--insecure", action="store_true", help="do not check the registry's certificate")
    enter.add_argument("--plain-http", action="store_true", help="no TLS at all")
    enter.add_argument("--mirror", action="append", default=[], metavar="HOST[/PREFIX]", help="ask there first; repeat")
    enter.add_argument("--token-host", action="append", default=[], metavar="HOST", help="may hear the password too")


def reading(wanted: argparse.Namespace, options: Options, progress: Progress) -> Reading:
    """Raises SeawallError on options that do not go together."""
    if wanted.offline and wanted.target.startswith("registry:"):
        raise SeawallError("--offline, and an image of a registry", "pull or save it first, then scan that")
    if not 0 < wanted.timeout <= 7 * 86400:
        raise SeawallError(f"--timeout {wanted.timeout}: seconds, above 0")
    return Reading(
        opened(options),
        progress,
        Budget(seconds=wanted.timeout),
        platform=wanted.platform,
        image=wanted.image,
        access=access(wanted),
        cache=None if wanted.no_cache else Cache(state_dir() / "scan-cache.db"),
    )


def access(wanted: argparse.Namespace) -> Access:
    """How registries are entered."""
    found = Access(
        config=wanted.docker_config or default_config(),
        helpers=wanted.credential_helper,
        ca_file=wanted.ca_file,
        certificate=wanted.client_cert,
        key=wanted.client_key,
        insecure=wanted.insecure,
        plain_http=wanted.plain_http,
        mirrors=tuple(wanted.mirror),
        token_hosts=tuple(wanted.token_host),
    )
    if wanted.username is None:
        if wanted.password_stdin:
            raise SeawallError("--password-stdin without --username")
        return found
    password = sys.stdin.readline(65536).rstrip("\r\n") if wanted.password_stdin else os.environ.get(PASSWORD)
    if not password:
        raise SeawallError("--username without a password", f"put it into {PASSWORD}, or use --password-stdin")
    return replace(found, credentials=Credentials(wanted.username, password))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Ends what runs in it when the time is over: by the reader's own looks at the clock, by a signal where it does not
    look, and at last the whole process, should a library hold on to it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTime(f"the scan took longer than {seconds:.0f} s", "--timeout allows more")

    last = threading.Timer(seconds + GRACE, _end, (seconds,))
    last.daemon = True
    last.start()
    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds + 0.5)
    try:
        yield
    except OutOfTime as error:
        raise SeawallError(str(error), error.hint) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        last.cancel()


def _end(seconds: float) -> None:
    os.write(2, f"\nerror: the scan took longer than {seconds:.0f} s and did not stop\n".encode())
    os._exit(2)
