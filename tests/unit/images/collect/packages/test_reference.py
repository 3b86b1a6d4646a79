"""The reference of packages is written by the lists themselves."""

from pathlib import Path

from seawall.images.collect import packages, reference
from seawall.images.collect.packages import FORMATS
from seawall.images.collect.rpmdb import bdb, ndb, sqlite

ROOT = Path(__file__).parents[5]


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs/reference/packages.md").read_text()
    assert written == reference.page(), "python -m seawall.images.collect.reference > docs/reference/packages.md"


def test_every_format_says_what_it_is() -> None:
    for name, known in FORMATS.items():
        about = getattr(packages, name).__doc__
        assert about, name
        assert known.files and known.kinds, name
        assert ("source" in about.lower()) or name in ("binary", "release", "rpm"), name
    assert all("Source" in (one.__doc__ or "") for one in (bdb, ndb, sqlite))
