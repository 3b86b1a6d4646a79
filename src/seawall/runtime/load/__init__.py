"""Rule files (YAML) → compiled plan. Runs on the server and in the command line, never in the agent.

Both forms are taken, Seawall's own and Falco's, also side by side. `python -m seawall.runtime.load OUT` writes the plan
of the packaged rules, from which a node starts. docs/reference/rules.md is the language. One broken item costs itself
and what uses it, never the rest.
"""

import functools
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seawall.core.errors import SeawallError
from seawall.runtime import plan as plans
from seawall.runtime.load import falco, items
from seawall.runtime.load.draft import Compiled, Draft
from seawall.runtime.load.items import Entry, Problem, Sheet
from seawall.runtime.load.native import KEYS, Native
from seawall.runtime.model import Plan

__all__ = ["KEYS", "RULES", "Compiled", "Entry", "Problem", "compile_paths", "compile_text", "system", "system_plan"]

RULES = Path(__file__).parents[1] / "rules"
FORMS = ("native", "falco")


def compile_paths(paths: Iterable[str | Path], base: Compiled | None = None) -> Compiled:
    """Compile files and folders (of *.yaml) in the order given.

    With `base`, its rules stand before these, and native ones may use its macros and lists; redefining one of those
    changes it for these alone. Never raises for what is in a file: `errors` tells it.
    """
    problems: list[Problem] = []
    return _compiled(list(items.read(paths, problems)), problems, base)


def compile_text(name: str, text: str, form: str = "", base: Compiled | None = None) -> Compiled:
    """As compile_paths, of one file's text. `form`: native, falco, or "" for what it looks like."""
    problems: list[Problem] = []
    sheet = Sheet(name, tuple(items.entries(name, text.encode(), problems)))
    return _compiled([sheet], problems, base, form)


def form_of(sheet: Sheet) -> str:
    """native or falco; "" for a file of lists and macros, which could be either."""
    for entry in sheet.entries:
        if entry.kind.startswith("required_") or falco.MARKS & set(entry.value):
            return "falco"
        if entry.kind == "rule" and set(entry.value) - {"rule", "enabled"}:
            return "native"
    return ""


def _compiled(sheets: list[Sheet], problems: list[Problem], base: Compiled | None, form: str = "") -> Compiled:
    forms = [form or form_of(sheet) for sheet in sheets]
    either = {found for found in forms if found} or {"native"}
    draft = Draft(problems, base)
    native = Native(draft, base)
    own: dict[tuple[str, str], Entry] = {}
    for sheet, found in zip(sheets, forms, strict=True):
        if found == "native" or (not found and "native" in either):
            own |= {(entry.kind, entry.name): entry for entry in sheet.entries}  # the later one of a name holds
    for kind in ("list", "macro", "rule"):
        for entry in own.values():
            if entry.kind == kind:
                native.add(entry)
    theirs = [
        sheet
        for sheet, found in zip(sheets, forms, strict=True)
        if found == "falco" or (not found and "falco" in either)
    ]
    macros: Mapping[str, list[Any]] = native.macros
    lists: Mapping[str, tuple[str, ...]] = native.lists
    if theirs:
        collected = falco.collect(theirs, draft)
        macros, lists = {**macros, **collected.compiled()}, {**lists, **collected.lists}
    return draft.finish(macros, lists, native.labels)


@functools.cache
def system() -> Compiled:
    """The packaged rules. Raises SeawallError if any of them does not compile, which a test makes sure of."""
    compiled = compile_paths([RULES])
    if compiled.errors:
        first = compiled.errors[0]
        raise SeawallError(f"packaged rule {first.rule}: {first.file}:{first.line}: {first.message}")
    return compiled


def system_plan() -> Plan:
    """The plan of the packaged rules."""
    return system().plan


def main(arguments: Sequence[str]) -> int:
    """Write the packaged plan to the file named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m seawall.runtime.load OUT\n")
        return 2
    compiled = compile_paths([RULES])
    for problem in compiled.errors:
        sys.stderr.write(f"{problem.file}:{problem.line}: {problem.rule}: {problem.message}\n")
    if compiled.errors:
        return 1
    out = Path(arguments[0])
    fresh = out.with_name(out.name + ".new")
    fresh.write_text(json.dumps(plans.encode(compiled.plan), ensure_ascii=False), "utf-8")
    fresh.replace(out)
    return 0
