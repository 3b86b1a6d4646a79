"""Writes docs/reference/feeds.md: `python -m seawall.intel.collect.reference > docs/reference/feeds.md`."""

import inspect
import re
import sys
from collections.abc import Iterator

from seawall.intel.collect import FEEDS, Feed
from seawall.intel.places import DEFAULTS

HEAD = """# Feeds

Written by `python -m seawall.intel.collect.reference` from the lists that imports themselves work by. The names of
formats are those of `src/seawall/intel/collect`. A document is known by its content, whatever its file is called, also
inside of archives (zip, tar; gzip, bzip2, xz, zstd). The first format that knows it reads it. How to use them:
[intelligence](../guides/intel.md).

| format | what | recognised by | of | kept |
|---|---|---|---|---|
"""
SOURCES = """
## Sources of updates
What `seawall intel update` fetches when nothing else is said; `intel.toml` beside the store changes and adds to it.

| name | of | looked at | on | address |
|---|---|---|---|---|
"""
_FORMAT = re.compile(r"\bFormats?: .*", re.DOTALL)


def page() -> str:
    """The whole page."""
    rows = "".join(_row(name, feed) for name, feed in FEEDS.items())
    links = "".join(_links())
    places = "".join(
        f"| {one.name} | {one.about} | every {one.hours:g} h | {'yes' if one.on else 'no'} | {one.url} |\n"
        for one in DEFAULTS
    )
    return f"{HEAD}{rows}\n## Where formats are described\n{links}{SOURCES}{places}"


def _row(name: str, feed: Feed) -> str:
    said = inspect.getdoc(sys.modules[feed.read.__module__]) or ""
    what = " ".join(_FORMAT.sub("", said).split("\n\n")[0].split())
    known = " ".join((inspect.getdoc(feed.recognise) or "").split())
    return "| " + " | ".join(one.replace("|", "\\|") for one in (name, what, known, feed.gives, feed.fields)) + " |\n"


def _links() -> Iterator[str]:
    for name, feed in FEEDS.items():
        said = _FORMAT.search(inspect.getdoc(sys.modules[feed.read.__module__]) or "")
        found = re.findall(r"https://[^\s,;)]+[^\s,;).:]", said[0]) if said else []
        if found:
            yield f"- {name}: {' '.join(f'<{link}>' for link in found)}\n"


if __name__ == "__main__":
    sys.stdout.write(page())
