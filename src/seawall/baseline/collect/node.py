"""One collection of this node: the daemon, then each running container. Facts only; nobody judges here."""

import os
from collections.abc import Iterator
from typing import Any

from seawall.baseline.collect import containers, daemon
from seawall.baseline.collect.names import FACTS
from seawall.baseline.model import Asset, Fact, Facts
from seawall.baseline.normalise import clean
from seawall.core import clock
from seawall.core.errors import SeawallError, Unreachable
from seawall.node import host
from seawall.node.docker import Docker, DockerError

MAX_CONTAINERS = 10_000


def collect(docker: Docker) -> Iterator[Facts]:
    """Facts of every asset, one after the other. Raises Unreachable when the daemon does not list its containers.

    A container that goes away meanwhile is left out; one that cannot be read comes with the reason in each fact, and
    so is "not checked" and not forgotten.
    """
    here = host.host_id()
    asset = Asset("docker_host", f"docker:{here[:32]}", clean(os.uname().nodename), here)
    yield Facts(asset, _cleaned(daemon.facts(docker)), clock.now())
    summaries = docker.containers(all=False)[:MAX_CONTAINERS]
    on = containers.host(daemon.find(docker.path) or 1, docker.path, _data_root(docker))
    tags: dict[str, list[str]] = {}
    away = ""
    for summary in summaries:
        asset = _asset(summary, here)
        try:
            # A daemon that hangs costs one deadline, not one for each container.
            facts = _errors(away) if away else _read(docker, asset.id, tags, on)
        except Unreachable as error:
            away = str(error)
            facts = _errors(away)
        except DockerError as error:
            if error.status == 404:
                continue  # gone between the list and now
            facts = _errors(str(error))
        except (SeawallError, ValueError, TypeError, AttributeError) as error:
            facts = _errors(f"its inspection cannot be read: {error}")
        yield Facts(asset, _cleaned(facts), clock.now())


def _asset(summary: dict[str, Any], here: str) -> Asset:
    identity = str(summary.get("Id") or "")
    names = summary.get("Names")
    name = str(names[0] if isinstance(names, list) and names else identity[:12]).lstrip("/")
    return Asset("container", clean(identity), clean(name), here)


def _read(docker: Docker, identity: str, tags: dict[str, list[str]], on: containers.Host) -> dict[str, Fact]:
    found = docker.container(identity)
    return containers.facts(found, _tags(docker, str(found.get("Image") or ""), tags), on)


def _data_root(docker: Docker) -> str:
    try:
        return str(docker.info().get("DockerRootDir") or "")
    except (SeawallError, AttributeError):
        return ""


def _errors(reason: str) -> dict[str, Fact]:
    return {name: Fact(None, "GET /containers/ID/json", reason) for name in FACTS["container"]}


def _cleaned(facts: dict[str, Fact]) -> dict[str, Fact]:
    return {name: Fact(clean(fact.value), clean(fact.where), clean(fact.error)) for name, fact in facts.items()}


def _tags(docker: Docker, image: str, known: dict[str, list[str]]) -> list[str]:
    if image not in known:
        try:
            known[image] = [str(tag) for tag in docker.image(image).get("RepoTags") or []]
        except SeawallError:
            known[image] = []
    return known[image]
