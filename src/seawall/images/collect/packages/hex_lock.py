"""mix.lock of Elixir and rebar.lock of Erlang. Sources: Mix and Rebar3 documentation"""

import re

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, text

_MIX = re.compile(r'\{:hex, :"?([\w-]+)"?, "([^"\n]+)"')
_REBAR = re.compile(r'\{pkg,\s*<<"([\w-]+)">>,\s*<<"([^"\n]+)">>')


def read(_path: str, data: Buffer) -> Read:
    """Packages of hex.pm; those of git have no version."""
    lock = text(data)
    return named("hex", (match.groups() for pattern in (_MIX, _REBAR) for match in pattern.finditer(lock)))


FORMAT = Format(files=("**/mix.lock", "**/rebar.lock"), read=read, kinds=("hex",), declared=True)
