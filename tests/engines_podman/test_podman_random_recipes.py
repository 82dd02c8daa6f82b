"""Random recipes: a container made from one gives it back, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.model.container import MountKind, Port
from backends.model.settings import (
    UNLIMITED,
    DeviceSpec,
    HealthSpec,
    LogSpec,
    NamespaceSpec,
    NetworkingSpec,
    ProcessSpec,
    ResourceSpec,
    SecuritySpec,
    Ulimit,
)
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, WorkloadSpec
from tests.engines_podman.bench import IMAGE, Bench, plain

pytestmark = [pytest.mark.engines, pytest.mark.hypothesis]  # an example that was found is wrong, found again or not

_S = 10**9
_WORDS = st.text("abcxyz09-_.= ", min_size=1, max_size=9)
_KEYS = st.text("abcxyz", min_size=1, max_size=6)
_MAPS = st.dictionaries(_KEYS, _WORDS, max_size=3)
_NUMBERS = st.integers(1, 1 << 20)


def _some(kind: Any, options: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """A group with some of its fields set."""
    return st.fixed_dictionaries({}, optional=dict(options)).map(lambda said: kind(**said))


_CAPS = st.lists(st.sampled_from(["CAP_NET_ADMIN", "CAP_SYS_TIME", "CAP_NET_RAW"]), unique=True, max_size=2).map(tuple)
_CHECKS = _some(
    lambda **said: HealthSpec(("CMD", "true"), **said),
    {
        "interval_ns": st.integers(1, 90).map(lambda s: s * _S),
        "timeout_ns": st.integers(1, 90).map(lambda s: s * _S),
        "start_period_ns": st.integers(1, 90).map(lambda s: s * _S),
        "retries": st.integers(1, 9),
        "on_failure": st.sampled_from(["kill", "stop", "restart"]),
    },
)
_SPECS = _some(
    lambda **said: WorkloadSpec("", IMAGE, **said),
    {
        "command": st.lists(_WORDS, max_size=3).map(tuple),
        "entrypoint": st.lists(_WORDS, min_size=1, max_size=2).map(tuple),
        "env": _MAPS,
        "labels": _MAPS,
        "user": st.sampled_from(["5", "0:0", "7:8"]),
        "workdir": st.sampled_from(["/tmp", "/made/of it"]),
        "tty": st.booleans(),
        "stdin_open": st.booleans(),
        "restart": st.sampled_from([RestartPolicy(RestartName.ALWAYS), RestartPolicy(RestartName.ON_FAILURE, 2)]),
        "gpu": st.sampled_from([GpuRequest(cdi_devices=("nvidia.com/gpu=1",)), None]),
        "process": _some(
            ProcessSpec,
            {
                "init": st.booleans(),
                "stop_signal": st.sampled_from(["SIGINT", "SIGQUIT", "SIGTERM", "SIGRTMIN+3"]),
                "stop_timeout_s": st.one_of(st.integers(0, 99), st.just(UNLIMITED)),
                "groups": st.sampled_from([("1234",), ("5", "6")]),
                "timezone": st.just("Europe/Berlin"),
                "umask": st.sampled_from(["0022", "0027"]),
                "http_proxy": st.booleans(),
                "annotations": _MAPS,
            },
        ),
        "network": _some(
            NetworkingSpec,
            {
                "dns": st.sampled_from([("198.18.0.1",), ("198.18.0.1", "198.18.0.2")]),
                "dns_search": st.just(("example.org",)),
                "dns_options": st.just(("ndots:2",)),
                "extra_hosts": st.sampled_from([("db:198.18.0.9",), ("gate:host-gateway",)]),
                "base_hosts": st.sampled_from(["none", "image"]),
            },
        ),
        "namespaces": _some(
            NamespaceSpec,
            {
                "ipc": st.sampled_from(["private", "shareable"]),
                "pid": st.just("private"),
                "shm_bytes": st.integers(0, 1 << 30).map(lambda size: size & ~4095),
            },
        ),
        "security": _some(
            SecuritySpec,
            {
                "cap_add": _CAPS,
                "cap_drop": st.sampled_from([("CAP_CHOWN",), ("ALL",)]),
                "no_new_privileges": st.booleans(),
                "seccomp": st.sampled_from(["unconfined", '{"defaultAction": "SCMP_ACT_ALLOW"}']),
                "read_only_rootfs": st.booleans(),
                "read_write_tmpfs": st.booleans(),
                "unmask": st.sampled_from([("ALL",), ("/proc/acpi", "/sys/firmware")]),
                "mask": st.just(("/proc/interrupts",)),
                "devices": st.just((DeviceSpec("/dev/null", "/dev/nothing", "r"),)),
            },
        ),
        "resources": _some(
            ResourceSpec,
            {
                "oom_score_adj": st.integers(200, 900),
                "ulimits": st.lists(
                    st.builds(lambda name, low: Ulimit(name, low, low + 5), st.sampled_from(["core", "cpu"]), _NUMBERS),
                    unique_by=lambda one: one.name,
                    min_size=1,
                ).map(tuple),
                "sysctls": st.just({"net.ipv4.ip_forward": "0"}),
                "pids_limit": st.just(UNLIMITED),
            },
        ),
        "health": _CHECKS,
        "log": st.sampled_from([LogSpec("none"), LogSpec("k8s-file", {"max-size": "10m"}), LogSpec("", {"tag": "x"})]),
        "mounts": st.lists(
            st.sampled_from(
                [
                    MountSpec(MountKind.BIND, "/tmp", "/one", True),
                    MountSpec(MountKind.TMPFS, "", "/two", size_bytes=1 << 20, mode=0o750, no_copy=True),
                    MountSpec(MountKind.TMPFS, "", "/three", options=("noexec", "nosuid")),
                ]
            ),
            unique=True,
        ).map(tuple),
        "ports": st.sampled_from([(Port(80, "tcp", "127.0.0.1", 18970),), (Port(81, "udp"), Port(82, host_port=0))]),
    },
)  # fmt: skip


@given(spec=_SPECS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_random_recipes_come_back(bench: Bench, spec: WorkloadSpec) -> None:
    if spec.entrypoint is not None and spec.command is None:
        spec = replace(spec, command=())  # an entrypoint drops the image's command
    back = await bench.again(spec)
    wanted = replace(spec, image_id=back.image_id)
    assert plain(_sorted(back)) == plain(_sorted(wanted))


def _sorted(spec: WorkloadSpec) -> WorkloadSpec:
    """Mounts and ports in one order: engines keep none."""
    mounts = tuple(sorted(spec.mounts, key=lambda one: one.destination))
    return replace(spec, mounts=mounts, ports=tuple(sorted(spec.ports, key=repr)))
