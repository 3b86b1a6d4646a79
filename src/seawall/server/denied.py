"""Images that policies deny, as a rule of the runtime plan: nodes stop their containers when they start.

The first process of a container (pid 1 inside) is stopped, before its first instruction where the node's means allow
that, else at once after; the alert says which. Containers that run already, and what is started in them later, are left
alone: an image that is denied at night because of a new advisory must not take down what works.
"""

import yaml
from sqlalchemy import Connection

from seawall.images import policies
from seawall.images.model import DENIED
from seawall.runtime.compose import RuleFile
from seawall.runtime.store import policy

NAME = "image policies"
RULE = "image_policy_denied"
MAX_IMAGES = 5000
"""In one plan, newest policies' reasons first; what is over it is told in the log and not enforced."""


def rule_file(connection: Connection) -> RuleFile | None:
    """The rule, or None when nothing is denied."""
    found = [row.image_id for row in connection.execute(policies.denied().limit(MAX_IMAGES))]
    if not found:
        return None
    names = ", ".join(f'"{image}"' for image in found if image.isascii() and '"' not in image)
    rule = {
        "rule": RULE,
        "title": {"en": "A container of a denied image is started", "zh": "镜像策略：启动被禁止的镜像"},
        "why": {
            "en": "An image policy denies this image; Images → Policies says which rule it breaks.",
            "zh": "该镜像违反镜像策略，具体规则见“镜像 → 镜像策略”。",
        },
        "advice": {
            "en": "Mend the image (new base, fixed packages, no secrets), or change the policy if it is meant to run.",
            "zh": "修复镜像（更换基础镜像、升级软件包、移除敏感信息）；若确需运行，请调整镜像策略。",
        },
        "category": "abnormal_process",
        "severity": "high",
        "kinds": ["exec"],
        "condition": f"proc.vpid = 1 and container.image.id in ({names})",
        "action": "block",
        "merge_by": ["container.id"],
        "mitre": ["T1610"],
    }
    return RuleFile(RULE, NAME, yaml.safe_dump([rule], allow_unicode=True, sort_keys=False, width=1 << 20))


def noted(connection: Connection, before: str, after: str, now: str) -> None:
    """An image was judged: the plan is made anew when that adds or takes away a denial."""
    if (before == DENIED) != (after == DENIED):
        policy.changed(connection, now)
