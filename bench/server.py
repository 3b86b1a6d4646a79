"""The server as a real process: batches over mTLS into the database, then lists over what they left.

Alerts are all different (each is a new row with its indexes and a change for consoles), which is the worst case: on a
node the same alert happens again and is merged. The load client runs on the same cores.
"""

import http.client
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from seawall.core import envelope
from seawall.core.clock import now
from seawall.core.envelope import Batch, Item
from serving import Enrolled, Served, alert

AGENTS = 4
PER_BATCH = 200
LIMIT_MS = 300


def main(quick: bool) -> None:
    """Print alerts a second, the reply's delay, and the slowest list."""
    rows = 20_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder) / "state").start()
        try:
            admin = served.command("token", "create", "bench", "--role", "admin")
            token = served.enrolment_token(admin, uses=AGENTS)
            peers = [Enrolled(served, token, f"node-{n}", f"host-{n}") for n in range(AGENTS)]
            _ingest(peers, rows)
            _memory(served)
            _lists(served, admin, rows)
        finally:
            served.stop()


def _ingest(peers: list[Enrolled], rows: int) -> None:
    batches = rows // PER_BATCH // AGENTS
    bodies = {peer.id: [_body(peer, seq) for seq in range(1, batches + 1)] for peer in peers}
    began = time.monotonic()
    with ThreadPoolExecutor(AGENTS) as pool:
        delays = [delay for found in pool.map(lambda peer: _send(peer, bodies[peer.id]), peers) for delay in found]
    seconds = time.monotonic() - began
    print(f"ingest      {batches * AGENTS * PER_BATCH / seconds:8.0f} alerts/s  (new rows, acknowledged after fsync)")
    print(f"ack delay   {statistics.median(delays) * 1e3:8.1f} ms median, {_high(delays) * 1e3:.1f} ms p99")


def _body(peer: Enrolled, seq: int) -> bytes:
    items = [
        alert(
            container={
                "id": f"{(seq * 31 + place) % 400:064x}",
                "name": f"web-{(seq + place) % 400}",
                "image": "nginx",
            },
            severity=("critical", "high", "medium", "low")[place % 4],
            title=f"Something number {place % 50} happened",
        )
        for place in range(PER_BATCH)
    ]
    return envelope.encode(Batch(peer.instance, seq, now(), [Item(kind, data) for kind, data in items]))


def _send(peer: Enrolled, bodies: list[bytes]) -> list[float]:
    connection = http.client.HTTPSConnection("127.0.0.1", peer.served.gateway_port, timeout=60, context=peer.context)
    delays = []
    for body in bodies:
        began = time.monotonic()
        connection.request("POST", "/v1/agent/batch", body)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        delays.append(time.monotonic() - began)
    connection.close()
    return delays


def _lists(served: Served, admin: str, rows: int) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, timeout=60, context=served.trust())

    def seconds(path: str) -> float:
        found = []
        for _ in range(5):
            began = time.monotonic()
            connection.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {admin}"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body[:300]
            found.append(time.monotonic() - began)
        return statistics.median(found)

    cursor = ""
    page = served.get("/alerts?limit=500&sort=-severity", admin)
    for _ in range(20):
        cursor = page["next"]
        page = served.get(f"/alerts?limit=500&sort=-severity&cursor={cursor}", admin)
    paths = [
        "/alerts",
        "/alerts?sort=-severity",
        "/alerts?sort=rule",
        "/alerts?sort=host_name",
        "/alerts?sort=container_name",
        "/alerts?state=new&severity=critical,high",
        f"/alerts?container_id={5:064x}",
        "/alerts?q=number+17",
        "/alerts?q=nothing-has-this",
        f"/alerts?limit=500&sort=-severity&cursor={cursor}",
        "/rules",
        "/overview",
    ]
    times = {path: seconds(path) * 1e3 for path in paths}
    for path, took in times.items():
        print(f"list        {took:8.1f} ms  {path[:70]}")
    worst = max(times.values())
    print(f"slowest     {worst:8.1f} ms of {LIMIT_MS} ms allowed, {rows} rows  ({worst / LIMIT_MS:.2f} × the limit)")


def _memory(served: Served) -> None:
    assert served.process is not None
    for line in Path(f"/proc/{served.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            print(f"memory      {int(line.split()[1]) / 1024:8.0f} MB resident after it")


def _high(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
