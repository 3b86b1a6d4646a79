"""`sbom:FILE`: a bill of materials that somebody wrote: CycloneDX, SPDX or Syft's, in JSON, believed as it stands."""

import hashlib
import json
import re
import time
from dataclasses import replace
from pathlib import Path

from seawall.core.errors import Hostile, SeawallError
from seawall.images.collect.reading import Reading
from seawall.images.collect.sboms import FORMS
from seawall.images.collect.sboms.bill import Bill
from seawall.images.model import ImageConfig, Inventory, Layer
from seawall.images.normalise import purl

MAX_FILE = 256 << 20
_ID = re.compile(r"sha256:[0-9a-f]{64}")


def read(name: str, reading: Reading) -> Inventory:
    """Raises SeawallError when the file cannot be read, Hostile when it is no bill of materials."""
    began = time.monotonic()
    reading.progress(0.0, f"reading {name}")
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise SeawallError(f"cannot read {name}: {error.strerror}") from error
    if len(data) > MAX_FILE:
        raise Hostile(f"{name} has more than {MAX_FILE} bytes")
    bill = _bill(name, data)
    identity = bill.image_id if _ID.fullmatch(bill.image_id) else f"sha256:{hashlib.sha256(data).hexdigest()}"
    why = f"a bill of materials ({bill.form}) tells of packages alone"
    checked = {name: reason or ("" if name == "package" else why) for name, reason in reading.analysers.checked.items()}
    layers = tuple(Layer(index, diff_id[:80]) for index, diff_id in enumerate(bill.layers))
    return Inventory(
        target=f"sbom:{name}",
        name=bill.name,
        config=ImageConfig(identity),
        os=bill.os,
        layers=layers or (Layer(0, "", created_by=f"{bill.form} document"),),
        packages=tuple(replace(one, purl=purl(one, bill.os)) for one in bill.packages),
        checked=checked,
        skipped=tuple(bill.skipped),
        stats={
            "files": 1,
            "bytes": len(data),
            "seconds": round(time.monotonic() - began, 3),
            "unread_layers": 0,
            "left_out": 0,
            "skipped": len(bill.skipped) + bill.more,
        },
    )


def _bill(name: str, data: bytes) -> Bill:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Hostile(f"{name} is no JSON: {error}") from error
    if isinstance(found, dict):
        for knows, read_form in FORMS.values():
            if knows(found):
                return read_form(found)
    raise Hostile(f"{name} is no bill of materials that is known here: {', '.join(FORMS)}, in JSON")
