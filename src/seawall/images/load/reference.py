"""`python -m seawall.images.load.reference > docs/reference/secrets.md`: the rules of secrets, for people."""

import sys
from collections.abc import Iterator

from seawall.images.detect import sensitive
from seawall.images.detect.sensitive.kind import TEXTS
from seawall.images.load.secrets import sheets

HEAD = """\
# Secrets and other sensitive files

Made by `python -m seawall.images.load.reference` from the rules in `src/seawall/images/rules/secrets` and the kinds of
files in `src/seawall/images/detect/sensitive`. `seawall image scan --scanners secret` looks for all of them. *How*:
a **token** is known by its own form and looked for in programs too; a **name** is what is assigned to something so
called; a **form** is a line of a product's; a **file** rule runs over files of certain names only; **weighed** ones
are scored by name, value and place. Advice stands above each table.
"""


def text() -> str:
    """The whole page."""
    return "\n".join((HEAD, *_rules(), *_files()))


def _rules() -> Iterator[str]:
    rules = list(sheets())
    yield f"{len(rules)} kinds of secrets."
    sheet = ""
    for name, rule in rules:
        if name != sheet:
            sheet = name
            yield f"\n## {name.capitalize()}\n"
            yield f"{rule['advice']['en']}<br>{rule['advice']['zh']}\n"
            yield "| rule | severity | what | how |\n|---|---|---|---|"
        title = f"{rule['title']['en']}<br>{rule['title']['zh']}"
        yield f"| `{rule['id']}` | {rule['severity']} | {_cell(title)} | {_how(rule)} |"


def _how(rule: dict[str, object]) -> str:
    if rule["category"] == "assignment":
        return "weighed"
    if rule.get("keywords") == []:
        return "file"
    if "pattern" in rule or rule.get("strong"):
        return "token"
    return "name" if "names" in rule else "form"


def _files() -> Iterator[str]:
    yield "\n# Files that should not be in an image\n"
    for category, ((why, advice), (why_zh, advice_zh)) in TEXTS.items():
        yield f"\n## {category.capitalize()}\n"
        yield f"{why} {advice}<br>{why_zh}{advice_zh}\n"
        yield "| check | severity | what |\n|---|---|---|"
        for kind in sensitive.KINDS:
            if kind.category == category:
                yield f"| `{kind.id}` | {kind.severity.value} | {_cell(f'{kind.en}<br>{kind.zh}')} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(text())
