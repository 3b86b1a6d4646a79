"""The simple commands of a shell line, as far as checks need them: words, and whose output goes in. None is run."""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_CHARS = 100_000
MAX_COMMANDS = 2000
_PIPES = ("|", "|&")
_PREFIXES = frozenset({"sudo", "doas", "command", "exec", "time", "env", "nohup", "then", "do", "else", "!", "{", "("})


@dataclass(frozen=True, slots=True)
class Command:
    """One program and its arguments."""

    words: tuple[str, ...]
    """Without what only stands before it: assignments, sudo, `then` …"""
    before: tuple[str, ...] = ()
    """What stood before it."""
    source: "Command | None" = None
    """The command whose output it reads."""

    @property
    def name(self) -> str:
        """The program, without its folder."""
        return self.words[0].rpartition("/")[2] if self.words else ""

    def has(self, *words: str) -> bool:
        """Whether one of these is among the arguments."""
        return any(word in words for word in self.words[1:])

    def short(self, letter: str) -> bool:
        """Whether a bundle of short options holds the letter: -fsSLk."""
        return any(word[:1] == "-" and word[:2] != "--" and letter in word[1:] for word in self.words[1:])

    def plain(self) -> tuple[str, ...]:
        """The arguments that are no options."""
        return tuple(word for word in self.words[1:] if not word.startswith("-"))


def commands(text: str) -> tuple[Command, ...]:
    """All of a line, in order."""
    found: list[Command] = []
    line: list[str] = []
    source: Command | None = None
    for token, operator in _tokens(text[:MAX_CHARS]):
        if not operator:
            line.append(token)
            continue
        made = _command(line, source)
        if made is not None:
            found.append(made)
        source = made if token in _PIPES else None
        line = []
        if len(found) >= MAX_COMMANDS:
            break
    made = _command(line, source)
    return (*found, made) if made is not None else tuple(found)


def words(text: str) -> list[str]:
    """Divided at blanks outside of quotes, which go away."""
    return [token for token, operator in _tokens(text[:MAX_CHARS]) if not operator]


def _command(line: list[str], source: Command | None) -> Command | None:
    at = 0
    while at < len(line) and (
        line[at].rpartition("/")[2] in _PREFIXES or _assignment(line[at]) or (at and line[at] in ("-E", "-H", "-n"))
    ):
        at += 1
    return Command(tuple(line[at:]), tuple(line[:at]), source) if line[at:] else None


def _assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """(word, False) and (operator, True); quotes are taken away."""
    word: list[str] = []
    begun = False
    at, end = 0, len(text)
    while at < end:
        char = text[at]
        at += 1
        if char == "\\" and at < end:
            word.append(text[at])
            begun, at = True, at + 1
        elif char in "'\"":
            closing = _closing(text, at, char)
            word.append(text[at:closing])
            begun, at = True, closing + 1
        elif char == "&" and (text[at : at + 1] == ">" or text[at - 2 : at - 1] in (">", "<")):
            word.append(char)  # a redirection
            begun = True
        elif char in " \t\r" or char in ";&|\n":
            if begun:
                yield "".join(word), False
                word, begun = [], False
            if char in ";&|\n":
                if at < end and ((text[at] == char and char in "&|;") or text[at - 1 : at + 1] == "|&"):
                    at, char = at + 1, text[at - 1 : at + 1]
                yield char, True
        else:
            word.append(char)
            begun = True
    if begun:
        yield "".join(word), False


def _closing(text: str, at: int, quote: str) -> int:
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" and quote == '"' else 1
    return min(at, len(text))
