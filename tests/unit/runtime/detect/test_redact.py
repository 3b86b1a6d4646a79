"""Secrets do not leave the node; what is none stays readable."""

import pytest

from seawall.runtime.detect import redact


@pytest.mark.parametrize(
    "args",
    [
        ["mysql", "-uroot", "-pS3cret!"],
        ["tool", "--password", "S3cret!"],
        ["tool", "--db-password=S3cret!"],
        ["tool", "--api-key=S3cret!"],
        ["tool", "--token", "S3cret!"],
        ["sh", "-c", "PGPASSWORD=S3cret! psql"],
        ["sh", "-c", "mysql --password S3cret! -e 'select 1'"],
        ["sh", "-c", "export AWS_SECRET_ACCESS_KEY='S3cret!'"],
        ["curl", "-H", "Authorization: Bearer S3cret!"],
        ["curl", "-H", "X-Api-Key: S3cret!"],
        ["git", "clone", "https://user:S3cret!@example.org/x"],
        ["redis-cli", "-a", "S3cret!"],
        ["sshpass", "-pS3cret!", "ssh", "host"],
    ],
)
def test_hidden(args):
    assert "S3cret" not in " ".join(redact.arguments(args))
    assert redact.HIDDEN in " ".join(redact.arguments(args))


@pytest.mark.parametrize(
    "args",
    [
        ["bash", "-i"],
        ["ps", "-p", "17"],
        ["ls", "-la", "/etc/passwd"],
        ["mkdir", "-p", "/opt/x"],
        ["curl", "https://example.org:8080/path"],
        ["python3", "-m", "http.server"],
    ],
)
def test_shown(args):
    assert redact.arguments(args) == args


def test_floods_are_cut():
    found = redact.arguments(["x" * 10_000] * 1000)
    assert len(found) == redact.MAX_ARGUMENTS
    assert len(found[0]) == redact.MAX_ARGUMENT
