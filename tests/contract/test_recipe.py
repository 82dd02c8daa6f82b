"""The round trip: a container made from a recipe gives this recipe back."""

from __future__ import annotations

from dataclasses import fields, replace

from backends.model.capabilities import Capability
from backends.model.container import MountKind, Port
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, WorkloadSpec
from tests.contract.lab import BUSYBOX, Lab


async def _given_back(lab: Lab, spec: WorkloadSpec) -> dict[str, tuple[object, object]]:
    """Fields in which the recipe that comes back differs: wanted, got."""
    made = await lab.make(spec)
    back = await lab.engine.workload_spec(made)
    wanted = replace(spec, image_id=(await lab.engine.image_facts(BUSYBOX)).key.id, unmapped=back.unmapped)
    pairs = {
        part.name: (_plain(getattr(wanted, part.name)), _plain(getattr(back, part.name))) for part in fields(wanted)
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _plain(value: object) -> object:
    """For comparing: mappings as dicts, ports and mounts in one order (engines keep none)."""
    if isinstance(value, tuple) and value and isinstance(value[0], Port | MountSpec):
        return sorted(value, key=repr)
    return dict(value) if hasattr(value, "items") else value  # type: ignore[call-overload]  # a Mapping, by its items


async def test_a_plain_recipe_comes_back_and_nothing_else(lab: Lab) -> None:
    assert await _given_back(lab, lab.spec(("sleep", "60"))) == {}
    made = await lab.make(lab.spec(None))
    assert (await lab.engine.workload_spec(made)).unmapped == ()


async def test_a_full_recipe_comes_back_in_every_carried_field(lab: Lab) -> None:
    volume = await lab.volume()
    limits = lab.can(Capability.RESOURCE_LIMITS)
    spec = WorkloadSpec(
        lab.name(),
        BUSYBOX,
        command=("-c", 'echo "$GREETING"; exit 0', "with space", ""),
        entrypoint=("/bin/sh", "-e"),
        env={"GREETING": "grüß = gott", "EMPTY": ""},
        labels={**lab.label, "team": "ml", "odd": "a=b,c"},
        user="1000:1000",
        workdir="/tmp",
        hostname="workbench",
        tty=True,
        stdin_open=True,
        ports=(Port(8080, "tcp", "127.0.0.1", 18980), Port(9090, "udp", "", 18981), Port(7070, "tcp", "", 18982)),
        mounts=(
            MountSpec(MountKind.VOLUME, volume, "/data"),
            MountSpec(MountKind.BIND, "/tmp", "/host", read_only=True),
        ),
        restart=RestartPolicy(RestartName.ON_FAILURE, 3),
        memory_bytes=(96 << 20) if limits else 0,
        cpus_nano=1_500_000_000 if limits else 0,
    )
    assert await _given_back(lab, spec) == {}


async def test_restart_policies_come_back(lab: Lab) -> None:
    for name in (RestartName.ALWAYS, RestartName.UNLESS_STOPPED):
        assert await _given_back(lab, replace(lab.spec(), restart=RestartPolicy(name))) == {}


async def test_gpus_by_cdi_name_come_back(lab: Lab) -> None:
    request = GpuRequest(cdi_devices=("nvidia.com/gpu=0",))
    made = await lab.make(replace(lab.spec(), gpu=request))
    back = await lab.engine.workload_spec(made)
    assert back.gpu is not None
    assert back.gpu.cdi_devices == ("nvidia.com/gpu=0",)
    assert (await lab.engine.inspect_container(made)).gpus_given == ("nvidia.com/gpu=0",)
