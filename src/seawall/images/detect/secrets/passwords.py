"""Whether a value that is given to something called a password is one. Scored, since no form tells.

Each sign has a weight of our own; what reaches REPORTED is reported, with more it is surer. The key's name, the value
and the kind of file count most. Weights were set by hand on configurations of common products and files of Debian.
"""

import re
from dataclasses import dataclass

from seawall.images.detect.secrets import places
from seawall.images.detect.secrets.placeholders import is_placeholder
from seawall.images.detect.secrets.rule import entropy

REPORTED, LIKELY, SURE = 3.0, 4.0, 5.5

_PASSWORD = re.compile(
    r"(?i)pass(?:word|wd|phrase|wrd|code)?(?:[_.-]?\d)?$|(?:pwd|passwd|psk|bindpw|rootpw|requirepass|masterauth)$"
)
_SECRET = re.compile(
    r"(?i)(?:secret|token|credentials?)(?:[_.-]?(?:key|value|base|string|\d))*$"
    r"|(?:api|access|auth|private|encryption|signing|master|account|shared|storage|session|app|service|client"
    r"|subscription|admin|webhook|license|consumer|jwt|hmac|aes|cookie)[_.-]?(?:key|token|secret)"
    r"(?:[_.-]?(?:base|value|string|\d))*$|secret[_.-]?key[_.-]?base$|\bauth$"
)
_WEAK = frozenset(
    b"admin root toor password passw0rd p@ssw0rd postgres mysql redis guest rabbitmq mongo oracle 123456 12345678 1234"
    b" 12345 qwerty letmein welcome secret admin123 password1 password123 root123 test test123 minioadmin elastic"
    b" default 111111 abc123 iloveyou master monkey dragon sa system manager tomcat nagios zabbix cisco ubuntu debian"
    b" vagrant pi".split()
)
_WORD = re.compile(rb"[A-Za-z]+$|[A-Za-z]+(?:[ _-][A-Za-z]+)+$")
_CODE = re.compile(
    rb"""(?x) [\w.\]]+\( | ^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+;?$ | ^[A-Za-z_]\w*\[
    | ^(?:new|await|self|this|os|process|lambda|function|return|not|None|null|nil|true|false|undefined|std|const|char
    |int|string|String|str|bool|void|input)\b | -> | => | :: | ^\W+$ | ^&\w | ^\*\w | \\[wdsSWD]"""
)
_NUMBER = re.compile(rb"-?\d{1,5}(?:\.\d+)?$|0x[0-9a-fA-F]+$|\d{4}-\d\d-\d\d")
_TYPE = re.compile(
    rb"(?i)(?:string|str|text|password|passwd|secret|bool(?:ean)?|int(?:eger)?|number|object|array|any|optional|required"
    rb"|true|false|yes|no|on|off|none|null|nil|empty|plain|hidden|enabled|disabled|auto|ask|prompt|never|always|file|env"
    rb"|vault|sha\d*|md5|bcrypt|scram-sha-256|trust|peer|basic|bearer|oauth2?|digest|ldap|pam|session|cookie|header|query"
    rb"|body|system|user|default)$"
)
_PATH = re.compile(
    rb"(?:~|\.{1,2})?/[\w.@~-]+(?:/[\w.@~-]*)+$|[A-Za-z]:\\|[a-z][a-z0-9+.-]{1,12}://|[\w-]+(?:/[\w.-]+)+$"
)
_DOMAIN = re.compile(
    rb"(?:[a-z][\w-]*\.){1,}(?:com|org|net|io|local|svc|key|pem|crt|txt|json|ya?ml|conf|py|js|html|php|example)$"
)
_HASHED = re.compile(
    rb"\$(?:1|2[aby]?|5|6|y|apr1|argon2\w*|pbkdf2\S*)\$|\{(?:SSHA|SHA|MD5|CRYPT)[\w-]*\}|(?i:enc\[|enc\()|pbkdf2_"
)
_CAMEL = re.compile(rb"[a-z]+(?:[A-Z][a-z]+)+$|[a-z]+(?:[_-][a-z]+)+$|[A-Z]+(?:_[A-Z]+)+$|[A-Z][a-z]+(?:[A-Z][a-z]+)+$")


@dataclass(frozen=True, slots=True)
class Assignment:
    """What was found: KEY sep VALUE."""

    key: str
    value: bytes
    quoted: bool
    path: str
    spaced: bool = False
    """Only a space separates them, as in `requirepass VALUE`."""
    remark: bool = False
    """In a comment."""


def weigh(one: Assignment) -> float:
    """How likely it is a password in use; below 0 certainly none."""
    value = one.value
    if not 3 <= len(value) <= 200 or not value.isascii() or _NUMBER.match(value):
        return -1
    file = places.kind(one.path)
    weak = value.lower() in _WEAK
    if not weak and (is_placeholder(value) or _TYPE.match(value)):
        return -1
    if _PATH.match(value) or _DOMAIN.match(value) or _HASHED.match(value):
        return -1
    if b" " in value.strip() or not value.strip():
        return -1
    named = _named(one.key)
    if not named:
        return -1
    if weak:
        return _weak(one, named, file)
    if not one.quoted and (file == places.CODE and not places.is_shell(one.path)):
        return -1
    if not one.quoted and _CODE.search(value):
        return -1
    return named + _file(one, file) + _value(one, file)


def level(score: float) -> str:
    """high, medium or low; "" is not reported."""
    if score < REPORTED:
        return ""
    return "high" if score >= SURE else "medium" if score >= LIKELY else "low"


def _named(key: str) -> float:
    last = re.split(r"[^\w.\-]", key)[-1]
    if _PASSWORD.search(last):
        return 2.0
    if _SECRET.search(last):
        return 1.5
    return 0.0


def _file(one: Assignment, file: str) -> float:
    weight = {places.CONFIG: 1.5, places.CODE: 0.3, places.TEXT: -2.5, places.OTHER: 0.0}[file]
    if file == places.TEXT and one.path.endswith((".txt", ".html", ".htm")):
        weight = -1.5
    return weight - 1.6 * places.distance(one.path) - (1.5 if one.remark else 0.0)


def _value(one: Assignment, file: str) -> float:
    """Mixed kinds of characters and many different ones speak for it, a word of a language or of code against it."""
    value, bits = one.value, entropy(one.value)
    weight = _mixed(value, bits, file)
    if _CAMEL.match(value):
        weight -= 0.8
    if len(value) >= 16 and bits >= 3.5:
        weight += 1.2
    elif len(value) < 6:
        weight -= 1.0
    elif bits < 2.0:
        weight -= 0.8
    if value.startswith((b"pass:", b"env:", b"file:", b"vault:", b"ref:", b"secret:")):
        weight -= 2.5
    if one.key.lower().rsplit(".", 1)[-1] in value.decode("ascii").lower() and len(value) < 24:
        weight -= 0.5
    return weight + (0.7 if one.quoted else 0.0) - (1.5 if one.spaced else 0.0)


def _mixed(value: bytes, bits: float, file: str) -> float:
    if _WORD.match(value):
        likely = value.isalpha() and len(value) >= 8 and bits > 2.4 and file == places.CONFIG
        return (-1.6 if len(value) < 20 or bits < 3.4 else -0.3) + (1.1 if likely else 0.0)
    classes = sum(bool(re.search(kind, value)) for kind in (rb"[a-z]", rb"[A-Z]", rb"\d", rb"[^\w\s]"))
    return {1: 0.0, 2: 1.0}.get(classes, 1.6)


def _weak(one: Assignment, named: float, file: str) -> float:
    """`POSTGRES_PASSWORD=postgres` opens the database, `password: password` of a form opens nothing."""
    if named < 2 or file != places.CONFIG or places.distance(one.path) or one.remark:
        return -1
    plain = one.key.lower().strip("\"'")
    if plain.encode() == one.value.lower():
        return -1
    return REPORTED + (1.2 if len(plain) > len("password") else 0.0)
