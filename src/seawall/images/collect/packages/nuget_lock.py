"""packages.lock.json and packages.config of .NET projects. Source: NuGet, "PackageReference" and packages.config"""

from typing import Any

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, parsed
from seawall.images.collect.xmls import plain


def read(path: str, data: Buffer) -> Read:
    """All packages of all frameworks; the project's own parts are none."""
    if path.endswith(".config"):
        return named("nuget", ((one.get("id"), one.get("version")) for one in plain(data).findall("package")))
    frameworks = parsed(data, "packages.lock.json").get("dependencies")
    some: list[Any] = list(frameworks.values()) if isinstance(frameworks, dict) else []
    pairs = (
        (name, about.get("resolved"))
        for packages in some
        if isinstance(packages, dict)
        for name, about in packages.items()
        if isinstance(about, dict) and about.get("type") != "Project"
    )
    return named("nuget", pairs)


FORMAT = Format(
    files=("**/packages.lock.json", "**/packages.config"), read=read, kinds=("nuget",), limit=16 << 20, declared=True
)
