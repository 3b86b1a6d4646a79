"""What the kernel side lets through is never less than what a rule could fire on."""

import pytest

from seawall.core.severity import Severity
from seawall.runtime.detect import reach
from seawall.runtime.detect.parse import parse
from seawall.runtime.model import Category, Kind, Rule

LISTS = {"accounts": ("/etc/passwd", "/etc/shadow")}


def rule(text, kinds=(Kind.OPEN,), **more):
    return Rule(
        "r", "t", more.pop("category", Category.FILE_TAMPERING), Severity.LOW, kinds, parse(text, {}, LISTS), **more
    )


@pytest.mark.parametrize(
    ("text", "paths", "prefixes", "names"),
    [
        ("fd.name = /etc/passwd", {"/etc/passwd"}, set(), set()),
        ("fd.name in accounts", {"/etc/passwd", "/etc/shadow"}, set(), set()),
        ("fd.name startswith /etc/cron", set(), {"/etc/"}, set()),
        ("fd.name pmatch (/etc/cron.d)", {"/etc/cron.d"}, {"/etc/cron.d/"}, set()),
        ("fd.name endswith /.ssh/authorized_keys", set(), set(), {"authorized_keys"}),
        ("fd.name glob /home/*/.bashrc", set(), set(), {".bashrc"}),
        ("fd.name glob /etc/init.d/*", set(), {"/etc/init.d/"}, set()),
        ("fd.directory = /etc/x", set(), {"/etc/x/"}, set()),
        ("fd.filename = a or fd.name = /b", {"/b"}, set(), {"a"}),
        ("proc.name = x and fd.filename in (a, b)", set(), set(), {"a", "b"}),
        ("fd.name startswith /etc/ and fd.name = /etc/passwd", {"/etc/passwd"}, set(), set()),
    ],
)
def test_bounds(text, paths, prefixes, names):
    found = reach.bound(rule(text).when, reach.path_atom, LISTS)
    assert (found.paths, found.prefixes, found.names) == (paths, prefixes, names)


@pytest.mark.parametrize(
    "text",
    [
        "proc.name = bash",
        "not fd.name = /etc/passwd",
        "fd.name = /a or proc.name = b",
        "fd.name contains passwd",
        "fd.name endswith wd",
        "fd.name startswith /",
        "fd.name != /a",
        "fd.name glob *x*",
        "fd.name exists",
    ],
)
def test_an_open_rule_that_would_let_everything_through_is_refused(text):
    assert "bound the path" in reach.problem(rule(text), LISTS)


def test_scope_is_the_containers_only_when_every_open_rule_says_so():
    inside, anywhere = rule("container.id != host and fd.filename = a"), rule("fd.filename = b")
    assert reach.filters([inside], LISTS)["open_scope"] == "container"
    assert reach.filters([inside, anywhere], LISTS)["open_scope"] == "all"
    assert not reach.only_containers(parse("container.id != host or fd.filename = a", {}, {}))
    assert reach.only_containers(parse("container.name = web", {}, {}))


def test_kinds_and_names_to_block():
    blocking = rule(
        "proc.exename in (sh, bash) and stdio.sockets > 1",
        (Kind.EXEC,),
        category=Category.REVERSE_SHELL,
        action="block",
    )
    off = rule("fd.filename = a", enabled=False)
    found = reach.filters([blocking, off], LISTS)
    assert found["block"] == {"reverse_shell": {"names": ["bash", "sh"]}}
    assert found["kinds"] == ["exec", "exit", "fork"]
    assert found["open_names"] == []


def test_tables_of_the_kernel_side_do_not_overflow():
    many = rule(f"fd.filename in ({', '.join(f'f{n}' for n in range(193))})")
    with pytest.raises(ValueError, match="193 open_names"):
        reach.filters([many], LISTS)
    assert "longer than" in reach.problem(rule(f"fd.name startswith /{'x' * 70}/"), LISTS)
