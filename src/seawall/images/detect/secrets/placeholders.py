"""What stands where a secret will be: examples, variables, masks. Words of our own choice, matched as whole parts."""

import re

_WORDS = frozenset(
    b"example examples sample dummy fake mock changeme changeit change placeholder redacted masked "
    b"hidden todo fixme insert "
    b"replace replaceme your yours yourtoken yourkey yourpassword yoursecret mytoken mysecret mypassword myapikey "
    b"foobar foo bar baz lorem ipsum notasecret notreal invalid xxxx undefined".split()
)
_PARTS = re.compile(rb"[A-Za-z]+")
_ANYWHERE = re.compile(
    rb"(?i)example|changeme|placeholder|redacted|dummy|your[_-]?(?:api|secret|token|key|pass|access|own)"
    rb"|(?:insert|replace)[_-]|not[_-]?(?:a[_-]?)?(?:real|secret)|xxxxx|\*\*\*\*|\.\.\.\.|-here\b|_here\b"
)
_VARIABLE = re.compile(
    rb"""(?x) ^["'(]*(?: \$ [\w{(\[] | %[\w.]+% | %[({]?\w* [)}]? [sdr]? $ | \{\{ | \{ \w | \#\{ | <[%?\w/!] | \[\w+\] $
    | @[\w.]+@ | \$$ | :\w+ $ | __\w+__ $ | &[a-z]+; )"""
)
_EMBEDDED = re.compile(rb"\$\{[\w.:-]+\}|\$\(\w|\{\{|<%|#\{")
_SERIES = re.compile(
    rb"(?i)0123456789|1234567890|abcdefghij|9876543210|0123456789abcdef|deadbeef|(?:12345678){2}|(?:abc123){2}"
)
_RUN = re.compile(rb"(.)\1{5,}")
_REPEATED = re.compile(rb"^(.{1,6}?)\1{2,}.{0,5}$", re.DOTALL)


def is_placeholder(secret: bytes) -> bool:
    """Whether nobody would get in with it."""
    if not secret.strip(b"*x.-_ X#?0"):
        return True
    if _ANYWHERE.search(secret) or is_variable(secret):
        return True
    if _SERIES.search(secret) or _RUN.search(secret) or _REPEATED.match(secret):
        return True
    words = _PARTS.findall(secret.lower())
    return bool(words) and len(secret) < 40 and any(word in _WORDS for word in words)


def is_variable(secret: bytes) -> bool:
    """Whether it is filled in later."""
    return bool(_VARIABLE.match(secret) or _EMBEDDED.search(secret))


_TRIVIAL = frozenset(
    b"password passwd pass pwd secret user username token key pw login psw mypass pass1 string value".split()
)


def is_trivial(password: bytes) -> bool:
    """What everybody writes where a password will be."""
    return password.lower() in _TRIVIAL
