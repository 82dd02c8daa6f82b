"""Volume streams on the real engine: what goes in comes out, and the helper never stays."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.engines.docker import DockerEngine
from backends.model.errors import BackendError, Conflict, NotFound, Unreachable
from backends.model.labels import HELPER_LABEL
from backends.model.workload import VolumeSpec
from tests.engines_docker.conftest import BUSYBOX
from tests.real import RealEngines

pytestmark = pytest.mark.engines

FILL = """
set -e; cd /v
mkdir -p "d/sub dir" empty; echo hi >d/a; echo "ünï" >"d/sub dir/ünï"; ln d/a hard; ln -s d/a soft; ln -s /abs softabs
long=$(printf 'n%.0s' $(seq 1 150)); mkdir $long; echo x >$long/$long
ln $long/$long d/linked; ln -s $long/$long longsoft
dd if=/dev/zero of=sparse bs=1 count=1 seek=5000000 2>/dev/null; mkfifo fifo
i=0; while [ $i -lt 200 ]; do echo $i >d/f$i; i=$((i+1)); done
chown 77:88 d/a; chmod 4711 d/a; chown 100000:200000 "d/sub dir"; chmod 1777 empty; chmod 0000 d/f1
touch -d "2020-01-02 03:04:05" d/a; touch -d "2018-01-02 03:04:05" d
chown 1234:4321 .; chmod 2751 .; touch -d "2019-01-02 03:04:05" .
"""
SHOW = (
    "cd /v; find . | sort | while IFS= read -r f; do "
    'stat -c \'%n|%F|%a|%u|%g|%Y|%h\' "$f"; if [ -L "$f" ]; then readlink "$f"; '
    'elif [ -f "$f" ]; then stat -c %s "$f"; md5sum <"$f"; fi; done'
)


def in_volume(engines: RealEngines, volume: str, script: str, label: dict[str, str]) -> str:
    (key, value), *_ = label.items()
    mark = f"{key}={value}"
    return engines.cli("docker", "run", "--rm", "--label", mark, "-v", f"{volume}:/v", BUSYBOX, "sh", "-c", script)


async def helpers(docker: DockerEngine, volume: str) -> list[str]:
    return [
        container.name
        for container in await docker.list_containers()
        if HELPER_LABEL in container.labels and any(mount.source == volume for mount in container.mounts)
    ]


async def test_everything_survives(
    docker: DockerEngine, real_engines: RealEngines, volumes: tuple[str, str], run_label: dict[str, str]
) -> None:
    source, target = volumes
    await asyncio.to_thread(in_volume, real_engines, source, FILL, run_label)
    before = await asyncio.to_thread(in_volume, real_engines, source, SHOW, run_label)
    async with docker.export_volume(source, via_image=BUSYBOX) as archive:
        await docker.import_volume(target, archive, via_image=BUSYBOX)
    after = await asyncio.to_thread(in_volume, real_engines, target, SHOW, run_label)
    assert after == before
    assert ".|directory|2751|1234|4321|" in before
    assert "./d/a|regular file|4711|77|88|" in before
    assert len(before.splitlines()) > 400
    assert await helpers(docker, source) == []
    assert await helpers(docker, target) == []


async def test_file_capabilities_survive(
    docker: DockerEngine, real_engines: RealEngines, volumes: tuple[str, str]
) -> None:
    source, target = volumes
    folders = [
        Path(real_engines.cli("docker", "volume", "inspect", "-f", "{{.Mountpoint}}", one).strip()) for one in volumes
    ]
    capability = bytes.fromhex("0100000200040000000000000000000000000000")  # VFS_CAP_REVISION_2, cap_net_bind_service
    if not await asyncio.to_thread(folders[0].is_dir):
        pytest.skip("the engine's volumes are not visible from here")
    file = folders[0] / "server"
    await asyncio.to_thread(file.write_bytes, b"x")
    try:
        await asyncio.to_thread(os.setxattr, file, "security.capability", capability)
    except OSError as error:
        if error.errno in {errno.EPERM, errno.ENOTSUP}:
            pytest.skip(f"this file system takes no capabilities: {error}")
        raise
    async with docker.export_volume(source, via_image=BUSYBOX) as archive:
        await docker.import_volume(target, archive, via_image=BUSYBOX)
    assert await asyncio.to_thread(os.getxattr, folders[1] / "server", "security.capability") == capability


async def test_entries_are_relative_and_the_root_comes_first(
    docker: DockerEngine, real_engines: RealEngines, volumes: tuple[str, str], run_label: dict[str, str]
) -> None:
    await asyncio.to_thread(in_volume, real_engines, volumes[0], "echo a >/v/a", run_label)
    async with docker.export_volume(volumes[0], via_image=BUSYBOX) as archive:
        data = b"".join([chunk async for chunk in archive])
    assert data.startswith(b"./\0")
    assert b"./a\0" in data


async def test_the_helper_goes_when_the_reader_is_cancelled(
    docker: DockerEngine, real_engines: RealEngines, volumes: tuple[str, str], run_label: dict[str, str]
) -> None:
    await asyncio.to_thread(in_volume, real_engines, volumes[0], "dd if=/dev/zero of=/v/big bs=1M count=64", run_label)
    started = asyncio.Event()

    async def read() -> None:
        async with docker.export_volume(volumes[0], via_image=BUSYBOX) as archive:
            async for _ in archive:
                started.set()
                await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await started.wait()
    assert len(await helpers(docker, volumes[0])) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await helpers(docker, volumes[0]) == []


async def test_the_helper_goes_when_the_source_breaks(docker: DockerEngine, volumes: tuple[str, str]) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b""
        raise Unreachable("the other engine is gone")

    with pytest.raises(Unreachable, match="the other engine is gone"):
        await docker.import_volume(volumes[0], broken(), via_image=BUSYBOX)
    assert await helpers(docker, volumes[0]) == []


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.01])
async def test_cancel_while_the_helper_is_made(docker: DockerEngine, volumes: tuple[str, str], after_s: float) -> None:
    async def read() -> None:
        async with docker.export_volume(volumes[0], via_image=BUSYBOX) as archive:
            async for _ in archive:
                continue

    task = asyncio.create_task(read())
    await asyncio.sleep(after_s)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await helpers(docker, volumes[0]) == []


async def test_what_is_not_there(docker: DockerEngine, volumes: tuple[str, str], name: str) -> None:
    with pytest.raises(NotFound, match="volume"):
        async with docker.export_volume(f"{name}-none", via_image=BUSYBOX):
            raise AssertionError("it opened")
    with pytest.raises(NotFound, match="volume"):
        await docker.inspect_volume(f"{name}-none")
    with pytest.raises(NotFound, match="image"):
        async with docker.export_volume(volumes[0], via_image="docker.io/test/none:1"):
            raise AssertionError("it opened")


async def test_a_garbled_archive_is_refused(docker: DockerEngine, volumes: tuple[str, str]) -> None:
    async def garbage() -> AsyncIterator[bytes]:
        yield b"no tar at all" * 100

    with pytest.raises(BackendError, match=r"no tar|garbled"):
        await docker.import_volume(volumes[0], garbage(), via_image=BUSYBOX)


async def test_creating_an_existing_volume_is_a_conflict(docker: DockerEngine, volumes: tuple[str, str]) -> None:
    with pytest.raises(Conflict, match="exists already"):
        await docker.create_volume(VolumeSpec(volumes[0]))


async def _members(docker: DockerEngine, volume: str, paths: tuple[str, ...]) -> dict[str, bytes | None]:
    """Name → content, of all tars that come."""
    async with docker.export_volume(volume, via_image=BUSYBOX, paths=paths) as archive:
        data = b"".join([chunk async for chunk in archive])
    found: dict[str, bytes | None] = {}
    with tarfile.open(fileobj=io.BytesIO(data), ignore_zeros=True) as tar:
        for head in tar:
            file = tar.extractfile(head) if head.isreg() else None
            found[head.name] = None if file is None else file.read()
    return found


async def test_a_few_members_come_alone(
    docker: DockerEngine, real_engines: RealEngines, volumes: tuple[str, str], run_label: dict[str, str]
) -> None:
    script = "cd /v; mkdir -p 'd/e f'; echo a >a; echo b >'d/e f/b?&'; ln -s nowhere l; ln a h; echo no >other"
    await asyncio.to_thread(in_volume, real_engines, volumes[0], script, run_label)
    wanted = ("gone", "a", "d/e f/b?&", "l", "h", "d/gone too")
    assert await _members(docker, volumes[0], wanted) == {
        "./a": b"a\n",
        "./d/e f/b?&": b"b\n",
        "./l": None,
        "./h": b"a\n",
    }
    assert await _members(docker, volumes[0], ("gone",)) == {}, "they may go between a list and the copy"
    assert await helpers(docker, volumes[0]) == []


async def test_members_that_cannot_be_asked_for_come_with_all(
    docker: DockerEngine, real_engines: RealEngines, volumes: tuple[str, str], run_label: dict[str, str]
) -> None:
    script = "cd /v; echo a >a; printf x >$(printf 'caf\\351')"
    await asyncio.to_thread(in_volume, real_engines, volumes[0], script, run_label)
    assert await _members(docker, volumes[0], ("caf\udce9",)) == {".": None, "./a": b"a\n", "./caf\udce9": b"x"}
    many = tuple(f"f{number}" for number in range(300))
    await asyncio.to_thread(
        in_volume, real_engines, volumes[1], "cd /v; for i in $(seq 0 299); do echo >f$i; done", run_label
    )
    assert {f"./{one}" for one in many} <= set(await _members(docker, volumes[1], many))
