"""What the kernel is asked to refuse is what the rule says, no more; what cannot be said so is left out."""

import pytest

from seawall.runtime.detect.exact import Denials, denials
from seawall.runtime.load import compile_paths

ITEM = """
- list: folders
  items: [/opt/keys, /opt/certs]
- rule: one
  title: One
  category: {category}
  severity: high
  action: {action}
  kinds: [{kinds}]
  condition: {condition}
"""


def found(tmp_path, condition: str, kinds: str = "open", *, action: str = "block", more: str = ""):
    path = tmp_path / "rules.yaml"
    path.write_text(ITEM.format(condition=condition, kinds=kinds, action=action, category="escape") + more)
    compiled = compile_paths([path])
    assert not compiled.errors, compiled.errors
    return denials(compiled.plan)


@pytest.mark.parametrize(
    ("condition", "kinds", "wanted"),
    [
        ("container.id != host and fd.name = /etc/shadow", "open", Denials(write_paths=frozenset(["/etc/shadow"]))),
        ("fd.name in (/a/x, /b/y) and evt.rawres >= 0", "open", Denials(write_paths=frozenset(["/a/x", "/b/y"]))),
        ("fd.name startswith /etc/cron.d/", "open", Denials(write_prefixes=frozenset(["/etc/cron.d/"]))),
        ("container.id != host and proc.is_exe_from_memfd = true", "exec", Denials(marks=frozenset(["memfd"]))),
        ("fd.filename = authorized_keys", "open", Denials(write_names=frozenset(["authorized_keys"]))),
        (
            "fd.name pmatch (folders)",
            "open",
            Denials(
                write_paths=frozenset(["/opt/keys", "/opt/certs"]),
                write_prefixes=frozenset(["/opt/keys/", "/opt/certs/"]),
            ),
        ),
        (
            "container.id != host and (proc.exename = nmap or proc.exepath startswith /dev/shm/)",
            "exec",
            Denials(exec_names=frozenset(["nmap"]), exec_prefixes=frozenset(["/dev/shm/"])),
        ),
        ("container.id != host", "mount, ptrace", Denials(calls=frozenset(["mount", "ptrace"]))),
        ("fd.sip in (203.0.113.7, 198.51.100.9)", "connect", Denials(peers=frozenset(["203.0.113.7", "198.51.100.9"]))),
    ],
)
def test_what_a_table_can_say_is_said(tmp_path, condition, kinds, wanted):
    assert found(tmp_path, condition, kinds) == wanted


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        ("fd.name = /etc/shadow and proc.name = vi", "open"),
        ("fd.name = /etc/shadow and not proc.name = passwd", "open"),
        ("fd.name startswith /etc/cron", "open"),
        ("fd.directory = /etc", "open"),
        ("fd.name = /a/b or (fd.name = /a/c and user.uid = 0)", "open"),
        ("container.id != host", "exec"),
        ("proc.exename = bash and stdio.sockets > 0", "exec"),
        ("fd.sip = 203.0.113.7 and fd.port = 22", "connect"),
        ("container.image.repository = web and evt.rawres >= 0", "mount"),
    ],
)
def test_what_says_more_is_left_to_other_means(tmp_path, condition, kinds):
    assert found(tmp_path, condition, kinds) == Denials()


def test_alerting_rules_deny_nothing(tmp_path):
    assert found(tmp_path, "fd.name = /etc/shadow", action="alert") == Denials()


def test_an_allowing_rule_of_the_category_lifts_it(tmp_path):
    allow = ITEM.split("- rule: one")[1].format(
        condition="fd.name = /etc/shadow", kinds="open", action="allow", category="escape"
    )
    assert found(tmp_path, "fd.name = /etc/shadow", more="- rule: two" + allow) == Denials()


def test_a_rule_that_overflows_a_table_is_left_out(tmp_path):
    many = ", ".join(f"/opt/f{number}" for number in range(200))
    more = ", ".join(f"/var/f{number}" for number in range(100))
    second = ITEM.split("- rule: one")[1].format(
        condition=f"proc.exepath in ({more})", kinds="exec", action="block", category="escape"
    )
    answer = found(tmp_path, f"proc.exepath in ({many})", "exec", more="- rule: two" + second)
    assert answer.exec_paths == frozenset(f"/opt/f{number}" for number in range(200))
