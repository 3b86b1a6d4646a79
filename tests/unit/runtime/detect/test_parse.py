"""The condition language: precedence, lists, macros, and errors that say how to mend."""

import pytest

from seawall.runtime.detect.parse import MAX_TEXT, ConditionError, parse

MACROS = {
    "container": ["!=", "container.id", "host"],
    "either": ["or", ["=", "proc.name", "a"], ["=", "proc.name", "b"]],
}
LISTS = {"shells": ("sh", "bash"), "ports": ("22", "0x50"), "nothing": ()}


def read(text):
    return parse(text, MACROS, LISTS)


def test_and_binds_closer_than_or_and_not_closest():
    assert read("proc.name = a or proc.name = b and not proc.name = c") == [
        "or",
        ["=", "proc.name", "a"],
        ["and", ["=", "proc.name", "b"], ["not", ["=", "proc.name", "c"]]],
    ]


def test_brackets_macros_and_rows_of_one_operator():
    assert read("container and (proc.name = a and (proc.name = b))") == [
        "and",
        ["!=", "container.id", "host"],
        ["=", "proc.name", "a"],
        ["=", "proc.name", "b"],
    ]
    assert read("not not container") == MACROS["container"]
    assert read("not(either)") == ["not", MACROS["either"]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("proc.name in (shells)", "shells"),
        ("proc.name in shells", "shells"),
        ("proc.name in (shells, zsh)", ["sh", "bash", "zsh"]),
        ("proc.name in ('shells')", ["shells"]),
        ("proc.name in ()", []),
        ("proc.name in (nothing, a)", ["a"]),
        ("fd.port in (ports, 443)", [22, 80, 443]),
        ("fd.port in ports", [22, 80]),
    ],
)
def test_lists_stand_for_their_items(text, value):
    assert read(text)[2] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("fd.name=/etc/passwd", "/etc/passwd"),
        ('fd.name = "/a b(c),=d"', "/a b(c),=d"),
        (r"fd.name = 'it\'s'", "it's"),
        ("evt.rawres>=0", 0),
        ("evt.rawres >= -115", -115),
        ("fd.port = 0x1F", 31),
        ("evt.failed = true", True),
        ('fd.name = ""', ""),
        ("fd.name glob */x/*", "*/x/*"),
        ("fd.name == a", "a"),
    ],
)
def test_values_have_the_type_of_their_field(text, value):
    assert read(text)[2] == value


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("proc.nam = a", "there is no field proc.nam", "did you mean proc.name?"),
        ("proc.name[1] = a", "does not take", ""),
        ("proc.aname[99] = a", "does not take", "32"),
        ("contaner", "there is no macro contaner", "did you mean container?"),
        ("proc.name in shels", "there is no list shels", "did you mean shells?"),
        ("proc.name", "an operator is missing", "startswith"),
        ("proc.name > a", "> cannot be asked of proc.name", "use one of"),
        ("fd.port = http", "fd.port is a number", "decimal"),
        ("evt.failed = yes", "true or false", "evt.failed = true"),
        ("evt.failed exists and fd.net in (10.0.0.0/8, intranet)", "compared with networks", "10.0.0.0/8"),
        ("(proc.name = a", "a bracket is not closed", "add )"),
        ("proc.name = a)", "something is left over", "join checks"),
        ("proc.name = a proc.name = b", "something is left over", "and / or"),
        ("proc.name in (a b)", "the list is not closed", "separate values"),
        ("proc.name =", "a value is missing", '""'),
        ("", "a field or macro is missing", "proc.name = bash"),
        ("and", "a field or macro is missing", ""),
        ("(" * 100 + "container" + ")" * 100, "too many brackets", "60"),
        ("container or " * (MAX_TEXT // 10), "characters", "at most"),
    ],
)
def test_errors_name_the_place_and_the_mend(text, message, hint):
    with pytest.raises(ConditionError) as error:
        read(text)
    assert message in str(error.value)
    assert hint in error.value.hint


def test_macros_cannot_be_stacked_into_a_bomb():
    macros = {"m0": ["=", "proc.name", "a"]}
    with pytest.raises(ConditionError, match="parts"):
        for level in range(1, 20):
            macros[f"m{level}"] = parse(f"not m{level - 1} or not m{level - 1} or container", macros | MACROS, LISTS)
