"""libpod's recorded JSON as the model's containers, facts, events and volumes."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.podman_translate import (
    engine_info,
    event_of,
    gpus_of,
    health_of,
    inspected_container,
    inspected_ports,
    labelled_cdi,
    listed_container,
    listed_ports,
    moment,
    options_of,
    state_of,
    volume_of,
)
from backends.model.capabilities import Capability
from backends.model.container import ContainerState, Health, Mount, MountKind, Port
from backends.model.events import EventKind
from tests.unit.podman.recorded import ENGINE, MODES, recorded, recorded_events


def _row(mode: str, name: str) -> Any:
    return next(entry for entry in recorded(mode, "list") if entry["Names"] == [name])


@pytest.mark.parametrize("mode", MODES)
def test_list_and_inspect_tell_the_same(mode: str) -> None:
    for name in ("plain", "full", "run", "api"):
        listed = listed_container(_row(mode, f"test-{name}"), ENGINE)
        inspected = inspected_container(recorded(mode, f"inspect-{name}"), ENGINE)
        for field in ("key", "name", "image", "image_id", "state", "exit_code", "health", "command", "labels", "ports"):
            assert getattr(listed, field) == getattr(inspected, field), (name, field)
        assert listed.created_at == inspected.created_at
        assert {mount.destination for mount in inspected.mounts} <= {mount.destination for mount in listed.mounts}


def test_a_running_one_with_a_health_check() -> None:
    seen = listed_container(_row("rootful", "test-run"), ENGINE)
    assert (seen.state, seen.health, seen.exit_code, seen.finished_at) == (
        ContainerState.RUNNING,
        Health.STARTING,
        None,
        None,
    )
    assert seen.started_at == datetime.fromtimestamp(1795442404, UTC)
    assert seen.ports == (Port(80, "tcp", "", 18200),)
    assert seen.networks == ("podman",)


def test_an_exited_one_and_its_gpu() -> None:
    seen = listed_container(_row("rootless", "test-api"), ENGINE)
    assert (seen.state, seen.exit_code, seen.gpus_given) == (ContainerState.EXITED, 3, ("nvidia.com/gpu=1",))


def test_zero_times_are_none_and_leave_no_exit_code() -> None:
    entry = _row("rootful", "test-api") | {"ExitedAt": -62135596800, "ExitCode": 0}
    seen = listed_container(entry, ENGINE)
    assert (seen.finished_at, seen.exit_code, seen.state) == (None, None, ContainerState.EXITED)
    inspect = recorded("rootful", "inspect-api")
    inspect["State"]["FinishedAt"] = "0001-01-01T00:00:00Z"
    assert inspected_container(inspect, ENGINE).finished_at is None


def test_ranges_are_expanded_and_exposed_ports_have_no_host_port() -> None:
    ports = listed_container(_row("rootful", "test-full"), ENGINE).ports
    assert Port(91, "tcp", "", 18101) in ports
    assert Port(81, "udp", "127.0.0.1", 18081) in ports
    assert Port(99, "tcp", "", None) in ports


def test_a_range_is_never_longer_than_there_are_ports() -> None:
    assert len(listed_ports([{"container_port": 1, "host_port": 1, "range": 1 << 40}], None)) == 65536


def test_mounts_of_inspect() -> None:
    mounts = inspected_container(recorded("rootful", "inspect-full"), ENGINE).mounts
    assert Mount(MountKind.VOLUME, "testvol", "/data", True) in mounts
    assert Mount(MountKind.BIND, "/tmp/test/bind", "/b", True) in mounts


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("configured", ContainerState.CREATED),
        ("initialized", ContainerState.CREATED),
        ("stopped", ContainerState.EXITED),
        ("stopping", ContainerState.STOPPING),
        ("bogus", ContainerState.UNKNOWN),
    ],
)
def test_states(word: str, state: ContainerState) -> None:
    assert state_of(word) is state


def test_unknown_health_is_none() -> None:
    assert health_of("") is Health.NONE
    assert health_of("unhealthy") is Health.UNHEALTHY


def test_info_of_both() -> None:
    rootful = engine_info(recorded("rootful", "info"), local=True)
    assert (rootful.version, rootful.rootless, rootful.cgroup_version, rootful.arch) == ("5.4.2", False, "1", "amd64")
    assert rootful.capabilities.can(Capability.PAUSE)
    assert "systemd" in rootful.capabilities.why_not(Capability.HEALTHCHECK)
    rootless = engine_info(recorded("rootless", "info"), local=True)
    for lacking in (Capability.PAUSE, Capability.STATS_API, Capability.RESOURCE_LIMITS):
        assert "cgroup v1" in rootless.capabilities.why_not(lacking)


def test_rootless_on_cgroup_v2_with_systemd_lacks_nothing() -> None:
    info = recorded("rootless", "info")
    info["host"] |= {"cgroupVersion": "v2", "cgroupManager": "systemd"}
    assert dict(engine_info(info, local=False).capabilities.lacking) == {}


@pytest.mark.parametrize("mode", MODES)
def test_events(mode: str) -> None:
    events = [event_of(entry, ENGINE) for entry in recorded_events(mode)]
    assert {EventKind.CONTAINER, EventKind.IMAGE, EventKind.VOLUME} <= {event.kind for event in events}
    assert all(event.id and event.at.year == 2026 for event in events)
    volume = next(event for event in events if event.kind is EventKind.VOLUME)
    assert volume.id == volume.name


def test_volumes() -> None:
    volumes = {volume.name: volume for volume in map(volume_of, recorded("rootful", "volumes"))}
    assert not volumes["testvol"].anonymous
    assert sum(volume.anonymous for volume in volumes.values()) == 2


def test_gpus_by_label_command_or_nodes() -> None:
    labelled = recorded("rootful", "inspect-api")
    assert gpus_of(labelled) == ("nvidia.com/gpu=1",)
    commanded = recorded("rootful", "inspect-cdi")
    assert gpus_of(commanded) == ("nvidia.com/gpu=0",)
    del commanded["Config"]["CreateCommand"]
    assert gpus_of(commanded) == ("nvidia.com/gpu=0",)  # by /dev/nvidia0
    assert gpus_of(recorded("rootful", "inspect-plain")) == ()


def test_the_containers_own_words_are_no_options() -> None:
    inspect = recorded("rootful", "inspect-plain")
    inspect["Config"]["Cmd"] = ["run", "--device", "nvidia.com/gpu=3"]
    inspect["Config"]["CreateCommand"] = ["podman", "run", "test/busybox:1", *inspect["Config"]["Cmd"]]
    assert gpus_of(inspect) == ()
    inspect["Config"]["CreateCommand"][2:2] = ["--gpus", "all", "--device=nvidia.com/gpu=1"]
    assert gpus_of(inspect) == ("nvidia.com/gpu=all", "nvidia.com/gpu=1")


def test_an_option_value_that_looks_like_the_image() -> None:
    command = ["podman", "run", "--name", "web", "--device", "nvidia.com/gpu=0", "web", "a", "b"]
    assert list(options_of(command, "docker.io/library/web:latest", ["a", "b"])) == command[:6]


@given(st.text())
def test_a_label_that_is_not_ours_tells_nothing(text: str) -> None:
    names = labelled_cdi({"io.tranship.cdi": text})
    assert isinstance(names, tuple)
    assert all(isinstance(name, str) for name in names)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "host_ip": st.sampled_from(["", "0.0.0.0", "127.0.0.1"]),
                "container_port": st.integers(1, 60000),
                "host_port": st.integers(1, 60000),
                "range": st.integers(0, 9),
                "protocol": st.sampled_from(["tcp", "udp", "tcp,udp"]),
            }
        ),
        max_size=4,
    )
)
def test_every_port_of_a_range_is_there_once(entries: list[Any]) -> None:
    before = copy.deepcopy(entries)
    ports = listed_ports(entries, None)
    assert len(set(ports)) == len(ports)
    for entry in entries:
        for offset in range(max(1, entry["range"])):
            for protocol in entry["protocol"].split(","):
                ip = "" if entry["host_ip"] == "0.0.0.0" else entry["host_ip"]
                assert Port(entry["container_port"] + offset, protocol, ip, entry["host_port"] + offset) in ports
    assert entries == before


def test_published_twice_and_only_exposed() -> None:
    bindings = {"80/tcp": [{"HostIp": "", "HostPort": "1"}, {"HostIp": "::1", "HostPort": "2"}], "9/udp": None}
    assert set(inspected_ports(bindings)) == {
        Port(80, "tcp", "", 1),
        Port(80, "tcp", "::1", 2),
        Port(9, "udp", "", None),
    }


@given(st.one_of(st.none(), st.text(), st.integers(), st.floats(allow_nan=True)))
def test_moments_are_aware_or_none(value: object) -> None:
    at = moment(value)
    assert at is None or at.tzinfo is not None
