"""WorkloadSpec as SpecGenerator JSON: exact types, CDI names, entrypoints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.engines.podman_spec import create_body, image_reference
from backends.model.capabilities import EngineInfo
from backends.model.container import MountKind, Port
from backends.model.errors import Refused
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, WorkloadSpec


def _body(rootless: bool = False, **fields: Any) -> dict[str, Any]:
    info = EngineInfo("5.4.2", "5.4.2", rootless=rootless, local=True, cgroup_version="1")
    return create_body(WorkloadSpec(**({"name": "n", "image": "python:3.11"} | fields)), info, own_runtime="runc")


def test_a_bare_one_says_nothing_of_what_the_image_says() -> None:
    assert _body() == {
        "name": "n",
        "image": "docker.io/library/python:3.11",
        "env": {},
        "labels": {},
        "annotations": {"io.tranship.made": '{"asked": {}, "env": []}'},
        "terminal": False,
        "stdin": False,
        "create_working_dir": True,
        "restart_policy": "no",
    }


def test_everything() -> None:
    body = _body(
        command=("a",), entrypoint=("b",), env={"B": "2", "A": "1"}, labels={"l": "v"}, user="1:2", workdir="/w",
        hostname="h", tty=True, stdin_open=True, ports=(Port(80, "tcp", "127.0.0.1", 8080), Port(53, "udp"), Port(53)),
        mounts=(MountSpec(MountKind.BIND, "/s", "/d", True), MountSpec(MountKind.VOLUME, "v", "/v")),
        restart=RestartPolicy(RestartName.ON_FAILURE, 4), memory_bytes=1 << 20, cpus_nano=1_500_000_000,
    )  # fmt: skip
    made = json.loads(body["annotations"]["io.tranship.made"])
    assert made["env"] == ["A", "B"]
    assert {path: made["asked"][path] for path in ("hostname", "user")} == {"hostname": "h", "user": "1:2"}
    assert "2" not in str(made["env"]), "no variable's value"
    assert (body["restart_policy"], body["restart_tries"]) == ("on-failure", 4)
    assert (body["user"], body["work_dir"], body["hostname"]) == ("1:2", "/w", "h")
    assert body["portmappings"] == [
        {"container_port": 80, "host_port": 8080, "host_ip": "127.0.0.1", "protocol": "tcp"}
    ]
    assert body["expose"] == {"53": "udp,tcp"}
    assert body["netns"] == {"nsmode": "bridge"}
    assert body["mounts"] == [{"type": "bind", "source": "/s", "destination": "/d", "options": ["rbind", "ro"]}]
    assert body["volumes"] == [{"Name": "v", "Dest": "/v", "Options": [], "IsAnonymous": False}]
    assert body["resource_limits"] == {
        "memory": {"limit": 1 << 20},
        "cpu": {"quota": 150_000, "period": 100_000},
    }
    json.dumps(body)


def test_rootless_keeps_its_own_network() -> None:
    assert "netns" not in _body(rootless=True, ports=(Port(80, host_port=8080),))


def test_no_entrypoint_at_all_is_one_empty_word() -> None:
    assert _body(entrypoint=(), command=("x",))["entrypoint"] == [""]


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (GpuRequest(count=-1), ("nvidia.com/gpu=all",)),
        (GpuRequest(count=2), ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        (GpuRequest(device_ids=("0", "GPU-1")), ("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-1")),
        (GpuRequest(device_ids=("amd.com/gpu=1",), driver="cdi"), ("amd.com/gpu=1",)),
        (GpuRequest(cdi_devices=("nvidia.com/gpu=3",), count=-1), ("nvidia.com/gpu=3",)),
        (GpuRequest(), ()),
    ],
)
def test_gpus_as_cdi_names(request_: GpuRequest, names: tuple[str, ...]) -> None:
    assert request_.cdi_names() == names
    body = _body(gpu=request_)
    assert body.get("devices", []) == [{"path": name} for name in names]
    assert json.loads(body["labels"].get("io.tranship.cdi", "[]")) == list(names)


def test_images() -> None:
    assert image_reference("sha256:" + "ab" * 32) == "ab" * 32
    with pytest.raises(Refused):
        image_reference("Not A Name")


def test_tiny_shares_are_what_the_kernel_takes() -> None:
    assert _body(cpus_nano=1)["resource_limits"]["cpu"]["quota"] == 1000
