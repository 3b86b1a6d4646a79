"""The reference of feeds says what the lists say."""

from pathlib import Path

from seawall.intel.collect.reference import page


def test_the_reference_is_current() -> None:
    written = Path(__file__).parents[4] / "docs" / "reference" / "feeds.md"
    assert written.read_text() == page(), "python -m seawall.intel.collect.reference > docs/reference/feeds.md"
