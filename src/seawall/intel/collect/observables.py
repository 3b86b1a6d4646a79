"""Indicators out of text as people write it: addresses with ports, URLs, names made harmless (hxxp://evil[.]example).

What everybody has (loopback, private networks, the whole internet) is none, whatever list it stands in.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from pathlib import PurePath
from urllib.parse import urlsplit

from seawall.intel.collect.documents import Document
from seawall.intel.model import Indicator

KINDS = (
    *("c2", "botnet", "malware", "phishing", "ransomware", "exploit", "mining", "tor", "proxy", "vpn", "scanner"),
    *("tunnel", "paste", "other"),
)
MAX_OF_DOCUMENT = 500_000
MAX_ABOUT = 300
WIDEST = {4: 8, 6: 19}
"""Shortest prefixes that are taken: a list with half the internet in it is a mistake."""
_WORDS = (
    ("c2", r"c2|c&c|c2c|cnc|command.?and.?control|cobalt.?strike|beacon|rat\b"),
    ("mining", r"min(er|ers|ing)\b|miningpool|cryptojack|coin.?hive|stratum|monero|xmr"),
    ("tor", r"tor\b|tor.?exit|onion|exit.?node"),
    ("phishing", r"phish"),
    ("ransomware", r"ransom"),
    ("botnet", r"botnet|\bbot\b|mirai|feodo|emotet|ddos"),
    ("tunnel", r"tunnel|ngrok"),
    ("paste", r"paste"),
    ("vpn", r"\bvpn"),
    ("proxy", r"proxy|proxies|anonymi[sz]"),
    ("exploit", r"exploit|kit\b"),
    ("scanner", r"scan|brute|attackers?|ssh|abuse"),
    ("malware", r"malware|malicious|trojan|payload|dropper|stealer|backdoor|virus|urlhaus"),
)
_KINDS = tuple((kind, re.compile(rf"(?<![a-z])({words})", re.IGNORECASE)) for kind, words in _WORDS)
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_FILES = frozenset(
    ("zst", "gz", "xz", "bz2", "tar", "txt", "json", "csv", "xml", "html", "htm", "php", "jpg", "png", "gif", "exe",
     "dll", "deb", "rpm", "apk", "yaml", "yml", "toml", "log", "conf", "cfg", "ini", "bin", "jar", "whl", "asc", "sig")
)  # fmt: skip
"""Endings of files that are no top-level domains: a list of file names is no list of names."""
ENDINGS = frozenset(
    ["", "txt", "csv", "tsv", "list", "lst", "ipset", "netset", "hosts", "conf", "ioc", "iocs", "dat", "intel", "rules"]
)
"""Of files that may be a list without any mark of its own: prose with a few addresses in it never is."""
LEAST = 3
"""Entries that such a list has."""
_LOCAL = ("localhost", "local", "localdomain", "broadcasthost", "ip6-localhost", "ip6-loopback", "internal", "arpa")


def observable(text: str) -> tuple[str, str] | None:
    """(type, value) of one word, or None."""
    word = text.strip().strip("\"'").replace("[.]", ".").replace("(.)", ".").replace("[:]", ":").rstrip(".,;")
    word = re.sub(r"^h(xx|tt)p(s?)(\[:\]|:)//", r"http\2://", word, flags=re.IGNORECASE)
    if _SHA256.fullmatch(word):
        return "sha256", word.lower()
    if "://" in word:
        try:
            word = urlsplit(word).hostname or ""
        except ValueError:
            return None
    return _address(word) or _name(word)


def _address(word: str) -> tuple[str, str] | None:
    bare = word[1:].partition("]")[0] if word.startswith("[") else word
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    if not re.fullmatch(r"[0-9a-fA-F.:]+(/\d{1,3})?", bare):
        return None
    try:
        if "/" not in bare:
            address = ip_address(bare)
            return ("ip", str(address)) if address.is_global and not address.is_multicast else None
        network = ip_network(bare, strict=False)
    except ValueError:
        return None
    if not network.is_global or network.is_multicast or network.prefixlen < WIDEST[network.version]:
        return None
    single = network.prefixlen == network.max_prefixlen
    return ("ip", str(network.network_address)) if single else ("net", str(network))


def _name(word: str) -> tuple[str, str] | None:
    name = word.partition("/")[0].partition(":")[0].lower().removeprefix("*.").removeprefix("||").removesuffix("^")
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return None
    last = name.rpartition(".")[2]
    if not _DOMAIN.fullmatch(name) or name in _LOCAL or last in _LOCAL or last in _FILES:
        return None
    return "domain", name


def kind_in(words: str, default: str = "other") -> str:
    """The kind that words speak of: labels, a category, a file's name."""
    if words.strip().lower() in KINDS:
        return words.strip().lower()
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), default)


def may_be_list(document: Document) -> bool:
    """Whether a document without a mark of its own may be taken for a list: by its ending, and that it is text."""
    name = PurePath(document.name.rpartition(":")[2]).name.removesuffix(".gz")
    ending = "" if name.startswith(".") else PurePath(name).suffix.lower().lstrip(".")
    return not name.startswith(".") and ending in ENDINGS and b"\0" not in document.data[:4096]


def origin(document: Document) -> str:
    """A document's own name, the same at the next import: the file's, without folders and endings."""
    name = PurePath(document.name.rpartition(":")[2]).name
    return re.sub(r"(\.(txt|csv|json|list|ipset|netset|hosts|gz|tsv|conf))+$", "", name)[:100] or "list"


def unique(found: Iterable[Indicator | None]) -> tuple[tuple[Indicator, ...], int]:
    """The indicators without repeats, capped; and how many entries were none or over the cap."""
    kept: dict[tuple[str, str], Indicator] = {}
    unread = 0
    for one in found:
        if one is None or (len(kept) >= MAX_OF_DOCUMENT and (one.type, one.value) not in kept):
            unread += 1
        else:
            kept.setdefault((one.type, one.value), one)
    return tuple(kept.values()), unread
