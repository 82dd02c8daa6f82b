"""Moves whose GPUs are chosen anew: the plan says from what to what and why, the proof goes by what was chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from backends.engine import Engine
from backends.giving import UNSEEN, VISIBLE
from backends.migration import plan_migration
from backends.migration.plan import make_plan
from backends.migration.planning import look
from backends.migration.project import plan_project
from backends.migration.proofs import gpu_nodes
from backends.model.capabilities import Capabilities, Capability
from backends.model.container import ExecResult
from backends.model.errors import Refused
from backends.model.gpu import GpuDevice, GpuReading, GpuSnapshot
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import Choices, FieldPlan, Plan, Severity, Verdict
from backends.model.settings import DeviceSpec, SecuritySpec
from backends.model.wish import ALL, NONE, GpuWish, first, read_wish, these
from backends.model.workload import GpuRequest, WorkloadSpec
from tests.migration_scene import Scene, move, spec

ZERO, ONE, EVERY = "nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all"
HAS_ZERO = GpuRequest(cdi_devices=(ZERO,))
AMD = GpuSnapshot((GpuReading(GpuDevice(0, "0x1", "AMD X", "AMD"), 0.0),))


async def planned(recipe: WorkloadSpec, wish: GpuWish, seen: GpuSnapshot = UNSEEN, **info: Any) -> Plan:
    """The plan of a move from Docker to Podman. info: what the target says of itself otherwise."""
    scene = Scene()
    await scene.furnish(recipe)
    scene.target._info = replace(scene.target._info, **info)
    return await plan_migration(scene.source, "train", scene.target, choices=Choices(gpus=wish), seen=seen)


def said(plan: Plan, name: str = "gpu") -> FieldPlan:
    """What the plan says of a field."""
    (found,) = (field for field in plan.fields if field.field == name)
    return found


@pytest.mark.parametrize(
    ("had", "wish", "source", "target", "verdict"),
    [
        (None, ALL, "none", EVERY, Verdict.CONVERTED),
        (None, first(2), "none", f"{ZERO}, {ONE}", Verdict.CONVERTED),
        (HAS_ZERO, these(["1"]), ZERO, ONE, Verdict.CONVERTED),
        (HAS_ZERO, NONE, ZERO, "none", Verdict.CONVERTED),
        (HAS_ZERO, these(["0"]), ZERO, ZERO, Verdict.SAME),
        (GpuRequest(count=1), these([ONE]), "the first 1 (default driver)", ONE, Verdict.CONVERTED),
    ],
)
async def test_the_plan_says_from_what_to_what_and_that_it_was_chosen(
    had: GpuRequest | None, wish: GpuWish, source: str, target: str, verdict: Verdict
) -> None:
    plan = await planned(spec(gpu=had), wish)
    field = said(plan)
    assert (field.source, field.target, field.verdict) == (source, target, verdict)
    assert ("chosen" in field.reason) == (verdict is Verdict.CONVERTED)
    assert not plan.blocked
    assert plan.spec.gpu == (None if wish == NONE else GpuRequest(cdi_devices=tuple(target.split(", "))))


async def test_none_for_a_container_that_has_none_says_nothing() -> None:
    plan = await planned(spec(), NONE)
    assert not [field for field in plan.fields if field.field == "gpu"]
    assert plan.spec.gpu is None


async def test_gpus_that_the_target_has_not_block_with_reason_and_remedy() -> None:
    plan = await planned(spec(gpu=HAS_ZERO), these(["7"]))
    (found,) = (one for one in plan.findings if one.severity is Severity.BLOCK)
    assert "there cannot give the GPUs that were chosen" in found.title
    assert "GPU 7" in found.detail
    assert found.remedy
    assert said(plan).verdict is Verdict.DROPPED


async def test_an_engine_without_cdi_blocks_what_was_chosen_and_only_warns_of_what_is_kept() -> None:
    lacking: dict[str, Any] = {"capabilities": Capabilities({Capability.CDI: "it is off"})}
    assert (await planned(spec(gpu=HAS_ZERO), ALL, **lacking)).blocked
    assert not (await planned(spec(gpu=HAS_ZERO), GpuWish(), **lacking)).blocked
    assert not (await planned(spec(gpu=HAS_ZERO), NONE, **lacking)).blocked


async def test_an_engine_that_tells_no_names_is_warned_of() -> None:
    plan = await planned(spec(), these(["1"]), cdi_devices=())
    (found,) = (one for one in plan.findings if "does not tell which CDI devices" in one.title)
    assert found.severity is Severity.WARN
    assert ONE in found.detail


async def test_an_old_variable_and_old_nodes_make_room_for_what_was_chosen() -> None:
    nodes = tuple(DeviceSpec(path, path) for path in ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/fuse"))
    recipe = spec(gpu=HAS_ZERO, env={VISIBLE: "0", "A": "b"}, security=SecuritySpec(devices=nodes))
    plan = await planned(recipe, these(["1"]))
    assert VISIBLE not in plan.spec.env
    assert plan.spec.env["A"] == "b"
    assert [node.host_path for node in plan.spec.security.devices] == ["/dev/fuse"]
    assert said(plan, f"env.{VISIBLE}").verdict is Verdict.DROPPED
    assert "take its place" in said(plan, "security.devices./dev/nvidia0").reason
    kept = await planned(recipe, GpuWish())
    assert kept.spec.env[VISIBLE] == "0"


async def test_no_gpu_under_a_default_nvidia_runtime_is_said_by_its_variable() -> None:
    plan = await planned(spec(gpu=HAS_ZERO), NONE, runtimes=("nvidia", "runc"))
    assert plan.spec.env[VISIBLE] == "void"
    assert said(plan, f"env.{VISIBLE}").target == "void"


async def test_amd_gpus_are_given_by_their_nodes_where_no_name_is_listed() -> None:
    plan = await planned(spec(gpu=HAS_ZERO), ALL, AMD, cdi_devices=(), local=True)
    assert plan.spec.gpu is None
    assert [node.host_path for node in plan.spec.security.devices] == ["/dev/kfd", "/dev/dri"]
    assert said(plan).target == "/dev/kfd, /dev/dri"
    assert said(plan, "security.devices./dev/kfd").target == "/dev/kfd"


async def test_gpus_of_this_machine_are_not_those_of_another() -> None:
    plan = await planned(spec(), ALL, AMD, cdi_devices=(), local=False)
    assert plan.spec.gpu == GpuRequest(cdi_devices=(EVERY,))


@pytest.mark.parametrize(("had", "wish"), [(None, these(["1"])), (HAS_ZERO, ALL), (HAS_ZERO, NONE)])
async def test_the_proof_goes_by_what_was_chosen(tmp_path: Path, had: GpuRequest | None, wish: GpuWish) -> None:
    scene = Scene()
    await scene.furnish(spec(gpu=had))
    report = await move(scene, tmp_path, choices=Choices(gpus=wish))
    assert report.equal
    read = (await scene.target.workload_spec(report.target_id)).gpu
    assert read == report.plan.spec.gpu
    assert [check for check in report.checks if check.subject == "GPU nodes inside"]
    assert ("gpu" in {check.subject for check in report.checks}) == (wish != NONE)


async def test_of_a_project_only_containers_with_gpus_get_others() -> None:
    scene = Scene()
    labels = {"com.docker.compose.project": "lab"}
    await scene.furnish(spec(gpu=HAS_ZERO, labels=labels))
    await scene.source.create_container(WorkloadSpec("db", spec().image, labels=labels, command=("sleep", "9")))
    plans = await plan_project(scene.source, "lab", scene.target, choices=Choices(gpus=read_wish("device=1")))
    assert {plan.source_name: plan.spec.gpu for plan in plans} == {
        "db": None,
        "train": GpuRequest(cdi_devices=(ONE,)),
    }


async def test_a_project_without_gpus_refuses_a_wish_for_some() -> None:
    scene = Scene()
    await scene.furnish(spec(labels={"com.docker.compose.project": "lab"}))
    with pytest.raises(Refused, match="no container of lab has a GPU"):
        await plan_project(scene.source, "lab", scene.target, choices=Choices(gpus=ALL))


class Inside:
    """A container that has these nodes."""

    def __init__(self, *nodes: str) -> None:
        self._nodes = nodes

    async def execute(self, _container: str, _argv: object) -> ExecResult:
        """What `ls /dev` says."""
        return ExecResult(0, "\n".join(self._nodes).encode(), b"")


@pytest.mark.parametrize(
    ("nodes", "request_", "wish", "equal", "seen"),
    [
        (("null", "nvidiactl"), None, NONE, True, "none"),
        (("null", "nvidia0", "nvidia1"), None, NONE, False, "nvidia0, nvidia1"),
        (("nvidia1",), GpuRequest(device_ids=("1",), driver="nvidia"), these(["1"]), True, "present"),
        (("nvidia0",), GpuRequest(cdi_devices=(ONE,)), these(["1"]), False, "without /dev/nvidia1"),
        (("kfd", "dri"), GpuRequest(cdi_devices=("amd.com/gpu=0",)), ALL, True, "present"),
        (("null",), GpuRequest(cdi_devices=("amd.com/gpu=0",)), ALL, False, "without /dev/kfd of amd.com/gpu=0"),
    ],
)
async def test_the_nodes_inside_prove_what_was_chosen(
    nodes: tuple[str, ...], request_: GpuRequest | None, wish: GpuWish, equal: bool, seen: str
) -> None:
    engine = cast(Engine, Inside(*nodes))
    (check,) = await gpu_nodes(engine, "x", spec(gpu=request_), True, wish)
    assert (check.equal, check.target, check.skipped) == (equal, seen, "")


async def test_a_privileged_container_has_all_nodes_whatever_was_chosen() -> None:
    recipe = spec(security=SecuritySpec(privileged=True))
    (check,) = await gpu_nodes(cast(Engine, Inside("nvidia0")), "x", recipe, True, NONE)
    assert "privileged" in check.skipped


@pytest.mark.parametrize(("runtimes", "warned"), [(("runc",), True), (("runc", "nvidia"), False), ((), False)])
async def test_a_docker_without_the_nvidia_runtime_is_warned_of(runtimes: tuple[str, ...], warned: bool) -> None:
    scene = Scene()
    await scene.furnish(spec(gpu=GpuRequest(count=-1, capabilities=(("gpu",),))))
    facts, there = await look(scene.source, "train", scene.target)
    other = EngineId(EngineKind.DOCKER, "other")
    plan = make_plan(facts, replace(there, engine=other, info=replace(there.info, runtimes=runtimes)))
    found = [one for one in plan.findings if "no nvidia runtime" in one.title]
    assert [(one.severity, "nvidia-ctk" in one.remedy) for one in found] == ([(Severity.WARN, True)] if warned else [])
