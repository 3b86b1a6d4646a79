"""What of a secret may leave the scan: enough to recognise it by, nothing to use it with."""

import hashlib
import hmac
import re
from collections.abc import Sequence

from seawall.images.detect.secrets.rule import KEY, PASSWORD

MAX_CONTEXT = 160
_BEFORE, _AFTER = 80, 40
_LONG = re.compile(r"(?<![\w+/=.-])(?=[\w+/=.-]*\d)(?=[\w+/=.-]*[A-Za-z])[\w+/=-]{12,}")
"""A word of a line that may be another secret, one that no rule knows."""
_LOGIN = re.compile(r"(://[^\s/:@]{0,80}:)[^\s@]{1,200}(@)")
_GIVEN = re.compile(
    r"""(?i)((?:pass\w*|pwd|secret|token|api_?key|credential)[\w.-]{0,20}["'\]]{0,2}\s{0,4}[:=>]{1,2}\s{0,4}["']?)[^\s"',;&<]{2,}"""
)


def shown(secret: bytes, kind: str) -> str:
    """A few characters of the beginning and the end of long tokens, one of passwords, none of keys."""
    text = "".join(char if char.isprintable() else "·" for char in secret.decode("utf-8", "replace"))
    if kind == KEY:
        return f"{text[: text.find('-----', 5) + 5]}…" if text.startswith("-----BEGIN ") else "…"
    if kind == PASSWORD or len(text) < 16:
        return f"{text[:1]}…"
    return f"{text[:4]}…{text[-2:]}" if len(text) < 32 else f"{text[:6]}…{text[-4:]}"


def fingerprint(secret: bytes, key: bytes) -> str:
    """Equal for equal secrets under one key; without the key nothing can be tried against it."""
    return hmac.new(key, secret, hashlib.sha256).hexdigest()[:24]


def context(line: bytes, secrets: Sequence[tuple[int, int, str]], at: int) -> str:
    """The line around position `at` with each secret, given by where it lies in the line and what is shown of it, and
    whatever else looks like one, taken out.
    """
    parts, done, mark = [], 0, 0
    for begin, end, instead in sorted(secrets):
        if begin < done:
            continue
        before = _masked(line[done:begin].decode("utf-8", "replace"))
        parts += [before, instead]
        done = end
        if begin <= at:
            mark = sum(map(len, parts)) - len(instead)
    parts.append(_masked(line[done:].decode("utf-8", "replace")))
    text = "".join(char if char.isprintable() else " " for char in "".join(parts))
    first = max(mark - _BEFORE, 0)
    return text[first : min(mark + _AFTER + 40, first + MAX_CONTEXT)].strip()


def _masked(text: str) -> str:
    text = _LOGIN.sub(r"\1…\2", text)
    text = _GIVEN.sub(r"\1…", text)
    return _LONG.sub(lambda found: f"{found[0][:3]}…", text)
