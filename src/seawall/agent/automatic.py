"""What the node does by itself about an alert, where the server's configuration says so: malware goes into quarantine.

Pure: which order follows from an alert, and the alert that tells what came of it.
"""

from collections.abc import Mapping
from typing import Any

from seawall.core import clock
from seawall.core.ids import new_id

VERDICTS = frozenset(["malicious"])
"""Of the scanner. What is only suspicious is for people to decide."""


def order_for(alert: Mapping[str, Any]) -> dict[str, Any] | None:
    """Arguments of the `response.file` order that an alert asks for; None when it asks for none."""
    sample = alert["evidence"].get("sample") or {}
    path = (alert["evidence"].get("file") or {}).get("path")
    container = alert["container"].get("id")
    if alert["category"] != "malware" or not container or not path or sample.get("verdict") not in VERDICTS:
        return None
    return {"action": "quarantine", "container": container, "path": path, "sha256": str(sample.get("sha256", ""))}


def told(alert: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """The alert about what was done about another one."""
    worked = result.get("result") in ("done", "already")
    now = clock.now()
    return {
        **alert,
        "id": new_id("alert"),
        "rule": "malware_quarantined" if worked else "malware_not_quarantined",
        "title": "Malware was moved into quarantine" if worked else "Malware could not be moved into quarantine",
        "title_zh": "恶意文件已隔离" if worked else "恶意文件隔离失败",
        "severity": "low" if worked else "high",
        "time": now,
        "first_seen": now,
        "last_seen": now,
        "count": 1,
        "action": "alert",
        "result": "none",
        "means": "",
        "when": "",
        "key": f"{alert['key']}/quarantine",
        "why": "The configuration has the node quarantine what its scanner finds malicious.",
        "why_zh": "配置要求节点自动隔离扫描器判定为恶意的文件。",
        "advice": "Processes that run it go on: end them, and find the way in. The file can be put back."
        if worked
        else "Look at evidence.quarantine.reason, then isolate the container.",
        "advice_zh": "正在运行该文件的进程不会因此结束:请终止进程并查找入侵途径。文件可从隔离区恢复。"
        if worked
        else "查看 evidence.quarantine.reason 中的原因,然后隔离该容器。",
        "evidence": {**alert["evidence"], "quarantine": dict(result), "alert": alert["id"]},
    }
