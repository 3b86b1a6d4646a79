"""The agent's child needs nothing but the standard library, and sends what it read in parts."""

import json
import subprocess
import sys

from seawall.images import normalise
from seawall.images.collect import errand
from seawall.images.model import ImageConfig, Inventory, Package

HEAVY = ("msgspec", "yaml", "rich", "sqlalchemy", "fastapi", "asyncio", "packaging", "email", "http.client")


def test_it_imports_nothing_heavy() -> None:
    code = "import sys, seawall.images.collect.errand; print('\\n'.join(sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    )
    assert not loaded & set(HEAVY)
    assert not [name for name in loaded if name.startswith(("seawall.intel", "seawall.server", "seawall.lists"))]


def test_it_works_without_the_scanner_extra() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('isal', 'zstandard')));"
        "import gzip, io; from seawall.images.collect.streams import Budget, Plain;"
        "assert Plain(io.BytesIO(gzip.compress(b'x' * 5000000)), Budget()).read(9999999) == b'x' * 5000000\n"
        "try: Plain(io.BytesIO(b'\\x28\\xb5\\x2f\\xfd..'), Budget())\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert "zstd, which this agent cannot read" in done.stdout


def test_parts_on_the_wire(monkeypatch, capsys) -> None:
    monkeypatch.setattr(normalise, "MAX_PART", 2)
    packages = tuple(Package(name, "1", "npm", f"pkg:npm/{name}@1") for name in ("a", "b", "c\udcff"))
    errand.send(Inventory("docker:x", "x", ImageConfig("sha256:x"), packages=packages), "sha256:x", "job")
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith('{"item":') for line in lines)
    said = [json.loads(line)["item"] for line in lines]
    assert [(one["order"], one["image_id"], one["part"], one["parts"]) for one in said] == [
        ("job", "sha256:x", 1, 2),
        ("job", "sha256:x", 2, 2),
    ]
    assert [one["name"] for item in said for one in item["inventory"]["packages"]] == ["a", "b", "c\\xff"]
    assert said[0]["inventory"]["config"]["id"] == "sha256:x"
