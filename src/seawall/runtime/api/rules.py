"""Rules over HTTP: those in force, their groups, the editor's live check, the state of the plan."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import Boolean, Connection, Integer, String, column, func, select, values

from seawall.core import clock
from seawall.lists import Change, Door, Listing, Refused, User, add, page
from seawall.runtime import compose, load, store
from seawall.runtime.api.board import Board
from seawall.runtime.compose import Composed
from seawall.runtime.load import Problem
from seawall.runtime.model import Rule
from seawall.runtime.store import policy, tables
from seawall.runtime.store.waivers import silenced_by_rule

RECENT_DAYS = 7
MAX_FILE = 1 << 20
"""Characters of a rule file."""
GROUP_TITLES: Mapping[str, tuple[str, str]] = {
    "escape": ("Container escape", "容器逃逸"),
    "reverse_shell": ("Reverse shells", "反弹 Shell"),
    "processes": ("Abnormal processes", "异常进程"),
    "files": ("File tampering", "文件篡改"),
    "syscalls": ("High-risk system calls", "高危系统调用"),
    "malware": ("Malicious files", "恶意文件"),
    "network": ("Network", "网络行为"),
    "network_intel": ("Listed addresses and domains", "威胁情报（IP 与域名）"),
    "profiles": ("Learned profiles", "行为模型"),
    "user": ("Your own rules", "自定义规则"),
}


class Switch(BaseModel):
    """On or off."""

    enabled: bool


class Draft(BaseModel):
    """A rule file that is being written."""

    text: str = Field(max_length=MAX_FILE)
    format: Literal["native", "falco"] = "native"
    id: str = Field("", max_length=64)
    """The stored file that it will replace, if there is one."""


def router(door: Door, board: Board) -> APIRouter:
    """Their routes."""
    routes = APIRouter()
    add(routes, "/rules", lambda connection, _words: _rules(connection, board), door, name="list_rules")
    add(routes, "/rule-groups", lambda connection, _words: _groups(connection, board), door, name="list_rule_groups")

    @routes.patch("/rule-groups/{id}", operation_id="switch_rule_group")
    def switch_rule_group(id: str, wish: Switch, user: Annotated[User, Depends(door.operator)]) -> dict[str, Any]:
        """Switch a group of rules on or off; agents work by it within seconds."""

        def step(connection: Connection) -> tuple[dict[str, Any], Sequence[Change]]:
            known = {row["id"]: row for row in group_rows(connection, board)}
            if id not in known:
                raise Refused(f"there is no group {id!r}", f"there are: {', '.join(sorted(known))}", 404)
            policy.switch_group(connection, id, wish.enabled, user.name, clock.now())
            row = {**known[id], "enabled": wish.enabled}
            return row, [Change("rule-groups/change", {"id": id, "enabled": wish.enabled})]

        return door.write(step)

    @routes.post("/rules/check", operation_id="check_rules", dependencies=[Depends(door.viewer)])
    def check_rules(draft: Draft, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """What a rule file would come to: its rules, and its errors with their lines. Nothing is stored."""
        return check(connection, draft)

    @routes.get("/rules/state", operation_id="get_rules_state", dependencies=[Depends(door.viewer)])
    def get_rules_state() -> dict[str, Any]:
        """Which plan is in force since when, and what of the policy is not."""
        return board.state()

    @routes.get("/rules/{id:path}", operation_id="get_rule", dependencies=[Depends(door.viewer)])
    def get_rule(id: str, connection: Annotated[Connection, Depends(door.read)]) -> dict[str, Any]:
        """One rule with its condition and examples as they are written."""
        found = page(connection, _rules(connection, board), {"id": id}).items
        if not found:
            raise Refused(
                f"there is no rule {id}", "Seawall's own alerts have none; an update may have removed it", 404
            )
        return {**found[0], **_written(board.composed(), id)}

    return routes


def _written(composed: Composed, id: str) -> dict[str, Any]:
    entry = composed.written.get(id)
    if entry is None:
        return {"condition": "", "examples": [], "file": "", "line": 0}
    own = entry.file in composed.files
    return {
        "condition": str(entry.value.get("condition", "")).strip(),
        "examples": list(entry.value.get("examples") or ()),
        "file": entry.file if own else Path(entry.file).name,
        "line": entry.line,
    }


_TEXTS = ("id", "title", "title_zh", "category", "severity", "action", "enabled", "group", "source")


def _rules(connection: Connection, board: Board) -> Listing:
    """The rules of the policy as rows, those that are switched off too, each with its alerts of the last days."""
    now = clock.now()
    since = clock.format_time(clock.parse_time(now) - RECENT_DAYS * 86400)
    silenced = silenced_by_rule(connection, now)
    known = {rule.id: rule for rule in board.composed().rules}
    rows = [_rule_row(rule, silenced.get(rule.id, 0)) for rule in known.values()]
    texts = [column(name, String) for name in _TEXTS]
    numbers = [column("severity_rank", Integer), column("silenced", Integer)]
    # SQLite names the columns of a CTE only
    table = values(*texts, *numbers, name="rules").data(rows).cte("rules")
    alerts = store.ALERTS
    recent = (
        select(func.coalesce(func.sum(alerts.c.count), 0))
        .where(alerts.c.rule == table.c.id, alerts.c.last_seen >= since)
        .scalar_subquery()
    )
    return Listing(
        select(table, recent.label("alerts")),
        key="id",
        sort="-severity",
        sorts=("id", "title", "category", "severity", "action", "alerts", "group", "source", "silenced"),
        filters=("id", "category", "severity", "action", "enabled", "group", "source"),
        text=("id", "title", "title_zh", "category", "group"),
        sort_as={"severity": "severity_rank"},
        row=lambda row: {**_described(known[row["id"]]), "alerts": int(row["alerts"]), "silenced": row["silenced"]},
    )


def _rule_row(rule: Rule, silenced: int) -> tuple[Any, ...]:
    enabled = "true" if rule.enabled else "false"
    plain = rule.id, rule.title, rule.title_zh, rule.category.value, rule.severity.value, rule.action, enabled
    return *plain, rule.group, rule.source, rule.severity.rank, silenced


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": {"en": rule.title, "zh": rule.title_zh or rule.title},
        "why": {"en": rule.why, "zh": rule.why_zh or rule.why},
        "advice": {"en": rule.advice, "zh": rule.advice_zh or rule.advice},
        "category": rule.category.value,
        "severity": rule.severity.value,
        "action": rule.action,
        "kinds": [kind.value for kind in rule.kinds],
        "mitre": list(rule.mitre),
        "enabled": rule.enabled,
        "group": rule.group,
        "source": rule.source,
    }


def group_rows(connection: Connection, board: Board) -> list[dict[str, Any]]:
    """Every group of the policy, those of the packaged rules and the user's own."""
    off = policy.groups_off(connection)
    found: dict[str, list[Rule]] = {"user": []}
    for rule in compose.grouped(load.system()).plan.rules:
        found.setdefault(rule.group, []).append(rule)
    found["user"] = [rule for rule in board.composed().rules if rule.group == "user"]
    rows = []
    for group, rules in found.items():
        plain = group.replace("_", " ").capitalize()
        english, chinese = GROUP_TITLES.get(group, (plain, plain))
        counted = Counter(rule.category.value for rule in rules).most_common(1)
        rows.append(
            {
                "id": group,
                "title": {"en": english, "zh": chinese},
                "category": counted[0][0] if counted else "",
                "rules": len(rules),
                "enabled": group not in off,
                "builtin": group != "user",
            }
        )
    return rows


def _groups(connection: Connection, board: Board) -> Listing:
    rows = group_rows(connection, board)
    columns = [column(name, String) for name in ("id", "title", "title_zh", "category")]
    flags = [column(name, Boolean) for name in ("enabled", "builtin")]
    data = [
        (
            row["id"],
            row["title"]["en"],
            row["title"]["zh"],
            row["category"],
            row["enabled"],
            row["builtin"],
            row["rules"],
        )
        for row in rows
    ]
    table = values(*columns, *flags, column("rules", Integer), name="rule_groups").data(data).cte("rule_groups")
    known = {row["id"]: row for row in rows}
    return Listing(
        select(table),
        key="id",
        sort="id",
        sorts=("id", "title", "category", "rules"),
        filters=("id", "category", "enabled", "builtin"),
        text=("id", "title", "title_zh"),
        row=lambda row: known[row["id"]],
    )


def check(connection: Connection, draft: Draft) -> dict[str, Any]:
    """What a rule file comes to. One that changes items of other files (`append`, `override`) is read after them."""
    base = compose.words()
    texts: list[tuple[str, str]] = []
    if "append:" in draft.text or "override:" in draft.text:
        files = tables.RULE_FILES
        wanted = select(files).where(files.c.enabled, files.c.id != draft.id).order_by(files.c.created_at, files.c.id)
        texts = [(row.id, row.text) for row in connection.execute(wanted)]
    compiled = compose.compiled_texts([*texts, (_DRAFT, draft.text)], base)
    rules = {rule.id: rule for rule in compiled.plan.rules}
    mine = {name: entry for name, entry in compiled.rules.items() if entry.file == _DRAFT}
    packaged = load.system().rules
    return {
        "rules": [
            {
                "id": name,
                "title": rules[name].title,
                "severity": rules[name].severity.value,
                "action": rules[name].action,
                "line": entry.line,
            }
            for name, entry in mine.items()
        ],
        "macros": [name for name, when in compiled.macros.items() if base.macros.get(name) != when],
        "lists": [name for name, items in compiled.lists.items() if base.lists.get(name) != items],
        "errors": problems(compiled.errors, lambda file: file == _DRAFT),
        "warnings": [
            *problems((*compiled.warnings, *compiled.skipped), lambda file: file == _DRAFT),
            *(
                {"line": entry.line, "rule": name, "message": "takes the place of the packaged rule of this name"}
                for name, entry in mine.items()
                if name in packaged
            ),
        ],
    }


_DRAFT = "draft.yaml"


def problems(found: Sequence[Problem], wanted: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Problems as the API tells them."""
    return [told(problem) for problem in found if wanted(problem.file)]


def told(problem: Problem) -> dict[str, Any]:
    """One problem: where, what, and how to mend it."""
    message, _, hint = problem.message.partition(" — ")
    return {
        "line": problem.line,
        "rule": problem.rule,
        "message": message,
        "hint": hint,
        "file": Path(problem.file).name,
    }
