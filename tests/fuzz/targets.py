"""One target a parser: bytes in, only the errors out that the parser names. With atheris by coverage, else by chance.

`python tests/fuzz/targets.py NAME [--seconds N]`; `--list` names them. Every package format is one.
"""

import argparse
import itertools
import mmap
import random
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import jars
import programs
import rpms


def _instrumented() -> AbstractContextManager[object]:
    """Programs that are run to fuzz count the branches of what they import; tests that use the targets do not."""
    with suppress(ImportError):
        if __name__ == "__main__":
            import atheris

            return atheris.instrument_imports(include=["seawall.images.collect"])  # type: ignore[no-any-return]
    return nullcontext()


with _instrumented():
    from seawall.images.collect.packages import FORMATS
    from seawall.images.collect.packages.format import Format

LONGEST = 1 << 16
_HEADER = rpms.header("bash", "5", "1", epoch=1, files=["/usr/bin/bash", "/usr/bin/sh"])
_NOTE = b"\4\0\0\0\x20\0\0\0\x7e\x1a\xfe\xcaFDO\0" + b'{"type":"deb","name":"a","version":"1"}'
SEEDS: dict[str, tuple[bytes, ...]] = {
    "rpm": (rpms.sqlite([_HEADER]), rpms.ndb([_HEADER]), rpms.bdb([_HEADER], page=512)),
    "go": (programs.go(), programs.go_old(), programs.go(wide=False, little=False)),
    "rust": (programs.elf({".dep-v0": zlib.compress(b'{"packages":[{"name":"a","version":"1"}]}')}),),
    "note": (programs.elf({".note.package": _NOTE}),),
    "binary": (programs.elf({".rodata": b"\0nginx/1.22.1\0"}), b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(200)),
    "java": (jars.jar({"META-INF/MANIFEST.MF": "Implementation-Version: 1\n", "x-1.jar": jars.jar({"a": b"b"})}),),
}
"""What a run starts from; formats that are text start from a few brackets and names."""
_TEXT = (
    b'{"packages": {"node_modules/a": {"version": "1"}}, "dependencies": {"a": {"version": "1"}}}',
    b'[[package]]\nname = "a"\nversion = "1"\n',
    b"Package: a\nVersion: 1\nStatus: install ok installed\n\n",
    b"<project><dependencies><dependency><version>1</version></dependency></dependencies></project>",
    b'a@^1:\n  version "1"\npackages:\n  /a@1:\n    version: 1\n',
    b"%NAME%\na\n\n%VERSION%\n1\n\n%FILES%\nusr/bin/a\n",
)


def _target(known: Format) -> Callable[[bytes], None]:
    paths = [pattern.replace("**/", "x/").replace("*", "nginx") for pattern in known.files]

    def run(data: bytes) -> None:
        mapped = mmap.mmap(-1, max(len(data), 1))
        mapped[: len(data)] = data
        for path, content in itertools.product(paths, (data, mapped)):
            try:
                found = known.read(path, content)
            except ValueError:
                continue
            for one in found.packages:
                if not one.name or "\n" in one.name or len(one.name) > 2000:
                    raise AssertionError(f"a package that cannot be shown: {one!r}")

    return run


TARGETS = {name: _target(known) for name, known in FORMATS.items()}


def mutated(name: str, chance: random.Random) -> Iterator[bytes]:
    """Endlessly: a seed with some bytes turned, cut out, doubled."""
    seeds = SEEDS.get(name, _TEXT)
    while True:
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0:
                    data[at : at + chance.randrange(1, 8)] = chance.randbytes(chance.randrange(1, 8))
                case 1:
                    del data[at : at + chance.randrange(1, 64)]
                case 2:
                    data[at:at] = data[at : at + chance.randrange(1, 64)]
                case _:
                    data[at : at + 4] = chance.choice(
                        (b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
                    )
        yield bytes(data[:LONGEST])


def by_chance(name: str, seconds: float, seed: int = 0) -> int:
    """How often it ran. Raises whatever the target must not."""
    until = time.monotonic() + seconds
    for count, data in enumerate(mutated(name, random.Random(seed))):
        if time.monotonic() > until:
            return count
        TARGETS[name](data)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args()
    if asked.list:
        print("\n".join(TARGETS))
        return 0
    for name in asked.names or TARGETS:
        if len(asked.names) == 1 and _by_coverage(name, asked.seconds):
            return 0
        print(f"{name}: {by_chance(name, asked.seconds, random.SystemRandom().randrange(1 << 32))} runs", flush=True)
    return 0


def _by_coverage(name: str, seconds: float) -> bool:
    """With atheris, where that is installed. It does not return."""
    try:
        import atheris
    except ImportError:
        return False
    folder = Path("build") / "fuzz" / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(SEEDS.get(name, _TEXT)):
        (folder / f"seed{number}").write_bytes(data)
    options = [f"-max_total_time={int(seconds)}", "-timeout=20", "-rss_limit_mb=2048", f"-max_len={LONGEST}"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/found-", str(folder)], TARGETS[name])
    atheris.Fuzz()
    return True


if __name__ == "__main__":
    sys.exit(main())
