"""From what the gate refused to the event and the alert that tell of it. Pure."""

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
    "profile": Rule(
        id="protect_profile",
        title="A program that the image's profile does not know was refused",
        title_zh="已拒绝执行镜像画像之外的程序",
        category=Category.ABNORMAL_PROCESS,
        severity=Severity.HIGH,
        kinds=(Kind.EXEC,),
        when=_ALL,
        action="block",
        why="The image is protected by a profile of what it runs. This program is not in it.",
        why_zh="该镜像由其运行画像保护,此程序不在画像中。",
        advice="If the program belongs to the workload, add it to the profile; else look for what started it.",
        advice_zh="若该程序属于业务,请将其加入画像;否则请追查由谁启动。",
        mitre=("T1059",),
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


def event_of(said: Mapping[str, Any], container: Container | None, parent: Process | None) -> Event:
    """The exec that would have been, with the program as the process: what a rule on executions would have judged."""
    asker, path = said["asker"], str(said["path"])
    dev = int(said["dev"])
    file = File(
        path=path,
        dev=(dev >> 8 & 0xFFF) << 20 | (dev & 0xFF) | (dev >> 12 & 0xFFF00),
        ino=int(said["ino"]),
        mode=int(said["mode"]),
        upper=bool(said["upper"]),
        deleted=bool(said["deleted"]),
    )
    process = Process(
        pid=int(said["pid"]),
        start=int(asker["start"]) * NS_PER_TICK,
        ppid=int(asker["ppid"]),
        exe=path,
        comm=path.rpartition("/")[2][:15],
        args=(path,),
        cwd=str(asker["cwd"]),
        uid=int(asker["uids"][0]),
        euid=int(asker["uids"][1]),
        gid=int(asker["gid"]),
        vpid=int(asker["vpid"]),
        container=container,
        file=file,
        parent=parent,
    )
    raw = {"means": "fanotify"}
    return Event(Kind.EXEC, float(said["time"]), process, result=-1, file=file, syscall="execve", blocked=True, raw=raw)


def alert_of(said: Mapping[str, Any], event: Event, boot: float) -> Alert | None:
    """The alert of a refusal that no rule of the plan stands for."""
    rule = RULES.get(str(said["why"]))
    return None if rule is None else told(alerts.make(rule, event, boot), said)


def told(alert: Alert, said: Mapping[str, Any]) -> Alert:
    """With who asked: the process had not become the program yet."""
    asker = said["asker"]
    shown = {"exe": asker["exe"], "name": asker["comm"], "args": list(asker["args"])}
    return replace(alert, action="block", evidence={**alert.evidence, "refused": str(said["why"]), "caller": shown})
