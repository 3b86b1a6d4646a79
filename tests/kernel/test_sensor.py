"""The sensor on this kernel: loads whole, sees what it should and no more, counts what it loses, leaves nothing."""

import ctypes
import os
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import docker_cli
from seawall.core.errors import SeawallError
from seawall.runtime import load
from seawall.runtime import plan as plans
from seawall.runtime.collect import filters, libbpf, loading
from seawall.runtime.collect.sensor import SIZES, Sensor
from seawall.runtime.model import Event, Kind

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="loads eBPF programs: needs root"),
]
NAME = "sw-kernel-one"
FLOOD = "for i in {1..20000}; do : > /etc/cron.d/flood; done"


@pytest.fixture(scope="module")
def plan():
    return load.compile_paths([load.RULES]).plan


@pytest.fixture
def sensor(plan) -> Iterator[Sensor]:
    made = Sensor(plan)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def container(bash_image):
    subprocess.run(["docker", "rm", "-f", NAME], capture_output=True, timeout=30, check=False)
    docker_cli("run", "-d", "--name", NAME, bash_image, "sleep", "600")
    inside("mkdir -p /etc/cron.d /etc/sudoers.d /root/.ssh")
    yield docker_cli("inspect", "-f", "{{.Id}}", NAME)
    docker_cli("rm", "-f", NAME)


def seen(sensor: Sensor, until: Callable[[list[Event]], bool], seconds: float = 15) -> list[Event]:
    """Events, until that is true of them."""
    events: list[Event] = []
    end = time.monotonic() + seconds
    while not until(events):
        assert time.monotonic() < end, f"did not come; {len(events)} others did"
        events += sensor.read()
        time.sleep(0.02)
    return events


def inside(script: str) -> None:
    docker_cli("exec", NAME, "bash", "-c", script)


def opens(events: list[Event], container: str) -> list[str]:
    mine = (event for event in events if event.kind is Kind.OPEN and event.process.container is not None)
    asked = (event for event in mine if not event.sample and event.process.container.id == container)
    return [event.file.path for event in asked if event.file]


def test_every_program_is_loaded_and_attached(sensor):
    written = set()
    for source in (loading.FOLDER / f"{name}.bpf.c" for name in loading.OBJECTS):
        written |= set(re.findall(r'SEC\("tp_btf/[^"]+"\)\s*int BPF_PROG\((\w+)', source.read_text()))
    counters = sensor.counters()
    assert counters["state"] == "on", counters["reason"]
    assert {*counters["programs"], *counters["absent"]} == written
    assert set(counters["absent"]) <= {"on_uring", "on_uring_before"}


def test_objects_that_are_not_built_are_told(plan, tmp_path):
    with pytest.raises(SeawallError, match="not built") as caught:
        loading.load(tmp_path)
    assert "make build" in caught.value.hint


def test_a_broken_object_is_an_error_and_not_a_crash(tmp_path):
    for name in loading.OBJECTS:
        (tmp_path / f"{name}.bpf.o").write_bytes(b"\x7fELF" + bytes(500))
    with pytest.raises(SeawallError, match="cannot be read"):
        loading.load(tmp_path)


def test_a_missing_part_degrades_and_says_so(plan, tmp_path, monkeypatch):
    for name in loading.OBJECTS:
        (tmp_path / f"{name}.bpf.o").write_bytes((loading.FOLDER / f"{name}.bpf.o").read_bytes())
    (tmp_path / "sockets.bpf.o").write_bytes(b"rubbish")
    loaded = loading.load(tmp_path)
    try:
        assert "on_exec" in loaded.programs
        assert "sockets" in loaded.errors[0]
    finally:
        loaded.close()


def test_nothing_is_lost_while_the_ring_goes_round_and_round(sensor):
    """Each exec carries its number; together they are several rings full."""
    count = 1200
    began = time.monotonic()
    with subprocess.Popen(["bash", "-c", f"for i in $(seq {count}); do /bin/true seawall-round $i; done"]) as load:
        numbers: list[int] = []
        while len(numbers) < count and time.monotonic() - began < 60:
            mine = (
                e.process.args for e in sensor.read() if e.kind is Kind.EXEC and "seawall-round" in e.process.args[1:2]
            )
            numbers += [int(arguments[2]) for arguments in mine]
            time.sleep(0.01)
        assert load.wait(10) == 0
    assert numbers == list(range(1, count + 1))
    assert sensor._rings[0]._position > 2 * SIZES["critical"], "the ring has not gone round"
    assert sensor.counters()["dropped"] == {"critical": 0, "bulk": 0}
    assert sensor.counters()["malformed"] == 0


def test_the_first_event_wakes_us_and_no_more_do_while_we_gather(sensor):
    ready = select.poll()
    ready.register(sensor.fileno(), select.POLLIN)
    while list(sensor.read()):
        pass
    subprocess.run(["/bin/true", "seawall-wakes"], check=True, timeout=10)
    assert ready.poll(5000), "nobody was woken by the first event"
    assert sensor._settings[filters.ASLEEP_AT] == 0, "the second event wakes again"
    seen(sensor, lambda events: any("seawall-wakes" in event.process.args for event in events))
    sensor.gather(True)
    subprocess.run(["/bin/true", "seawall-gathers"], check=True, timeout=10)
    assert sensor._settings[filters.ASLEEP_AT] == 0
    assert sensor.gather(False), "what came meanwhile must not wait for the next event"
    seen(sensor, lambda events: any("seawall-gathers" in event.process.args for event in events))


def test_what_a_full_ring_loses_is_counted_and_the_ring_works_on(sensor):
    subprocess.run(["bash", "-c", "for i in $(seq 900); do /bin/true seawall-flood $i; done"], check=True, timeout=60)
    dropped = sensor.counters()["dropped"]
    assert dropped["critical"] > 0
    assert dropped["bulk"] == 0
    numbers = []
    while found := list(sensor.read()):
        mine = (e.process.args for e in found if e.kind is Kind.EXEC and e.process.args[1:2] == ("seawall-flood",))
        numbers += [int(arguments[2]) for arguments in mine]
    assert numbers == list(range(1, len(numbers) + 1)), "what was kept is the beginning, whole"
    subprocess.run(["/bin/true", "seawall-after"], check=True, timeout=10)
    seen(sensor, lambda events: any(event.process.args[1:2] == ("seawall-after",) for event in events))


def test_a_flooding_container_loses_only_its_own_events(sensor, container):
    events: list[Event] = []
    with subprocess.Popen(["docker", "exec", NAME, "bash", "-c", FLOOD]) as flood:
        while flood.poll() is None:
            events += sensor.read()
            time.sleep(0.01)
    assert sensor.counters()["throttled"] > 0
    inside("/bin/true seawall-still")
    events += seen(sensor, lambda events: any("seawall-still" in event.process.args for event in events))
    assert len(opens(events, container)) < 20000
    assert sensor.counters()["dropped"]["critical"] == 0


def test_a_flood_is_told_when_it_begins_and_when_it_is_over(sensor, container):
    inside(FLOOD)

    def told(events: list[Event]) -> list[tuple[int, int]]:
        floods = [e for e in events if e.kind is Kind.THROTTLE and e.process.container is not None]
        return [(e.result, e.repeats) for e in floods if e.process.container and e.process.container.id == container]

    (begin, lost_then), (end, lost) = told(seen(sensor, lambda events: len(told(events)) >= 2))
    assert (begin, end) == (1, 0)
    assert 0 < lost_then <= lost < 20000


def test_only_what_a_rule_asks_for_leaves_the_kernel(sensor, container):
    inside("cat /etc/passwd > /tmp/unasked; : >> /etc/passwd; cat < /etc/cron.d/flood")
    inside("cd /etc/sudoers.d; : > ./../sudoers.d//asked")
    events = seen(sensor, lambda events: "/etc/sudoers.d/asked" in opens(events, container))
    assert opens(events, container) == ["/etc/passwd", "/etc/sudoers.d/asked"]


def test_writes_of_the_host_are_not_sent(sensor, container, tmp_path):
    (tmp_path / "authorized_keys").write_text("")
    inside(": > /root/.ssh/authorized_keys")
    events = seen(sensor, lambda events: bool(opens(events, container)))
    assert not [e for e in events if e.kind is Kind.OPEN and e.process.container is None]


def test_a_path_that_is_not_utf_8(sensor, container):
    inside(r": > /etc/cron.d/$'a\xff\xfeb'")
    events = seen(sensor, lambda events: bool(opens(events, container)))
    (path,) = opens(events, container)
    assert os.fsencode(path) == b"/etc/cron.d/a\xff\xfeb"


def test_a_link_is_seen_for_what_it_leads_to(sensor, container):
    inside(": >> /proc/self/root/tmp/../etc/shadow")
    events = seen(sensor, lambda events: bool(opens(events, container)))
    assert opens(events, container) == ["/etc/shadow"]


def test_a_container_is_known_at_its_first_exec(sensor, bash_image):
    made = docker_cli("run", "-d", "--rm", bash_image, "/bin/true", "seawall-first")

    def first(events: list[Event]) -> list[Event]:
        return [e for e in events if e.kind is Kind.EXEC and "seawall-first" in e.process.args and e.process.vpid == 1]

    events = seen(sensor, lambda events: bool(first(events)))
    process = first(events)[0].process
    assert process.container is not None
    assert process.container.id == made
    assert process.namespaces["pid"] != Path("/proc/self/ns/pid").stat().st_ino


def test_the_three_first_descriptors_and_credentials_of_an_exec(sensor):
    read, write = os.pipe()
    try:
        with Path("/dev/null").open("rb") as nothing:
            subprocess.run(
                ["/bin/true", "seawall-stdio"],
                stdin=read,
                stdout=nothing,
                stderr=nothing,
                check=True,
                timeout=10,
                user=65534,
            )
        inode = os.fstat(read).st_ino
    finally:
        os.close(read)
        os.close(write)

    def mine(events: list[Event]) -> list[Event]:
        return [event for event in events if event.process.args[1:2] == ("seawall-stdio",)]

    event = mine(seen(sensor, lambda events: bool(mine(events))))[0]
    assert [(one.number, one.type) for one in event.stdio] == [(0, "pipe"), (1, "null"), (2, "null")]
    assert event.stdio[0].inode == inode
    assert (event.process.uid, event.process.caps) == (65534, 0)
    assert event.file is not None
    found = os.stat("/bin/true")
    assert (event.file.dev, event.file.ino) == (found.st_dev, found.st_ino)
    assert (event.file.ctime, event.file.mtime) == (found.st_ctime_ns, found.st_mtime_ns)


def test_the_environment_is_read_where_somebody_looks_at_it():
    sensor = Sensor(plans.seal((), {}, {"kinds": ["exec"], "environment": True}))
    sensor.start()
    try:
        command = ["/bin/true", "seawall-environment"]
        subprocess.run(command, env={"LD_PRELOAD": "/tmp/x.so", "A": "b c"}, check=True, timeout=10)
        events = seen(sensor, lambda events: any(event.process.args == tuple(command) for event in events))
    finally:
        sensor.stop()
    (event,) = [event for event in events if event.process.args == tuple(command)]
    assert event.process.env == ("LD_PRELOAD=/tmp/x.so", "A=b c")


def test_nothing_stays_behind(plan):
    """Programs and maps are gone from the kernel, descriptors and memory from us."""
    before = set(os.listdir("/proc/self/fd"))
    sensor = Sensor(plan)
    sensor.start()
    programs, maps = ids("prog_id"), ids("map_id")
    assert len(programs) >= 5
    assert len(maps) >= 8
    sensor.stop()
    assert set(os.listdir("/proc/self/fd")) == before
    assert "bpf-map" not in Path("/proc/self/maps").read_text()
    lib = libbpf.library()
    end = time.monotonic() + 10
    while alive := [n for n in programs if holds(lib.bpf_prog_get_fd_by_id(ctypes.c_uint32(n)))] + [
        n for n in maps if holds(lib.bpf_map_get_fd_by_id(ctypes.c_uint32(n)))
    ]:
        assert time.monotonic() < end, alive
        time.sleep(0.1)


def ids(field: str) -> set[int]:
    """Kernel's numbers of what our descriptors hold."""
    found = set()
    for entry in Path("/proc/self/fdinfo").iterdir():
        try:
            match = re.search(rf"^{field}:\s*(\d+)", entry.read_text(), re.MULTILINE)
        except OSError:
            continue
        if match:
            found.add(int(match[1]))
    return found


def holds(descriptor: int) -> bool:
    if descriptor < 0:
        return False
    os.close(descriptor)
    return True
