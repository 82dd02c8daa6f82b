"""Each wish for GPUs on the real engines: its device nodes are inside, and a move that was told others gives those."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.giving import VISIBLE, Gift, Refusal, give
from backends.migration import plan_migration, run_migration
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import Choices, Verdict
from backends.model.wish import NONE, GpuWish, read_wish
from backends.model.workload import WorkloadSpec
from backends.wire.endpoint import Endpoint
from tests.engines_migration.yard import WATCH_S, Yard
from tests.private import PrivateEngine
from tests.real import RealEngines

pytestmark = pytest.mark.engines

IMAGE = "docker.io/test/busybox:1"
RUN = ("sleep", "99")
WISHES = {
    "all": {"nvidia0", "nvidia1"},
    "1": {"nvidia0"},
    "2": {"nvidia0", "nvidia1"},
    "device=1": {"nvidia1"},
    "1,0": {"nvidia0", "nvidia1"},
    "nvidia.com/gpu=1": {"nvidia1"},
    "none": set(),
}
"""What each wish puts inside. The engines' CDI devices are harmless nodes: no driver is here."""


async def inside(engine: Engine, container: str) -> set[str]:
    """The GPUs' nodes."""
    result = await engine.execute(container, ("ls", "-1", "/dev"))
    return {node for node in result.stdout.decode().split() if node.startswith("nvidia") and node[6:].isdecimal()}


async def given(engine: Engine, yard: Yard, number: int, wish: GpuWish) -> set[str]:
    """A container with that wish, looked into and taken away."""
    gift = give(wish, engine.id.kind, await engine.connect())
    assert isinstance(gift, Gift), gift
    spec = WorkloadSpec(f"{yard.run}-{number}", IMAGE, labels=yard.labels, command=RUN, gpu=gift.request)
    made = await engine.create_container(spec)
    try:
        await engine.start(made)
        read = (await engine.workload_spec(made)).gpu
        assert (read.cdi_names() if read else ()) == (gift.request.cdi_names() if gift.request else ())
        return await inside(engine, made)
    finally:
        await engine.remove(made, force=True)


@pytest.mark.parametrize("name", ["docker", "podman", "podman-rootless"])
async def test_each_wish_has_its_nodes_inside(yard: Yard, name: str) -> None:
    engine = yard.engine(name)
    found = await asyncio.gather(*(given(engine, yard, at, read_wish(text)) for at, text in enumerate(WISHES)))
    assert dict(zip(WISHES, found, strict=True)) == WISHES


@pytest.mark.parametrize(
    ("here", "there", "text", "wanted"),
    [
        ("docker", "podman", "device=1", {"nvidia1"}),
        ("podman", "docker", "none", set()),
        ("docker", "podman", "all", {"nvidia0", "nvidia1"}),
    ],
)
async def test_a_move_gives_the_gpus_that_were_chosen_and_proves_it(
    yard: Yard, here: str, there: str, text: str, wanted: set[str]
) -> None:
    source, target = yard.engine(here), yard.engine(there)
    options = ["--device", "nvidia.com/gpu=0"] if text != "all" else []
    yard.cli(here, "run", "-d", "--name", yard.run, *options, "--stop-signal", "KILL", *yard.marks, IMAGE, *RUN)
    plan = await plan_migration(source, yard.run, target, choices=Choices(gpus=read_wish(text)))
    (said,) = (field for field in plan.fields if field.field == "gpu")
    assert (said.verdict, said.source) == (Verdict.CONVERTED, "nvidia.com/gpu=0" if options else "none")
    report = await run_migration(
        plan, source, target, on_update=lambda _: None, state_dir=yard.state_dir, watch_s=WATCH_S
    )
    assert report.equal, [check for check in report.checks if not check.equal]
    (check,) = (check for check in report.checks if check.subject == "GPU nodes inside")
    assert not check.skipped
    assert await inside(target, report.target_id) == wanted


async def test_a_docker_without_cdi_is_asked_by_its_nvidia_runtime_and_tells_the_same_again(
    yard: Yard, real_engines: RealEngines
) -> None:
    """The runtime is runc under that name: what is created is read back; starting needs NVIDIA's own hook."""
    config = {"runtimes": {"nvidia": {"path": "runc"}}, "default-runtime": "nvidia"}
    with PrivateEngine("docker", real_engines, config=config) as private:
        engine = DockerEngine(EngineId(EngineKind.DOCKER, "private"), Endpoint.parse(private.url))
        try:
            info = await engine.connect()
            assert info.runtimes[0] == "nvidia"
            none = give(NONE, EngineKind.DOCKER, info)
            assert isinstance(none, Gift)
            assert none.env == {VISIBLE: "void"}
            plain = give(read_wish("1"), EngineKind.DOCKER, replace(info, runtimes=("runc",)))
            assert isinstance(plain, Refusal)
            assert "CDI is off" in plain.reason
            assert "nvidia-ctk runtime configure" in plain.remedy
            private.take_image("test/busybox:1")
            for number, text in enumerate(("all", "2", "device=1", "GPU-8d1b,0:1")):
                gift = give(read_wish(text), EngineKind.DOCKER, info)
                assert isinstance(gift, Gift)
                spec = WorkloadSpec(f"{yard.run}-{number}", IMAGE, command=RUN, gpu=gift.request)
                made = await engine.create_container(spec)
                assert (await engine.workload_spec(made)).gpu == gift.request
        finally:
            await engine.close()
