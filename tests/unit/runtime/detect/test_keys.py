"""Rules that are found by a value or a path: never missed, whatever way the path is written."""

import itertools

import pytest

from seawall.runtime.detect import keys
from seawall.runtime.detect.condition import compile_condition
from seawall.runtime.detect.nodes import Web
from seawall.runtime.model import Event, File, Kind, Process

LISTS = {"ports": ("22", "0x1bb"), "logs": ("/var/log", "/a")}
PARTS = ("", "/", "a", "/a", "/a/", "/var", "log", "/var/log/x", "//", "x.php", ".ssh/authorized_keys", "0")
PATHS = sorted({one + two for one, two in itertools.product(PARTS, PARTS)} | {"/a/b/c/d/e/x.php"})
CHECKS = [
    ["=", "fd.name", "/var/log/x"],
    ["=", "fd.name", "/a/"],
    ["in", "fd.name", ["/a", "x.php"]],
    ["startswith", "fd.name", "/var/log"],
    ["startswith", "fd.name", "/a/b/c/d/e"],
    ["startswith anyof", "fd.name", ["/a/", "//a"]],
    ["endswith", "fd.name", "/authorized_keys"],
    ["glob", "fd.name", "/var/*/x"],
    ["glob", "fd.name", "/a/*.php"],
    ["pmatch", "fd.name", "logs"],
    ["pmatch", "fd.name", ["/a/b/c/d"]],
    ["=", "fd.filename", "x.php"],
    ["=", "fd.directory", "/"],
    ["in", "fd.directory", ["/var/log", "//", "a"]],
    ["or", ["=", "fd.directory", "/a"], ["in", "fd.filename", ["log"]]],
]


@pytest.mark.parametrize("when", CHECKS, ids=str)
def test_a_rule_is_found_by_every_path_on_which_it_holds(when: list[object]) -> None:
    found = keys.allowed(Web(LISTS).node(when), "fd.name", LISTS)
    assert found is not None
    check = compile_condition(when, LISTS)
    for path in PATHS:
        event = Event(Kind.OPEN, 1.0, Process(1, 1), file=File(path))
        assert not check(event) or not found.isdisjoint(keys.of_path(path)), path


@pytest.mark.parametrize(
    "when",
    [
        ["startswith", "fd.name", "/var"],
        ["endswith", "fd.name", "keys"],
        ["glob", "fd.name", "*/x"],
        ["contains", "fd.name", "/a/"],
        ["not", ["=", "fd.name", "/a"]],
        ["startswith allof", "fd.name", ["/a/", "/b/"]],
    ],
    ids=str,
)
def test_what_no_folder_or_name_bounds_is_asked_of_all(when: list[object]) -> None:
    assert keys.allowed(Web(LISTS).node(when), "fd.name", LISTS) is None


def test_ports_of_a_list_are_numbers() -> None:
    assert keys.best(Web(LISTS).node(["in", "fd.sport", "ports"]), LISTS) == ("fd.sport", frozenset([22, 443]))


def test_the_rarer_value_is_preferred() -> None:
    node = Web(LISTS).node(["and", ["=", "proc.is_shell", True], ["in", "proc.pname", ["java", "php"]]])
    assert keys.best(node, LISTS)[0] == "proc.pname"
