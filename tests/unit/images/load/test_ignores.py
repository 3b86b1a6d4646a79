"""The ignore file: what it may say, and that a mistake is told and never passed over."""

from pathlib import Path

import pytest

from seawall.core.errors import SeawallError
from seawall.images.load.ignores import parse, read
from seawall.images.model import Statement


def test_an_entry_in_all_its_parts() -> None:
    text = b"""
ignores:
  - id: CVE-2024-1
    ids: [CVE-2024-2]
    package: pkg:deb/debian/openssl
    path: usr/lib/*
    images: ["registry.example/app:*"]
    reason: |
      not reachable
    until: 2026-12-31
    status: not_affected
  - {id: aws-key, kind: secret, reason: a test key}
"""
    assert parse(text, "f") == (
        Statement(
            ("CVE-2024-1", "CVE-2024-2"), "not_affected", "not reachable", "f", ("pkg:deb/debian/openssl",),
            ("registry.example/app:*",), ("usr/lib/*",), "2026-12-31",
        ),
        Statement(("aws-key",), "accepted", "a test key", "f", kind="secret"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- {id: CVE-1}", "entry 1: it has no reason"),
        ("- {id: CVE-1, reason: ' '}", "entry 1: it has no reason"),
        ("- {reason: r}", "would ignore everything"),
        ("- {id: CVE-1, reason: r}\n- {id: 7, reason: r}", "entry 2: id is a text"),
        ("- {id: CVE-1, reason: r, untill: 2026-01-01}", "what is 'untill'"),
        ("- {id: CVE-1, reason: r, until: soon}", "until is a day"),
        ("- {id: CVE-1, reason: r, status: perhaps}", "status is one of"),
        ("- {id: CVE-1, reason: r, kind: perhaps}", "kind is one of"),
        ("- 7", "entry 1: it is no mapping"),
        ("ignore: []", "what is 'ignore'"),
        ("ignores: 7", "is a list"),
        ("a: [", "no YAML"),
        ("[" * 5000, "no YAML"),
        ("!!python/object/apply:os.system [x]", "no YAML"),
        ("x" * (2 << 20), "larger"),
    ],
)
def test_mistakes_are_told(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text.encode(), "f")


def test_an_empty_file_decides_nothing() -> None:
    assert parse(b"", "f") == parse(b"ignores:\n", "f") == ()


def test_a_file_names_itself(tmp_path: Path) -> None:
    with pytest.raises(SeawallError, match="cannot read"):
        read(tmp_path / "none.yaml")
    file = tmp_path / ".seawallignore.yaml"
    file.write_text("- {id: CVE-1}")
    with pytest.raises(SeawallError, match=r"seawallignore\.yaml: entry 1"):
        read(file)
