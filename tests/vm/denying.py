"""Runs inside the machine: the deeds of deeds.py against the denials of respond/kernel.py. Prints JSON."""

import json
import os
import socket
import sys
import time
from pathlib import Path

import deeds
import sensing


def main() -> None:
    """Print the report."""
    from seawall.runtime import plan as plans
    from seawall.runtime.collect.sensor import Sensor
    from seawall.runtime.model import Container
    from seawall.runtime.respond.kernel import Kernel

    place = sensing.root()
    (place / "mnt").mkdir()
    (place / "etc" / "shadow").write_text("root:*\n")
    (place / "etc" / "fresh").write_text("root::\n")
    (place / "shortcut").symlink_to("/etc/shadow")
    (place / "bin" / "miner").write_bytes(Path("/bin/busybox").read_bytes())
    (place / "bin" / "miner").chmod(0o755)
    plan = plans.read(Path("/plan.json"))
    listeners = [socket.create_server((host, deeds.PORT)) for host in ("127.0.0.1", "127.0.0.2")]
    for listener in listeners:
        listener.settimeout(1)
    group = sensing.cgroup()
    sensor = Sensor(plan, True)
    sensor.start()
    sensor.know(Container(sensing.ID, name="box", image="box:1", complete=True))
    kernel = Kernel(sensor.maps())
    kernel.apply(plan)
    report: dict[str, object] = {"kernel": os.uname().release, "on": sorted(kernel.on), "reasons": kernel.reasons}
    report["container"] = deeds.inside(group, place)
    shadow = place / "etc" / "shadow"
    report["shadow"] = shadow.read_text() if shadow.exists() else None
    report["arrived"] = [deeds.tried(listener.accept) for listener in listeners]
    report["host"] = deeds.tried(lambda: deeds.write(str(place / "etc" / "shadow")))
    time.sleep(0.5)
    report["refusals"] = [[refusal.exec, refusal.path, refusal.pid > 1] for refusal in kernel.refusals()]
    kernel.close()
    sensor.stop()
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
