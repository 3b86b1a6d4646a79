"""The server as agents meet it: mTLS, batches once and for all, silence, two agents with one identity, kill -9."""

import json
import signal
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving import Enrolled, Served, alert, csr, heartbeat


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("state")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def admin(served: Served) -> str:
    return served.command("token", "create", "test-admin", "--role", "admin")


@pytest.fixture
def agent(served: Served, admin: str, request: pytest.FixtureRequest) -> Enrolled:
    name = request.node.name[:40]
    return Enrolled(served, served.enrolment_token(admin), hostname=name, host_id=name)


def alerts_of(served: Served, admin: str, agent: Enrolled) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = served.get(f"/alerts?agent_id={agent.id}&limit=500&cursor={cursor}", admin)
        found += page["items"]
        cursor = page["next"]
    return found


def test_a_batch_is_stored_once(served: Served, admin: str, agent: Enrolled) -> None:
    one = alert("a"), heartbeat()
    assert agent.send(*one, seq=5)["ack"] == 5
    assert agent.send(*one, seq=5)["ack"] == 5
    assert agent.send(alert("b"), seq=4)["ack"] == 5
    found = alerts_of(served, admin, agent)
    assert [row["key"] for row in found] == ["a"]
    assert found[0]["count"] == 1
    shown = served.get(f"/agents/{agent.id}", admin)
    assert shown["state"] == "online"
    assert shown["sensor"]["state"] == "on"
    assert shown["dropped"] == 3


def test_one_bad_item_costs_no_other(served: Served, admin: str, agent: Enrolled) -> None:
    broken: list[tuple[str, Any]] = [
        ("alert", {"id": "x"}),
        ("alert", {**alert()[1], "severity": ["no"]}),
        ("heartbeat", {"cpu": "much"}),
        ("snapshot", {"kind": "unheard"}),
        ("order", {"id": "job_unknown", "state": "done"}),
        ("of-the-future", {"x": 1}),
    ]
    reply = agent.send(alert("good-1"), *broken, alert("good-2"))
    assert reply["rejected"] == len(broken)
    assert {row["key"] for row in alerts_of(served, admin, agent)} == {"good-1", "good-2"}
    assert served.get(f"/agents/{agent.id}", admin)["rejected"] == len(broken)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"rubbish",
        zlib.compress(b"{}"),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b'{"v":1,"instance":"","seq":1,"sent_at":"","items":[]}'),
        zlib.compress(b'{"v":9,"instance":"i","seq":1,"sent_at":"","items":[]}'),
        zlib.compress(b'{"v":1,"instance":"i","seq":-1,"sent_at":"","items":[]}'),
        zlib.compress(b'{"v":1,"instance":"i","seq":1,"sent_at":"","items":"x"}'),
        zlib.compress(b'{"v":1,"instance":"i","seq":1,"sent_at":"\xff","items":[]}'),
        zlib.compress(b" " * (65 << 20)),
        zlib.compress(b'{"v":1}')[:-2],
    ],
)
def test_rubbish_is_refused_for_ever(agent: Enrolled, body: bytes) -> None:
    status, answer = agent.call("POST", "/v1/agent/batch", body)
    assert status == 422
    assert answer["error"]


def test_strange_items_are_counted(agent: Enrolled) -> None:
    body = (
        b'{"v":1,"instance":"i","seq":1,"sent_at":"","items":[1,null,{"kind":1,"data":{}},{"kind":"alert","data":3}]}'
    )
    status, answer = agent.call("POST", "/v1/agent/batch", zlib.compress(body))
    assert (status, answer["rejected"], answer["ack"]) == (200, 4, 1)


def test_a_body_over_the_limit_is_refused(agent: Enrolled) -> None:
    status, _ = agent.call("POST", "/v1/agent/batch", b"x" * (9 << 20))
    assert status in (413, 422)


def test_the_gateway_wants_a_certificate_of_its_own_ca(served: Served, agent: Enrolled, tmp_path: Path) -> None:
    import http.client

    for context in (served.trust(), _stranger(served, tmp_path)):
        connection = http.client.HTTPSConnection("127.0.0.1", served.gateway_port, timeout=5, context=context)
        with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
            connection.request("GET", "/v1/agent/config")
            connection.getresponse()
        connection.close()


def _stranger(served: Served, tmp_path: Path) -> ssl.SSLContext:
    """A client with a certificate of another CA."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from seawall.server.ca import Authority

    key = ec.generate_private_key(ec.SECP256R1())
    pem, _ = Authority(tmp_path / "other").sign_agent(csr(key), "agent_of_another")
    (tmp_path / "crt").write_text(pem)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "key").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    context = served.trust()
    context.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    return context


def test_a_deleted_agent_stays_out(served: Served, admin: str, agent: Enrolled) -> None:
    agent.send(heartbeat())
    assert served.call("DELETE", f"/api/v1/agents/{agent.id}", token=admin)[0] == 204
    for method, path, body in (
        ("POST", "/v1/agent/batch", zlib.compress(b'{"v":1,"instance":"i","seq":1,"sent_at":"","items":[]}')),
        ("GET", "/v1/agent/orders?wait=0", None),
        ("GET", "/v1/agent/config", None),
        ("POST", "/v1/agent/renew", json.dumps({"csr": csr(agent.key)}).encode()),
    ):
        assert agent.call(method, path, body)[0] == 403
    assert served.call("GET", f"/api/v1/agents/{agent.id}", token=admin)[0] == 404


def test_a_certificate_is_renewed(agent: Enrolled) -> None:
    status, answer = agent.call("POST", "/v1/agent/renew", json.dumps({"csr": csr(agent.key)}).encode())
    assert (status, answer["agent_id"]) == (200, agent.id)
    assert answer["certificate"] != agent.answer["certificate"]
    assert agent.call("POST", "/v1/agent/renew", b"{}")[0] == 422


def test_the_configuration_has_the_version_of_the_reply(agent: Enrolled) -> None:
    status, config = agent.call("GET", "/v1/agent/config")
    assert status == 200
    assert config["plan"]["rules"]
    assert config["intervals"]["heartbeat"] == 30
    assert agent.send(heartbeat())["config_version"] == config["version"]


def test_two_agents_with_one_identity_are_told(served: Served, admin: str, agent: Enrolled) -> None:
    agent.send(alert("mine"), instance="one", seq=1)
    agent.send(alert("other"), instance="two", seq=1)
    assert served.get(f"/agents/{agent.id}", admin)["conflicts"] == 0, "a new spool alone is no conflict"
    agent.send(alert("mine again"), instance="one", seq=2)
    agent.send(alert("other again"), instance="two", seq=2)
    assert served.get(f"/agents/{agent.id}", admin)["conflicts"] == 2
    found = alerts_of(served, admin, agent)
    assert {"mine", "other", "mine again", "other again"} <= {row["key"] for row in found}
    told = [row for row in found if row["category"] == "self"]
    assert len(told) == 1
    assert told[0]["count"] == 2


def test_the_live_stream_tells_and_repeats(served: Served, admin: str, agent: Enrolled) -> None:
    import http.client

    def listen(last: str = "") -> tuple[http.client.HTTPSConnection, Any]:
        connection = http.client.HTTPSConnection("127.0.0.1", served.port, timeout=10, context=served.trust())
        headers = {"Authorization": f"Bearer {admin}"} | ({"Last-Event-ID": last} if last else {})
        connection.request("GET", "/api/v1/live", headers=headers)
        return connection, connection.getresponse()

    def messages(answer: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        place = ""
        while line := answer.readline().decode():
            if line.startswith("id: "):
                place = line[4:].strip()
            if line.startswith("data: "):
                yield place, json.loads(line[6:])

    connection, answer = listen()
    stream = messages(answer)
    first_id, first = next(stream)
    assert first["type"] == "ping"
    began = time.monotonic()
    agent.send(alert("live"))
    _, told = next(found for found in stream if found[1]["type"] == "alerts/add")
    assert time.monotonic() - began < 1.0
    assert told["payload"]["key"] == "live"
    connection.close()

    again, answer = listen(first_id)
    assert next(found for found in messages(answer) if found[1]["type"] == "alerts/add")[1]["payload"]["key"] == "live"
    again.close()
    strange, answer = listen("another-life-7")
    assert next(found for found in messages(answer) if found[1]["type"] != "ping")[1]["type"] == "reload"
    strange.close()


def test_silence_makes_an_agent_late_then_offline(tmp_path: Path) -> None:
    served = Served(tmp_path / "state", agent_late=1, agent_offline=3).start()
    try:
        admin = served.command("token", "create", "test-admin", "--role", "admin")
        agent = Enrolled(served, served.enrolment_token(admin))
        agent.send(heartbeat())
        path = f"/agents/{agent.id}"
        assert served.get(path, admin)["state"] == "online"
        served.until(lambda: served.get(path, admin)["state"] == "offline", 20)
        agent.send(heartbeat())
        assert served.get(path, admin)["state"] == "online"
    finally:
        served.stop()


def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    served = Served(tmp_path / "state").start()
    try:
        admin = served.command("token", "create", "test-admin", "--role", "admin")
        agent = Enrolled(served, served.enrolment_token(admin))
        acknowledged: list[str] = []
        stopped = threading.Event()

        def flood() -> None:
            number = 0
            while not stopped.is_set():
                number += 1
                keys = [f"{number}-{place}" for place in range(20)]
                try:
                    agent.send(*(alert(key) for key in keys))
                except (OSError, AssertionError, ValueError):
                    return
                acknowledged.extend(keys)

        thread = threading.Thread(target=flood)
        thread.start()
        served.until(lambda: len(acknowledged) >= 400, 20)
        served.stop(signal.SIGKILL)
        stopped.set()
        thread.join(10)
        served.start()
        kept = {row["key"] for row in alerts_of(served, admin, agent)}
        assert len(acknowledged) >= 400
        assert set(acknowledged) <= kept
    finally:
        served.stop()


def test_stop_takes_less_than_three_seconds_with_everything_open(tmp_path: Path) -> None:
    import http.client

    served = Served(tmp_path / "state").start()
    admin = served.command("token", "create", "test-admin", "--role", "admin")
    agent = Enrolled(served, served.enrolment_token(admin))
    answers: list[Any] = []
    poll = threading.Thread(target=lambda: answers.append(agent.call("GET", "/v1/agent/orders?wait=50")))
    poll.start()
    live = http.client.HTTPSConnection("127.0.0.1", served.port, timeout=10, context=served.trust())
    live.request("GET", "/api/v1/live", headers={"Authorization": f"Bearer {admin}"})
    stream = live.getresponse()
    assert stream.readline()
    told: list[bytes] = []

    def listen() -> None:  # as browsers do, which close when the server does
        told.append(stream.read())
        live.close()

    listener = threading.Thread(target=listen)
    listener.start()
    time.sleep(0.5)
    assert served.stop() < 3.0
    poll.join(5)
    listener.join(5)
    [(status, answer)] = answers
    assert (status, answer["orders"]) == (200, [])
    assert b"data" in told[0]
