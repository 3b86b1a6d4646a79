"""Brings the knowledge up to date: fetches what has changed, imports it, and keeps the last good where it has not."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.intel.build import Report
from seawall.intel.fetch import Kept, fetch, load, save
from seawall.intel.places import FILE, Place, places
from seawall.intel.store import Whole, import_files

FOLDER = "feeds"
"""Beside the store: each source's last good file, and what is known of its last fetch."""

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source."""

    name: str
    state: str
    """new, same, failed (not fetched or not readable) or refused (it gave suspiciously little)."""
    why: str = ""
    size: int = 0
    records: int = 0

    @property
    def good(self) -> bool:
        """Whether what is in use is what the source has."""
        return self.state in ("new", "same")


def configured(db: Path) -> tuple[Place, ...]:
    """All sources, those that are off too. Raises SeawallError for a broken intel.toml."""
    return places(db.with_name(FILE))


def due(db: Path, all_places: Sequence[Place]) -> tuple[Place, ...]:
    """Sources that are on and whose time has come."""
    now = time.time()
    return tuple(
        place for place in all_places if place.on and now - load(_state(db, place)).checked_at >= place.hours * 3600
    )


def history(db: Path, place: Place) -> Kept:
    """What is known of a source's last fetch."""
    return load(_state(db, place))


def update(
    db: Path, chosen: Sequence[Place], progress: Progress = lambda _name, _size: None
) -> tuple[list[Outcome], Report | None]:
    """Fetch and import. What could not be had, is broken or has shrunk costs nothing: the last good stays in use.

    The report is None when nothing new came. Raises SeawallError when another update is running.
    """
    folder = db.with_name(FOLDER)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder):
        outcomes: dict[str, Outcome] = {}
        fetched: dict[Path, tuple[Place, Kept]] = {}
        for place in chosen:
            target = folder / f"{place.name}.new"
            found = _fetch(db, place, target, progress)
            if isinstance(found, Kept):
                fetched[target] = (place, found)
            else:
                outcomes[place.name] = found
        report = _import(db, fetched, outcomes, progress) if fetched else None
        return [outcomes[place.name] for place in chosen], report


def _fetch(db: Path, place: Place, target: Path, progress: Progress) -> Outcome | Kept:
    state = _state(db, place)
    kept = load(state)
    kept.checked_at = time.time()
    try:
        changed = fetch(place, target, kept, progress)
    except SeawallError as error:
        kept.error = str(error)
        save(state, kept)
        return Outcome(place.name, "failed", str(error))
    if not changed:
        kept.error = ""
        save(state, kept)
        return Outcome(place.name, "same", size=kept.size)
    return kept


def _import(
    db: Path, fetched: dict[Path, tuple[Place, Kept]], outcomes: dict[str, Outcome], progress: Progress
) -> Report | None:
    whole = {path: Whole(place.name, _moment(kept.modified)) for path, (place, kept) in fetched.items()}
    report, broken = None, ""
    try:
        report = import_files(db, list(fetched), progress, whole)
    except SeawallError as error:
        broken = str(error)
    for path, (place, kept) in fetched.items():
        records = report.given.get(place.name, 0) if report else 0
        why = broken or (report.refused.get(place.name, "") if report else "")
        if not why and not records:
            why = "nothing in it is a feed that Seawall knows"
        if why:
            _put_back(db, place, path, why)
            state = "refused" if report and place.name in report.refused else "failed"
            outcomes[place.name] = Outcome(place.name, state, why, kept.size)
        else:
            path.replace(path.with_name(place.name))
            kept.error = ""
            save(_state(db, place), kept)
            outcomes[place.name] = Outcome(place.name, "new", size=kept.size, records=records)
    return report


def _put_back(db: Path, place: Place, path: Path, why: str) -> None:
    """Forget what was fetched: the next look fetches it again, the last good stays."""
    path.unlink(missing_ok=True)
    before = load(_state(db, place))
    before.checked_at, before.error, before.part_etag = time.time(), why, ""
    save(_state(db, place), before)


def _state(db: Path, place: Place) -> Path:
    return db.with_name(FOLDER) / f"{place.name}.json"


def _moment(modified: str) -> str:
    """Last-Modified as RFC 3339, for feeds that do not say themselves when they were made."""
    try:
        return clock.format_time(parsedate_to_datetime(modified).timestamp()) if modified else ""
    except (ValueError, TypeError):
        return ""


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SeawallError("another update is running", "seawall intel status shows what it has brought") from error
        yield
    finally:
        os.close(held)
