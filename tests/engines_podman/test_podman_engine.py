"""What only the real Podman can tell: exact volumes, spec round trips, events from the moment of subscribing."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator, Callable

import pytest

from backends.engines.podman import PodmanEngine
from backends.model.capabilities import Capability
from backends.model.container import ContainerState, LogStream, MountKind, Port
from backends.model.errors import Conflict, NotFound, Unreachable, Unsupported
from backends.model.ids import EngineId, EngineKind
from backends.model.labels import HELPER_LABEL
from backends.model.workload import (
    GpuRequest,
    MountSpec,
    RestartName,
    RestartPolicy,
    VolumeSpec,
    WorkloadSpec,
)
from backends.wire.endpoint import Endpoint
from tests import real

pytestmark = pytest.mark.engines
IMAGE = "docker.io/test/busybox:1"
Fresh = Callable[[str], str]


def _archive() -> bytes:
    """Owners, modes, links, times and names that a careless copy loses; "dev" and "proc" are names like any other."""
    data = io.BytesIO()

    def add(name: str, kind: bytes, mode: int, owner: tuple[int, int], content: bytes = b"", link: str = "") -> None:
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.linkname = kind, mode, link
        (info.uid, info.gid), info.size, info.mtime = owner, len(content), 1_000_000_000
        tar.addfile(info, io.BytesIO(content))

    with tarfile.open(fileobj=data, mode="w", format=tarfile.GNU_FORMAT) as tar:
        add("./", tarfile.DIRTYPE, 0o2751, (33, 44))
        add("./a", tarfile.REGTYPE, 0o4755, (1000, 1001), b"hello")
        add("./dev", tarfile.DIRTYPE, 0o700, (12, 13))
        add("./dev/f", tarfile.REGTYPE, 0o600, (12, 13), b"x" * 70_000)
        add("./proc", tarfile.DIRTYPE, 0o1777, (0, 0))
        add("./hard", tarfile.LNKTYPE, 0o4755, (1000, 1001), link="./a")
        add("./sym", tarfile.SYMTYPE, 0o777, (5, 6), link="/etc/passwd")
        add("./ü-" + "n" * 120, tarfile.REGTYPE, 0o640, (7, 7), b"u")
    return data.getvalue()


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 10_000):
        yield data[start : start + 10_000]


def _entries(data: bytes) -> dict[str, tuple[object, ...]]:
    """name → what must survive; the two names of a hard-linked file are told apart by neither being first."""
    found: dict[str, tuple[object, ...]] = {}
    links: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for info in tar:
            content = None if info.issym() else tar.extractfile(info)
            if info.islnk():
                links[info.name] = info.linkname
            found[info.name] = (
                info.type if not info.islnk() else tarfile.REGTYPE,
                oct(info.mode),
                info.uid,
                info.gid,
                int(info.mtime),
                info.linkname if info.issym() else "",
                content.read() if content else b"",
            )
    assert len(links) == 1
    return found


async def _helpers(engine: PodmanEngine, volume: str) -> list[str]:
    """Helpers that hold this volume; others may work on the same engine meanwhile."""
    found = []
    for seen in await engine.list_containers():
        if HELPER_LABEL in seen.labels:
            try:
                helper = await engine.inspect_container(seen.key.id)
            except NotFound:
                continue
            if volume in {mount.source for mount in helper.mounts}:
                found.append(helper.name)
    return found


@pytest.fixture
async def volume(engine: PodmanEngine, fresh: Fresh, run_label: dict[str, str]) -> AsyncIterator[str]:
    """An empty volume."""
    name = fresh("vol")
    await engine.create_volume(VolumeSpec(name, labels=run_label))
    try:
        yield name
    finally:
        await engine.remove_volume(name)


@pytest.fixture
async def sleeper(engine: PodmanEngine, fresh: Fresh, run_label: dict[str, str]) -> AsyncIterator[str]:
    """A created container that would sleep."""
    made = await engine.create_container(
        WorkloadSpec(fresh("sleeper"), IMAGE, command=("sleep", "600"), labels=run_label)
    )
    try:
        yield made
    finally:
        await engine.remove(made, force=True)


async def test_a_volume_comes_back_as_it_went(engine: PodmanEngine, volume: str) -> None:
    archive = _archive()
    await engine.import_volume(volume, _pieces(archive), via_image=IMAGE)
    back = bytearray()
    async with engine.export_volume(volume, via_image=IMAGE) as chunks:
        async for chunk in chunks:
            back += chunk
    assert _entries(bytes(back)) == _entries(archive)
    with tarfile.open(fileobj=io.BytesIO(bytes(back))) as tar:
        names = tar.getnames()
    assert names[0] == "."
    assert all(name.startswith("./") for name in names[1:])
    assert await _helpers(engine, volume) == []


async def test_a_volume_export_cut_short_leaves_no_helper(engine: PodmanEngine, volume: str) -> None:
    await engine.import_volume(volume, _pieces(_archive()), via_image=IMAGE)

    async def read_a_little() -> None:
        async with engine.export_volume(volume, via_image=IMAGE) as chunks:
            async for _ in chunks:
                await asyncio.sleep(600)

    for delay_s in (0.0, 0.02, 0.08, 0.3):  # at different points: while it is made, attached, started, read
        task = asyncio.create_task(read_a_little())
        await asyncio.wait({task}, timeout=delay_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await _helpers(engine, volume) == []


async def test_an_export_does_not_fill_an_empty_volume(engine: PodmanEngine, volume: str) -> None:
    size = 0
    async with engine.export_volume(volume, via_image="docker.io/test/web:1") as chunks:
        async for chunk in chunks:
            with tarfile.open(fileobj=io.BytesIO(chunk)) as tar:
                size += len(tar.getnames())
    assert size == 1


def _image_of_one_file(name: str) -> bytes:
    """A docker-archive whose only layer holds one empty file: no tar, no chown, no shell."""
    layer, archive = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(f"only-{name.replace('/', '-')}"))
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    manifest = json.dumps([{"Config": "c.json", "RepoTags": [name], "Layers": ["l.tar"]}]).encode()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, data in (("manifest.json", manifest), ("c.json", config), ("l.tar", layer.getvalue())):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return archive.getvalue()


async def test_an_image_without_tar_is_told(engine: PodmanEngine, volume: str, fresh: Fresh) -> None:
    bare = f"localhost/{fresh('bare')}:1"
    await engine.import_image(_pieces(_image_of_one_file(bare)))
    try:
        with pytest.raises(Unsupported) as caught:
            await engine.export_volume(volume, via_image=bare).__aenter__()
        assert "has no tar" in caught.value.title
        with pytest.raises(Unsupported) as caught:
            await engine.import_volume(volume, _pieces(_archive()), via_image=bare)
        assert "has no chown" in caught.value.title
        assert await _helpers(engine, volume) == []
    finally:
        await engine.remove_image(bare)


async def test_volumes_that_are_not_there(engine: PodmanEngine, volume: str) -> None:
    with pytest.raises(NotFound):
        async with engine.export_volume("test-nowhere", via_image=IMAGE):
            pass
    with pytest.raises(NotFound):
        await engine.import_volume("test-nowhere", _pieces(_archive()), via_image=IMAGE)
    with pytest.raises(NotFound):
        await engine.import_volume(volume, _pieces(_archive()), via_image="docker.io/test/nowhere:1")
    with pytest.raises(Conflict):
        await engine.create_volume(VolumeSpec(volume))


async def test_a_recipe_makes_the_same_container_again(
    engine: PodmanEngine, fresh: Fresh, run_label: dict[str, str], volume: str
) -> None:
    limits = (await engine.connect()).capabilities.can(Capability.RESOURCE_LIMITS)
    spec = WorkloadSpec(
        fresh("round"),
        IMAGE,
        command=("-c", "sleep 600"),
        entrypoint=("/bin/sh",),
        env={"A": "1", "HOME": "/root", "TERM": "dumb", "NVIDIA_VISIBLE_DEVICES": "mine", "EMPTY": ""},
        labels=run_label,
        user="0:0",
        workdir="/made/for/it",
        hostname="h",
        tty=True,
        stdin_open=True,
        ports=(Port(80, "tcp", "127.0.0.1", 0), Port(99, "udp")),
        mounts=(MountSpec(MountKind.VOLUME, volume, "/data"), MountSpec(MountKind.BIND, "/tmp", "/host", True)),
        restart=RestartPolicy(RestartName.ON_FAILURE, 2),
        memory_bytes=64 << 20,
        cpus_nano=500_000_000,
        gpu=GpuRequest(count=2),
    )
    made = await engine.create_container(spec)
    try:
        first = await engine.workload_spec(made)
        assert first.unmapped == ()
        for field in ("name", "image", "command", "entrypoint", "env", "labels", "user", "workdir", "hostname", "tty"):
            assert getattr(first, field) == getattr(spec, field), field
        assert (first.stdin_open, first.restart) == (True, spec.restart)
        assert set(first.mounts) == set(spec.mounts)
        assert [(port.container_port, port.protocol, port.host_ip) for port in first.ports] == [
            (80, "tcp", "127.0.0.1"),
            (99, "udp", ""),
        ]
        assert (first.memory_bytes, first.cpus_nano) == ((64 << 20, 500_000_000) if limits else (0, 0))
        assert first.gpu == GpuRequest(cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=1"))
        await engine.start(made)
        assert await engine.workload_spec(made) == first, "starting adds nothing to the recipe"
        assert (await engine.inspect_container(made)).gpus_given == first.gpu.cdi_devices
    finally:
        await engine.remove(made, force=True)


async def test_a_container_of_the_command_line_with_a_gpu(
    engine: PodmanEngine, real_engines: real.RealEngines, fresh: Fresh, run_label: dict[str, str]
) -> None:
    name = fresh("cli")
    command = "podman" if engine.id.name == "podman" else "podman-rootless"
    labels = [word for key, value in run_label.items() for word in ("--label", f"{key}={value}")]
    options = ["-d", "--name", name, *labels, "-e", "HOME=/", "-eA=1", "--device", "nvidia.com/gpu=1", "--init"]
    real_engines.cli(command, "run", *options, "test/busybox:1", "sleep", "600")
    try:
        spec = await engine.workload_spec(name)
        assert spec.env == {"HOME": "/", "A": "1"}
        assert spec.gpu == GpuRequest(cdi_devices=("nvidia.com/gpu=1",))
        assert spec.labels == run_label
        assert spec.process.init
        assert spec.unmapped == ()
    finally:
        await engine.remove(name, force=True)


async def test_a_container_of_a_pod_names_it_in_the_list_and_by_itself(
    engine: PodmanEngine, real_engines: real.RealEngines, fresh: Fresh, run_label: dict[str, str]
) -> None:
    name, pod = fresh("member"), fresh("pod")
    command = "podman" if engine.id.name == "podman" else "podman-rootless"
    labels = [word for key, value in run_label.items() for word in ("--label", f"{key}={value}")]
    try:
        real_engines.cli(command, "create", "--pod", f"new:{pod}", "--name", name, *labels, IMAGE, "sleep", "600")
        (listed,) = [row for row in await engine.list_containers() if row.name == name]
        assert (listed.pod, (await engine.inspect_container(name)).pod) == (pod, pod)
        assert (await engine.inspect_container(name)).pod == pod

        (infra,) = [row for row in await engine.list_containers() if row.infra and row.pod == pod]
        with pytest.raises(Conflict, match=rf"The pod {pod} is not empty: {name}"):
            await engine.remove(infra.key.id, force=True)
        await engine.remove(name)
        await engine.remove(infra.key.id)
        assert not [row for row in await engine.list_containers() if row.pod == pod]
        assert pod not in real_engines.cli(command, "pod", "ls", "--format", "{{.Name}}").split()
    finally:
        real_engines.cli(command, "pod", "rm", "--force", "--ignore", pod)


async def test_events_count_from_the_moment_of_subscribing(engine: PodmanEngine, sleeper: str) -> None:
    async with engine.subscribe() as events, asyncio.timeout(20):
        await engine.start(sleeper)
        seen = [event async for event in _until(events, sleeper, "start")]
    assert {event[1] for event in seen} >= {"start"}
    assert not [event for event in seen if event == (sleeper, "create")], "what was before is not told"


async def _until(events: AsyncIterator[object], container: str, action: str) -> AsyncIterator[tuple[str, str]]:
    async for event in events:
        pair = (str(getattr(event, "id", "")), str(getattr(event, "action", "")))
        yield pair
        if pair == (container, action):
            return


async def test_states_and_errors_of_a_life(engine: PodmanEngine, sleeper: str) -> None:
    await engine.start(sleeper)
    await engine.start(sleeper)
    assert (await engine.inspect_container(sleeper)).state is ContainerState.RUNNING
    with pytest.raises(Conflict):
        await engine.remove(sleeper)
    waiting = asyncio.create_task(engine.wait_exit(sleeper))
    await engine.stop(sleeper, timeout_s=0)
    assert await waiting == 137
    await engine.stop(sleeper)
    with pytest.raises(Conflict):
        await engine.kill(sleeper)
    with pytest.raises(NotFound) as caught:
        await engine.start("test-nobody")
    assert caught.value.engine == engine.id
    with pytest.raises(NotFound):
        await engine.create_container(WorkloadSpec("test-nobody", "docker.io/test/nowhere:1"))


async def test_what_rootless_podman_on_cgroup_v1_cannot_do(engine: PodmanEngine, sleeper: str) -> None:
    info = await engine.connect()
    await engine.start(sleeper)
    if info.capabilities.can(Capability.PAUSE):
        await engine.pause(sleeper)
        assert (await engine.inspect_container(sleeper)).state is ContainerState.PAUSED
        await engine.unpause(sleeper)
        async with engine.stats([sleeper]) as batches, asyncio.timeout(20):
            async for batch in batches:
                if batch and isinstance(batch[0].cpu_percent, float):
                    break
        assert batch[0].key.id == sleeper
        assert isinstance(batch[0].memory_bytes, int)
    else:
        with pytest.raises(Unsupported) as caught:
            await engine.pause(sleeper)
        assert "cgroup v1" in caught.value.detail
        with pytest.raises(Unsupported):
            async with engine.stats([sleeper]):
                pass


@pytest.mark.parametrize("tty", [False, True])
async def test_logs(engine: PodmanEngine, fresh: Fresh, run_label: dict[str, str], tty: bool) -> None:
    spec = WorkloadSpec(
        fresh("logs"), IMAGE, command=("sh", "-c", "echo one; echo two >&2; echo three"), labels=run_label, tty=tty
    )
    made = await engine.create_container(spec)
    try:
        await engine.start(made)
        assert await engine.wait_exit(made) == 0
        async with engine.logs(made, timestamps=True) as lines:
            seen = [line async for line in lines]
        assert sorted(line.text for line in seen) == ["one", "three", "two"]
        assert all(line.at is not None for line in seen)
        expected = {LogStream.TTY} if tty else {LogStream.STDOUT, LogStream.STDERR}
        assert {line.stream for line in seen} == expected
        async with engine.logs(made, tail=1) as lines:
            assert len([line async for line in lines]) == 1
    finally:
        await engine.remove(made, force=True)


async def test_an_image_goes_out_and_comes_in(engine: PodmanEngine, fresh: Fresh) -> None:
    name = f"localhost/{fresh('image')}:1"
    await engine.tag_image("docker.io/test/web:1", name)
    try:
        before = await engine.image_facts(name)
        archive = bytearray()
        async with engine.export_image(name) as chunks:
            async for chunk in chunks:
                archive += chunk
        await engine.remove_image(name)
        with pytest.raises(NotFound):
            await engine.image_facts(name)
        assert await engine.import_image(_pieces(bytes(archive))) == (name,)
        after = await engine.image_facts(name)
        assert (after.config_digest, after.diff_ids) == (before.config_digest, before.diff_ids)
        report = await engine.image_layers(name)
        assert tuple(layer.diff_id for layer in report.layers if not layer.empty) == after.diff_ids
    finally:
        await engine.remove_image(name)


async def test_nobody_there() -> None:
    engine = PodmanEngine(EngineId(EngineKind.PODMAN, "gone"), Endpoint.parse("unix:///nowhere/podman.sock"))
    with pytest.raises(Unreachable):
        await engine.connect()
    with pytest.raises(Unreachable) as caught:
        await engine.create_volume(VolumeSpec("x"))
    assert caught.value.engine == engine.id
    await engine.close()
    await engine.close()
