"""The reference names every rule and kind of file, as they are."""

from pathlib import Path

from seawall.images.load import reference

PAGE = Path(__file__).parents[4] / "docs/reference/secrets.md"


def test_the_page_is_what_the_rules_say() -> None:
    assert PAGE.read_text() == reference.text(), "python -m seawall.images.load.reference > docs/reference/secrets.md"
