"""An existing trivy.db is read as it lies: plain, or in the layer of its artifact."""

# ruff: noqa: E501 (buckets are as wide as their values)

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

import bolts
from seawall.core.severity import Severity
from seawall.intel.collect.trivy_db import ecosystem
from seawall.intel.match import match
from seawall.intel.model import Query
from seawall.intel.store import Store, import_files


def _tree(value: Any) -> Any:
    """Dicts of dicts are buckets; a value is JSON."""
    if isinstance(value, dict):
        return {key.encode(): _tree(inner) for key, inner in value.items()}
    return json.dumps(value[0]).encode()


DATABASE = {
    "debian 12": {"curl": {"CVE-2024-1001": [{"FixedVersion": "7.88-1"}], "CVE-2024-1002": [{"Status": 5, "Severity": 1}]}},
    "alpine 3.18": {"curl": {"CVE-2024-1001": [{"FixedVersion": "8.1-r0"}]}},
    "rocky 9": {
        "vim": {"CVE-2024-1001": [{"FixedVersion": "", "Entries": [{"FixedVersion": "2:8.2-1.el9", "Arches": ["x86_64"]}]}]}
    },
    "pip::GitHub Security Advisory Pip": {
        "django": {"CVE-2024-1001": [{"VulnerableVersions": ["<4.2.1"], "PatchedVersions": ["4.2.1"]}]}
    },
    "npm::Node": {"left": {"NSWG-1": [{"PatchedVersions": [">=2.0.0"], "VulnerableVersions": ["<=1.9.0"]}]}},
    "cargo::OSV": {"hyper": {"CVE-2024-1003": [{"PatchedVersions": [">= 0.14.10"], "UnaffectedVersions": ["< 0.12"]}]}},
    "Red Hat": {
        "bind": {
            "RHSA-2024:1": [
                {"Entries": [{"FixedVersion": "32:9.16-1.el9", "Affected": [1], "Cves": [{"ID": "CVE-2024-1001", "Severity": 3}]}]}
            ]
        },
        "nodejs:18::nodejs": {
            "CVE-2024-1002": [{"Entries": [{"Affected": [1], "Cves": [{"Severity": 2}], "Status": 6}]}]
        },
    },
    "Red Hat CPE": {"cpe": {"1": ["cpe:/a:redhat:enterprise_linux:9::appstream"], "2": ["cpe:/a:redhat:rhel_eus:9.2"]}},
    "data-source": {"debian 12": [{"ID": "debian"}]},
    "vulnerability": {
        "CVE-2024-1001": [
            {
                "Title": "Bad", "Severity": "HIGH", "CweIDs": ["CWE-79"], "PublishedDate": "2024-01-01T00:00:00Z",
                "CVSS": {"nvd": {"V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "V2Vector": "AV:N/AC:L/Au:N/C:N/I:N/A:C"}},
            }
        ]
    },
}  # fmt: skip


def _found(store: Store, query: Query) -> list[tuple[str, str, str]]:
    return [(one.id, one.fixed, one.status) for one in next(match(store, [query]))[1]]


@pytest.mark.parametrize("packed", [False, True])
def test_it_judges_as_feeds_do(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / "trivy.db"
    bolts.write(file, _tree(DATABASE))
    if packed:
        with tarfile.open(tmp_path / "layer", "w:gz") as archive:
            archive.add(file, "trivy.db")
        file = tmp_path / "layer"
    import_files(tmp_path / "intel.db", [file])
    store = Store(tmp_path / "intel.db")
    assert _found(store, Query("Debian:12", "curl", "7.80-1")) == [
        ("CVE-2024-1001", "7.88-1", "fixed"), ("CVE-2024-1002", "", "will_not_fix"),
    ]  # fmt: skip
    assert _found(store, Query("Alpine:v3.18", "curl", "8.0-r0")) == [("CVE-2024-1001", "8.1-r0", "fixed")]
    assert _found(store, Query("Rocky Linux:9", "vim", "2:8.1-1.el9", arch="x86_64")) == [
        ("CVE-2024-1001", "2:8.2-1.el9", "fixed")
    ]
    assert _found(store, Query("Rocky Linux:9", "vim", "2:8.1-1.el9", arch="aarch64")) == []
    assert _found(store, Query("PyPI", "Django", "4.2.0")) == [("CVE-2024-1001", "4.2.1", "fixed")]
    assert [one[0] for one in _found(store, Query("npm", "left", "1.0.0"))] == ["NSWG-1"]
    assert _found(store, Query("crates.io", "hyper", "0.13.0")) == [("CVE-2024-1003", "0.14.10", "fixed")]
    assert _found(store, Query("crates.io", "hyper", "0.11.0")) == []
    assert _found(store, Query("Red Hat:9", "bind", "32:9.11-1.el9")) == [("CVE-2024-1001", "32:9.16-1.el9", "fixed")]
    assert _found(store, Query("Red Hat:9", "nodejs", "1:18.0-1.el9", module="nodejs:18:9:1")) == [
        ("CVE-2024-1002", "", "deferred")
    ]
    rating = store.rating("CVE-2024-1001")
    assert (rating.severity, rating.score, rating.cwes, len(rating.vectors)) == (Severity.HIGH, 7.5, ("CWE-79",), 2)
    store.close()


@pytest.mark.parametrize(
    ("bucket", "expected"),
    [
        ("debian 12", "Debian:12"), ("ubuntu 22.04", "Ubuntu:22.04:LTS"), ("ubuntu 23.10", "Ubuntu:23.10"),
        ("ubuntu 18.04-ESM", "Ubuntu:Pro:18.04:LTS"), ("alma 8", "AlmaLinux:8"), ("Oracle Linux 8", "Oracle Linux:8"),
        ("amazon linux 2023", "Amazon Linux:2023"), ("SUSE Linux Enterprise 15.3", "SUSE:15.3"),
        ("openSUSE Leap 15.5", "openSUSE:Leap 15.5"), ("Photon OS 4.0", "Photon OS:4.0"), ("CBL-Mariner 2.0", "Azure Linux:2"),
        ("Azure Linux 3.0", "Azure Linux:3"), ("wolfi", "Wolfi"), ("go::GitHub Security Advisory Go", "Go"),
        ("maven::GitLab Advisory Database Community", "Maven"), ("k8s::Official", ""), ("data-source", ""),
    ],
)  # fmt: skip
def test_buckets_are_ecosystems(bucket: str, expected: str) -> None:
    assert ecosystem(bucket) == expected


def test_another_database_is_said_to_be_none_of_it(tmp_path: Path) -> None:
    from seawall.core.errors import SeawallError

    bolts.write(tmp_path / "meta.db", {b"v1": {b"moby": {}}})
    with pytest.raises(SeawallError, match="none of Trivy's"):
        import_files(tmp_path / "intel.db", [tmp_path / "meta.db"])
    assert not (tmp_path / "intel.db").exists()
