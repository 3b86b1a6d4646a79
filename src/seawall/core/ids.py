"""Ids and hashes: short, stable, and safe to show."""

import hashlib
import json
import os
import time
from typing import Any

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def canonical(value: Any) -> bytes:
    """JSON bytes that are equal for equal values: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def content_hash(value: Any) -> str:
    """32 hex digits that name a JSON value by its content."""
    return hashlib.blake2b(canonical(value), digest_size=16).hexdigest()


def new_id(prefix: str = "") -> str:
    """A new random id whose text order is its order of creation, for instance `job_01jd9…` (26 characters)."""
    number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    text = "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
    return f"{prefix}_{text}" if prefix else text
