"""From what the gate refused to the event and the alert that tell of it. Pure."""

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seawall.core.severity import Severity
from seawall.runtime.detect import alerts
from seawall.runtime.model import Alert, Category, Container, Event, File, Kind, Process, Rule

NS_PER_TICK = 10_000_000
"""/proc gives a start in hundredths of a second (USER_HZ)."""
_ALL: list[Any] = ["exists", "proc.exepath"]

RULES = {
    "drift": Rule(
        id="protect_drift",
        title="A program that is not of the image was refused",
        title_zh="已拒绝执行不属于镜像的程序",
        category=Category.ABNORMAL_PROCESS,
        severity=Severity.HIGH,
        kinds=(Kind.EXEC,),
        when=_ALL,
        action="block",
        why="The image is protected: only files as the image has them may run in its containers. This one was written"
        " or changed after the start, as an attacker's tools are.",
        why_zh="该镜像处于保护模式:容器中只能运行镜像自带且未被修改的文件。此文件是容器启动后写入或修改的,攻击工具通常如此。",
        advice="See who wrote the file and how it came in. If it belongs there, put it into the image, or set the"
        " profile of the image to monitor.",
        advice_zh="查明文件由谁写入、如何进入容器。若属正常,请将其放入镜像,或将该镜像的画像改为监控模式。",
        mitre=("T1105", "T1204"),
    ),
    "quarantined": Rule(
        id="quarantined_program",
        title="A program that was put into quarantine was refused",
        title_zh="已拒绝执行被隔离的程序",
        category=Category.MALWARE,
        severity=Severity.CRITICAL,
        kinds=(Kind.EXEC,),
        when=_ALL,
        action="block",
        why="A file with exactly this content was put into quarantine on this node. Somebody brought it back.",
        why_zh="与此内容完全相同的文件已在该节点被隔离,有人将其重新放入。",
        advice="Isolate the container and find the way in: the file came back by the same one.",
        advice_zh="隔离该容器并查找入侵途径:文件是经同一途径再次进入的。",
        mitre=("T1105",),
    ),
}
"""What the gate refuses by itself; a refusal for a rule of the plan is told by that rule."""
_OTHER = Rule(
    id="refused_program",
    title="A program was refused",
    title_zh="已拒绝执行程序",
    category=Category.ABNORMAL_PROCESS,
    severity=Severity.MEDIUM,
    kinds=(Kind.EXEC,),
    when=_ALL,
    action="block",
    why="A blocking rule or the profile of the image forbids it in this container.",
    why_zh="阻断规则或镜像画像禁止在此容器中运行该程序。",
    advice="See evidence.refused for what forbids it. If it belongs there, change the rule or the profile.",
    advice_zh="evidence.refused 给出了禁止的依据。若属正常,请修改规则或画像。",
)
_FALLBACK = Rule(
    id="protect_fallback",
    title="An image is watched instead of protected for a while",
    title_zh="镜像暂时由保护模式降为监控模式",
    category=Category.SELF,
    severity=Severity.MEDIUM,
    kinds=(Kind.EXEC,),
    when=_ALL,
    merge_by=("container.image",),
    why="So much was refused within a minute that the profile, not the containers, is likely to be wrong.",
    why_zh="一分钟内被拒绝的程序过多,很可能是画像有误而非容器异常。",
    advice="Look at what was refused. Add what belongs to the image to its profile, then protect it again.",
    advice_zh="查看被拒绝的程序,将正常程序加入画像后再重新启用保护。",
)
TOLD_BY = {"profile": "profile_violation"}
"""The plan's own rules for what an image's profile refuses."""


def event_of(said: Mapping[str, Any], container: Container | None, parent: Process | None) -> Event:
    """The exec or open that would have been, as a rule on it would have judged it.

    Of an exec the program is the process already. A script's interpreter had not read it yet: it is told as the exec of
    the script, which is what was forbidden.
    """
    if said.get("open"):
        return _open_of(said, container, parent)
    path, file = str(said["path"]), _file(said)
    asked = _asker(said, container, parent)
    process = replace(asked, exe=path, comm=path.rpartition("/")[2][:15], args=(path,), file=file)
    raw = {"means": "fanotify"}
    return Event(Kind.EXEC, float(said["time"]), process, file=file, syscall="execve", blocked=True, raw=raw)


def _open_of(said: Mapping[str, Any], container: Container | None, parent: Process | None) -> Event:
    file = _file(said)
    kind = Kind.OPEN if file.flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC) else Kind.READ
    call, raw = str(said["call"]) or "openat", {"means": "fanotify"}
    asked = _asker(said, container, parent)
    paths = (file.path,)
    return Event(kind, float(said["time"]), asked, file=file, syscall=call, paths=paths, blocked=True, raw=raw)


def _asker(said: Mapping[str, Any], container: Container | None, parent: Process | None) -> Process:
    asker = said["asker"]
    return Process(
        pid=int(said["pid"]),
        start=int(asker["start"]) * NS_PER_TICK,
        ppid=int(asker["ppid"]),
        exe=str(asker["exe"]),
        comm=str(asker["comm"]),
        args=tuple(asker["args"]),
        cwd=str(asker["cwd"]),
        uid=int(asker["uids"][0]),
        euid=int(asker["uids"][1]),
        gid=int(asker["gid"]),
        vpid=int(asker["vpid"]),
        container=container,
        parent=parent,
    )


def _file(said: Mapping[str, Any]) -> File:
    dev = int(said["dev"])
    return File(
        path=str(said["path"]),
        dev=(dev >> 8 & 0xFFF) << 20 | (dev & 0xFF) | (dev >> 12 & 0xFFF00),
        ino=int(said["ino"]),
        mode=int(said["mode"]),
        upper=bool(said["upper"]),
        deleted=bool(said["deleted"]),
        flags=int(said.get("flags", 0)),
    )


def alert_of(said: Mapping[str, Any], event: Event, boot: float) -> Alert:
    """The alert of a refusal that no rule of the plan tells of."""
    return told(alerts.make(RULES.get(str(said["why"]), _OTHER), event, boot), said)


def fallback(container: Container, blocks: int, seconds: float) -> Alert:
    """The alert of an image that is only watched for a while, because too much of it was refused."""
    event = Event(Kind.EXEC, time.time(), Process(0, 0, container=container))
    made = alerts.make(_FALLBACK, event, 0.0)
    image = {"image": container.image, "image_digest": container.image_digest, "image_id": container.image_id}
    return replace(made, process={}, evidence={"blocks": blocks, "seconds": seconds, **image})


def told(alert: Alert, said: Mapping[str, Any]) -> Alert:
    """With who asked: the process had not become the program yet."""
    asker = said["asker"]
    more: dict[str, Any] = {"refused": str(said["why"])}
    if said.get("created"):
        more["changed"] = "the open itself had created the file, which stays empty"
    if said.get("open"):
        return replace(alert, action="block", evidence={**alert.evidence, **more})
    shown = {"exe": asker["exe"], "name": asker["comm"], "args": list(asker["args"])}
    if said.get("script"):
        more["script"] = True
    return replace(alert, action="block", evidence={**alert.evidence, **more, "caller": shown})
