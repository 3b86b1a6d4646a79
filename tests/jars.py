"""Java archives made in memory."""

import io
import zipfile
from collections.abc import Mapping


def jar(files: Mapping[str, bytes | str], before: bytes = b"", packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return before + out.getvalue()
