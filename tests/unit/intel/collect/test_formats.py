"""Each format of advisories in a small document of its real shape: what is affected, until when, in which state."""

# ruff: noqa: E501 (documents are as wide as their lines)

import json
from contextlib import suppress
from typing import Any

import pytest

from seawall.core.severity import Severity
from seawall.intel.collect import FEEDS, parse
from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed
from seawall.intel.model import Advisory

RPMINFO = 'xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5#linux"'


def _oval(mark: str, metadata: str, criteria: str, tests: str = "") -> str:
    return (
        '<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:oval="urn:x"><generator>'
        f"<oval:timestamp>2024-05-08T12:04:07</oval:timestamp></generator><definitions>"
        f'<definition class="patch" id="oval:{mark}:def:1" version="1"><metadata>{metadata}</metadata>{criteria}'
        f"</definition></definitions>{tests}</oval_definitions>"
    )


def _rpm(number: int, name: str, state: str) -> str:
    return (
        f'<tests><rpminfo_test {RPMINFO} id="t{number}"><object object_ref="o{number}"/><state state_ref="s{number}"/>'
        f'</rpminfo_test></tests><objects><rpminfo_object {RPMINFO} id="o{number}"><name>{name}</name></rpminfo_object>'
        f'</objects><states><rpminfo_state {RPMINFO} id="s{number}">{state}</rpminfo_state></states>'
    )


def _less(version: str, how: str = "less than") -> str:
    return f'<evr datatype="evr_string" operation="{how}">{version}</evr>'


def _csaf(publisher: str, tree: Any, vulnerability: Any, category: str = "csaf_security_advisory") -> str:
    head = {
        "csaf_version": "2.0", "category": category, "publisher": {"namespace": publisher}, "title": "An update",
        "tracking": {"id": "RHSA-2024:1", "current_release_date": "2024-11-12T09:38:54+00:00"},
    }  # fmt: skip
    return json.dumps({"document": head, "product_tree": tree, "vulnerabilities": [vulnerability]})


def _product(id: str, **helper: str) -> dict[str, Any]:
    return {"product": {"name": id, "product_id": id, "product_identification_helper": helper}}


def _component(whole: str, part: str, place: str) -> dict[str, Any]:
    return {
        "full_product_name": {"product_id": whole}, "product_reference": part, "relates_to_product_reference": place,
    }  # fmt: skip


REDHAT_TREE = {
    "branches": [
        {"branches": [
            _product("AppStream-9", cpe="cpe:/a:redhat:enterprise_linux:9::appstream"),
            _product("EUS-9", cpe="cpe:/a:redhat:rhel_eus:9.2::appstream"),
            _product("node.src", purl="pkg:rpm/redhat/nodejs@18.1-2.module%2Bel9?arch=src&epoch=1&rpmmod=nodejs:18:9:1"),
            _product("node.x86_64", purl="pkg:rpm/redhat/nodejs-libs@18.1-2.module%2Bel9?arch=x86_64&rpmmod=nodejs:18:9"),
        ]},
        _product("rhel9", cpe="cpe:/o:redhat:enterprise_linux:9"),
        _product("vim"),
    ],
    "relationships": [
        _component("AppStream-9:node.src", "node.src", "AppStream-9"),
        _component("AppStream-9:node.x86_64", "node.x86_64", "AppStream-9"),
        _component("EUS-9:node.src", "node.src", "EUS-9"),
        _component("rhel9:vim", "vim", "rhel9"),
    ],
}  # fmt: skip

FORMATS: dict[str, tuple[str, str, str, list[tuple[str, ...]]]] = {
    "Debian's tracker": (
        "debian_tracker", "debian.json",
        json.dumps({"curl": {"CVE-2024-1001": {"description": "Bad", "releases": {
            "bookworm": {"status": "resolved", "fixed_version": "7.88-1", "urgency": "high**"},
            "bullseye": {"status": "open", "urgency": "unimportant", "nodsa": "Minor", "nodsa_reason": "ignored"},
            "trixie": {"status": "open", "urgency": "low", "nodsa": "Minor", "nodsa_reason": ""},
            "buster": {"status": "open", "urgency": "end-of-life"},
            "forky": {"status": "undetermined", "urgency": "low"},
            "stretch": {"status": "resolved", "fixed_version": "0", "urgency": "low"},
            "sid": {"status": "resolved", "fixed_version": "8", "urgency": "low"},
        }}}}),
        [
            ("CVE-2024-1001", "Debian:12", "curl", "7.88-1", "fixed"),
            ("CVE-2024-1001", "Debian:11", "curl", "", "will_not_fix"),
            ("CVE-2024-1001", "Debian:13", "curl", "", "deferred"),
            ("CVE-2024-1001", "Debian:10", "curl", "", "end_of_life"),
            ("CVE-2024-1001", "Debian:9", "curl", "", "not_affected"),
        ],
    ),
    "Wolfi": (
        "wolfi", "security.json",
        json.dumps({"reponame": "os", "urlprefix": "https://packages.wolfi.dev", "packages": [
            {"pkg": {"name": "curl", "secfixes": {"8.1-r0": ["CVE-2024-1001", "GHSA-1"], "0": ["CVE-2024-1002"]}}}]}),
        [("CVE-2024-1001", "Wolfi", "curl", "8.1-r0", "fixed"), ("GHSA-1", "Wolfi", "curl", "8.1-r0", "fixed")],
    ),
    "Red Hat's CSAF": (
        "csaf", "rhsa.json",
        _csaf("https://www.redhat.com", REDHAT_TREE, {"cve": "CVE-2024-1001", "product_status": {
            "fixed": ["AppStream-9:node.src", "AppStream-9:node.x86_64", "EUS-9:node.src"]}}),
        [("CVE-2024-1001", "Red Hat:9", "nodejs", "1:18.1-2.module+el9", "fixed")],
    ),
    "Red Hat's VEX": (
        "csaf", "cve.json",
        _csaf("https://www.redhat.com", REDHAT_TREE, {"cve": "CVE-2024-1001", "product_status": {
            "known_affected": ["rhel9:vim"]},
            "remediations": [{"category": "no_fix_planned", "details": "Will not fix", "product_ids": ["rhel9:vim"]}]}),
        [("CVE-2024-1001", "Red Hat:9", "vim", "", "will_not_fix")],
    ),
    "SUSE's CSAF": (
        "csaf", "suse.json",
        _csaf("https://www.suse.com/", {
            "branches": [_product("SUSE Linux Enterprise Server 15 SP4"), _product("curl-7.79.1-150400.5.32.1.x86_64")],
            "relationships": [_component("S:c", "curl-7.79.1-150400.5.32.1.x86_64", "SUSE Linux Enterprise Server 15 SP4")],
        }, {"cve": "CVE-2024-1001", "product_status": {"recommended": ["S:c"]}}),
        [("CVE-2024-1001", "SUSE:15.4", "curl", "7.79.1-150400.5.32.1", "fixed")],
    ),
    "Red Hat's API": (
        "redhat_api", "CVE-2024-1001.json",
        json.dumps({"name": "CVE-2024-1001", "threat_severity": "Moderate", "affected_release": [
            {"cpe": "cpe:/o:redhat:enterprise_linux:9", "package": "bind-32:9.11.36-5.el9", "advisory": "RHSA-2024:1"},
            {"cpe": "cpe:/o:redhat:rhel_els:6", "package": "bind-32:9.8-1.el6"}],
            "package_state": [{"cpe": "cpe:/o:redhat:enterprise_linux:8", "package_name": "nodejs:18/nodejs",
                               "fix_state": "Fix deferred"}]}),
        [
            ("CVE-2024-1001", "Red Hat:9", "bind", "32:9.11.36-5.el9", "fixed"),
            ("CVE-2024-1001", "Red Hat:8", "nodejs", "", "deferred"),
        ],
    ),
    "Red Hat's OVAL": (
        "oval", "rhel-8.oval.xml",
        _oval("com.redhat.rhsa",
              "<title>RHSA-2024:1: nodejs security update (Important)</title>"
              '<reference ref_id="CVE-2024-1001" ref_url="x" source="CVE"/><advisory><severity>Important</severity>'
              '<cve impact="moderate" cwe="CWE-835" cvss3="7.5/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H">CVE-2024-1001'
              "</cve><affected_cpe_list><cpe>cpe:/a:redhat:enterprise_linux:8::appstream</cpe></affected_cpe_list>"
              "</advisory>",
              '<criteria operator="AND"><criterion comment="Module nodejs:18 is enabled" test_ref="m"/>'
              '<criterion comment="Red Hat Enterprise Linux 8 is installed" test_ref="p"/><criteria operator="AND">'
              '<criterion comment="nodejs is earlier than 1:18.1-2" test_ref="t1"/>'
              '<criterion comment="nodejs is signed with Red Hat redhatrelease2 key" test_ref="k"/></criteria></criteria>',
              _rpm(1, "nodejs", _less("1:18.1-2"))),
        [("CVE-2024-1001", "Red Hat:8", "nodejs", "1:18.1-2", "fixed")],
    ),
    "Oracle's OVAL": (
        "oval", "com.oracle.elsa-all.xml",
        _oval("com.oracle.elsa",
              "<title>ELSA-2024-1: osbuild security update (MODERATE)</title><affected><platform>Oracle Linux 8</platform>"
              '</affected><reference ref_id="CVE-2024-1001" source="CVE"/>',
              '<criteria operator="AND"><criterion test_ref="a" comment="Oracle Linux 8 is installed"/>'
              '<criteria operator="OR"><criteria operator="AND">'
              '<criterion test_ref="b" comment="Oracle Linux arch is x86_64"/>'
              '<criterion test_ref="c" comment="osbuild is earlier than 0:110-1.0.1.el8"/></criteria>'
              '<criterion test_ref="d" comment="openssl is earlier than 2:1.1.1g-15.ksplice1.el8"/></criteria></criteria>'),
        [("CVE-2024-1001", "Oracle Linux:8", "osbuild", "110-1.0.1.el8", "fixed")],
    ),
    "SUSE's OVAL": (
        "oval", "suse.linux.enterprise.server.15.xml",
        _oval("org.opensuse.security",
              '<title>CVE-2024-1001</title><reference ref_id="Mitre CVE-2024-1001" source="CVE"/>',
              '<criteria operator="AND"><criteria operator="OR">'
              '<criterion test_ref="p" comment="SUSE Linux Enterprise Server 15 SP3 is installed"/>'
              '<criterion test_ref="q" comment="openSUSE Leap 15.3 is installed"/></criteria>'
              '<criterion test_ref="t1" comment="krb5 is &lt;1.15.2-4.25"/></criteria>',
              _rpm(1, "krb5", _less("0:1.15.2-4.25"))),
        [
            ("CVE-2024-1001", "SUSE:15.3", "krb5", "1.15.2-4.25", "fixed"),
            ("CVE-2024-1001", "openSUSE:Leap 15.3", "krb5", "1.15.2-4.25", "fixed"),
        ],
    ),
    "Azure Linux": (
        "oval", "azurelinux-3.0-oval.xml",
        _oval("com.microsoft.azurelinux",
              '<title>CVE-2024-1001 affecting package ceph</title><affected><platform>Azure Linux</platform></affected>'
              '<reference ref_id="CVE-2024-1001" source="CVE"/><patchable>true</patchable><severity>High</severity>',
              '<criteria operator="AND"><criterion comment="Package ceph is earlier" test_ref="t1"/></criteria>',
              _rpm(1, "ceph", _less("0:18.2.1-1.azl3"))),
        [("CVE-2024-1001", "Azure Linux:3", "ceph", "18.2.1-1.azl3", "fixed")],
    ),
    "Azure Linux, not concerned": (
        "oval", "mariner.xml",
        _oval("com.microsoft.cbl-mariner",
              '<title>x</title><reference ref_id="CVE-2024-1001" source="CVE"/><patchable>Not Applicable</patchable>',
              '<criteria operator="AND"><criterion comment="Package glibc is installed" test_ref="t1"/></criteria>',
              _rpm(1, "glibc", _less("0:2.35-4.cm2", "less than or equal"))),
        [("CVE-2024-1001", "Azure Linux:2", "glibc", "", "not_affected")],
    ),
    "Amazon's errata": (
        "updateinfo", "updateinfo.xml",
        '<?xml version="1.0"?>\n<updates><update type="security"><id>ALAS2-2024-1</id><severity>important</severity>'
        '<references><reference href="x" id="CVE-2024-1001" type="cve"/><reference id="CVE-2024-1002" type="cve"/></references>'
        '<pkglist><collection><package name="vim" epoch="2" version="8.2" release="1.amzn2" arch="x86_64"/></collection>'
        "</pkglist></update><update type=\"bugfix\"><id>ALAS2-2024-2</id></update></updates>",
        [
            ("CVE-2024-1001", "Amazon Linux:2", "vim", "2:8.2-1.amzn2", "fixed"),
            ("CVE-2024-1002", "Amazon Linux:2", "vim", "2:8.2-1.amzn2", "fixed"),
        ],
    ),
    "AlmaLinux's errata": (
        "updateinfo", "updateinfo.xml",
        '<updates><update type="security"><id>ALSA-2024:1</id><references><reference id="CVE-2024-1001"/></references>'
        '<pkglist><collection><module name="nodejs" stream="18"/><package name="nodejs" epoch="1" version="18.1"'
        ' release="1.module_el8.9.0+1" arch="x86_64"/></collection><collection><package name="x" epoch="0" version="1"'
        ' release="2.el8" arch="noarch"/></collection></pkglist></update></updates>',
        [
            ("CVE-2024-1001", "AlmaLinux:8", "nodejs", "1:18.1-1.module_el8.9.0+1", "fixed"),
            ("CVE-2024-1001", "AlmaLinux:8", "x", "1-2.el8", "fixed"),
        ],
    ),
    "Fedora": (
        "bodhi", "FEDORA-2024-1.json",
        json.dumps({"alias": "FEDORA-2024-1", "type": "security", "status": "stable", "display_name": "x",
                    "release": {"version": "40", "id_prefix": "FEDORA"}, "bugs": [{"title": "CVE-2024-1001 vim: bad"}],
                    "builds": [{"nvr": "vim-common-9.1-1.fc40", "epoch": 2}]}),
        [("CVE-2024-1001", "Fedora:40", "vim-common", "2:9.1-1.fc40", "fixed")],
    ),
    "AlmaLinux in OSV": (
        "osv", "ALSA.json",
        json.dumps({"id": "ALSA-2024:1", "summary": "Moderate: x", "related": ["CVE-2024-1001", "CVE-2024-1002"], "affected": [
            {"package": {"ecosystem": "AlmaLinux:8", "name": "x"}, "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2-1.el8"}]}]}]}),
        [
            ("CVE-2024-1001", "AlmaLinux:8", "x", "2-1.el8", "fixed"),
            ("CVE-2024-1002", "AlmaLinux:8", "x", "2-1.el8", "fixed"),
        ],
    ),
    "Ubuntu in OSV": (
        "osv", "UBUNTU-CVE-2024-1001.json",
        json.dumps({"id": "UBUNTU-CVE-2024-1001", "upstream": ["CVE-2024-1001"], "severity": [
            {"type": "Ubuntu", "score": "negligible"}], "affected": [
            {"package": {"ecosystem": "Ubuntu:22.04:LTS", "name": "tpp"}, "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}),
        [("UBUNTU-CVE-2024-1001", "Ubuntu:22.04:LTS", "tpp", "", "affected")],
    ),
    "Photon": (
        "photon", "cve_data_photon4.0.json",
        json.dumps([
            {"cve_id": "CVE-2024-1001", "pkg": "curl", "cve_score": 9.8, "aff_ver": "x", "res_ver": "7.88.1-4.ph4",
             "status": "Fixed"},
            {"cve_id": "CVE-2024-1002", "pkg": "httpd", "aff_ver": "", "res_ver": "NA", "status": "Not Affected"}]),
        [
            ("CVE-2024-1001", "Photon OS:4.0", "curl", "7.88.1-4.ph4", "fixed"),
            ("CVE-2024-1002", "Photon OS:4.0", "httpd", "", "not_affected"),
        ],
    ),
    "Arch": (
        "arch", "all.json",
        json.dumps([{"name": "AVG-1", "packages": ["glibc", "lib32-glibc"], "affected": "2.38-1", "fixed": "2.38-2",
                     "severity": "High", "status": "Fixed", "issues": ["CVE-2024-1001"], "advisories": ["ASA-1"]},
                    {"name": "AVG-2", "packages": ["pam"], "affected": "1.7.0-2", "fixed": None,
                     "status": "Vulnerable", "severity": "Low", "issues": ["CVE-2024-1002"]}]),
        [
            ("CVE-2024-1001", "Arch Linux", "glibc", "2.38-2", "fixed"),
            ("CVE-2024-1001", "Arch Linux", "lib32-glibc", "2.38-2", "fixed"),
            ("CVE-2024-1002", "Arch Linux", "pam", "", "affected"),
        ],
    ),
    "RustSec": (
        "rustsec", "RUSTSEC-2021-1.md",
        '```toml\n[advisory]\nid = "RUSTSEC-2021-1"\npackage = "hyper"\ndate = "2021-07-07"\naliases = ["CVE-2024-1001"]\n'
        '[versions]\npatched = [">= 0.14.10"]\nunaffected = ["< 0.12"]\n```\n\n# A title\n\nDetails.\n',
        [("RUSTSEC-2021-1", "crates.io", "hyper", "0.14.10", "fixed")],
    ),
    "Ruby": (
        "rubysec", "gems/rack/CVE-2024-1001.yml",
        '---\ngem: rack\ncve: 2024-1001\ndate: 2024-05-18\ntitle: Bad\ncvss_v3: 7.5\npatched_versions:\n  - "~> 2.2.3"\n'
        '  - ">= 3.0.1"\n',
        [("CVE-2024-1001", "RubyGems", "rack", "2.2.3", "fixed")],
    ),
    "PHP": (
        "php", "symfony/http-kernel/CVE-2024-1001.yaml",
        "title: Bad\nlink: https://symfony.com/x\ncve: CVE-2024-1001\nbranches:\n  4.x:\n    time: 2024-01-24 10:00:00\n"
        "    versions: ['>=4.4.0', '<4.4.13']\nreference: composer://symfony/http-kernel\n",
        [("CVE-2024-1001", "Packagist", "symfony/http-kernel", "4.4.13", "fixed")],
    ),
    "Node": (
        "nodesec", "vuln/npm/1.json",
        json.dumps({"id": 1, "module_name": "hapi", "cves": ["CVE-2024-1001"], "vulnerable_versions": "<=2.1.0",
                    "patched_versions": ">=2.2.0", "cvss_vector": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}),
        [("NSWG-ECO-1", "npm", "hapi", "", "fixed")],
    ),
    "NVD": (
        "nvd", "nvdcve-2.0-2024.json",
        json.dumps({"format": "NVD_CVE", "version": "2.0", "timestamp": "2024-01-03T21:56:15.797", "vulnerabilities": [
            {"cve": {"id": "CVE-2024-1001", "vulnStatus": "Analyzed", "descriptions": [{"lang": "en", "value": "Bad"}],
                     "references": [{"url": "https://x", "tags": ["Exploit"]}],
                     "weaknesses": [{"description": [{"value": "CWE-79"}]}],
                     "metrics": {"cvssMetricV2": [{"type": "Primary", "cvssData": {
                         "vectorString": "AV:N/AC:M/Au:N/C:N/I:P/A:N"}}], "cvssMetricV31": [
                         {"type": "Primary", "cvssData": {
                             "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:H/A:N"}}]},
                     "configurations": [{"nodes": [{"cpeMatch": [
                         {"vulnerable": True, "criteria": "cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*",
                          "versionStartIncluding": "1.0", "versionEndExcluding": "1.25.3"},
                         {"vulnerable": False, "criteria": "cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*"},
                         {"vulnerable": True, "criteria": "cpe:2.3:a:a:everything:*:*:*:*:*:*:*:*"}]}]}]}},
            {"cve": {"id": "CVE-2024-1002", "vulnStatus": "Rejected", "lastModified": "2024-01-01T00:00:00.000"}}]}),
        [("CVE-2024-1001", "Generic", "f5:nginx", "1.25.3", "fixed")],
    ),
}  # fmt: skip


def _read(name: str, data: str) -> list[Parsed]:
    return list(parse(Document(name, data.encode())) or [])


def _advisories(name: str) -> list[Advisory]:
    return [one for part in _read(*FORMATS[name][1:3]) for one in part.advisories]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_affected(name: str) -> None:
    feed, file, data, expected = FORMATS[name]
    document = Document(file, data.encode())
    assert next((key for key, one in FEEDS.items() if one.recognise(document)), None) == feed
    found = [
        (
            one.id,
            part.ecosystem,
            part.package,
            next((span.fixed for span in part.ranges if span.fixed), ""),
            part.status,
        )
        for one in _advisories(name)
        for part in one.affected
    ]
    assert found == expected


@pytest.mark.parametrize("name", FORMATS)
def test_a_cut_document_is_broken_and_nothing_worse(name: str) -> None:
    _, file, data, _ = FORMATS[name]
    for share in (0.5, 0.8, 0.95):
        document = Document(file, data[: int(len(data) * share)].encode())
        with suppress(ValueError):
            list(parse(document) or [])


def test_modules_weaknesses_and_words_are_kept() -> None:
    (csaf,) = _advisories("Red Hat's CSAF")
    assert (csaf.aliases, csaf.affected[0].module) == (("RHSA-2024:1",), "nodejs:18")
    (oval,) = _advisories("Red Hat's OVAL")
    assert (oval.affected[0].module, oval.cwes, oval.score, oval.severity) == ("nodejs:18", ("CWE-835",), 7.5, "medium")
    (oracle,) = _advisories("Oracle's OVAL")
    assert oracle.affected[0].arches == ("x86_64", "noarch")
    (api,) = _advisories("Red Hat's API")
    assert api.affected[1].module == "nodejs:18"
    (ubuntu,) = _advisories("Ubuntu in OSV")
    assert (ubuntu.aliases, ubuntu.affected[0].severity) == (("CVE-2024-1001",), Severity.LOW)
    assert _advisories("AlmaLinux in OSV")[0].affected[0].severity is Severity.MEDIUM


def test_nvd_keeps_all_vectors_and_the_mark_of_an_exploit() -> None:
    known, rejected = _advisories("NVD")
    assert (known.score, len(known.vectors), known.cwes, known.poc) == (6.5, 2, ("CWE-79",), True)
    assert known.affected[0].ranges[0].introduced == "1.0"
    assert rejected.withdrawn and not rejected.affected
    assert _read(*FORMATS["NVD"][1:3])[0].published == "2024-01-03T21:56:15.797Z"


def test_epss() -> None:
    data = (
        "#model_version:v2025,score_date:2025-02-20T00:00:00+0000\ncve,epss,percentile\nCVE-2024-1001,0.9,0.99\nx,y,z\n"
    )
    (part,) = _read("epss.csv", data)
    assert [(one.cve, one.score, one.percentile) for one in part.predicted] == [("CVE-2024-1001", 0.9, 0.99)]
    assert part.published == "2025-02-20T00:00:00Z"
    with pytest.raises(ValueError, match="score"):
        _read("epss.csv", "cve,epss,percentile\nCVE-1,2\n")


EXPLOITS = {
    "exploitdb": 'id,file,description,date_published,author,codes\n7,exploits/x.py,"A, b",2024-01-01,me,CVE-2024-1001;OSVDB-1\n',
    "metasploit": '{"exploit_linux/x": {"fullname": "exploit/linux/x", "references": ["CVE-2024-1001", "URL-x"]}}',
    "nuclei": '{"ID":"CVE-2024-1001","Info":{"Name":"x"},"file_path":"http/cves/x.yaml"}\nnonsense\n',
}


@pytest.mark.parametrize("kind", EXPLOITS)
def test_collections_of_exploits_are_marks(kind: str) -> None:
    (part,) = _read("x", EXPLOITS[kind])
    assert [(one.cve, one.kind) for one in part.exploits] == [("CVE-2024-1001", kind)]


def test_ends_of_support() -> None:
    data = (
        '---\ntitle: Debian\npermalink: /debian\nreleases:\n  - releaseCycle: "12"\n    codename: "Bookworm"\n'
        '    releaseDate: 2023-06-10\n    eol: 2026-07-11\n    eoes: 2028-06-30\n  - releaseCycle: "1"\n    eol: true\n---\n'
    )
    (part,) = _read("products/debian.md", data)
    first, last = part.cycles
    assert (first.product, first.name, first.end, first.extended) == ("debian", "12", "2026-07-11", "2028-06-30")
    assert last.ended and not last.end


def _deep(levels: int) -> dict[str, Any]:
    branch: dict[str, Any] = {}
    for _ in range(levels):
        branch = {"branches": [branch]}
    return branch


HOSTILE = {
    "entities": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><oval_definitions'
    ' xmlns="x"><generator/><definitions><definition id="oval:com.redhat.rhsa:def:1">&b;</definition></definitions>',
    "depth": '<oval_definitions xmlns="x"><definitions><definition id="oval:com.redhat.rhsa:def:1">' + "<criteria>" * 5000,
    "a tree without end": json.dumps({
        "document": {"csaf_version": "2.0", "publisher": {"namespace": "https://www.redhat.com"}, "tracking": {"id": "x"}},
        "product_tree": {"branches": [_deep(60)]}}),
    "a deep list": '{"format": "NVD_CVE", "vulnerabilities": ' + "[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        _read("x.xml", HOSTILE[name])
