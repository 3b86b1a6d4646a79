"""What lies in a buffer in another form: UTF-16 and base64. Each is unpacked once; what is packed in it is not."""

import base64
import binascii
import mmap
import re
from collections.abc import Iterable, Iterator, Sequence

from seawall.images.detect.secrets.rule import Rule

Buffer = bytes | mmap.mmap
MAX_RUN = 64 << 10
"""Characters of one run of base64."""
MAX_RUNS = 500
_RUN = re.compile(rb"[A-Za-z0-9+/_-]+(?:\\?\r?\n[ \t]{0,8}[A-Za-z0-9+/_-]{60,})*={0,2}")
_WORDS = (
    b"password",
    b"PASSWORD",
    b"Password",
    b"passwd",
    b"secret",
    b"SECRET",
    b"_token",
    b"_TOKEN",
    b"apiKey",
    b"api_key",
)
"""Beside the beginnings of tokens: what configurations that are packed whole have in them."""


def is_utf16(head: bytes) -> str:
    """The encoding's name, or ""."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if len(head) >= 16 and head[0] and head[1:128:2].strip(b"\0") == b"" and b"\0" not in head[0:128:2]:
        return "utf-16-le"
    if len(head) >= 16 and head[1] and head[0:128:2].strip(b"\0") == b"" and b"\0" not in head[1:128:2]:
        return "utf-16-be"
    return ""


def literals(rules: Sequence[Rule]) -> list[bytes]:
    """Texts that are in base64 of anything in which a rule's token begins, whichever way it is aligned."""
    words = {start for rule in rules if rule.strong for start in _starts(rule)} | set(_WORDS)
    return sorted({form for word in words for form in _forms(word)})


def unpacked(data: Buffer, at: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """The runs of base64 around the positions, decoded, each with where it begins."""
    done, count = -1, 0
    for position in sorted(at):
        if position <= done or count >= MAX_RUNS:
            continue
        begin = _start(data, position)
        found = _RUN.match(data, begin, min(begin + MAX_RUN, len(data)))
        if found is None or len(found[0]) < 16:
            continue
        done = found.end()
        count += 1
        plain = decoded(found[0])
        if plain:
            yield begin, plain


def decoded(run: bytes) -> bytes:
    """The bytes, if they are text; a key or hash that merely looks like base64 is none."""
    run = re.sub(rb"[\\\s]", b"", run).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    run = run[: len(run) - (len(run) % 4 == 1)]
    try:
        plain = base64.b64decode(run + b"=" * (-len(run) % 4))
    except (binascii.Error, ValueError):
        return b""
    odd = sum(byte < 9 or 13 < byte < 32 or byte > 126 for byte in plain[:256])
    return plain if odd * 10 <= len(plain[:256]) else b""


def _start(data: Buffer, position: int) -> int:
    """Back over the run in which the position lies."""
    low = max(position - MAX_RUN // 2, 0)
    before = data[low:position]
    kept = len(before.rstrip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"))
    return low + kept


def _starts(rule: Rule) -> Iterator[bytes]:
    """Literal beginnings, as written, of at least four characters: shorter ones are in everything."""
    found = re.match(r"[A-Za-z0-9_\-:/ ]+", rule.quick)
    if found and len(found[0]) >= 4 and rule.quick[found.end() : found.end() + 1] not in ("?", "*", "{"):
        yield found[0].encode()


def _forms(word: bytes) -> Iterator[bytes]:
    """The characters of its base64 that do not depend on its neighbours, for each of the three alignments."""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + word)
        first = (shift * 8 + 5) // 6
        last = (shift + len(word)) * 8 // 6
        yield text[first:last]
