"""From a condition's text to its compiled form (condition.py): Falco's filter language.

    expression  := term ("or" term)*            term := factor ("and" factor)*
    factor      := "not" factor | "(" expression ")" | check | MACRO
    check       := left "exists" | left operator right | left operator ("oneof" | "anyof" | "allof") list
                 | left ("in" | "intersects" | "pmatch") (list | other)
    left        := FIELD | transformer          FIELD may take an argument: proc.aname[2]
    right       := value | other                other := "val(" FIELD ")" | transformer
    transformer := NAME "(" argument ("," argument)* ")"      argument := left | "quoted" | number | "(" arguments ")"
    list        := "(" [value ("," value)*] ")" | LIST        names of lists stand for their items
    value       := bare word | 'quoted' | "quoted", with \\ escapes

Field names, value types and operators are checked here, so that a rule that compiles can run.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from seawall.core.errors import SeawallError
from seawall.runtime.detect import transform
from seawall.runtime.detect.condition import LIST_OPERATORS, MAX_DEPTH, OPERATORS, QUANTIFIERS, compile_check
from seawall.runtime.detect.fields import FIELDS
from seawall.runtime.detect.transform import TRANSFORMERS, Source

MAX_TEXT = 100_000
"""Characters of one condition."""
MAX_NODES = 20_000
"""Parts of one condition after its macros are put in."""

NO_LABELS: Mapping[str, str] = {}

_BLANK = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*(?:\[[^\]]*\])?")
_BARE = re.compile(r"""[^()"'\s=,]+""")
_OPERATOR = re.compile(r"<=|>=|==|!=|=|<|>|[a-z]+\b")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_FALCO_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", " ": "\\", "\\": "\\", "/": "/"}
"""A backslash before a blank is a backslash: rules have been written so, and are read so."""
_DELIMITED = r"(?<![^\s(),=]){}(?![^\s(),=])"
_TRIED = frozenset({"regex", "bcontains", "bstartswith"})
_RESERVED = frozenset({"and", "or", "not", "exists", *(word for words in OPERATORS.values() for word in words)})


class ConditionError(SeawallError):
    """A condition that cannot be read; the message shows where, the hint how to mend it."""


def parse(
    text: str,
    macros: Mapping[str, list[Any]],
    lists: Mapping[str, Sequence[str]],
    labels: Mapping[str, str] = NO_LABELS,
    *,
    falco: bool = False,
) -> list[Any]:
    """The compiled form of `text`, macros put in. Raises ConditionError.

    `labels` says under which name a list is kept in the plan, where that differs from its own. `falco`: read it to
    the letter as Falco does, where lists are put in as text, in quoted values too, and its escapes are few.
    """
    if len(text) > MAX_TEXT:
        raise ConditionError(f"the condition has {len(text)} characters", f"at most {MAX_TEXT} are taken")
    when = _Reader(text, (macros, lists, labels), falco).whole()
    nodes = _count(when)
    if nodes > MAX_NODES:
        raise ConditionError(f"the condition has {nodes} parts with its macros", f"at most {MAX_NODES} are taken")
    return when


class _Reader:
    """Recursive descent over one text; `at` is the place of the next character."""

    def __init__(
        self,
        text: str,
        words: tuple[Mapping[str, list[Any]], Mapping[str, Sequence[str]], Mapping[str, str]],
        falco: bool,
    ) -> None:
        self.text, self.falco = text, falco
        self.macros, self.lists, self.labels = words
        self.at = 0
        self.depth = 0

    def whole(self) -> list[Any]:
        """An expression and nothing after it."""
        found = self.expression()
        if self.at < len(self.text):
            self.fail("something is left over", "join checks by and / or; quote values that hold blanks or ( ) = ,")
        return found

    def expression(self) -> list[Any]:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail("too many brackets", f"nest at most {MAX_DEPTH} deep")
        parts = [self.term()]
        while self.word("or"):
            parts.append(self.term())
        self.depth -= 1
        return _joined("or", parts)

    def term(self) -> list[Any]:
        parts = [self.factor()]
        while self.word("and"):
            parts.append(self.factor())
        return _joined("and", parts)

    def factor(self) -> list[Any]:
        inverted = False
        while self.word("not"):
            inverted = not inverted
        if self.symbol("("):
            found = self.expression()
            if not self.symbol(")"):
                self.fail("a bracket is not closed", "add )")
        else:
            found = self.check()
        return ["not", found] if inverted else found

    def check(self) -> list[Any]:
        self.blank()
        start = self.at
        name = self.take(_NAME)
        if name is None or name in _RESERVED:
            self.at = start
            self.fail("a field or macro is missing", "write for instance: proc.name = bash")
        if name in TRANSFORMERS and self.text.startswith("(", self.at):
            form: Any = self.transformer(name)
        elif "." not in name:
            return self.macro(name, start)
        else:
            form = name
        left = self.source(form, start)
        self.blank()
        operator = self.operator(form, left)
        if operator == "exists":
            return ["exists", form]
        made = [operator, form, *self.right(left, operator)]
        if made[-1] in QUANTIFIERS:
            made = [f"{operator} {made.pop()}", form, self.values(left, operator)]
        if operator in _TRIED or left.type == "net" or isinstance(made[2], dict):
            self.tried(made, start)
        return made

    def tried(self, made: list[Any], start: int) -> None:
        """What only making the check shows: a pattern that is none, values that cannot be compared."""
        try:
            compile_check(made, _Labelled(self.lists, self.labels))
        except (ValueError, KeyError) as error:
            self.at = start
            self.fail(str(error), "docs/reference/rules.md tells what each operator takes")

    def macro(self, name: str, start: int) -> list[Any]:
        if name not in self.macros:
            self.at = start
            self.fail(f"there is no macro {name}", _meant(name, [*self.macros], "define it above this rule"))
        return self.macros[name]

    def right(self, left: Source, operator: str) -> tuple[Any]:
        """What stands right of an operator; the quantifier alone, where there is one."""
        self.blank()
        start = self.at
        name = self.take(_NAME)
        if name == "val" and self.symbol("("):
            field = self.take(_NAME) or ""
            self.source(field, start)
            if not self.symbol(")"):
                self.fail("a bracket is not closed", "write val(proc.name)")
            return ({"of": field},)
        if name in TRANSFORMERS and self.text.startswith("(", self.at):
            form = self.transformer(name)
            self.source(form, start)
            return ({"of": form},)
        if name in QUANTIFIERS and operator not in LIST_OPERATORS and self.symbol("("):
            self.at -= 1
            return (name,)
        if name in QUANTIFIERS and operator not in LIST_OPERATORS and self.named_list():
            return (name,)
        self.at = start
        if operator in LIST_OPERATORS:
            return (self.values(left, operator),)
        return (self.typed(left, operator, self.single()),)

    def named_list(self) -> bool:
        """Whether the name of a list comes next; nothing is taken."""
        self.blank()
        found = _BARE.match(self.text, self.at)
        return found is not None and found.group() in self.lists

    def transformer(self, name: str) -> list[Any]:
        """Its name is read; its arguments come."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail("too many brackets", f"nest at most {MAX_DEPTH} deep")
        form = [name, *self.arguments()]
        self.depth -= 1
        return form

    def arguments(self) -> list[Any]:
        found: list[Any] = []
        if not self.symbol("("):
            self.fail("a bracket is missing", "write for instance: tolower(proc.name)")
        while not self.symbol(")"):
            if found and not self.symbol(","):
                self.fail("the arguments are not closed", "separate them by , and end with )")
            found.append(self.argument())
        return found

    def argument(self) -> Any:
        self.blank()
        if self.text.startswith("(", self.at):
            return {"list": self.arguments()}
        if self.text[self.at : self.at + 1] in ("'", '"'):
            return {"text": self.value()}
        start = self.at
        name = self.take(_NAME)
        if name in TRANSFORMERS and self.text.startswith("(", self.at):
            return self.transformer(name)
        if name is not None and "." in name:
            self.source(name, start)
            return name
        self.at = start
        return {"text": self.value()}

    def source(self, form: Any, start: int) -> Source:
        try:
            return transform.source(form)
        except ValueError as error:
            self.at = start
            self.fail(str(error), "docs/reference/rules.md tells what each transformer takes")
        except KeyError as error:
            self.at = start
            name = str(error.args[0])
            plain = name.partition("[")[0]
            if plain in FIELDS:
                takes = FIELDS[plain].takes or "no argument"
                self.fail(f"{plain} does not take [{name.partition('[')[2]}", f"it takes {takes}")
            self.fail(f"there is no field {name}", _meant(plain, [*FIELDS], "docs/reference/fields.md lists them"))

    def operator(self, form: Any, left: Source) -> str:
        start = self.at
        allowed = ("exists", *OPERATORS[left.type])
        word = self.take(_OPERATOR)
        word = "=" if word == "==" else word
        if word is None or word not in allowed:
            self.at = start
            name = form if isinstance(form, str) else f"{form[0]}(…)"
            what = f"{word} cannot be asked of {name}" if word in _RESERVED else "an operator is missing"
            self.fail(f"{what}, a {left.type} field", f"use one of: {' '.join(allowed)}")
        return word

    def values(self, field: Source, operator: str) -> list[Any] | str:
        """The items of a list; or its name, when it is one list and nothing else."""
        self.blank()
        if not self.symbol("("):
            start = self.at
            name = self.value()
            if name not in self.lists:
                self.at = start
                self.fail(f"there is no list {name}", _meant(name, [*self.lists], "or write the values: (a, b)"))
            return self.named(field, operator, name)
        items: list[tuple[str, bool]] = []
        while not self.symbol(")"):
            if items and not self.symbol(","):
                self.fail("the list is not closed", "separate values by , and end with )")
            self.blank()
            quoted = self.text[self.at : self.at + 1] in ("'", '"')
            items.append((self.value(), not quoted))
        if len(items) == 1 and items[0][1] and items[0][0] in self.lists:
            return self.named(field, operator, items[0][0])
        flat: list[str] = []
        for item, bare in items:
            flat.extend(self.lists[item] if bare and item in self.lists else [item])
        return [self.typed(field, operator, item) for item in flat]

    def named(self, field: Source, operator: str, name: str) -> list[Any] | str:
        values = [self.typed(field, operator, item) for item in self.lists[name]]
        return values if field.type in ("number", "ports") else self.labels.get(name, name)

    def value(self) -> str:
        self.blank()
        quoted = self.take(_QUOTED)
        if quoted is not None:
            return self.unescaped(quoted[1:-1], quoted[0])
        bare = self.take(_BARE)
        if bare is None:
            self.fail("a value is missing", 'an empty text is ""')
        return bare

    def unescaped(self, text: str, quote: str) -> str:
        if not self.falco:
            return _ESCAPE.sub(r"\1", text)
        for name in self.lists:
            if name in text:
                text = re.sub(_DELIMITED.format(re.escape(name)), ", ".join(self.lists[name]), text)
        known = _FALCO_ESCAPES | {quote: quote}

        def one(found: re.Match[str]) -> str:
            if found[1] not in known:
                self.fail(f"\\{found[1]} is no escape", "write \\\\ for a backslash")
            return known[found[1]]

        return _ESCAPE.sub(one, text)

    def single(self) -> str:
        """One value. In Falco's form the name of a list stands for its items here too."""
        self.blank()
        start = self.at
        quoted = self.text[self.at : self.at + 1] in ("'", '"')
        found = self.value()
        if not self.falco or quoted or found not in self.lists:
            return found
        items = self.lists[found]
        if len(items) != 1:
            self.at = start
            self.fail(f"{found} is a list of {len(items)} items, not one value", f"write: in ({found})")
        return items[0]

    def typed(self, field: Source, operator: str, text: str) -> str | int | bool:
        if field.type in ("number", "ports"):
            try:
                return int(text, 0)
            except ValueError:
                self.fail(f"{field.name} is a number, not {text!r}", "write it decimal, or 0x…")
        if field.type == "flag":
            if text not in ("true", "false"):
                self.fail(f"{field.name} is true or false, not {text!r}", f"write {field.name} {operator} true")
            return text == "true"
        if field.type == "net" and not re.fullmatch(r"[0-9a-fA-F.:]+(/\d{1,3})?", text):
            self.fail(f"{field.name} is compared with networks, not {text!r}", "write 10.0.0.0/8 or an address")
        return text

    def blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def take(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found.group()

    def symbol(self, symbol: str) -> bool:
        self.blank()
        found = self.text.startswith(symbol, self.at)
        self.at += len(symbol) if found else 0
        self.blank()
        return found

    def word(self, word: str) -> bool:
        """Take a keyword, which ends at a blank, a bracket or the end."""
        self.blank()
        end = self.at + len(word)
        found = self.text.startswith(word, self.at) and not re.match(r"[\w.\[]", self.text[end : end + 1])
        self.at = end if found else self.at
        return found

    def fail(self, message: str, hint: str) -> NoReturn:
        before = self.text[max(0, self.at - 30) : self.at].replace("\n", " ")
        after = self.text[self.at : self.at + 30].replace("\n", " ")
        place = f"at “{before}⟶{after}”" if after else f"at the end, after “{before}”"
        raise ConditionError(f"{message} ({place})", hint)


class _Labelled(dict[str, Sequence[str]]):
    """Lists under the names that the plan gives them."""

    def __init__(self, lists: Mapping[str, Sequence[str]], labels: Mapping[str, str]) -> None:
        super().__init__({labels.get(name, name): items for name, items in lists.items()})


def _joined(operator: str, parts: list[list[Any]]) -> list[Any]:
    """One level for `a and b and c`, also where a macro is itself such a row."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Any] = [operator]
    for part in parts:
        flat.extend(part[1:] if part[0] == operator else [part])
    return flat


def _meant(name: str, known: Iterable[str], otherwise: str) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else otherwise


def _count(when: Sequence[Any]) -> int:
    if when[0] in ("and", "or", "not"):
        return 1 + sum(_count(part) for part in when[1:])
    return 1 + (len(when[2]) if len(when) > 2 and isinstance(when[2], list) else 0)
