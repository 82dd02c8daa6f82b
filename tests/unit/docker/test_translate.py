"""Docker's recorded answers as the model."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines import docker_translate as translate
from backends.engines import docker_translate_stores as stores
from backends.model.capabilities import Capability
from backends.model.container import ContainerState, Health, MountKind, Port
from backends.model.errors import Protocol
from backends.model.events import EventKind
from backends.model.ids import EngineId, EngineKind
from tests.unit.docker.recorded import CONTAINERS, container, recorded

ENGINE = EngineId(EngineKind.DOCKER, "docker")


def listed() -> dict[str, Any]:
    found = [translate.container_from_list(ENGINE, item) for item in recorded("containers.26.1")]
    return {one.name.removeprefix("test-"): one for one in found}


def test_the_list() -> None:
    fleet = listed()
    assert fleet["exited"].state is ContainerState.EXITED
    assert fleet["exited"].exit_code == 3
    assert fleet["exited"].command == ("sh", "-c", "exit 3")
    assert fleet["plain"].state is ContainerState.CREATED
    assert fleet["plain"].exit_code is None
    assert fleet["web"].health is Health.HEALTHY
    assert fleet["web"].ports == (Port(80, "tcp", "", 32768),)
    assert fleet["sleep"].networks == ("bridge",)
    assert fleet["full"].labels["a"] == "b"


@pytest.mark.parametrize("name", CONTAINERS)
def test_list_and_inspect_agree(name: str) -> None:
    one, other = listed()[name], translate.container_from_inspect(ENGINE, container(name))
    for field in ("key", "name", "image", "image_id", "state", "exit_code", "labels", "mounts", "networks"):
        assert getattr(one, field) == getattr(other, field), field
    assert one.command == other.command
    assert [port for port in other.ports if port.host_port is not None] == [
        port for port in one.ports if port.host_port is not None
    ]
    assert abs((one.created_at - other.created_at).total_seconds()) < 1


def test_inspect_tells_more() -> None:
    full = translate.container_from_inspect(ENGINE, container("full"))
    assert full.started_at is not None
    assert full.started_at.tzinfo is not None
    assert full.finished_at is None
    assert [mount.kind for mount in full.mounts] == [MountKind.BIND, MountKind.VOLUME, MountKind.VOLUME]
    assert translate.container_from_inspect(ENGINE, container("gpu")).gpus_given == ("nvidia.com/gpu=0",)
    assert translate.container_from_inspect(ENGINE, container("gpuall")).gpus_given == ("all",)
    assert translate.container_from_inspect(ENGINE, container("gpu2")).gpus_given == ("0", "1")


@pytest.mark.parametrize(
    ("status", "code", "health"),
    [
        ("Up 2 hours", None, Health.NONE),
        ("Up 2 hours (healthy)", None, Health.HEALTHY),
        ("Up 1 second (health: starting)", None, Health.STARTING),
        ("Up 1 second (unhealthy)", None, Health.UNHEALTHY),
        ("Up 1 second (Paused)", None, Health.NONE),
        ("Exited (137) 2 days ago", 137, Health.NONE),
        ("Restarting (1) 3 seconds ago", 1, Health.NONE),
        ("Created", None, Health.NONE),
        ("", None, Health.NONE),
    ],
)
def test_status_text(status: str, code: int | None, health: Health) -> None:
    item = {"Id": "a" * 64, "Names": ["/x"], "Status": status, "State": "running", "Created": 0}
    found = translate.container_from_list(ENGINE, item)
    assert (found.exit_code, found.health) == (code, health)


@given(
    st.text(),
    st.text(),
    st.lists(st.text()),
    st.dictionaries(st.text(), st.text()) | st.none(),
    st.integers(-(1 << 62), 1 << 62),
)
def test_any_text_from_outside_is_data(
    status: str, command: str, names: list[str], labels: dict[str, str] | None, at: int
) -> None:
    item = {"Id": "a" * 64, "Names": names, "Status": status, "Command": command, "Labels": labels, "Created": at}
    found = translate.container_from_list(ENGINE, {**item, "State": status})
    assert found.created_at.tzinfo is UTC
    assert found.labels == (labels or {})


@given(st.text(alphabet=st.sampled_from("a \t\n\x0b\u00a0#$;|é")))
def test_a_command_without_quotes_is_read_as_shlex_reads_it(text: str) -> None:
    item = {"Id": "a" * 64, "Names": ["/web"], "Created": 0, "Command": text}
    assert list(translate.container_from_list(ENGINE, item).command) == shlex.split(text)


def test_a_links_name_is_not_its_own() -> None:
    item = {"Id": "a" * 64, "Names": ["/other/alias", "/web"], "Created": 0}
    assert translate.container_from_list(ENGINE, item).name == "web"


def test_the_engine() -> None:
    info = translate.engine_info(recorded("version.26.1"), recorded("info.26.1"), api_version="1.45", local=True)
    assert info.version.startswith("26.1.5")
    assert (info.arch, info.cgroup_version, info.rootless, info.cpus) == ("amd64", "1", False, 2)
    assert info.capabilities.lacking == {}


def test_what_an_engine_lacks() -> None:
    base = recorded("info.26.1")
    rootless = base | {
        "CgroupDriver": "none",
        "SecurityOptions": ["name=seccomp", "name=rootless"],
        "CDISpecDirs": None,
    }
    info = translate.engine_info({}, rootless, api_version="1.45", local=True)
    assert info.rootless
    lacking = {Capability.PAUSE, Capability.STATS_API, Capability.RESOURCE_LIMITS, Capability.CDI}
    assert set(info.capabilities.lacking) == lacking
    assert all(info.capabilities.lacking.values())


def test_discovered_devices() -> None:
    devices = [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}, {"Source": "other", "ID": "x"}]
    info = translate.engine_info({}, {"DiscoveredDevices": devices}, api_version="1.50", local=False)
    assert info.cdi_devices == ("nvidia.com/gpu=0",)


def test_the_default_runtime_is_the_first() -> None:
    told = {"Runtimes": {"runc": {}, "io.containerd.runc.v2": {}, "nvidia": {}}, "DefaultRuntime": "nvidia"}
    info = translate.engine_info({}, told, api_version="1.45", local=True)
    assert info.runtimes == ("nvidia", "runc", "io.containerd.runc.v2")


def test_images() -> None:
    images = [stores.image_from_list(ENGINE, item) for item in recorded("images.26.1")]
    assert {tag for image in images for tag in image.tags} >= {"docker.io/test/web:1", "docker.io/test/busybox:1"}
    facts = stores.image_facts(ENGINE, recorded("image_web.26.1"), "sha256:of-the-config")
    assert facts.tags == ("docker.io/test/web:1",)
    assert facts.config_digest == "sha256:of-the-config"
    assert len(facts.diff_ids) == 10
    assert (facts.architecture, facts.os) == ("amd64", "linux")


def test_volumes() -> None:
    named = stores.volume(recorded("volume.26.1"))
    assert (named.name, named.driver, named.anonymous) == ("test-data", "local", False)
    assert stores.volume({"Name": "a" * 64, "Labels": None}).anonymous
    assert stores.volume({"Name": "x", "Labels": {"com.docker.volume.anonymous": ""}}).anonymous


def test_events() -> None:
    found = translate.event(
        ENGINE,
        {
            "Type": "container",
            "Action": "start",
            "Actor": {"ID": "a" * 64, "Attributes": {"name": "web"}},
            "time": 1795442722,
            "timeNano": 1795442722500000000,
        },
    )
    assert (found.kind, found.action, found.id, found.name) == (EventKind.CONTAINER, "start", "a" * 64, "web")
    assert found.at == datetime(2026, 11, 23, 14, 5, 22, 500000, UTC)
    assert translate.event(ENGINE, {"Type": "daemon", "Action": "reload"}).kind is EventKind.OTHER


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([{"stream": "Loaded image: test/web:1\n"}], ("docker.io/test/web:1",)),
        ([{"status": "Loading"}, {"stream": "Loaded image ID: sha256:ab\n"}], ("sha256:ab",)),
        ([], ()),
    ],
)
def test_loaded_images(lines: list[dict[str, str]], names: tuple[str, ...]) -> None:
    answer = b"\r\n".join(json.dumps(line).encode() for line in lines)
    assert stores.loaded_images(ENGINE, answer) == names


@pytest.mark.parametrize("answer", [b'{"error": "no space", "errorDetail": {"message": "no space"}}', b"<html>"])
def test_a_failed_load_raises(answer: bytes) -> None:
    with pytest.raises(Protocol):
        stores.loaded_images(ENGINE, answer)
