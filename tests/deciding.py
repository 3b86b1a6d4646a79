"""People with tokens, and an agent by hand, before a server whose runtime policy is tried."""

from typing import Any

from serving import Enrolled, Served, heartbeat

ORDERS = ["assets.refresh", "response.process", "response.container", "response.file"]
ROLES = ("viewer", "operator", "admin")


def capable(agent: Enrolled, orders: list[str], **more: Any) -> None:
    agent.send(heartbeat(host={"id": "host-7", "name": "node-7"}, capabilities={"orders": orders}, **more))


class People:
    """Calls as one of the roles."""

    def __init__(self, served: Served, token: str) -> None:
        self.served, self.token = served, token

    def do(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        got, value, _ = self.served.call(method, f"/api/v1{path}", body, self.token)
        assert got == status, (method, path, got, value)
        return value

    def get(self, path: str) -> Any:
        return self.do("GET", path)

    def settled(self) -> dict[str, Any]:
        """The state of the plan once nothing is pending."""
        return self.served.until(lambda: (found := self.get("/rules/state")) and not found["pending"] and found, 20)


def config(agent: Enrolled) -> dict[str, Any]:
    status, value = agent.call("GET", "/v1/agent/config")
    assert status == 200
    return value


def next_order(agent: Enrolled) -> dict[str, Any]:
    status, value = agent.call("GET", "/v1/agent/orders?wait=10")
    assert status == 200 and len(value["orders"]) == 1, value
    return value["orders"][0]


def report(agent: Enrolled, order: dict[str, Any], state: str, **more: Any) -> None:
    agent.send(("order", {"id": order["id"], "state": state, "progress": 1, **more}))


def people(served: Served) -> dict[str, People]:
    """One of each role."""
    return {role: People(served, served.command("token", "create", f"test-{role}", "--role", role)) for role in ROLES}


def enrolled(served: Served, admin: People) -> Enrolled:
    """An agent that can do all that is asked of it."""
    agent = Enrolled(served, served.enrolment_token(admin.token), hostname="node-7", host_id="host-7")
    capable(agent, ORDERS)
    return agent
