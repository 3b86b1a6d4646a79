"""Programs for .NET: NAME.deps.json beside the program. Source: dotnet/cli, runtime-configuration-file.md"""

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, parsed

_KINDS = ("package", "runtimepack")


def read(_path: str, data: Buffer) -> Read:
    """Packages that the program brings; its own projects are none."""
    libraries = parsed(data, "deps.json").get("libraries")
    if not isinstance(libraries, dict):
        raise ValueError("deps.json lists no libraries")
    names = (
        name.removeprefix("runtimepack.").partition("/")
        for name, about in libraries.items()
        if isinstance(about, dict) and about.get("type") in _KINDS
    )
    return named("nuget", ((name, version) for name, _, version in names), "deps.json", declared=False)


FORMAT = Format(files=("**/*.deps.json",), read=read, kinds=("nuget",), limit=16 << 20)
