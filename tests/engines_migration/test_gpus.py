"""GPUs by CDI name, both ways and back: the device nodes are there on both sides, and no variable alone makes a GPU."""

from __future__ import annotations

import pytest

from backends.migration import plan_migration
from backends.model.container import MountKind
from backends.model.plan import Choices, Severity, Verdict
from backends.model.workload import GpuRequest, MountSpec, WorkloadSpec
from tests.engines_migration.yard import Yard

pytestmark = pytest.mark.engines

ALL = ("nvidia.com/gpu=all",)
IMAGE = "test/busybox:1"
RUN = ("--stop-signal", "KILL")  # a shell's sleep ends by nothing less
NODES = "ls /dev | grep nvidia | sort"


def nodes(yard: Yard, engine: str, container: str) -> list[str]:
    """The GPUs' nodes inside."""
    return yard.cli(engine, "exec", container, "sh", "-c", f"{NODES} || true").split()


async def there_and_back(yard: Yard, here: str, there: str, wanted: list[str]) -> WorkloadSpec:
    """Move the running container and move it back; the nodes are inside each time. Returns the recipe there."""
    before = await yard.engine(here).workload_spec(yard.run)
    inside = nodes(yard, here, yard.run)
    assert inside == wanted
    report = await yard.move(here, there, yard.run)
    assert report.equal, [check for check in report.checks if not check.equal]
    assert [check.subject for check in report.checks if "GPU" in check.subject or check.subject == "gpu"]
    copy = await yard.engine(there).workload_spec(yard.run)
    assert nodes(yard, there, yard.run) == inside
    back = await yard.move(there, here, yard.run, choices=Choices(name=f"{yard.run}-back"))
    assert back.equal
    after = await yard.engine(here).workload_spec(f"{yard.run}-back")
    assert nodes(yard, here, f"{yard.run}-back") == inside
    assert after.gpu is not None
    assert before.gpu is None or after.gpu.cdi_names() == before.gpu.cdi_names()
    assert (after.env, after.mounts) == (before.env, before.mounts), "what CDI injects is not taken for the user's"
    return copy


@pytest.mark.parametrize(
    ("here", "there", "device"),
    [("docker", "podman", "all"), ("podman", "docker", "1"), ("podman-rootless", "docker", "0")],
)
async def test_a_device_of_the_command_line(yard: Yard, here: str, there: str, device: str) -> None:
    name = f"nvidia.com/gpu={device}"
    yard.cli(here, "run", "-d", "--name", yard.run, "--device", name, *RUN, *yard.marks, IMAGE, "sleep", "999")
    wanted = ["nvidia0", "nvidia1"] if device == "all" else [f"nvidia{device}"]
    copy = await there_and_back(yard, here, there, [*wanted, "nvidiactl"])
    assert copy.gpu is not None
    assert copy.gpu.cdi_names() == (name,)


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (GpuRequest(count=-1, capabilities=(("gpu",),)), ALL),
        (GpuRequest(count=1, capabilities=(("gpu", "utility"),)), ("nvidia.com/gpu=0",)),
        (GpuRequest(count=2, driver="nvidia", capabilities=(("gpu",),)), ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        (GpuRequest(device_ids=("1",), driver="nvidia", capabilities=(("gpu",),)), ("nvidia.com/gpu=1",)),
        (GpuRequest(device_ids=("1", "0"), capabilities=(("gpu",),)), ("nvidia.com/gpu=1", "nvidia.com/gpu=0")),
        (GpuRequest(cdi_devices=ALL), ALL),
    ],
    ids=["all", "count-1", "count-2", "id", "ids", "cdi"],
)
async def test_each_request_of_dockers_api_becomes_cdi_names(
    yard: Yard, request_: GpuRequest, names: tuple[str, ...]
) -> None:
    """Docker without NVIDIA's runtime cannot start the older forms, but creates them."""
    docker, podman = yard.engine("docker"), yard.engine("podman")
    spec = WorkloadSpec(yard.run, "docker.io/test/busybox:1", labels=yard.labels, command=("sleep", "9"), gpu=request_)
    await docker.create_container(spec)
    plan = await plan_migration(docker, yard.run, podman)
    assert not plan.blocked
    (said,) = (field for field in plan.fields if field.field == "gpu")
    assert said.verdict is (Verdict.SAME if request_.cdi_devices else Verdict.CONVERTED)
    await podman.create_container(plan.spec)
    copy = await podman.workload_spec(yard.run)
    assert copy.gpu == GpuRequest(cdi_devices=names)
    back = await plan_migration(podman, yard.run, docker, choices=Choices(name=f"{yard.run}-back"))
    assert back.spec.gpu == GpuRequest(cdi_devices=names), "the names are kept, so the way back is exact"


@pytest.mark.parametrize(("here", "there"), [("docker", "podman"), ("podman", "docker")])
async def test_raw_nodes_stay_nodes_where_the_target_does_not_tell_its_cdi_devices(
    yard: Yard, here: str, there: str
) -> None:
    devices = ["--device", "/dev/nvidia0", "--device", "/dev/nvidiactl:/dev/nvidiactl:rw", "--device", "/dev/fuse"]
    yard.cli(here, "run", "-d", "--name", yard.run, *devices, *RUN, *yard.marks, IMAGE, "sleep", "999")
    assert (await yard.engine(here).workload_spec(yard.run)).gpu is None
    plan = await plan_migration(yard.engine(here), yard.run, yard.engine(there))
    assert [
        one for one in plan.findings if "/dev/nvidia0 are carried as plain device nodes" in one.title and one.remedy
    ]
    report = await yard.move(here, there, yard.run)
    assert report.equal
    copy = await yard.engine(there).workload_spec(yard.run)
    assert copy.gpu is None
    assert {one.container_path: one.permissions for one in copy.security.devices} == {
        "/dev/nvidia0": "rwm", "/dev/nvidiactl": "rw", "/dev/fuse": "rwm",
    }  # fmt: skip
    assert nodes(yard, there, yard.run) == ["nvidia0", "nvidiactl"]


async def test_a_container_of_podmans_api_keeps_its_names(yard: Yard) -> None:
    podman, docker = yard.engine("podman"), yard.engine("docker")
    mount = MountSpec(MountKind.BIND, "/etc", "/host-etc", read_only=True)
    spec = WorkloadSpec(
        yard.run, "docker.io/test/busybox:1", labels=yard.labels, gpu=GpuRequest(cdi_devices=ALL), mounts=(mount,)
    )
    await podman.create_container(spec)
    assert (await podman.workload_spec(yard.run)).gpu == GpuRequest(cdi_devices=ALL)
    plan = await plan_migration(podman, yard.run, docker)
    assert plan.spec.gpu == GpuRequest(cdi_devices=ALL)
    assert [one.destination for one in plan.spec.mounts] == ["/host-etc"]
    await docker.create_container(plan.spec)
    assert (await docker.workload_spec(yard.run)).gpu == GpuRequest(cdi_devices=ALL)


@pytest.mark.parametrize(("here", "there"), [("docker", "podman"), ("podman", "docker")])
async def test_a_variable_of_the_image_is_no_gpu(yard: Yard, here: str, there: str) -> None:
    made = yard.cli(here, "create", *yard.marks, "test/busybox:1", "true").strip()
    yard.cli(here, "commit", "-c", "ENV NVIDIA_VISIBLE_DEVICES=all", "-c", "STOPSIGNAL SIGKILL", made, yard.image)
    yard.cli(here, "rm", made)
    yard.cli(here, "create", "--name", yard.run, *yard.marks, yard.image, "sleep", "999")
    plan = await plan_migration(yard.engine(here), yard.run, yard.engine(there))
    assert plan.spec.gpu is None
    assert not [field for field in plan.fields if field.field == "gpu"]


@pytest.mark.parametrize(("here", "there"), [("docker", "podman"), ("podman", "docker")])
async def test_a_device_that_the_target_may_lack_is_warned_of(yard: Yard, here: str, there: str) -> None:
    device = ["--device", "nvidia.com/gpu=0"]
    yard.cli(here, "create", "--name", yard.run, *device, *yard.marks, IMAGE, "sleep", "999")
    plan = await plan_migration(yard.engine(here), yard.run, yard.engine(there))
    found = [one for one in plan.findings if "does not tell which CDI devices" in one.title]
    assert [(one.severity, "nvidia.com/gpu=0" in one.detail) for one in found] == [(Severity.WARN, True)]
