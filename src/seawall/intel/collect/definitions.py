"""OVAL definitions as they are published by distributions: what has to be installed, in which version, for whom.

Format: https://oval.mitre.org/language/version5.11/. Only tests of packages are understood; others say nothing here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from seawall.intel.collect.markup import Node, elements

_MODULE = re.compile(r"Module (\S+:\S+) is enabled")
_ARCH = re.compile(r"\barch is (\S+)")
_NAMES = "Red Hat|Oracle Linux|SUSE|openSUSE|AlmaLinux|Rocky|CentOS|Ubuntu|Azure|CBL"
_PRODUCT = re.compile(rf"((?:{_NAMES})\b.*?) (?:is|must be) installed")
_SILENT = re.compile(r"is signed with|is currently running|is set to boot|is running|kernel version|is locked")
_HARMLESS = re.compile(r"(?:is not affected|was not vulnerable|is not vulnerable)")
_NEVER = re.compile(r"(?:ignored|will not (?:be )?fix|decision has been made to ignore)")
_LATER = re.compile(r"(?:deferred|needs fixing but)")
TESTS = ("rpminfo_test", "dpkginfo_test")
OBJECTS = ("rpminfo_object", "dpkginfo_object")
STATES = ("rpminfo_state", "dpkginfo_state")


@dataclass(frozen=True, slots=True)
class Context:
    """Under which circumstances a package is meant."""

    products: tuple[str, ...] = ()
    module: str = ""
    arches: tuple[str, ...] = ()
    after: str = ""
    """A version that is not meant yet."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A package that a definition is about."""

    package: str
    fixed: str
    status: str
    context: Context
    last: str = ""
    """The last version that is meant, where none is named that mends it."""


@dataclass(frozen=True, slots=True)
class _Test:
    names: tuple[str, ...]
    fixed: str = ""
    last: str = ""
    after: str = ""
    none: bool = False
    """It asks for a version that no package has: "not affected" in SUSE's words."""
    any: bool = False
    """It asks only whether the package is there."""


class Definitions:
    """A document of definitions. The tests they refer to come after them, so it is read twice."""

    def __init__(self, data: bytes) -> None:
        """Raises ValueError for what is no OVAL or beyond a limit."""
        self._data = data
        self.made = ""
        self._tests: dict[str, _Test] = {}
        objects: dict[str, tuple[str, ...]] = {}
        states: dict[str, Node] = {}
        variables: dict[str, tuple[str, ...]] = {}
        tests: list[Node] = []
        for node in elements(data, "timestamp", "constant_variable", *TESTS, *OBJECTS, *STATES):
            name = node.attributes.get("id", "")
            if node.name == "timestamp":
                self.made = self.made or node.text.strip()
            elif node.name == "constant_variable":
                variables[name] = tuple(one.text.strip() for one in node.all("value"))
            elif node.name in OBJECTS:
                given = node.first("name")
                reference = given.attributes.get("var_ref", "") if given else ""
                objects[name] = (f"\0{reference}",) if reference else (node.said("name"),)
            elif node.name in STATES:
                states[name] = node
            else:
                tests.append(node)
        for test in tests:
            found, state = test.first("object"), test.first("state")
            names = objects.get(found.attributes.get("object_ref", "") if found else "", ())
            if names and names[0].startswith("\0"):
                names = variables.get(names[0][1:], ())
            known = states.get(state.attributes.get("state_ref", "")) if state else None
            if state is None or known is not None:
                self._tests[test.attributes.get("id", "")] = _test(names, known)

    def all(self) -> Iterator[Node]:
        """Each definition."""
        return elements(self._data, "definition")

    def hits(self, definition: Node) -> Iterator[Hit]:
        """The packages that a definition is about."""
        for criteria in definition.all("criteria"):
            yield from self._walk(criteria, Context())

    def _walk(self, node: Node, context: Context) -> Iterator[Hit]:
        if node.attributes.get("negate") == "true":
            return
        if node.name == "criterion":
            yield from self._criterion(node, context)
            return
        children = [child for child in node.children if child.name in ("criteria", "criterion")]
        if node.attributes.get("operator", "AND").upper() == "AND":
            rest = []
            for child in children:
                said = self._circumstance(child)
                if said is None:
                    rest.append(child)
                else:
                    context = _narrowed(context, said)
            children = rest
        for child in children:
            yield from self._walk(child, context)

    def _circumstance(self, node: Node) -> Context | None:
        """What a part says of circumstances, None when it is about packages."""
        if node.name == "criterion":
            comment = node.attributes.get("comment", "")
            if found := _MODULE.search(comment):
                return Context(module=found[1])
            if found := _ARCH.search(comment):
                return Context(arches=(found[1],))
            if found := _PRODUCT.search(comment):
                return Context(products=(found[1],))
            test = self._tests.get(node.attributes.get("test_ref", ""))
            if test is not None and test.after:
                return Context(after=test.after)
            told = _PACKAGE.match(comment) or _EARLIER.match(comment)
            return Context() if not told and (test is None or _SILENT.search(comment)) else None
        parts = [self._circumstance(child) for child in node.children if child.name in ("criteria", "criterion")]
        if any(part is None for part in parts):
            return None
        whole = Context()
        for part in parts:
            if part is not None:
                whole = Context(
                    (*whole.products, *part.products),
                    whole.module or part.module,
                    (*whole.arches, *part.arches),
                    whole.after or part.after,
                )
        return whole

    def _criterion(self, node: Node, context: Context) -> Iterator[Hit]:
        comment = node.attributes.get("comment", "")
        if self._circumstance(node) is not None:
            return
        test = self._tests.get(node.attributes.get("test_ref", ""))
        named = _PACKAGE.match(comment)
        names = (named[1],) if named else test.names if test else ()
        fixed, last = (test.fixed, test.last) if test else ("", "")
        if test is None and (told := _EARLIER.match(comment)):
            names, fixed = (told[1],), told[2]
        if _HARMLESS.search(comment) or (test is not None and test.none):
            status = "not_affected"
        elif fixed:
            status = "fixed"
        elif _NEVER.search(comment):
            status = "will_not_fix"
        elif _LATER.search(comment):
            status = "deferred"
        elif (test is not None and (test.any or last)) or named:
            status = "affected"
        else:
            return
        for name in names:
            yield Hit(name, fixed, status, context, last)


_PACKAGE = re.compile(r"(\S+) package in \S+ ")
"""How Ubuntu names the source package; its tests name the binary ones."""
_EARLIER = re.compile(r"(\S+) is earlier than (\S+)$")
"""Where a test is left out, its comment says the same."""


def _narrowed(context: Context, more: Context) -> Context:
    return replace(
        context,
        products=more.products or context.products,
        module=more.module or context.module,
        arches=more.arches or context.arches,
        after=more.after or context.after,
    )


def _test(names: tuple[str, ...], state: Node | None) -> _Test:
    if state is None:
        return _Test(names, any=True)
    if (evr := state.first("evr")) is not None:
        operation, version = evr.attributes.get("operation", ""), evr.text.strip()
        if operation.startswith("greater"):
            return _Test(names, after=version)
        if operation == "less than or equal":
            return _Test(names, last=version)
        return _Test(names) if operation == "equals" else _Test(names, fixed=version)
    return _Test(names, none=state.said("version") == "0")
