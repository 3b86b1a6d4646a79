"""Lock files: what each names, all of it declared and nothing installed; broken ones cost themselves."""

# ruff: noqa: E501 - samples are as the tools write them
import json

import pytest

from seawall.images.collect.packages import FORMATS

SAMPLES: dict[str, tuple[str, str, set[tuple[str, str]]]] = {
    "npm 3": (
        "npm_lock", "app/package-lock.json:" + json.dumps({"lockfileVersion": 3, "packages": {
            "": {"name": "app", "version": "1"}, "node_modules/@s/a": {"version": "1.0.0"},
            "node_modules/@s/a/node_modules/b": {"version": "2.0.0", "dev": True},
            "node_modules/alias": {"name": "real", "version": "3.0.0"},
            "node_modules/linked": {"link": True, "resolved": "packages/x"}, "packages/x": {"version": "9"},
        }}),
        {("@s/a", "1.0.0"), ("b", "2.0.0"), ("real", "3.0.0")},
    ),
    "npm 1": (
        "npm_lock", "npm-shrinkwrap.json:" + json.dumps({"lockfileVersion": 1, "dependencies": {
            "a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0"}}}, "c": {"version": None}, "d": 1
        }}),
        {("a", "1.0.0"), ("b", "2.0.0")},
    ),
    "yarn 1": (
        "yarn_lock",
        'yarn.lock:# yarn lockfile v1\n\n\n"@s/a@^1.0.0", "@s/a@^1.1.0":\n  version "1.1.0"\n  resolved "x"\n'
        '  dependencies:\n    b "^2"\n\nb@^2, b@~2.1:\n  version "2.1.3"\n\n"c@npm:real@^3":\n  version "3.0.0"\n',
        {("@s/a", "1.1.0"), ("b", "2.1.3"), ("real", "3.0.0")},
    ),
    "yarn berry": (
        "yarn_lock",
        '''yarn.lock:__metadata:\n  version: 6\n\n"@s/a@npm:^1.0.0, @s/a@npm:^1.1.0":\n  version: 1.1.0\n  resolution: "x"\n
"app@workspace:.":\n  version: 0.0.0-use.local\n\n"b@patch:b@^2#x":\n  version: 2.0.0\n''',
        {("@s/a", "1.1.0"), ("b", "2.0.0")},
    ),
    "pnpm 5": (
        "pnpm_lock",
        "pnpm-lock.yaml:lockfileVersion: 5.4\ndependencies:\n  a: 1.0.0\npackages:\n\n  /a/1.0.0:\n    dev: false\n"
        "  /@s/b/2.0.0_react@17.0.0:\n    dev: true\n",
        {("a", "1.0.0"), ("@s/b", "2.0.0")},
    ),
    "pnpm 6": (
        "pnpm_lock",
        "pnpm-lock.yaml:lockfileVersion: '6.0'\npackages:\n\n  /a@1.0.0:\n    dev: false\n  /@s/b@2.0.0(react@17.0.0):\n",
        {("a", "1.0.0"), ("@s/b", "2.0.0")},
    ),
    "pnpm 9": (
        "pnpm_lock",
        "pnpm-lock.yaml:lockfileVersion: '9.0'\nimporters:\n  .:\n    x\npackages:\n\n  '@s/b@2.0.0':\n    resolution: {}\n"
        "  a@1.0.0:\n    resolution: {}\n  c@file:../c:\n\nsnapshots:\n\n  z@9.0.0: {}\n",
        {("a", "1.0.0"), ("@s/b", "2.0.0")},
    ),
    "bun": (
        "bun_lock",
        'bun.lock:{\n  "lockfileVersion": 1,\n  "workspaces": {"": {"name": "x",},},\n  "packages": {\n'
        '    "@s/a": ["@s/a@1.0.0", "", {}, "sha512-x"],\n    "b": ["b@2.0.0", "", {}],\n    "w": ["w@workspace:w"],\n  },\n}',
        {("@s/a", "1.0.0"), ("b", "2.0.0")},
    ),
    "requirements": (
        "python_lock",
        "srv/requirements-prod.txt:# c\nDjango==4.1\nrequests[security] == 2.0 ; python_version > '3'\nx>=1\n"
        "-r other.txt\nflask===1.0 --hash=sha256:00\ny==1.* \nz==1 \\\n    --hash=sha256:aa\r\n",
        {("Django", "4.1"), ("requests", "2.0"), ("flask", "1.0"), ("z", "1")},
    ),
    "pipenv": (
        "python_lock", "Pipfile.lock:" + json.dumps({"default": {"a": {"version": "==1.0"}, "b": {"git": "x"}},
                                                     "develop": {"c": {"version": "==2"}}}),
        {("a", "1.0"), ("c", "2")},
    ),
    "poetry": (
        "python_lock",
        'poetry.lock:[[package]]\nname = "a"\nversion = "1.0"\n[package.dependencies]\nname = "no"\nversion = "0"\n\n'
        '[[package]]\nname = "b"\nversion = "2"\n\n[metadata]\nname = "c"\nversion = "3"\n',
        {("a", "1.0"), ("b", "2")},
    ),
    "uv": (
        "python_lock",
        'uv.lock:version = 1\n\n[[package]]\nname = "a"\nversion = "1.0"\nsource = { registry = "x" }\n',
        {("a", "1.0")},
    ),
    "cargo": (
        "cargo_lock",
        'Cargo.lock:version = 3\n\n[[package]]\nname = "a"\nversion = "1.0.0"\ndependencies = [\n "b",\n]\n\n[[package]]\n'
        'name = "b"\nversion = "0.1.0"\n',
        {("a", "1.0.0"), ("b", "0.1.0")},
    ),
    "go.mod": (
        "go_mod",
        "go.mod:module example.com/m\n\ngo 1.21\n\nrequire example.com/a v1.0.0\n\nrequire (\n\tb.example/b v0.1.0 // indirect\n"
        "\tc.example/c v1.0.0\n\td.example/d v1.0.0\n)\n\nreplace c.example/c => c.example/fork v1.0.1\n"
        "replace (\n\td.example/d v1.0.0 => ../d\n)\n",
        {("example.com/a", "v1.0.0"), ("b.example/b", "v0.1.0"), ("c.example/fork", "v1.0.1")},
    ),
    "pom": (
        "maven_pom",
        """pom.xml:<project xmlns="http://maven.apache.org/POM/4.0.0"><groupId>org.sea</groupId><version>1</version>
        <properties><v>2.0</v><w>${v}</w></properties>
        <dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>m</artifactId><version>5</version>
        </dependency></dependencies></dependencyManagement>
        <dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${w}</version></dependency>
        <dependency><groupId>${project.groupId}</groupId><artifactId>b</artifactId><version>${project.version}</version></dependency>
        <dependency><groupId>g</groupId><artifactId>m</artifactId></dependency>
        <dependency><groupId>g</groupId><artifactId>t</artifactId><version>1</version><scope>test</scope></dependency>
        <dependency><groupId>g</groupId><artifactId>p</artifactId><version>${parent.only}</version></dependency>
        </dependencies></project>""",
        {("g:a", "2.0"), ("org.sea:b", "1"), ("g:m", "5")},
    ),
    "gradle": (
        "gradle_lock", "gradle.lockfile:# comment\norg.sea:tide:1.0=compileClasspath,runtimeClasspath\nempty=x\n",
        {("org.sea:tide", "1.0")},
    ),
    "bundler": (
        "gem_lock",
        "Gemfile.lock:GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (2.0.1)\n    rails (5.0)\n      rack (~> 2.0)\n"
        "    nokogiri (1.10.0-x86_64-linux)\n\nPLATFORMS\n  ruby\n",
        {("rack", "2.0.1"), ("rails", "5.0"), ("nokogiri", "1.10.0")},
    ),
    "composer": (
        "composer_lock", "composer.lock:" + json.dumps({"packages": [{"name": "a/b", "version": "v1.0"}, 3],
                                                        "packages-dev": [{"name": "c/d", "version": "2.0"}]}),
        {("a/b", "v1.0"), ("c/d", "2.0")},
    ),
    "nuget": (
        "nuget_lock", "packages.lock.json:" + json.dumps({"version": 1, "dependencies": {"net6.0": {
            "A": {"type": "Direct", "resolved": "1.0.0"}, "Own": {"type": "Project"}}}}),
        {("A", "1.0.0")},
    ),
    "nuget, old": (
        "nuget_lock",
        'packages.config:<?xml version="1.0"?><packages><package id="A" version="1.0" /><package id="B" /></packages>',
        {("A", "1.0")},
    ),
    "pub": (
        "pub_lock",
        'pubspec.lock:packages:\n  async:\n    dependency: transitive\n    description:\n      name: async\n    version: "2.8.2"\nsdks:\n'
        '  dart: "x"\n',
        {("async", "2.8.2")},
    ),
    "mix": ("hex_lock", 'mix.lock:%{\n  "a": {:hex, :a, "1.0.0", "abc", [:mix]},\n  "g": {:git, "x"},\n}', {("a", "1.0.0")}),
    "rebar": ("hex_lock", 'rebar.lock:{"1.2.0",\n[{<<"a">>,{pkg,<<"a">>,<<"1.0.0">>},0}]}.', {("a", "1.0.0")}),
    "swift 2": (
        "swift_lock", "Package.resolved:" + json.dumps({"version": 2, "pins": [
            {"identity": "nio", "location": "https://github.com/apple/nio.git", "state": {"version": "2.0.0"}},
            {"identity": "b", "location": "https://github.com/b/b", "state": {"branch": "main"}}]}),
        {("github.com/apple/nio", "2.0.0")},
    ),
    "swift 1": (
        "swift_lock", "Package.resolved:" + json.dumps({"version": 1, "object": {"pins": [
            {"package": "nio", "repositoryURL": "https://github.com/apple/nio", "state": {"version": "2.0.0"}}]}}),
        {("github.com/apple/nio", "2.0.0")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_it_names(sample: str) -> None:
    name, whole, wanted = SAMPLES[sample]
    path, _, content = whole.partition(":")
    assert FORMATS[name].wanted(path)
    found = FORMATS[name].read(path, content.encode()).packages
    assert {(one.name, one.version) for one in found} == wanted
    assert all(one.declared and one.kind in FORMATS[name].kinds for one in found)


def test_every_lock_has_a_sample() -> None:
    assert {name for name, known in FORMATS.items() if known.declared} == {name for name, _, _ in SAMPLES.values()}


@pytest.mark.parametrize("path", ["app/node_modules/x/yarn.lock", "usr/lib/python3/dist-packages/x/requirements.txt"])
def test_locks_of_what_is_installed_are_passed_over(path: str) -> None:
    assert not any(known.wanted(path) for known in FORMATS.values() if known.declared)


def test_xml_brings_no_bomb() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><project>&b;</project>'
    deep = b"<project>" + b"<a>" * 1000
    for data in (bomb, deep, b"", b"<project>"):
        with pytest.raises(ValueError, match="XML"):
            FORMATS["maven_pom"].read("pom.xml", data)


@pytest.mark.parametrize("name", [name for name, known in FORMATS.items() if known.declared])
@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\0", b"[" * 50_000, b"{}", b'{"packages": 1, "dependencies": [3]}', b"a" * 99999]
)
def test_rubbish_is_a_value_error_or_nothing(name: str, data: bytes) -> None:
    known = FORMATS[name]
    for path in (pattern.replace("**/", "").replace("*", "x") for pattern in known.files):
        try:
            assert known.read(path, data).packages == []
        except ValueError:
            continue
