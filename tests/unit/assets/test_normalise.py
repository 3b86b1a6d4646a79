"""From Docker's words to the model, odd ones included."""

from seawall.assets import normalise

INSPECT = {
    "Id": "c" * 64,
    "Name": "/web",
    "Created": "2026-11-23T20:00:00.123456789Z",
    "Image": "sha256:" + "1" * 64,
    "State": {
        "Status": "running",
        "Running": True,
        "Pid": 42,
        "StartedAt": "2026-11-23T20:00:01Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "ExitCode": 0,
    },
    "Config": {
        "Image": "nginx:1",
        "User": "",
        "Cmd": ["nginx", "-g"],
        "Entrypoint": None,
        "Env": ["PASSWORD=hunter2", "A=1"],
        "Labels": {"io.kubernetes.pod.name": "p", "io.kubernetes.pod.namespace": "n"},
    },
    "HostConfig": {
        "Privileged": True,
        "CapAdd": ["SYS_ADMIN"],
        "CapDrop": None,
        "NanoCpus": 1500000000,
        "PidsLimit": None,
        "RestartPolicy": {"Name": "always"},
    },
    "NetworkSettings": {
        "Ports": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "53/udp": None},
        "Networks": {"bridge": {"IPAddress": "172.17.0.2"}},
    },
    "Mounts": [{"Type": "bind", "Source": "/", "Destination": "/host", "RW": True}],
}


def test_container() -> None:
    found = normalise.container(INSPECT, namespaces={"mnt": 7}, processes=3, digest="sha256:d")
    assert (found.name, found.state, found.pid, found.exit_code) == ("web", "running", 42, None)
    assert (found.created_at, found.started_at, found.finished_at) == (
        "2026-11-23T20:00:00.123Z",
        "2026-11-23T20:00:01.000Z",
        "",
    )
    assert found.ports == ({"proto": "tcp", "host_ip": "0.0.0.0", "host_port": 8080, "container_port": 80},)
    assert found.env_names == ("A", "PASSWORD"), "names, never values"
    assert "hunter2" not in repr(found)
    assert (found.cpu_limit, found.pids_limit, found.pod, found.pod_namespace) == (1.5, 0, "p", "n")
    assert found.mounts[0]["rw"] is True


def test_odd_values_become_empty_and_never_raise() -> None:
    odd = {
        "Id": "x",
        "State": None,
        "Config": [],
        "HostConfig": 7,
        "NetworkSettings": {"Ports": {"x": [7, None]}},
        "Mounts": [None],
    }
    found = normalise.container(odd, namespaces={}, processes=0, digest="")
    assert (found.state, found.command, found.ports, found.mounts) == ("", (), (), ())


def test_image_without_a_tag_is_called_by_its_short_id() -> None:
    identity = "sha256:" + "ab" * 32
    assert normalise.image({"Id": identity, "RepoTags": ["<none>:<none>"]}, 0).name == "abababababab"
    assert (
        normalise.image({"Id": identity, "RepoTags": ["a:1", "b:2"], "RootFS": {"Layers": ["x", "y"]}}, 2).layers == 2
    )
