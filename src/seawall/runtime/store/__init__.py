"""The runtime room's store: alerts, the policy that people set, profiles, responses. One file a thing."""

from seawall.runtime.store.alerts import (
    MAX_ALERT,
    apply,
    apply_all,
    category_counts,
    counts,
    mark,
    one,
    overview,
    remove,
    shown,
    summary,
    timeline,
)
from seawall.runtime.store.tables import ALERTS, HOURS, MAX_REMARK, METADATA, SEEN
from seawall.runtime.store.tidying import tidy

__all__ = [
    "ALERTS",
    "HOURS",
    "MAX_ALERT",
    "MAX_REMARK",
    "METADATA",
    "SEEN",
    "apply",
    "apply_all",
    "category_counts",
    "counts",
    "mark",
    "one",
    "overview",
    "remove",
    "shown",
    "summary",
    "tidy",
    "timeline",
]
