"""The analyser of secrets: files of every layer, environment, labels and history."""

import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seawall.core.state import state_dir
from seawall.images.collect import streams
from seawall.images.collect.files import Buffer, File
from seawall.images.collect.found import Found
from seawall.images.collect.prefilter import PACKED, opened
from seawall.images.detect.secrets import packed
from seawall.images.detect.secrets.rule import Rule, from_plain
from seawall.images.detect.secrets.scan import Judge, Where
from seawall.images.model import ImageConfig, Layer, Secret

if TYPE_CHECKING:
    from seawall.images.collect.analysers import Options

PACKAGED = Path(__file__).parents[1] / "rules" / "secrets.json"
"""Compiled at build, since nodes have no YAML."""
LEAST = 8
"""Bytes of a file that can hold a secret."""
GZIP = b"\x1f\x8b"
MAX_PLAIN = 32 << 20
"""Bytes that come out of one gzip file."""
MAX_GZIP = 64 << 20
_SETTINGS = ".env"
"""As which environment and labels are judged: names and values of a configuration."""


def load() -> list[Rule]:
    """The packaged rules. Raises CannotLook when they were not built."""
    from seawall.images.collect.analysers import CannotLook

    try:
        return [from_plain(one) for one in json.loads(PACKAGED.read_text("utf-8"))]
    except OSError as error:
        why = f"the rules of secrets are not there: {error.strerror}"
        raise CannotLook(why, f"python -m seawall.images.load.secrets {PACKAGED}") from error


def gunzip(data: Buffer) -> bytes:
    """What is in it, the first MAX_PLAIN bytes. Raises ValueError on what is no gzip."""
    one = streams.gzip.decompressobj(31)
    try:
        found: bytes = one.decompress(data, MAX_PLAIN)
    except (zlib.error, streams.gzip.error) as error:
        raise ValueError(f"the gzip data is broken: {error}") from error
    return found


class Secrets:
    """Looks with the packaged rules and those of the user's files."""

    def __init__(self, options: "Options | None" = None) -> None:
        rules = load()
        self.extra = 0
        for path in options.secret_rules if options else ():
            from seawall.images.load import gitleaks

            mine = gitleaks.read(path)
            self.extra += len(mine)
            rules += mine
        state = state_dir()
        self._find = opened(rules, packed.literals(rules), state / "cache")
        key = _key(state)
        self._judge = Judge(rules, key)
        known = repr([(one.id, one.pattern) for one in rules]).encode() + hashlib.sha256(key).digest()
        self.version = "1-" + hashlib.sha256(known).hexdigest()[:16]

    def limit(self, file: File) -> int:
        """Of the way of looking; without hyperscan large files would take too long."""
        return self._find.limit if file.size >= LEAST else 0

    def needs(self, _path: str) -> bool:
        """No file must be there."""
        return False

    def read(self, file: File) -> Found | None:
        """Its secrets, those in another form too."""
        data, path = file.data, file.path
        secrets: list[Secret] = []
        if file.head.startswith(GZIP) and file.size <= MAX_GZIP:
            secrets = self.look(gunzip(data), Where(path, encoding="gzip"))
        elif encoding := packed.is_utf16(file.head):
            plain = bytes(data).decode(encoding, "replace").encode()
            secrets = self.look(plain, Where(path, encoding="utf-16"))
        else:
            secrets = self.look(data, Where(path))
        return Found(secrets=secrets) if secrets else None

    def described(self, config: ImageConfig, layers: Sequence[Layer]) -> Found | None:
        """Environment, labels and the history; what the history tells again of the environment is told once."""
        secrets = self._settings("env", config.env)
        secrets += self._settings("label", [f"{name}={value}" for name, value in config.labels.items()])
        told = {one.fingerprint for one in secrets}
        for layer in layers:
            for one in self.look(layer.created_by.encode(), Where("history.sh", "history")):
                if one.fingerprint not in told:
                    told.add(one.fingerprint)
                    secrets.append(_at(one, layer.index))
        return Found(secrets=secrets) if secrets else None

    def look(self, data: Buffer, where: Where) -> list[Secret]:
        """Of one buffer in its plain form."""
        text = b"\0" not in data[:4096]
        hits = self._find.hits(data, text)
        if not hits and not self._judge.is_special(where.path):
            return []
        inside = hits.pop(PACKED, ())
        there = where if text else Where(where.path, where.place, where.encoding, lines=False)
        found = self._judge.findings(data, hits, there)
        return found + list(self._unpacked(data, inside, there)) if inside else found

    def _unpacked(self, data: Buffer, at: Sequence[int], where: Where) -> Iterator[Secret]:
        for begin, plain in packed.unpacked(data, at):
            hits = self._find.hits(plain, True)
            hits.pop(PACKED, None)
            there = Where(where.path, where.place, "base64")
            line = sum(data[low : min(low + (1 << 20), begin)].count(b"\n") for low in range(0, begin, 1 << 20)) + 1
            for one in self._judge.findings(plain, hits, there):
                yield _at(one, one.layer, line)

    def _settings(self, place: str, lines: Sequence[str]) -> list[Secret]:
        data = "\n".join(line.replace("\n", " ") for line in lines).encode("utf-8", "replace")
        return self.look(data, Where(_SETTINGS, place))


def _at(one: Secret, layer: int, line: int | None = None) -> Secret:
    from dataclasses import replace

    return replace(one, layer=layer, line=one.line if line is None else line)


def _key(state: Path) -> bytes:
    """This installation's; made when there is none. Where nothing can be kept, one for this run."""
    path = state / "fingerprint.key"
    try:
        if (found := path.read_bytes()) and len(found) >= 32:
            return found
    except OSError:
        pass
    fresh = os.urandom(32)
    try:
        state.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(fresh)
    except FileExistsError:
        return path.read_bytes() or fresh
    except OSError:
        pass
    return fresh
