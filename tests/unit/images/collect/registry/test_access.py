"""Whom a registry meets: Docker's configuration, helpers only when told, challenges of every form."""

import base64
import contextlib
import json
from pathlib import Path

import pytest

from seawall.core.errors import SeawallError
from seawall.images.collect.registry import challenge
from seawall.images.collect.registry.access import Access, Credentials, configured


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_dockers_configuration(tmp_path: Path) -> None:
    entries = {
        "https://index.docker.io/v1/": {"auth": auth("hub:one")},
        "ghcr.io": {"auth": auth("me:a:b")},
        "https://quay.io": {"username": "robot", "password": "x"},
        "mine.azurecr.io": {"auth": auth("0000:"), "identitytoken": "refresh"},
        "token.example": {"registrytoken": "bearer"},
        "broken.example": {"auth": "§"},
        "odd.example": ["x"],
    }
    path = write(tmp_path / "config.json", {"auths": entries})
    assert configured(path, "docker.io", False) == Credentials("hub", "one")
    assert configured(path, "ghcr.io", False) == Credentials("me", "a:b")
    assert configured(path, "quay.io", False) == Credentials("robot", "x")
    assert configured(path, "mine.azurecr.io", False) == Credentials(identity="refresh")
    assert configured(path, "token.example", False) == Credentials(bearer="bearer")
    for host in ("broken.example", "odd.example", "other.example"):
        assert configured(path, host, False) is None
    assert configured(tmp_path / "none", "ghcr.io", False) is None


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, '{"auths": [], "credHelpers": 3}'])
def test_a_broken_configuration(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(content)
    with contextlib.suppress(SeawallError):
        assert configured(path, "ghcr.io", True) is None


def test_helpers_run_only_when_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker-credential-mine"
    program.write_text('#!/bin/sh\nread host; echo "{\\"Username\\":\\"of $host\\",\\"Secret\\":\\"s\\"}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    path = write(tmp_path / "config.json", {"credHelpers": {"ghcr.io": "mine"}, "credsStore": "../evil"})
    assert configured(path, "ghcr.io", False) is None
    assert configured(path, "ghcr.io", True) == Credentials("of ghcr.io", "s")
    with pytest.raises(SeawallError, match="cannot be one"):
        configured(path, "quay.io", True)


def test_what_is_given_goes_first_and_no_secret_is_printed(tmp_path: Path) -> None:
    path = write(tmp_path / "config.json", {"auths": {"ghcr.io": {"auth": auth("me:a")}}})
    access = Access(credentials=Credentials("you", "hidden"), config=path)
    assert access.of("ghcr.io") == Credentials("you", "hidden")
    assert "hidden" not in repr(access)
    assert Access().of("ghcr.io") is None


@pytest.mark.parametrize(
    ("header", "schemes", "realm"),
    [
        ('Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"', ["bearer"], "https://a/t"),
        ('Basic realm="a, b", Bearer realm="https://a/t"', ["basic", "bearer"], "https://a/t"),
        ("BASIC realm=plain", ["basic"], "plain"),
        ('bearer  realm = "x\\"y"', ["bearer"], 'x"y'),
        ("Negotiate, Basic realm=x", ["negotiate"], None),
        ("", [], None),
        ("====", [], None),
        ('Bearer realm="unclosed', ["bearer"], None),
    ],
)
def test_challenges(header: str, schemes: list[str], realm: str | None) -> None:
    found = challenge.parse(header)
    assert [one.scheme for one in found][: len(schemes)] == schemes
    if realm is not None:
        assert found[-1].fields["realm"] == realm


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("auth.docker.io", "registry-1.docker.io", True),
        ("gitlab.com", "registry.gitlab.com", True),
        ("a.example.co.uk", "b.other.co.uk", False),
        ("a.b.example.co.uk", "c.example.co.uk", True),
        ("evil.org", "ghcr.io", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("localhost", "127.0.0.1", False),
    ],
)
def test_who_is_akin(one: str, other: str, same: bool) -> None:
    assert challenge.akin(one, other) is same
