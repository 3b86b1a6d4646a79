"""Names of packages and of ecosystems, as feeds and images spell them."""

import pytest

from seawall.intel.names import normalise, release


@pytest.mark.parametrize(
    ("ecosystem", "name", "wanted"),
    [
        ("PyPI", "Ruamel_yaml.Clib", "ruamel-yaml-clib"),
        ("NuGet", "Newtonsoft.Json", "newtonsoft.json"),
        ("Packagist", "Symfony/HTTP-Kernel", "symfony/http-kernel"),
        ("crates.io", "serde_json", "serde-json"),
        ("SwiftURL", "https://github.com/Apple/Swift-NIO.git", "github.com/apple/swift-nio"),
        ("Go", "github.com/Masterminds/sprig/v3", "github.com/Masterminds/sprig/v3"),
        ("Maven", "org.Foo:Bar", "org.Foo:Bar"),
        ("Debian:12", "libX", "libX"),
    ],
)
def test_packages(ecosystem: str, name: str, wanted: str) -> None:
    assert normalise(ecosystem, name) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("Red Hat:enterprise_linux:9::appstream", "Red Hat:9"),
        ("Red Hat:enterprise_linux:8::baseos", "Red Hat:8"),
        ("Red Hat:rhel_eus:8.6::baseos", "Red Hat:rhel_eus:8.6::baseos"),
        ("SUSE:Linux Enterprise Server 15 SP5", "SUSE:15.5"),
        ("SUSE:Linux Enterprise Module for Basesystem 15 SP5", "SUSE:15.5"),
        ("SUSE:15.5", "SUSE:15.5"),
        ("Debian:12", "Debian:12"),
        ("Ubuntu:22.04:LTS", "Ubuntu:22.04:LTS"),
    ],
)
def test_ecosystems(given: str, wanted: str) -> None:
    assert release(given) == wanted
