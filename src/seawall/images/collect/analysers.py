"""What looks into files, one kind of look a file. Each layer is read once; every analyser sees each file of it.

A new one is a file with an `Analyser` and a line in ANALYSERS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from seawall.core.errors import SeawallError
from seawall.core.skipped import Skipped
from seawall.images.collect.configuration import Configuration
from seawall.images.collect.files import File
from seawall.images.collect.found import Found
from seawall.images.collect.installed import Packages
from seawall.images.collect.malware import ClamdFiles, MalwareFiles
from seawall.images.collect.secrets import Secrets
from seawall.images.collect.sensitive import Sensitive
from seawall.images.model import ImageConfig, Layer


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may say of how analysers work."""

    scanners: tuple[str, ...] = ("package",)
    """What users call them: those that ANALYSERS name."""
    secret_rules: tuple[str, ...] = ()
    """Files of rules for secrets, in gitleaks' form, beside the packaged ones."""
    malware_rules: tuple[str, ...] = ()
    """Folders of YARA rules, beside the packaged ones."""
    malware_deny: tuple[str, ...] = ()
    """Lists of hashes of files that are bad."""
    malware_allow: tuple[str, ...] = ()
    """Lists of hashes of files that are good, whatever a rule says."""
    clamd: str = ""
    """Where ClamAV's daemon listens; "": it is not asked."""


class Analyser(Protocol):
    """Looks into the files of layers, and at the configuration of the image."""

    @property
    def version(self) -> str:
        """Changes whenever the same file would be judged differently: own version, rules, options. Keys caches."""
        ...

    def limit(self, file: File) -> int:
        """0: it does not look at this file. Else the most bytes that it looks at; a larger file is skipped, and said.

        Decides by path, entry and `file.head`; `file.data` is for `read`.
        """
        ...

    def needs(self, path: str) -> bool:
        """Whether a file of this name leaves a gap where its content cannot be had: a link, a device, a sparse file."""
        ...

    def read(self, file: File) -> Found | None:
        """What is in the file. Raises ValueError when it is broken, which is shown as skipped."""
        ...

    def described(self, config: ImageConfig, layers: Sequence[Layer]) -> Found | None:
        """What the configuration tells: environment, labels, history."""
        ...


class CannotLook(SeawallError):
    """An analyser cannot work here (a library is missing, rules are broken); the reason is shown as "not checked"."""


@dataclass(frozen=True, slots=True)
class Known:
    """How an analyser is had."""

    scanner: str
    """By which users ask for it: package, secret, malware or config."""
    open: Callable[[Options], Analyser]
    """Raises CannotLook."""


ANALYSERS: dict[str, Known] = {
    "packages": Known("package", Packages),
    "secrets": Known("secret", Secrets),
    "configuration": Known("config", Configuration),
    "sensitive": Known("secret", Sensitive),
    "malware": Known("malware", MalwareFiles),
    "clamd": Known("malware", ClamdFiles),
}


@dataclass(slots=True)
class Analysers:
    """Those that were asked for and can work."""

    working: dict[str, Analyser] = field(default_factory=dict)
    checked: dict[str, str] = field(default_factory=dict)
    """Scanner → "", or why it, or a part of it, does not look."""
    left_out: list[Skipped] = field(default_factory=list)
    """Rules that could not be taken."""

    def versions(self) -> str:
        """Names what was looked with: a cache's key."""
        return ";".join(f"{name}={one.version}" for name, one in sorted(self.working.items()))


def opened(options: Options) -> Analysers:
    """Start the analysers that are wanted. Packages are always read: they cost little and everything builds on them."""
    found = Analysers()
    for name, known in ANALYSERS.items():
        if known.scanner != "package" and known.scanner not in options.scanners:
            continue
        reason = ""
        try:
            one = found.working[name] = known.open(options)
            found.left_out += getattr(one, "left_out", ())  # of those that take rules of the user's
        except CannotLook as error:
            reason = str(error)
        found.checked[known.scanner] = "; ".join(filter(None, (found.checked.get(known.scanner), reason)))
    return found
