"""The reference names every field, operator and packaged rule, as they are."""

from pathlib import Path

from seawall.runtime import load
from seawall.runtime.detect.condition import OPERATORS
from seawall.runtime.load import reference
from seawall.runtime.model import Kind

REFERENCE = Path(__file__).parents[3] / "docs/reference"
TEXT = (REFERENCE / "rules.md").read_text()


def test_the_page_of_fields_is_the_registry():
    assert (REFERENCE / "fields.md").read_text() == reference.text(), "python -m seawall.runtime.load.reference"


def test_every_packaged_rule_is_told():
    for rule in load.system_plan().rules:
        block = ", block" if rule.action == "block" else ""
        assert f"| `{rule.id}` | {rule.category} | {rule.severity}{block} | {rule.title} |" in TEXT


def test_every_operator_kind_and_key_is_told():
    words = {word for operators in OPERATORS.values() for word in operators} | set(Kind) | load.KEYS["rule"] - {"rule"}
    assert [word for word in sorted(words) if f"`{word}`" not in TEXT] == []


def test_the_example_in_the_text_compiles_and_holds(tmp_path, capsys):
    from seawall.cli import runtime

    example = TEXT.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "example.yaml").write_text(example)
    assert runtime.main(["rules", "test", str(tmp_path)]) == 0
