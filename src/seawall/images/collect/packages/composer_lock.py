"""composer.lock of PHP projects. Source: Composer, The lock file"""

from seawall.images.collect.files import Buffer
from seawall.images.collect.packages.format import Format, Read, named, parsed


def read(_path: str, data: Buffer) -> Read:
    """All packages, those for development too."""
    found = parsed(data, "composer.lock")
    both = (found.get(key) for key in ("packages", "packages-dev"))
    packages = (one for some in both if isinstance(some, list) for one in some if isinstance(one, dict))
    return named("composer", ((one.get("name"), one.get("version")) for one in packages))


FORMAT = Format(files=("**/composer.lock",), read=read, kinds=("composer",), limit=32 << 20, declared=True)
