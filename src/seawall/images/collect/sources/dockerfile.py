"""A Dockerfile: no image yet, but what it would be like can be judged."""

import hashlib
from dataclasses import replace
from pathlib import Path

from seawall.core.errors import SeawallError
from seawall.images.collect.configuration import SCANNER
from seawall.images.collect.reading import Reading
from seawall.images.detect import checks, steps
from seawall.images.model import Inventory


def read(name: str, reading: Reading) -> Inventory:
    """The checks of one file, or of `Dockerfile` in a folder. Raises SeawallError when it cannot be read."""
    path = Path(name)
    path = path / "Dockerfile" if path.is_dir() else path
    try:
        with path.open("rb") as file:
            data = file.read(steps.MAX_BYTES + 1)
    except OSError as error:
        raise SeawallError(f"cannot read {path}: {error.strerror}") from error
    subject = checks.of_dockerfile(steps.dockerfile(data))
    wanted = SCANNER in reading.analysers.checked
    return Inventory(
        target=f"dockerfile:{name}",
        name=str(path),
        config=replace(subject.config, id=f"sha256:{hashlib.sha256(data).hexdigest()}"),
        risks=checks.risks(checks.results(subject), str(path)) if wanted else (),
        checked={SCANNER: ""} if wanted else {},
    )
