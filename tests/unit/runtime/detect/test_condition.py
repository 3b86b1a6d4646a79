"""Compiled conditions: each operator, absent fields, many-valued fields, networks."""

import pytest

from seawall.runtime.detect.condition import compile_condition, fields_of
from seawall.runtime.detect.examples import build
from seawall.runtime.detect.fields import FIELDS
from seawall.runtime.detect.parse import parse
from seawall.runtime.model import Kind

LISTS = {"shells": ("sh", "bash")}


def event(**more):
    return build({"event": {"kind": "exec", "container": True, **more}})[0]


def holds(text, event):
    return compile_condition(parse(text, {}, LISTS), LISTS)(event)


BASH = event(
    process={"exe": "/usr/bin/bash", "args": ["bash", "-c", "Echo x"], "uid": 5, "caps": 1 << 21},
    parents=[{"exe": "/usr/sbin/nginx"}, {"exe": "/sbin/init"}],
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("proc.name = bash", True),
        ("proc.name != bash", False),
        ("proc.name in shells", True),
        ("proc.name in (zsh, fish)", False),
        ("proc.name intersects (zsh, bash)", True),
        ("proc.exepath startswith /usr/", True),
        ("proc.exepath endswith /bash", True),
        ("proc.exepath glob /usr/*/ba??", True),
        ("proc.exepath iglob /USR/BIN/BASH", True),
        ("proc.exepath pmatch (/usr, /opt)", True),
        ("proc.exepath pmatch (/us)", False),
        ("proc.exepath pmatch (/usr/bin/bash)", True),
        ("proc.args contains Echo", True),
        ("proc.args contains echo", False),
        ("proc.args icontains eCHO", True),
        ("user.uid > 4 and user.uid <= 5 and user.uid < 6 and user.uid >= 5 and user.uid = 5", True),
        ("user.uid in (1, 5)", True),
        ("thread.cap_effective contains CAP_SYS_ADMIN", True),
        ("proc.is_exe_upper_layer = false", True),
        ("proc.aname = nginx", True),
        ("proc.aname[2] = init", True),
        ("proc.aname[0] = bash", True),
        ("proc.aname[9] exists", False),
        ("proc.aname in (init)", True),
        ("proc.aname startswith ngi", True),
        ("proc.pname = nginx", True),
        ("container.id = c0ffee000000", True),
        ("container.image.repository = shop/web and container.image.tag = 1.4", True),
        ("fd.name exists", False),
    ],
)
def test_operators(text, expected):
    assert holds(text, BASH) is expected


@pytest.mark.parametrize(
    "check", ["fd.name = a", "fd.name != a", "fd.name in (a)", "fd.port > 0", "fd.net in (10.0.0.0/8)"]
)
def test_a_check_on_an_absent_field_is_false_and_its_not_true(check):
    assert holds(check, BASH) is False
    assert holds(f"not {check}", BASH) is True


@pytest.mark.parametrize(
    ("host", "inside"), [("10.1.2.3", True), ("192.168.0.1", False), ("2001:db8::1", True), ("2001:db9::1", False)]
)
def test_networks(host, inside):
    peer = f"[{host}]:80" if ":" in host else f"{host}:80"
    assert holds("fd.net in (10.0.0.0/8, 2001:db8::/32)", event(kind="connect", peer=peer)) is inside
    assert holds("fd.net != 10.0.0.0/8", event(kind="connect", peer=peer)) is (host != "10.1.2.3")


def test_every_field_answers_for_every_kind_of_event():
    for kind in Kind:
        bare = event(kind=kind.value)
        host = build({"event": {"kind": kind.value}})[0]
        full = event(
            kind=kind.value,
            file="/etc/x",
            peer="10.0.0.1:80",
            process={"stdio": ["inet 10.0.0.1:80 out", "pipe 3", "null"], "namespaces": {"mnt": 1}},
            parents=[{"exe": "/bin/a", "container": False}],
        )
        for field in FIELDS.values():
            for one in (bare, host, full):
                value = field.get(one)
                kinds = {"number": int, "flag": bool, "many": tuple, "ports": (int, tuple), "net": (str, tuple)}
                wanted = kinds.get(field.type, str)
                assert value is None or isinstance(value, wanted), field.name


def test_forms_that_parse_would_not_make_are_refused():
    deep = ["=", "proc.name", "a"]
    for _ in range(100):
        deep = ["not", deep]
    for wrong in (
        deep,
        ["~", "proc.name", "a"],
        ["=", "no.field", "a"],
        ["in", "proc.name", "no list"],
        ["<", "proc.name", "a"],
    ):
        with pytest.raises((ValueError, KeyError)):
            compile_condition(wrong, {})


def test_fields_of_a_condition():
    assert list(fields_of(parse("proc.name = a and not (fd.name exists or proc.aname[2] = b)", {}, {}))) == [
        "proc.name",
        "fd.name",
        "proc.aname[2]",
    ]
