"""The store: imports replace what they bring, keep what they do not, and never spoil the last good file."""

import json
from pathlib import Path

import pytest

from seawall.core.errors import SeawallError
from seawall.intel.match import match
from seawall.intel.model import Query
from seawall.intel.store import Store, import_files, open_store


def _osv(id: str, fixed: str, **more: object) -> str:
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = [{"package": {"ecosystem": "npm", "name": "left"}, "ranges": [{"type": "SEMVER", "events": events}]}]
    return json.dumps({"id": id, "aliases": ["CVE-" + id], "affected": affected, **more})


def _ids(path: Path, version: str) -> list[str]:
    store = Store(path)
    found = next(match(store, [Query("npm", "left", version)]))[1]
    store.close()
    return [one.id for one in found]


def test_an_import_replaces_its_documents_and_keeps_the_others(tmp_path: Path) -> None:
    db, one, two = tmp_path / "s" / "intel.db", tmp_path / "1.json", tmp_path / "2.json"
    one.write_text(_osv("A", "2.0.0"))
    two.write_text(_osv("B", "3.0.0"))
    import_files(db, [one, two])
    assert _ids(db, "1.0.0") == ["CVE-A", "CVE-B"]
    one.write_text(_osv("A", "0.5.0"))
    assert import_files(db, [one]).advisories == 2
    assert _ids(db, "1.0.0") == ["CVE-B"]
    two.write_text(_osv("B", "3.0.0", withdrawn="2024-01-01T00:00:00Z"))
    import_files(db, [two])
    assert _ids(db, "1.0.0") == []
    assert [path.name for path in db.parent.iterdir()] == ["intel.db"], "no half-built file is left"


def test_a_failed_import_leaves_the_last_good_file(tmp_path: Path) -> None:
    db, good, bad = tmp_path / "intel.db", tmp_path / "1.json", tmp_path / "bad.json"
    good.write_text(_osv("A", "2.0.0"))
    import_files(db, [good])
    before = db.read_bytes()
    bad.write_text('{"id": "X", "affected": [7]}')
    with pytest.raises(SeawallError, match=r"bad\.json"):
        import_files(db, [bad])
    assert db.read_bytes() == before
    report = import_files(db, [bad, good])
    assert [skipped.where for skipped in report.skipped] == ["bad.json"], "one bad document costs no other"


def test_an_open_store_goes_on_and_knows_that_there_is_a_newer_one(tmp_path: Path) -> None:
    db, one = tmp_path / "intel.db", tmp_path / "1.json"
    one.write_text(_osv("A", "2.0.0"))
    import_files(db, [one])
    store = Store(db)
    assert not store.changed()
    one.write_text(_osv("B", "2.0.0"))
    import_files(db, [one])
    assert store.changed()
    assert store.affecting("npm", "left")[0][0].id == "A"
    store.close()
    status = Store(db).status()
    assert (status["advisories"], status["age_days"]) == (2, 0)
    assert Store(db).ecosystems() == {"npm": 1}


def test_no_store_is_not_an_empty_one(tmp_path: Path) -> None:
    assert open_store(tmp_path / "intel.db") is None
    (tmp_path / "intel.db").write_bytes(b"rubbish")
    with pytest.raises(SeawallError):
        Store(tmp_path / "intel.db")
