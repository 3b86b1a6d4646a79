"""Which layers came with the base image, by other images and by history, and what a newer base would mend."""

from seawall.core.severity import Severity
from seawall.images.detect.base import Known, base_of, by_history, by_layers, marked, newer, rebase
from seawall.images.model import ImageConfig, Inventory, Layer, Vulnerability


def layers(*told: str) -> tuple[Layer, ...]:
    """A step that begins with "-" is empty."""
    return tuple(
        Layer(n, "" if one.startswith("-") else f"sha256:{n}", 1, one.lstrip("-"), one.startswith("-"))
        for n, one in enumerate(told)
    )


DEBIAN = ("/bin/sh -c #(nop) ADD file:1 in / ", '-/bin/sh -c #(nop)  CMD ["bash"]')
PYTHON = (*DEBIAN, "-ENV PATH=/x", "RUN /bin/sh -c make # buildkit", '-CMD ["python3"]')
APP = (*PYTHON, "-WORKDIR /app", "COPY app /app # buildkit", "-EXPOSE 80", '-CMD ["app"]')


def vulnerability(id: str, package: str, layer: int) -> Vulnerability:
    return Vulnerability(
        id, (), package, "1", "", "affected", Severity.HIGH, None, "", None, False, "", "", "x", "pkg", "p", layer
    )


def test_by_history() -> None:
    assert by_history(layers(*APP)) == 5
    assert by_history(layers(*DEBIAN)) == 0, "a base image is built on nothing"
    assert by_history(layers(DEBIAN[0], "COPY app /app", '-CMD ["app"]')) == 1, "a root file system at the bottom"
    assert by_history(layers("COPY app /app", '-CMD ["app"]')) == 0
    assert by_history(()) == 0
    assert by_history(layers("", "", "")) == 0


def test_by_known_images_the_longest_counts_and_the_newest_of_equals() -> None:
    debian = Known("debian:12", ("sha256:0",), created="2026-01-01")
    older = Known("python:3.11", ("sha256:0", "sha256:3"), created="2026-01-01")
    python = Known("python:3.12", ("sha256:0", "sha256:3"), created="2026-02-01")
    itself = Known("app:1", ("sha256:0", "sha256:3", "sha256:6"))
    other = Known("other", ("sha256:9",))
    unknown = Known("unknown", ("", ""))
    found = by_layers(layers(*APP), [other, debian, older, python, itself, unknown])
    assert found is not None
    assert (found.name, found.layers, found.how) == ("python:3.12", 5, "known")
    assert by_layers(layers(*APP), [other, itself, unknown]) is None
    first = by_layers(layers(*APP), [debian])
    assert first is not None
    assert first.layers == 2


def test_labels_name_a_base() -> None:
    config = ImageConfig("x", labels={"org.opencontainers.image.base.name": "debian:12"})
    found = base_of(Inventory("x", "x", config, layers=layers(*APP)))
    assert (found.layers, found.name, found.how) == (5, "debian:12", "history")
    found = base_of(Inventory("x", "x", config, layers=layers("COPY a /")))
    assert (found.layers, found.name, found.how) == (0, "debian:12", "label")


def test_what_a_newer_base_would_mend() -> None:
    mine = marked(layers(*APP), base_of(Inventory("x", "x", ImageConfig("x"), layers=layers(*APP))))
    assert [one.base for one in mine] == [True] * 5 + [False] * 4
    gone, both, own = vulnerability("A", "libc", 0), vulnerability("B", "libc", 3), vulnerability("C", "flask", 6)
    come = vulnerability("D", "libssl", 0)
    found = rebase([gone, both, own], mine, [vulnerability("B", "libc", 0), come], "python:3.13")
    assert (found.gone, found.stay, found.come) == ((gone,), (both, own), (come,))


def test_the_newest_of_the_same_repository() -> None:
    base = Known("r.example:5000/library/debian:12.1", ("a",), created="2026-01-01")
    known = [
        Known("r.example:5000/library/debian:12.2", ("b",), created="2026-02-01"),
        Known("r.example:5000/library/debian:12.3", ("c",), created="2026-03-01"),
        Known("debian:13", ("d",), created="2026-04-01"),
        Known("r.example:5000/library/debian:11", ("e",), created="2025-01-01"),
    ]
    assert newer(base, known) == known[1]
    assert newer(Known("", ("a",)), known) is None
