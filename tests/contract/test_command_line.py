"""The engine's own command line makes the same container: its recipe is the one that the line was written from."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from backends.export.command import run_command
from backends.model.capabilities import Capability
from backends.model.container import MountKind, Port
from backends.model.ids import EngineKind
from backends.model.settings import (
    HealthSpec,
    NamespaceSpec,
    NetworkAttachment,
    NetworkingSpec,
    ProcessSpec,
    ResourceSpec,
    SecuritySpec,
    Ulimit,
)
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, WorkloadSpec
from tests.contract.conftest import REAL
from tests.contract.lab import Lab
from tests.real import RealEngines, host_port

_S = 10**9


async def _specs(lab: Lab) -> list[WorkloadSpec]:
    """A handful that has each option once."""
    volume, network = await lab.volume(), await lab.network()
    limits = lab.can(Capability.RESOURCE_LIMITS)
    serving = replace(
        lab.spec(("sh", "-c", 'echo "a b" $HOME; sleep 60')),
        env={"MODE": "with space, and 'quotes'", "EMPTY": ""},
        ports=(Port(8000, "tcp", "127.0.0.1", host_port()), Port(9000, "udp", "", host_port())),
        mounts=(
            MountSpec(MountKind.BIND, "/tmp", "/host", read_only=True),
            MountSpec(MountKind.TMPFS, "", "/scratch", size_bytes=16 << 20, mode=0o700),
            MountSpec(MountKind.VOLUME, volume, "/models", read_only=True),
        ),
        restart=RestartPolicy(RestartName.ON_FAILURE, 3),
        memory_bytes=(96 << 20) if limits else 0,
        cpus_nano=1_500_000_000 if limits else 0,
        gpu=GpuRequest(cdi_devices=("nvidia.com/gpu=0",)),
        namespaces=NamespaceSpec(shm_bytes=128 << 20),
        resources=ResourceSpec(ulimits=(Ulimit("nofile", 512, 1024),)),
        health=HealthSpec(("CMD-SHELL", "test -f /ready || exit 1"), start_period_ns=30 * _S, retries=4),
    )
    joined = replace(
        lab.spec(None),
        user="1000:1000",
        workdir="/tmp",
        hostname="bench",
        tty=True,
        stdin_open=True,
        entrypoint=("/bin/sleep",),
        command=("60",),
        network=NetworkingSpec("bridge", (NetworkAttachment(network, aliases=("web",)),), dns=("198.18.0.1",)),
        process=ProcessSpec(init=True, stop_signal="SIGINT", stop_timeout_s=3),
        security=SecuritySpec(cap_drop=("CAP_KILL",), no_new_privileges=True, read_only_rootfs=True),
    )
    shared = replace(lab.spec(), namespaces=NamespaceSpec(ipc="host"), network=NetworkingSpec("none"))
    return [serving, joined, shared]


@pytest.mark.parametrize("engine", REAL, indirect=True)
async def test_the_line_makes_a_container_of_the_same_recipe(lab: Lab, real_engines: RealEngines) -> None:
    kind = lab.engine.id.kind
    cli = lab.engine.id.name if kind is EngineKind.PODMAN else "docker"
    for spec in await _specs(lab):
        command = run_command(spec, kind)
        assert command.unsaid == ()
        made = real_engines.cli(cli, *command.argv[1:]).strip().splitlines()[-1]
        lab.owns(made)
        by_line = await lab.engine.workload_spec(made)
        by_us = await lab.engine.workload_spec(await lab.make(replace(spec, name=lab.name(), ports=())))
        assert by_line.unmapped == ()
        told = _plain(replace(by_line, name=""), without="ports")
        assert told == _plain(replace(by_us, name=""), without="ports")
        assert sorted(by_line.ports) == sorted(spec.ports)


def _plain(spec: WorkloadSpec, *, without: str) -> dict[str, Any]:
    """For comparing: by field, mounts in one order."""
    values = {part.name: getattr(spec, part.name) for part in fields(spec) if part.name != without}
    return values | {"mounts": sorted(spec.mounts, key=lambda mount: mount.destination), "env": dict(spec.env)}
