"""Image policies in a YAML file, for pipelines. Each problem names file and policy."""

from pathlib import Path
from typing import Any

import msgspec
import yaml

from seawall.core.errors import SeawallError
from seawall.images.detect.policy import Policy, problem

MAX_BYTES = 1 << 20
MAX_POLICIES = 100
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
HINT = "a policy is for example: {name: production, mode: enforce, rules: {severity: critical, fixable_only: true}}"


def read(path: Path) -> list[Policy]:
    """The policies of a file: a list of them, one alone, or `policies: […]`. Raises SeawallError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SeawallError(f"cannot read the policy {path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise SeawallError(f"the policy {path} is over {MAX_BYTES} bytes")
    try:
        value = yaml.load(data, _Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SeawallError(f"the policy {path} is no YAML: {error}") from error
    if isinstance(value, dict) and "policies" in value:
        value = value["policies"]
    values = value if isinstance(value, list) else [value]
    if not values or len(values) > MAX_POLICIES:
        raise SeawallError(f"{path} holds {len(values)} policies; 1 to {MAX_POLICIES} are taken", HINT)
    return [_policy(path, number, one) for number, one in enumerate(values, 1)]


def _policy(path: Path, number: int, value: Any) -> Policy:
    try:
        found = convert(value)
    except ValueError as error:
        raise SeawallError(f"{path}, policy {number}: {error}", HINT) from error
    return found


def convert(value: Any) -> Policy:
    """A policy of plain values. Raises ValueError with what is wrong."""
    if isinstance(value, dict):
        _known(value, Policy, "a policy")
        _known(value.get("rules") or {}, type(Policy("").rules), "rules")
    try:
        found = msgspec.convert(value, Policy)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    if why := problem(found):
        raise ValueError(why)
    return found


def _known(value: Any, form: Any, what: str) -> None:
    """A rule whose name is misspelt must not pass for one that is fulfilled."""
    names = form.__dataclass_fields__
    unknown = [name for name in value if name not in names] if isinstance(value, dict) else []
    if unknown:
        raise ValueError(f"{what} has no {unknown[0]!r}; there are: {', '.join(names)}")
