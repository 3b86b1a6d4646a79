"""What a path tells of what lies there. A place lowers confidence; it never hides a finding of a strong rule."""

import re
from functools import lru_cache

CONFIG, CODE, TEXT, OTHER = "config", "code", "text", "other"
"""What kind of file it is, by its name."""
LEVELS = ("low", "medium", "high")

_TESTED = re.compile(
    r"(?i)(?:^|[/_.-])(?:tests?|testing|testdata|test[_-]?suite|specs?|fixtures?|mocks?|examples?"
    r"|samples?|demos?|tutorials?|docs?"
    r"|man|benchmarks?|__tests__|cassettes)(?:[/_.-]|$)"
)
_LIBRARY = re.compile(
    r"(?i)(?:^|/)(?:usr/share|usr/lib(?:32|64|exec|x32)?|lib|usr/include|usr/local/lib"
    r"|usr/local/share|usr/src|site-packages"
    r"|dist-packages|node_modules|vendor|bower_components|gems/[^/]+|var/lib/dpkg|\.cargo/registry"
    r"|go/pkg/mod|\.m2/repository|jvm)/"
)
_TEMPLATE = re.compile(r"(?i)[._-](?:example|sample|dist|tmpl|template|tpl|in|j2|erb|default|defaults)(\.\w+)?$")
_LANGUAGE = re.compile(
    r"(?:\w+[._-])?(?:en|de|fr|es|it|pt|ru|zh|ja|ko|nl|pl|tr|cs|sv|da|fi|nb|uk|ar|he|hu|ro|el|vi|th|hi|bg|sk|sl|hr|sr|lt"
    r"|lv|et|ca|fa)(?:[-_][a-z]{2,4})?\.(?:json|ya?ml|properties|po|js|ts|php|strings)$|i18n|locale"
)
"""Words of a program in one language, by the names that such files have."""
_KINDS = {
    CONFIG: "env ini cfg conf cnf config properties yaml yml json json5 toml xml plist tf tfvars tfstate hcl reg inf"
    " sql dump netrc npmrc pypirc credentials secret secrets passwd htpasswd service nmconnection"
    " ovpn rdp settings local",
    CODE: "py js mjs cjs ts tsx jsx vue rb go java kt kts scala groovy gradle php phtml pl pm c h cc cpp hpp cs vb fs"
    " rs swift m lua r jl ex exs erl hs clj dart sh bash zsh ksh fish ps1 psm1 bat cmd awk tcl ipynb asp aspx jsp ejs",
    TEXT: "md rst txt html htm adoc tex pod 1 2 3 4 5 6 7 8 info po pot mo log csv tsv svg css map lock sum asc sig"
    " changelog news readme authors copying license dtd xsd rng xsl",
}
_BY_ENDING = {ending: kind for kind, endings in _KINDS.items() for ending in endings.split()}
_BY_NAME = {
    "dockerfile": CONFIG, "containerfile": CONFIG, ".env": CONFIG, ".netrc": CONFIG, ".npmrc": CONFIG,
    ".pypirc": CONFIG,
    ".pgpass": CONFIG, ".my.cnf": CONFIG, "credentials": CONFIG, "config": CONFIG, "makefile": CODE, "readme": TEXT,
    ".git-credentials": CONFIG, ".bashrc": CODE, ".profile": CODE, ".bash_history": CODE, ".zsh_history": CODE,
    "environment": CONFIG, "changelog": TEXT, "copyright": TEXT, "news": TEXT, "license": TEXT,
}  # fmt: skip
_SHELL = {"sh", "bash", "zsh", "ksh", "fish", "bashrc", "profile", "bash_history", "zsh_history"}


@lru_cache(4096)
def kind(path: str) -> str:
    """config, code, text or other."""
    name = path.rsplit("/", 1)[-1].lower().removesuffix(".gz")
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name.startswith((".env", "dockerfile", "env.")):
        return CONFIG
    if _LANGUAGE.match(name):
        return TEXT
    name = _TEMPLATE.sub(r"\1", name)
    return _BY_ENDING.get(name.rsplit(".", 1)[-1], OTHER) if "." in name else OTHER


def is_shell(path: str) -> bool:
    """A script in which a bare word is a value."""
    return path.rsplit("/", 1)[-1].lower().rsplit(".", 1)[-1] in _SHELL


@lru_cache(4096)
def distance(path: str) -> int:
    """0 where programs are set up and run, more the less likely a secret is in use: libraries, tests, examples."""
    return (
        (1 if _TESTED.search(path) else 0) + (1 if _LIBRARY.search(path) else 0) + (1 if _TEMPLATE.search(path) else 0)
    )


def confidence(said: str, path: str, trusted: bool) -> str:
    """The rule's confidence in this place. What is nearly certain by its form goes down one step "
    "at most; what is not, in
    a place that is full of examples, is none: "".
    """
    down = distance(path)
    left = LEVELS.index(said) - (min(down, 1) if trusted else down)
    return LEVELS[max(left, 0)] if left >= 0 or said == "high" else ""
