"""docs/reference/image-checks.md, made of the checks: `python -m seawall.images.detect.reference > …`."""

import sys
from collections.abc import Iterator

from seawall.images.detect.checks import GROUPS
from seawall.images.detect.checks.check import Check

HEAD = """\
# Checks of images and Dockerfiles
Made by `python -m seawall.images.detect.reference` from the checks in `src/seawall/images/detect/checks`.
`seawall image scan --scanners config` asks them of an image (its configuration, history and packages), `seawall image
lint` of a Dockerfile. Each passes, fails with what was seen, or does not apply. *Others* name the same question
elsewhere: CIS (Docker benchmark 1.6), DL (hadolint), CIS-DI and DKL-DI (Dockle).
"""


def text() -> str:
    """The whole page."""
    return HEAD + "".join(f"\n{line}" for name, group in GROUPS.items() for line in _group(name, group)) + "\n"


def _group(name: str, group: tuple[Check, ...]) -> Iterator[str]:
    yield f"## {name}"
    yield "| check | severity | what is wrong | why | mend | others |"
    yield "|---|---|---|---|---|---|"
    for check in group:
        texts = [f"{en}<br>{zh}" for en, zh in zip(check.en, check.zh, strict=True)]
        cells = (f"`{check.id}`", check.severity.value, *texts, ", ".join(check.refs))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(text())
