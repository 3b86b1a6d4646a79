"""Parts for the wire: each fits, and together they are the whole."""

import json

import pytest

from seawall.core.errors import Hostile
from seawall.images import normalise
from seawall.images.model import ImageConfig, Inventory, OperatingSystem, Package
from seawall.images.normalise import parts, purl


def inventory(count: int, name: str = "p") -> Inventory:
    packages = tuple(Package(f"{name}{number}", "1", "npm", f"pkg:npm/p{number}@1") for number in range(count))
    return Inventory("docker:x", "x", ImageConfig("sha256:x"), packages=packages)


@pytest.mark.parametrize(("count", "wanted"), [(0, 1), (1, 1), (2000, 1), (2001, 2), (6000, 3)])
def test_parts(count: int, wanted: int) -> None:
    made = parts(inventory(count))
    assert len(made) == wanted
    assert made[0]["config"]["id"] == "sha256:x"
    assert all(set(one) == {"packages", "secrets", "malware", "risks"} for one in made[1:])
    names = [one["name"] for part in made for one in part["packages"]]
    assert names == [f"p{number}" for number in range(count)]


def test_long_names_make_more_parts() -> None:
    made = parts(inventory(2000, "p" * 5000))
    assert len(made) > 1
    assert all(len(json.dumps(one)) < normalise.MAX_PART_BYTES + 100_000 for one in made)


@pytest.mark.parametrize(
    ("package", "wanted"),
    [
        (
            Package("G++", "1:2~b+c", "deb", "", arch="all"),
            "pkg:deb/debian/g%2B%2B@1:2~b%2Bc?arch=all&distro=debian-12",
        ),
        (Package("a_B.c", "1", "pypi", ""), "pkg:pypi/a-b.c@1"),
        (Package("@scope/name", "1.0", "npm", ""), "pkg:npm/%40scope/name@1.0"),
        (Package("a b?c#d", "1 2", "npm", ""), "pkg:npm/a%20b%3Fc%23d@1%202"),
    ],
)
def test_purls(package: Package, wanted: str) -> None:
    assert purl(package, OperatingSystem("debian", "12")) == wanted


def test_more_than_can_be_sent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normalise, "MAX_PART", 1)
    assert len(parts(inventory(normalise.MAX_PARTS))) == normalise.MAX_PARTS
    with pytest.raises(Hostile, match="more than can be sent"):
        parts(inventory(normalise.MAX_PARTS + 1))
