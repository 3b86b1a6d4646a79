"""What analysers find in files is kept with its place; what a later layer takes away is kept too, and said."""

import io

import pytest

from archives import layer
from seawall.core.severity import Severity
from seawall.images.collect import files, layers
from seawall.images.collect.analysers import ANALYSERS, Analysers, Options, opened
from seawall.images.collect.files import File
from seawall.images.collect.found import Found
from seawall.images.collect.reading import Reading
from seawall.images.model import Risk, Secret


class Words:
    """Takes files that begin with "key " for secrets, and every file in tmp for a risk."""

    version = "1"

    def limit(self, file: File) -> int:
        return 1 << 30 if file.head.startswith(b"key ") or file.path.startswith("tmp/") else 0

    def needs(self, path: str) -> bool:
        return False

    def read(self, file: File) -> Found | None:
        if file.path.startswith("tmp/"):
            return Found(risks=[Risk("T-1", "lies in tmp", Severity.LOW, evidence=f"{file.entry.mode:o}")])
        if bytes(file.data[-6:]) == b"broken":
            raise ValueError("broken")
        word = bytes(file.data[4:]).decode()
        return Found(secrets=[Secret("word", "a word", Severity.HIGH, "high", word[:1], word[:20])])

    def described(self, _config: object, _layers: object) -> Found | None:
        return None


def merged(*tars: bytes) -> layers.Merged:
    reading = Reading(Analysers({"words": Words()}))
    return layers.merge([(index, layers.read(io.BytesIO(one), reading)) for index, one in enumerate(tars)])


def secrets(*tars: bytes) -> set[tuple[str, str, int, bool]]:
    return {(one.path, one.fingerprint, one.layer, one.deleted) for one in merged(*tars).secrets}


def test_a_secret_that_a_later_layer_removes_is_still_in_the_image() -> None:
    base = layer({"app/a": b"key one", "app/b": b"key two"})
    assert secrets(base, layer({"app/.wh.a": b""})) == {("app/a", "one", 0, True), ("app/b", "two", 0, False)}


def test_a_secret_that_is_written_over_is_deleted_and_the_new_one_is_there() -> None:
    found = secrets(layer({"a": b"key one"}), layer({"a": b"key two"}))
    assert found == {("a", "one", 0, True), ("a", "two", 1, False)}


def test_a_file_without_a_finding_hides_the_one_below() -> None:
    assert secrets(layer({"a": b"key one"}), layer({"a": b"nothing"})) == {("a", "one", 0, True)}


def test_the_same_secret_twice_is_told_once() -> None:
    assert secrets(layer({"a": b"key one"}), layer({"a": b"key one"})) == {("a", "one", 1, False)}


def test_risks_go_with_their_file() -> None:
    assert [one.path for one in merged(layer({"tmp/x": b"", "tmp/y": b""}), layer({"tmp/.wh.x": b""})).risks] == [
        "tmp/y"
    ]


def test_what_is_broken_is_skipped_and_said() -> None:
    read = layers.read(io.BytesIO(layer({"a": b"key broken", "b": b"key x"})), Reading(Analysers({"words": Words()})))
    assert [(one.where, one.why) for one in read.skipped] == [("a", "broken")]
    assert list(read.found) == ["b"]


def test_a_large_file_is_mapped_and_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "IN_MEMORY", 10)
    assert secrets(layer({"a": b"key " + b"z" * 9000})) == {("a", "z" * 20, 0, False)}


def test_only_what_is_wanted_looks() -> None:
    assert set(opened(Options(())).working) == {name for name, one in ANALYSERS.items() if one.scanner == "package"}
