"""Layers on top of each other: marks take away, databases are written whole, owned evidence is the distribution's."""

import io
import json
import tarfile
from pathlib import Path

import pytest

import archives
import programs
from archives import layer, metadata, special, status
from jars import jar
from seawall.images.collect import layers, packages, system
from seawall.images.collect.packages import FORMATS
from seawall.images.collect.reading import Reading
from seawall.images.model import Location, Package

STATUS = "var/lib/dpkg/status"
SITE = "usr/lib/python3/dist-packages"


def merged(*tars: bytes) -> dict[str, Package]:
    found = layers.merge([(index, layers.read(io.BytesIO(one), Reading())) for index, one in enumerate(tars)]).packages
    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def dist(name: str, version: str = "1.0", at: str = SITE) -> tuple[str, bytes]:
    return f"{at}/{name}-{version}.dist-info/METADATA", metadata(name, version)


def test_each_package_has_the_layer_that_brought_it() -> None:
    found = merged(
        layer({STATUS: status(a="1", b="1")}),
        layer({"unrelated": b""}),
        layer({STATUS: status(a="1", b="2", c="1")}),
    )
    assert {name: (one.version, one.locations[0].layer) for name, one in found.items()} == {
        "a": ("1", 0),
        "b": ("2", 2),
        "c": ("1", 2),
    }


def test_a_whiteout_takes_a_file_and_a_folder() -> None:
    base = layer(dict([dist("one"), dist("two"), dist("three", at="opt/x")]))
    top = layer({f"{SITE}/.wh.one-1.0.dist-info": b"", "opt/.wh.x": b""})
    assert set(merged(base, top)) == {"two"}


def test_an_opaque_folder_hides_what_is_below_and_shows_its_own() -> None:
    base = layer(dict([dist("old"), dist("kept", at="opt/other")]))
    top = layer({**dict([dist("new")]), f"{SITE}/.wh..wh..opq": b""})
    assert set(merged(base, top)) == {"new", "kept"}


def test_a_whiteout_does_not_reach_layers_above() -> None:
    base = layer({f"{SITE}/.wh.a-1.0.dist-info": b""})
    assert set(merged(base, layer(dict([dist("a")])))) == {"a"}


def test_a_name_that_only_begins_alike_stays() -> None:
    base = layer(dict([dist("a", at="opt/lib"), dist("b", at="opt/lib2")]))
    assert set(merged(base, layer({"opt/.wh.lib": b""}))) == {"b"}


def test_a_link_covers_what_was_there() -> None:
    base = layer(dict([dist("a", at="opt/lib")]))
    assert merged(base, layer({"opt/lib": "/elsewhere"})) == {}


def test_a_broken_file_hides_the_one_below() -> None:
    path = "app/node_modules/x/package.json"
    base = layer({path: json.dumps({"name": "x", "version": "1"}).encode()})
    assert merged(base, layer({path: b"{"})) == {}


def test_whatever_lies_over_a_file_hides_it() -> None:
    path, data = dist("a")
    base = layer({path: data})
    for over in (special(path, tarfile.CHRTYPE), special(path, tarfile.LNKTYPE, "nowhere"), bytes(5 << 20), "link"):
        assert merged(base, layer({path: over})) == {}
    assert set(merged(base, layer({path: special(path, tarfile.DIRTYPE)}))) == {"a"}, "a folder there changes nothing"


def test_the_system_is_known_through_links_too() -> None:
    files = {
        "usr/lib/os-release": archives.OS_RELEASE,
        "etc/os-release": special("etc/os-release", tarfile.LNKTYPE, "usr/lib/os-release"),
    }
    for over in (files, {**files, "etc/os-release": "../usr/lib/os-release"}):
        found = layers.merge([(0, layers.read(io.BytesIO(layer(over)), Reading()))]).system
        known = system.detect(found)
        assert known is not None
        assert (known.id, known.version) == ("debian", "11")


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"etc/alpine-release": b"3.4.6\n"}, ("alpine", "3.4.6")),
        ({"etc/debian_version": b"8.11\n"}, ("debian", "8.11")),
        ({"etc/os-release": b"ID=debian\n", "etc/debian_version": b"trixie/sid\n"}, ("debian", "trixie/sid")),
        ({"etc/os-release": b"ID='Wolfi'\n# VERSION_ID=1\nrubbish\n=\n"}, ("wolfi", "")),
    ],
)
def test_old_and_odd_systems(files: dict[str, bytes], wanted: tuple[str, str]) -> None:
    known = system.detect(files)
    assert known is not None
    assert (known.id, known.version) == wanted


def test_what_an_os_package_brought_is_owned() -> None:
    path, data = dist("yaml")
    files = {
        STATUS: status(**{"python3-yaml": "5"}),
        "var/lib/dpkg/info/python3-yaml.list": f"/.\n/{path}\n".encode(),
        path: data,
        **dict([dist("flask", at="usr/local/lib/python3/site-packages")]),
    }
    found = merged(layer(files))
    assert {name: one.owned for name, one in found.items()} == {"python3-yaml": False, "yaml": True, "flask": False}


def test_apk_owns_too_and_names_the_source() -> None:
    database = f"P:py3-yaml\nV:5-r0\nA:x86_64\nL:MIT\no:yaml-src\nF:{SITE}/yaml-1.0.dist-info\nR:METADATA\n\n"
    found = merged(layer({"lib/apk/db/installed": database.encode(), **dict([dist("yaml")])}))
    assert found["yaml"].owned
    assert (found["py3-yaml"].source_name, found["py3-yaml"].license) == ("yaml-src", "MIT")


def test_removed_debs_do_not_count_and_sources_are_read() -> None:
    text = (
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl (3.0-1)\n"
        "Version: 3.0-1+b1\n"
        "Description: many\n lines\n Version: of nothing\n"
    )
    found = merged(layer({STATUS: text.encode()}))
    assert set(found) == {"libssl3"}
    assert (found["libssl3"].source_name, found["libssl3"].source_version) == ("openssl", "3.0-1")
    assert found["libssl3"].version == "3.0-1+b1"


def test_distroless_has_one_file_a_package() -> None:
    single = b"Package: base-files\nVersion: 12\nArchitecture: amd64\n"
    files = {"var/lib/dpkg/status.d/base": single, "var/lib/dpkg/status.d/base.md5sums": b"abc  usr/x\n"}
    assert set(merged(layer(files))) == {"base-files"}


def test_npm_packages_in_several_places_are_one_with_all_places() -> None:
    manifest = json.dumps({"name": "@s/x", "version": "1.0.0", "license": "MIT"}).encode()
    places = [f"{at}/node_modules/@s/x/package.json" for at in ("app", "app/node_modules/y", "opt")]
    inner = {"app/node_modules/y/lib/package.json": json.dumps({"name": "no", "version": "1"}).encode()}
    found = merged(layer({**dict.fromkeys(places, manifest), **inner}))
    assert set(found) == {"@s/x"}
    assert found["@s/x"].locations == tuple(Location(place, 0) for place in sorted(places))


def test_old_eggs() -> None:
    files = {"lib/a.egg-info": metadata("a", "1"), "lib/b.egg-info/PKG-INFO": metadata("b", "2"), "c.egg-info": b""}
    read = layers.read(io.BytesIO(layer(files)), Reading())
    assert {package.name for one in read.found.values() for package in one.packages} == {"a", "b"}
    assert [one.where for one in read.skipped] == ["c.egg-info"]


def test_a_file_over_the_limit_is_counted() -> None:
    read = layers.read(io.BytesIO(layer({"x.dist-info/METADATA": bytes(5 << 20)})), Reading())
    assert "the limit is" in read.skipped[0].why


def test_a_name_that_is_not_utf8_survives() -> None:
    data = archives.tar([("opt/\udcff/a-1.dist-info/METADATA", metadata("a", "1"))])
    assert merged(data)["a"].locations[0].path.startswith("opt/\udcff")


def test_every_format_is_a_file_and_every_file_a_format() -> None:
    files = {path.stem for path in Path(packages.__file__).parent.glob("*.py")} - {"__init__", "format"}
    assert files == set(FORMATS)


def test_programs_that_an_os_package_brought_are_that_package() -> None:
    """Databases write /bin/bash where the file lies in /usr/bin, and the other way round."""
    program = programs.elf({".rodata": b"\0@(#)Bash version 5.2.15(1) release\0"})
    files = {
        STATUS: status(bash="5.2.15-2"),
        "var/lib/dpkg/info/bash.list": b"/.\n/bin\n/bin/bash\n",
        "usr/bin/bash": program,
    }
    assert set(merged(layer(files))) == {"bash"}
    own = layers.merge([(0, layers.read(io.BytesIO(layer({**files, "opt/bin/bash": program})), Reading()))]).packages
    assert {(one.kind, one.locations[0].path) for one in own} == {("deb", STATUS), ("generic", "opt/bin/bash")}


def test_go_modules_and_jars_of_an_os_package_are_owned() -> None:
    files = {
        "var/lib/dpkg/info/x.list": b"/.\n/usr/bin/tide\n/usr/share/java/tide-1.0.jar\n",
        "usr/bin/tide": programs.go(),
        "usr/local/bin/tide": programs.go("go1.20.1", ""),
        "usr/share/java/tide-1.0.jar": jar({"x": b""}),
    }
    found = layers.merge([(0, layers.read(io.BytesIO(layer(files)), Reading()))]).packages
    assert {(one.name, one.version) for one in found if not one.owned} == {("stdlib", "1.20.1")}
    assert {one.kind for one in found if one.owned} == {"golang", "maven"}


def test_what_lies_in_an_archive_has_its_place_there() -> None:
    data = jar({"BOOT-INF/lib/tide-1.0.jar": jar({"x": b""})})
    found = merged(layer({"opt/app.jar": data}))
    assert found["tide"].locations == (Location("opt/app.jar!/BOOT-INF/lib/tide-1.0.jar", 0),)


def test_what_is_declared_joins_what_is_installed() -> None:
    lock = {"packages": {"node_modules/x": {"version": "1.0.0"}, "node_modules/dev": {"version": "2.0.0"}}}
    files = {
        "app/package-lock.json": json.dumps(lock).encode(),
        "app/node_modules/x/package.json": json.dumps({"name": "x", "version": "1.0.0"}).encode(),
        "app/requirements.txt": b"Py_YAML==6.0\nother==1\n",
        **dict([dist("py-yaml", "6.0")]),
    }
    found = merged(layer(files))
    assert {name: one.declared for name, one in found.items()} == {
        "x": False, "dev": True, "py-yaml": False, "other": True
    }  # fmt: skip
    assert [one.path for one in found["x"].locations] == ["app/node_modules/x/package.json", "app/package-lock.json"]
