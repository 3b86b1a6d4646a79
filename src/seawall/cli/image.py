"""`seawall image`: what is inside an image, with no server needed."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seawall.core import clock
from seawall.core.errors import SeawallError
from seawall.core.severity import Severity
from seawall.core.state import state_dir
from seawall.images.detect.policy import Policy, decide
from seawall.images.lines import findings, gaps
from seawall.images.model import DENIED, Scan, Statement

if TYPE_CHECKING:
    from seawall.images.collect.analysers import Options

IGNORES = ".seawallignore.yaml"
SCANNERS = ("vuln", "package", "secret", "malware", "config")
DEFAULT = SCANNERS
_SCANNERS = f"of {','.join(SCANNERS)}; default: {','.join(DEFAULT)}"
FORMATS = ("table", "json", "sarif", "junit", "html", "cyclonedx", "spdx", "openvex", "csaf", "cyclonedx_vex")
EXAMPLES = """\
examples:
  seawall image scan nginx:1.27                          an image of this host's Docker
  seawall image scan docker-archive:image.tar            what `docker save` wrote, packed or not
  seawall image scan registry:ghcr.io/owner/app:1.4      of a registry, without any engine
  seawall image scan containerd:k8s.io/nginx:1.27        of containerd's store; podman:NAME of Podman
  seawall image scan oci:./layout:app                    an OCI layout, a folder or a tar
  seawall image scan dir:/srv/root                       a root file system; dir:/ is this host's own
  seawall image scan sbom:app.cdx.json                   a bill of materials: CycloneDX, SPDX or Syft's
  seawall image scan nginx:1.27 --fail-on high           for pipelines: exit code 1 when there is one
  seawall image scan nginx:1.27 --scanners package       what is installed, without a verdict
  seawall image scan nginx:1.27 --scanners vuln,secret   … and keys, tokens and passwords, in deleted files too
  seawall image scan nginx:1.27 --scanners secret --secret-rules gitleaks.toml
  seawall image scan nginx:1.27 --format json --output nginx.json
  seawall image scan nginx:1.27 --format sarif --output nginx.sarif     for code hosts; junit for build servers
  seawall image sbom nginx:1.27 --format cyclonedx                      what is inside, as others read it (or spdx)
  seawall image scan nginx:1.27 --scanners vuln,config   also how it is built and configured
  seawall image lint ./Dockerfile --fail-on medium       the same checks before there is an image
  seawall image verify registry:registry.example/app:1 --key cosign.pub  whether that key has signed it
  seawall image scan nginx:1.27 --policy production.yaml                exit code 1 when a policy denies it
  seawall image scan nginx:1.27 --vex vendor.json --ignore-unfixed      leave out what does not concern you
  seawall image scan nginx:1.27 --format openvex                        your own decisions, for others to read

targets: docker:NAME (or a bare name), podman:NAME, containerd:[NAMESPACE/]NAME, docker-archive:FILE,
         oci:FOLDER|FILE[:NAME], registry:[HOST/]REPOSITORY[:TAG|@DIGEST], dir:FOLDER, sbom:FILE, dockerfile:FILE

exit codes: 0 clean or nothing asked, 1 findings at or over --fail-on or a policy denies, 2 could not check.
With --fail-on, whatever could not be checked (no advisories, none for a package's ecosystem, a broken layer) is 2
unless there is a finding.
"""


def main(arguments: Sequence[str]) -> int:
    """0, 1 or 2 as the examples say."""
    parser = argparse.ArgumentParser(
        "seawall image",
        description="What is inside an image: packages and their known vulnerabilities.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="scan | sbom | lint | verify")
    _add_scan(commands)
    _add_sbom(commands)
    _add_lint(commands)
    _add_verify(commands)
    wanted = parser.parse_args(list(arguments))
    if wanted.command == "verify":
        return _verify(wanted)
    if wanted.command == "lint":
        wanted = parser.parse_args(_linting(wanted))
    if wanted.fail_on and not set(wanted.scanners) - {"package"}:
        raise SeawallError("--fail-on judges findings, --scanners leaves all of them out", "add vuln to --scanners")
    return _scan(wanted)


def _add_scan(commands: Any) -> None:
    scan = commands.add_parser(
        "scan",
        help="read an image and judge it",
        description="Read an image, layer by layer and without unpacking it to disk, and judge what is in it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_reading(scan)
    scan.add_argument("--format", choices=FORMATS, default="table")
    levels = [severity.value for severity in Severity]
    scan.add_argument("--fail-on", choices=levels, metavar="SEVERITY", help=", ".join(levels))
    scan.add_argument("--policy", type=Path, metavar="FILE", help="rules the image has to keep: docs/guides")
    _add_decisions(scan)
    scan.add_argument("--scanners", type=_scanners, default=DEFAULT, metavar="LIST", help=_SCANNERS)
    scan.add_argument(
        "--secret-rules", action="append", default=[], metavar="FILE", help="more rules, in gitleaks' form"
    )
    _add_malware(scan)
    scan.add_argument("--db", type=Path, default=state_dir() / "intel.db", help="advisories; default: %(default)s")
    scan.add_argument("--max-age", type=int, metavar="DAYS", help="refuse to judge with advisories older than that")


def _add_malware(scan: argparse.ArgumentParser) -> None:
    """What files are compared with, beside the packaged rules."""
    one = scan.add_argument_group("malware")
    for name, what, about in (
        ("rules", "DIR", "a folder of YARA rules; may be repeated"),
        ("deny", "FILE", "hashes of files that are bad: SHA-256 or MD5, a line each; may be repeated"),
        ("allow", "FILE", "hashes of files that are good whatever a rule says; may be repeated"),
    ):
        one.add_argument(f"--malware-{name}", action="append", default=[], metavar=what, help=about)
    one.add_argument("--clamd", default="", metavar="ADDRESS", help="ask ClamAV's daemon too: its socket, or HOST:PORT")


def _add_decisions(scan: argparse.ArgumentParser) -> None:
    """What does not count, and why."""
    scan.add_argument(
        "--vex",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="OpenVEX, CSAF or CycloneDX; may be repeated",
    )
    scan.add_argument(
        "--ignore-file", type=Path, metavar="FILE", help=f"default: {IGNORES} in the working directory, if it is there"
    )
    scan.add_argument("--ignore-unfixed", action="store_true", help="vulnerabilities without a fix do not count")
    scan.add_argument("--show-suppressed", action="store_true", help="show what does not count, each with its reason")
    scan.add_argument("--lock-files", action="store_true", help="also judge packages that lock files only name")


def _add_sbom(commands: Any) -> None:
    sbom = commands.add_parser(
        "sbom",
        help="write down what is inside, for others to read",
        description="A bill of materials: every package with its place, license and purl, without a verdict.",
        epilog="example: seawall image sbom nginx:1.27 --format spdx --output nginx.spdx.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_reading(sbom)
    sbom.add_argument("--format", choices=("cyclonedx", "spdx", "json"), default="cyclonedx")
    sbom.set_defaults(scanners=("package",), fail_on=None, policy=None, db=state_dir() / "intel.db")
    sbom.set_defaults(
        vex=[], ignore_file=None, ignore_unfixed=False, show_suppressed=False, lock_files=False, secret_rules=[]
    )
    sbom.set_defaults(malware_rules=[], malware_deny=[], malware_allow=[], clamd="")


def _add_lint(commands: Any) -> None:
    lint = commands.add_parser(
        "lint",
        help="check a Dockerfile",
        description="What the image of a Dockerfile would be like: user, secrets, downloads, packages, start, labels.",
        epilog="example: seawall image lint . --format sarif --output dockerfile.sarif --fail-on medium",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    lint.add_argument("dockerfile", metavar="DOCKERFILE", help="the file, or its folder")
    lint.add_argument("--output", type=Path, metavar="FILE", help="write the report there, not to stdout")
    lint.add_argument("--format", choices=("table", "json", "sarif", "junit", "html"), default="table")
    lint.add_argument("--fail-on", choices=[one.value for one in Severity], metavar="SEVERITY")


def _add_verify(commands: Any) -> None:
    from seawall.images import asked

    verify = commands.add_parser(
        "verify",
        help="check who signed an image",
        description="Whether the image of a registry is signed by a key, as cosign signs. Needs seawall[server].",
        epilog="example: seawall image verify registry:registry.example/app:1 --key cosign.pub\n"
        "exit codes: 0 signed by the key, 1 not signed or by another, 2 could not check",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("target", metavar="registry:HOST/REPOSITORY:TAG")
    verify.add_argument("--key", type=Path, required=True, metavar="FILE", help="the public key, PEM")
    asked.add(verify)


def _verify(wanted: argparse.Namespace) -> int:
    from seawall.images import asked
    from seawall.images.collect import trust
    from seawall.images.detect.signatures import public_key
    from seawall.images.report.table import plain

    name = trust.name_of(wanted.target)
    if wanted.offline:
        raise SeawallError("--offline, and an image of a registry")
    try:
        key = public_key(wanted.key.read_bytes())
    except OSError as error:
        raise SeawallError(f"cannot read {wanted.key}: {error.strerror}") from error
    found = trust.look(name, key, asked.access(wanted), wanted.platform)
    print(f"{plain(found.image)}\n  digest     {found.digests[0]}\n  key        sha256:{key.fingerprint}")
    if not found.pinned:
        print(
            f"  not pinned: the tag may name another image tomorrow; {plain(found.image)}@{found.digests[0]} does not"
        )
    for one in found.signatures:
        what = f"verified, for {one.reference or 'no name'}" if one.verified else f"NOT VERIFIED: {one.why}"
        print(f"  signature  {plain(what)}{' (keyless: its certificate is not looked at)' if one.keyless else ''}")
    for text in found.beside:
        print(f"  beside     {plain(text)}, not verified")
    if not found.signatures:
        print("  NOT SIGNED: the registry has no signature of this image")
    return 0 if found.verified else 1


def _linting(wanted: argparse.Namespace) -> list[str]:
    """The scan that checks a Dockerfile."""
    given = {"--format": wanted.format, "--output": wanted.output, "--fail-on": wanted.fail_on}
    options = [word for name, value in given.items() if value for word in (name, str(value))]
    return ["scan", f"dockerfile:{wanted.dockerfile}", "--scanners", "config", "--no-cache", *options]


def _add_reading(command: argparse.ArgumentParser) -> None:
    """What holds for every way to read an image."""
    command.add_argument("target", metavar="TARGET")
    command.add_argument("--output", type=Path, metavar="FILE", help="write the report there, not to stdout")
    from seawall.images import asked

    asked.add(command)


def _scanners(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    unknown = [name for name in names if name not in SCANNERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no scanner {unknown[0]!r}; there are: {', '.join(SCANNERS)}")
    return names


def _scan(wanted: argparse.Namespace) -> int:
    from seawall.images.report import REPORTS

    policies = _policies(wanted.policy)  # a broken one is told before the image is read
    statements = _statements(wanted)
    scan = look(wanted)
    scan = _settled(scan, statements, unfixed=not wanted.ignore_unfixed, shown=wanted.show_suppressed)
    if policies:
        scan = replace(scan, decision=decide(policies, scan, scan.scanned_at))
    write = REPORTS[wanted.format]
    if wanted.output is None:
        write(scan, sys.stdout)
    else:
        try:
            with wanted.output.open("w", encoding="utf-8") as out:
                write(scan, out)
        except OSError as error:
            raise SeawallError(f"cannot write {wanted.output}: {error.strerror}") from error
        print(f"the report is in {wanted.output}", file=sys.stderr)
    left = gaps(scan)
    for gap in left:
        print(f"NOT CHECKED: {gap}", file=sys.stderr)
    denied = scan.decision is not None and scan.decision.verdict == DENIED
    code = _code(scan, Severity(wanted.fail_on), left) if wanted.fail_on else 0
    return 1 if denied else code


def _policies(path: Path | None) -> list[Policy]:
    if path is None:
        return []
    from seawall.images.load.policy import read

    return read(path)


def _statements(wanted: argparse.Namespace) -> list[Statement]:
    from seawall.images.load import ignores, vex

    given = Path(IGNORES) if wanted.ignore_file is None and Path(IGNORES).is_file() else wanted.ignore_file
    found = [statement for path in wanted.vex for statement in vex.read(path)]
    return [*found, *(ignores.read(given) if given else ())]


def _settled(scan: Scan, statements: list[Statement], *, unfixed: bool, shown: bool) -> Scan:
    """The scan without what does not count; what is to be told of decisions goes to stderr."""
    from seawall.images.detect import decisions

    today = scan.scanned_at[:10]
    inventory, judgement, told = decisions.settle(scan.inventory, scan.judgement, statements, today)
    for note in told:
        print(note, file=sys.stderr)
    if judgement is not None and not unfixed:
        judgement = decisions.unfixed(judgement)
    if judgement is not None and judgement.suppressed and not shown:
        print(f"{len(judgement.suppressed)} findings do not count; --show-suppressed tells why", file=sys.stderr)
    if judgement is not None and shown:
        from seawall.images.report.table import plain

        for one in judgement.suppressed:
            print(f"does not count: {one.id} {plain(one.package)}: {plain(one.suppressed)}", file=sys.stderr)
    return replace(scan, inventory=inventory, judgement=judgement)


def _options(wanted: argparse.Namespace) -> "Options":
    from seawall.images.collect.analysers import Options

    return Options(
        wanted.scanners,
        tuple(wanted.secret_rules),
        tuple(wanted.malware_rules),
        tuple(wanted.malware_deny),
        tuple(wanted.malware_allow),
        wanted.clamd,
    )


def look(wanted: argparse.Namespace) -> Scan:
    """Read the image, and judge it when that is asked for and anything is known."""
    from seawall.images import asked
    from seawall.images.collect.sources import collect

    scanners, db = wanted.scanners, wanted.db
    reading = asked.reading(wanted, _options(wanted), _progress)
    try:
        with asked.within(wanted.timeout):
            inventory = collect(wanted.target, reading)
    finally:
        _clear()
    now = clock.now()
    if "vuln" not in scanners:
        return Scan(inventory, now, scanners, None, "it was not asked for")
    from seawall.images.detect.findings import Judge
    from seawall.intel.store import open_store

    known = open_store(db)
    if known is None:
        why = f"there are no advisories at {db}; seawall intel update or import FILE… brings some"
        return Scan(inventory, now, scanners, None, why)
    try:
        _fresh(known.status()["age_days"], wanted.max_age)
        judge = Judge(known, now[:10], declared=wanted.lock_files)
        return Scan(inventory, now, scanners, judge.judge(inventory), knowledge=known.status())
    finally:
        known.close()


def _fresh(age: int | None, limit: int | None) -> None:
    """Raises SeawallError when what is known is older than asked, by what the feeds say."""
    if limit is not None and (age is None or age > limit):
        raise SeawallError(f"the advisories are {age} days old, --max-age is {limit}", "seawall intel update")


def _code(scan: Scan, level: Severity, left: Sequence[str]) -> int:
    found = list(findings(scan))
    if any(one.severity.rank >= level.rank for one in found):
        return 1
    unrated = sum(one.severity is Severity.UNKNOWN for one in found)
    if unrated:
        print(f"{unrated} vulnerabilities have no rating; --fail-on unknown counts them", file=sys.stderr)
    return 2 if left else 0


def _progress(share: float, message: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K  {share:4.0%}  {message}", end="", file=sys.stderr, flush=True)


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
