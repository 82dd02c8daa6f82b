"""What only a real Docker can show: recipes, GPUs, layers against the image's own config, logs, stats, streams."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backends.cdi import read_files
from backends.engines.docker import DockerEngine
from backends.model.container import LogStream, MountKind, Port
from backends.model.errors import Conflict, NotFound, Unreachable, Unsupported
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, WorkloadSpec
from backends.wire.endpoint import Endpoint
from tests.engines_docker.conftest import BUSYBOX, ENGINE
from tests.real import RealEngines

pytestmark = pytest.mark.engines

Make = Callable[..., Awaitable[str]]


async def test_a_recipe_makes_the_same_container_again(
    docker: DockerEngine, volumes: tuple[str, str], make: Make, name: str, run_label: dict[str, str], tmp_path: Path
) -> None:
    spec = WorkloadSpec(
        name=name,
        image=BUSYBOX,
        command=("-c", "sleep 100"),
        entrypoint=("/bin/sh",),
        env={"A": "b=c", "EMPTY": ""},
        labels={**run_label, "x": "y"},
        user="7:8",
        workdir="/tmp",
        hostname="box",
        tty=True,
        stdin_open=True,
        ports=(Port(80, host_port=0), Port(90, "udp")),
        mounts=(
            MountSpec(MountKind.BIND, str(tmp_path), "/bind", read_only=True),
            MountSpec(MountKind.VOLUME, volumes[0], "/data"),
        ),
        restart=RestartPolicy(RestartName.ON_FAILURE, 2),
        memory_bytes=64 << 20,
        cpus_nano=500_000_000,
        gpu=GpuRequest(cdi_devices=("nvidia.com/gpu=0",)),
    )
    identifier = await make(**{field: getattr(spec, field) for field in WorkloadSpec.__slots__})
    again = await docker.workload_spec(identifier)
    assert again.unmapped == ()
    assert replace(again, image_id="") == spec
    await docker.start(identifier)
    running = await docker.workload_spec(identifier)
    assert running == again
    assert (await docker.inspect_container(identifier)).gpus_given == ("nvidia.com/gpu=0",)


async def test_an_entrypoint_is_taken_away(docker: DockerEngine, make: Make) -> None:
    identifier = await make(entrypoint=(), command=("true",))
    raw = await docker.inspect_raw(identifier)
    assert isinstance(raw["Config"], dict)
    assert not raw["Config"]["Entrypoint"]


async def test_an_anonymous_volume_is_made(docker: DockerEngine, make: Make) -> None:
    identifier = await make(mounts=(MountSpec(MountKind.VOLUME, "", "/data", anonymous=True),))
    mounts = (await docker.workload_spec(identifier)).mounts
    assert [(mount.destination, mount.anonymous, len(mount.source)) for mount in mounts] == [("/data", True, 64)]


async def test_a_missing_bind_source_is_said(make: Make) -> None:
    with pytest.raises(NotFound, match="/tmp/test-none"):
        await make(mounts=(MountSpec(MountKind.BIND, "/tmp/test-none", "/x"),))


async def test_gpus_without_a_driver(docker: DockerEngine, make: Make) -> None:
    identifier = await make(gpu=GpuRequest(count=-1, capabilities=(("gpu",),)))
    with pytest.raises(Unsupported, match="cannot give out GPUs") as caught:
        await docker.start(identifier)
    assert "nvidia-container-toolkit" in caught.value.hint
    unknown = await make(gpu=GpuRequest(cdi_devices=("nvidia.com/gpu=77",)))
    with pytest.raises(Unsupported, match=r"nvidia\.com/gpu=77"):
        await docker.start(unknown)


async def test_a_taken_port_is_named(docker: DockerEngine, make: Make) -> None:
    first = await make(ports=(Port(80, host_port=0),))
    await docker.start(first)
    port = next(port.host_port for port in (await docker.inspect_container(first)).ports if port.host_port)
    second = await make(ports=(Port(80, host_port=port),))
    with pytest.raises(Conflict, match=f"Port {port} is already in use"):
        await docker.start(second)


async def test_cdi_specifications_of_the_engine(real_engines: RealEngines) -> None:
    """The engine's own /etc/cdi lies in its tree; the reader must find what the engine knows."""
    folders = [str(folder) for folder in (real_engines.dir / "root").glob("*/etc/cdi")]
    assert folders
    names = (await asyncio.to_thread(read_files, folders)).names()
    assert {"nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all"} <= set(names)


@pytest.mark.parametrize("image", ["docker.io/test/busybox:1", "docker.io/test/web:1"])
async def test_layers_are_those_of_the_config(docker: DockerEngine, image: str) -> None:
    """The archive's config says which steps made no layer: the join from the API must agree with it."""
    async with docker.export_image(image) as archive:
        data = b"".join([chunk async for chunk in archive])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:

        def member(path: str) -> bytes:
            file = tar.extractfile(path)
            assert file is not None
            return file.read()

        config = json.loads(member(json.loads(member("manifest.json"))[0]["Config"]))
    report = await docker.image_layers(image)
    assert [layer.empty for layer in report.layers] == [bool(step.get("empty_layer")) for step in config["history"]]
    assert [layer.diff_id for layer in report.layers if not layer.empty] == config["rootfs"]["diff_ids"]


async def test_an_image_goes_out_and_comes_in(docker: DockerEngine, name: str) -> None:
    tag = f"localhost/{name}:1"
    await docker.tag_image(BUSYBOX, tag)
    try:
        before = await docker.image_facts(tag)
        async with docker.export_image(tag) as archive:
            data = [chunk async for chunk in archive]
        await docker.remove_image(tag)
        with pytest.raises(NotFound):
            await docker.image_facts(tag)

        async def again() -> AsyncIterator[bytes]:
            for chunk in data:
                yield chunk

        assert await docker.import_image(again()) == (tag,)
        assert (await docker.image_facts(tag)).config_digest == before.config_digest
        assert tag in {found for image in await docker.list_images() for found in image.tags}
    finally:
        await docker.remove_image(tag)


async def test_a_long_line_has_one_time(docker: DockerEngine, make: Make) -> None:
    identifier = await make(command=("sh", "-c", "head -c 40000 /dev/zero | tr '\\0' x; echo; echo err >&2; echo end"))
    await docker.start(identifier)
    assert await docker.wait_exit(identifier) == 0
    async with docker.logs(identifier, timestamps=True) as lines:
        found = [line async for line in lines]
    out = [line for line in found if line.stream is LogStream.STDOUT]
    assert [line.text for line in out] == ["x" * 40000, "end"]
    assert all(line.at is not None for line in found)
    async with docker.logs(identifier, tail=1) as lines:
        assert len([line async for line in lines]) == 1


async def test_stats_of_a_busy_container(docker: DockerEngine, make: Make) -> None:
    identifier = await make(command=("sh", "-c", "while :; do :; done"), memory_bytes=64 << 20)
    await docker.start(identifier)
    async with asyncio.timeout(60), docker.stats([identifier], interval_s=0.2) as batches:
        async for batch in batches:
            if isinstance(batch[0].cpu_percent, float) and batch[0].cpu_percent > 5:
                break
    assert batch[0].memory_limit_bytes == 64 << 20
    assert isinstance(batch[0].memory_bytes, int)


async def test_health_noise_is_filtered_and_names_are_told(docker: DockerEngine, make: Make) -> None:
    identifier = await make(command=("true",))
    async with docker.subscribe() as events:
        await docker.start(identifier)
        seen = []
        async with asyncio.timeout(30):
            async for event in events:
                if event.id == identifier:
                    seen.append(event.action)
                    if event.action == "die":
                        break
    assert seen == ["start", "die"]


@asynccontextmanager
async def proxy(target: str, path: Path) -> AsyncIterator[Callable[[], None]]:
    """A socket in front of the engine whose connections can be cut."""
    writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        far_reader, far_writer = await asyncio.open_unix_connection(target)
        writers.update({writer, far_writer})
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    def cut() -> None:
        for writer in writers:
            writer.transport.abort()

    server = await asyncio.start_unix_server(handle, path)
    try:
        yield cut
    finally:
        cut()
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_cut_connection_raises_and_the_next_call_works(real_engines: RealEngines, tmp_path: Path) -> None:
    path = tmp_path / "p.sock"
    async with proxy(Endpoint.parse(real_engines.docker).address, path) as cut:
        engine = DockerEngine(ENGINE, Endpoint.parse(str(path)))
        async with engine.subscribe() as events:
            cut()
            with pytest.raises(Unreachable):
                [event async for event in events]
        assert isinstance(await engine.list_containers(), list)
        assert (await engine.connect()).version
        await engine.close()
