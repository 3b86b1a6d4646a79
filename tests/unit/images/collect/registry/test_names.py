"""Names of images as people write them, of every registry that people use."""

import pytest

from seawall.core.errors import SeawallError
from seawall.images.collect.registry import names

D = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "host", "repository", "wanted"),
    [
        ("nginx", "docker.io", "library/nginx", "latest"),
        ("nginx:1.27", "docker.io", "library/nginx", "1.27"),
        ("grafana/grafana", "docker.io", "grafana/grafana", "latest"),
        ("docker.io/nginx", "docker.io", "library/nginx", "latest"),
        ("index.docker.io/library/nginx:1", "docker.io", "library/nginx", "1"),
        (f"nginx@{D}", "docker.io", "library/nginx", D),
        (f"ghcr.io/owner/app:1@{D}", "ghcr.io", "owner/app", D),
        ("localhost:5000/app:x", "localhost:5000", "app", "x"),
        ("localhost/app", "localhost", "app", "latest"),
        ("[::1]:5000/app", "[::1]:5000", "app", "latest"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1",
         "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "team/app", "v1"),
        ("mine.azurecr.io/app:1", "mine.azurecr.io", "app", "1"),
        ("europe-west1-docker.pkg.dev/project/repo/app:1", "europe-west1-docker.pkg.dev", "project/repo/app", "1"),
        ("harbor.example:8443/project/deep/er/app", "harbor.example:8443", "project/deep/er/app", "latest"),
        ("mine.tencentcloudcr.com/ns/app:1", "mine.tencentcloudcr.com", "ns/app", "1"),
        ("//quay.io/a/b_c--d.e:1", "quay.io", "a/b_c--d.e", "1"),
    ],
)  # fmt: skip
def test_names(text: str, host: str, repository: str, wanted: str) -> None:
    found = names.parse(text)
    assert (found.host, found.repository, found.wanted) == (host, repository, wanted)
    assert names.parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    ["", "UPPER", "a//b", "a/../b", "-x", "a:", "a:b c", "a@sha256:1", "ho st/a", "x.y/", "x.y/a?b", "a\r\nHost: x",
     "x.y:99/a\n", "a" * 300, "user@x.y/a", "/etc/passwd", "x.y/a:" + "t" * 129],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(SeawallError):
        names.parse(text)
