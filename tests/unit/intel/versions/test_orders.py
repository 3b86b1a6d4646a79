"""Orders of versions against the specifications' own examples, and Debian's against dpkg itself."""

import itertools
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from packaging.version import Version

from seawall.intel import versions

ASCENDING = {
    "deb": """1.0~~ 1.0~~a 1.0~ 1.0~rc1 1.0 1.0-0.1 1.0-1~bpo1 1.0-1 1.0-1+b1 1.0-1+deb11u1 1.0-10
        1.0+dfsg-1 1.0.1 1.1 2 2a 2.10 1:0.1""",
    "apk": """0.1 0.9 1.0_alpha 1.0_alpha2 1.0_beta 1.0_pre1 1.0_rc1 1.0_rc2 1.0 1.0-r1 1.0-r10 1.0_git20200101
        1.0_p1 1.0_p1-r1 1.0a 1.0b 1.01 1.1 1.2 1.10 2 10""",
    "pep440": "0.9 1.0.dev1 1.0a1.dev1 1.0a1 1.0b2 1.0rc1 1.0 1.0+local 1.0.post1 1.1 1!0.5",
    "semver": """0.9.9 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1
        1.0.0 1.0.1 1.2 1.10.0 2.0.0-0.20200101 v2.0.0 go3.1""",
}
EQUAL = [("deb", "0:1.0", "1.0"), ("deb", "1.0", "1.00"), ("deb", "1.0-0", "1.0"), ("deb", "1.a", "1.a0"),
         ("pep440", "1.0", "1.0.0"), ("semver", "v1.2.0", "1.2"), ("semver", "1.0.0+a", "1.0.0+b")]  # fmt: skip


def test_every_file_is_listed_and_every_ecosystem_has_an_order() -> None:
    folder = Path(versions.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(versions.ORDERS)
    assert set(versions.ECOSYSTEMS.values()) <= set(versions.ORDERS)
    assert versions.order("Debian:12") is versions.ORDERS["deb"]
    assert versions.order("Haiku:1") is None


@pytest.mark.parametrize("name", ASCENDING)
def test_order(name: str) -> None:
    key = versions.ORDERS[name]
    for low, high in itertools.combinations(ASCENDING[name].split(), 2):
        assert key(low) < key(high), f"{low} < {high}"


@pytest.mark.parametrize(("name", "one", "other"), EQUAL)
def test_equal(name: str, one: str, other: str) -> None:
    assert versions.ORDERS[name](one) == versions.ORDERS[name](other)


@pytest.mark.parametrize("name", versions.ORDERS)
def test_odd_versions_never_raise_and_always_compare(name: str) -> None:
    key = versions.ORDERS[name]
    odd = [
        "",
        " ",
        "latest",
        "a:b",
        ":",
        "1:",
        "-",
        "~",
        "1..2",
        "_p",
        "1_zzz9",
        "²",
        "1.２",
        "\udcff",
        "9" * 5000,
        "1.0-r",
        "é.1",
        "v",
        "1!",
        "+",
        "dev-",
        "1.x-dev",
        "1-" * 120,
        "a1" * 120,
    ]
    for one, other in itertools.product([*odd, "1.0", "1.0-rc1"], repeat=2):
        assert isinstance(key(one) < key(other), bool)


def test_python_agrees_with_packaging() -> None:
    texts = ["1", "1.0.1", "2.0b1", "2.0", "1.0.post2", "1.0.dev4", "2.0rc1+x", "1!1.0"]
    ordered = sorted(texts, key=versions.ORDERS["pep440"])
    assert ordered == sorted(texts, key=Version)


@pytest.mark.skipif(not shutil.which("rpm"), reason="rpm is not here")
def test_rpm_agrees_with_rpm() -> None:
    chance = random.Random(7)
    parts = ["0", "1", "9", "10", "01", "a", "rc", "~", "^", ".", "_", "el9", "^git", "~rc"]
    pairs = [tuple("1" + "".join(chance.choices(parts, k=chance.randrange(6))) for _ in "ab") for _ in range(400)]
    code = "".join(f'print(rpm.vercmp("{one}","{other}"), " ")' for one, other in pairs)
    found = subprocess.run(["rpm", "--eval", f"%{{lua:{code}}}"], capture_output=True, text=True, check=False)
    if found.returncode or len(found.stdout.split()) != len(pairs):
        pytest.skip("this rpm has no vercmp in Lua")
    key = versions.ORDERS["rpm"]
    for (one, other), sign in zip(pairs, map(int, found.stdout.split()), strict=True):
        assert (key(one) > key(other)) - (key(one) < key(other)) == sign, f"{one} {sign} {other}"


@pytest.mark.skipif(not shutil.which("dpkg"), reason="dpkg is not here")
def test_debian_agrees_with_dpkg() -> None:
    chance = random.Random(7)
    parts = ["0", "1", "9", "10", "01", "a", "b", "rc", "+", "~", ".", "~~", "dfsg", "Z"]

    def make() -> str:
        text = str(chance.randrange(3)) + "".join(chance.choices(parts, k=chance.randrange(5)))
        if chance.random() < 0.5:
            text += "-" + chance.choice("0123a") + "".join(chance.choices(parts, k=chance.randrange(3)))
        return (f"{chance.randrange(2)}:" if chance.random() < 0.3 else "") + text

    key = versions.ORDERS["deb"]
    for _ in range(150):
        one, other = make(), make()
        less = subprocess.run(["dpkg", "--compare-versions", one, "lt", other], capture_output=True, check=False)
        equal = subprocess.run(["dpkg", "--compare-versions", one, "eq", other], capture_output=True, check=False)
        assert (key(one) < key(other)) == (less.returncode == 0), f"{one} < {other}"
        assert (key(one) == key(other)) == (equal.returncode == 0), f"{one} = {other}"
