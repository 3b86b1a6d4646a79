"""`python -m seawall.images.collect.reference > docs/reference/packages.md`: what packages are known by, for people."""

import sys
from collections.abc import Iterator

from seawall.images.collect import packages
from seawall.images.collect.packages import FORMATS
from seawall.images.collect.packages.format import Format
from seawall.images.collect.products import JARS, MODULES, PROGRAMS, RELEASES, Product

_HEAD = """\
# What packages are known by

Written by `python -m seawall.images.collect.reference` from the lists that the scanner itself works by. The names of
formats are those of `src/seawall/images/collect/packages`. `**/` stands for any folders, `*` for a part of a name.
Every package has its places (path and layer; what lies in an archive as `app.jar!/lib/x.jar`) and its evidence beside
the fields named here.
"""
_DECLARED = """\
## Lock files
Such a file names what shall be installed, not what is. Its packages are marked `declared` and are not judged. One
that is seen installed in the same version is that package, with the lock file as one more place. Lock files inside of
installed packages (`node_modules`, `site-packages`, `vendor`, `/usr/lib` …) speak of how those were made and are
passed over.
"""
_PRODUCTS = """\
## Programs without a package
Known by a version string in the program, or by a file that says it, and only where no package of the distribution
brought the file. Their purl is `pkg:generic/NAME@VERSION`; `cpes` has the names by which NVD knows them.
"""
_MORE = """\
## Names for NVD
The main modules of these Go programs and the core artifacts of these Java products have `cpes` too.
"""


def page() -> str:
    """The page in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## Installed packages"
    yield from _table((name, known) for name, known in FORMATS.items() if not known.declared)
    yield ""
    yield _DECLARED
    yield from _table((name, known) for name, known in FORMATS.items() if known.declared)
    yield ""
    yield _PRODUCTS
    yield "| product | known by | CPE |"
    yield "|---|---|---|"
    yield from sorted(map(_product, dict.fromkeys((*PROGRAMS, *RELEASES))))
    yield ""
    yield _MORE
    yield "| module or artifact | CPE |"
    yield "|---|---|"
    for name, cpe in sorted((MODULES | JARS).items()):
        yield f"| `{name}` | {_cpes(cpe)} |"


def _table(formats: Iterator[tuple[str, Format]]) -> Iterator[str]:
    yield "| format | what | files | purl | fields | largest file |"
    yield "|---|---|---|---|---|---|"
    for name, known in formats:
        about = (getattr(packages, name).__doc__ or "").split("\n")[0].partition(" Source")[0].rstrip(".;:")
        files = (
            "every program (ELF, PE, Mach-O)" if "**/*" in known.files else " ".join(f"`{one}`" for one in known.files)
        )
        kinds = " ".join(f"`pkg:{kind}`" for kind in known.kinds)
        yield f"| {name} | {about} | {files} | {kinds} | {', '.join(known.fields)} | {known.limit >> 20} MB |"


def _product(one: Product) -> str:
    files = one.files.replace("|", "\\|")
    return f"| {one.name} | `{files}` | {_cpes(one.cpe)} |"


def _cpes(names: str) -> str:
    return " ".join(f"`{name}`" for name in names.split()) or "–"


if __name__ == "__main__":
    sys.stdout.write(page())
