"""What only a real Docker can show of files in containers, networks, and names of images at a registry."""

from __future__ import annotations

import asyncio
import io
import tarfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from backends.engines.docker import DockerEngine
from backends.model.errors import Conflict, NotFound, Protocol, Unsupported
from backends.model.network import NetworkSpec
from backends.model.settings import NetworkAttachment, NetworkingSpec
from tests.engines_docker.conftest import BUSYBOX
from tests.real import RealEngines

pytestmark = pytest.mark.engines

Make = Callable[..., Awaitable[str]]
RUNS = ("sh", "-c", "sleep 600")


def _tar() -> bytes:
    """A folder's own entry, a set-id program, and a hard link to it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, mode in (
            ("./", tarfile.DIRTYPE, 0o2751),
            ("./tool", tarfile.REGTYPE, 0o4755),
            ("./same", tarfile.LNKTYPE, 0o4755),
        ):
            head = tarfile.TarInfo(name)
            head.type, head.mode, head.uid, head.gid, head.linkname = (
                kind,
                mode,
                7,
                8,
                "./tool" * (kind == tarfile.LNKTYPE),
            )
            tar.addfile(head)
    return out.getvalue()


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.mark.parametrize("folder", ["/real", "/absolute", "/relative", "/real/up", "/relative/up/"])
async def test_a_tar_goes_where_links_lead_and_keeps_its_modes(docker: DockerEngine, make: Make, folder: str) -> None:
    identifier = await make(command=RUNS)
    await docker.start(identifier)
    script = "mkdir -p /real /other; ln -s /real /absolute; ln -s real /relative; ln -s /other /real/up"
    assert (await docker.execute(identifier, ["sh", "-c", script])).exit_code == 0
    await docker.write_files(identifier, folder, _once(_tar()))
    place = "/other" if "up" in folder else "/real"
    said = await docker.execute(identifier, ["stat", "-c", "%n %a %u %g %h", place, f"{place}/tool", f"{place}/same"])
    links = said.stdout.decode().splitlines()[0].rpartition(" ")[2]
    assert said.stdout.decode().splitlines() == [
        f"{place} 2751 7 8 {links}",
        f"{place}/tool 4755 7 8 2",
        f"{place}/same 4755 7 8 2",
    ]
    kinds = await docker.execute(identifier, ["sh", "-c", "readlink /absolute; readlink /relative; readlink /real/up"])
    assert kinds.stdout == b"/real\nreal\n/other\n"


async def test_what_is_no_folder_takes_no_files(docker: DockerEngine, make: Make) -> None:
    identifier = await make(command=RUNS)
    with pytest.raises(Conflict, match="is no folder"):
        await docker.write_files(identifier, "/bin/busybox", _once(_tar()))
    with pytest.raises(NotFound, match="/nowhere"):
        await docker.write_files(identifier, "/nowhere", _once(_tar()))
    with pytest.raises(NotFound, match="There is no container"):
        await docker.write_files("0" * 64, "/nowhere", _once(_tar()))
    with pytest.raises(Unsupported, match="UTF-8"):
        await docker.write_files(identifier, "/caf\udce9", _once(_tar()))


async def test_a_network_with_a_stopped_container_stays(docker: DockerEngine, make: Make, name: str) -> None:
    await docker.create_network(NetworkSpec(name))
    try:
        identifier = await make(network=NetworkingSpec("bridge", (NetworkAttachment(name),)))
        with pytest.raises(Conflict, match=f"Network {name} is in use") as caught:
            await docker.remove_network(name)
        assert (await docker.inspect_container(identifier)).name in caught.value.detail
        await docker.remove(identifier, force=True)
    finally:
        await docker.remove_network(name)


async def test_dockers_own_network_is_not_removed(docker: DockerEngine) -> None:
    for name in ("bridge", "host", "none"):
        with pytest.raises(Conflict, match="own network"):
            await docker.remove_network(name)
        with pytest.raises(Conflict):
            await docker.create_network(NetworkSpec(name))


# -- names at a registry -------------------------------------------------------------------------
async def _named(docker: DockerEngine, image: str) -> tuple[set[str], set[str]]:
    found = next(one for one in await docker.list_images() if one.key.id == image)
    return set(found.tags), set(found.digests)


async def test_push_and_pull_leave_no_name(
    docker: DockerEngine, real_engines: RealEngines, make: Make, name: str
) -> None:
    there, tag = f"{real_engines.registry}/tranship-test/{name}:1", f"docker.io/tranship-test/{name}:1"
    made = await docker.commit_container(await make(), tag)
    await docker.push_image(made, there)
    assert await _named(docker, made) == ({tag}, set())
    await docker.remove_image(tag)
    with pytest.raises(NotFound):
        await docker.image_facts(made)
    assert await docker.pull_image(there) == made
    try:
        raw = await asyncio.to_thread(
            real_engines.cli, "docker", "image", "inspect", "-f", "{{json .RepoTags}} {{json .RepoDigests}}", made
        )
        assert raw.split() == ["[]", "[]"]
        await docker.push_image(made, there)  # of an image without a name
        raw = await asyncio.to_thread(real_engines.cli, "docker", "image", "inspect", "-f", "{{json .RepoTags}}", made)
        assert raw.split() == ["[]"]
    finally:
        await docker.remove_image(made)
    left = await asyncio.to_thread(real_engines.cli, "docker", "images", "-a", "--format", "{{.Repository}}")
    assert not [one for one in left.split() if "tranship-nobody" in one or name in one]


async def test_a_pull_by_digest_leaves_no_name(
    docker: DockerEngine, real_engines: RealEngines, make: Make, name: str
) -> None:
    there, tag = f"{real_engines.registry}/tranship-test/{name}", f"docker.io/tranship-test/{name}:1"
    made = await docker.commit_container(await make(), tag)
    await asyncio.to_thread(real_engines.cli, "docker", "tag", made, f"{there}:1")
    said = await asyncio.to_thread(real_engines.cli, "docker", "push", f"{there}:1")
    digest = next(word for word in said.split() if word.startswith("sha256:"))
    await asyncio.to_thread(real_engines.cli, "docker", "rmi", f"{there}:1", tag)
    assert await docker.pull_image(f"{there}@{digest}") == made
    try:
        raw = await asyncio.to_thread(
            real_engines.cli, "docker", "image", "inspect", "-f", "{{json .RepoTags}} {{json .RepoDigests}}", made
        )
        assert raw.split() == ["[]", "[]"]
    finally:
        await docker.remove_image(made)


async def test_what_the_registry_refuses_is_said(docker: DockerEngine, real_engines: RealEngines) -> None:
    with pytest.raises((Protocol, NotFound)) as caught:
        await docker.pull_image(f"{real_engines.registry}/tranship-test/{uuid.uuid4().hex}:1")
    assert caught.value.engine == docker.id
    before = await docker.image_facts(BUSYBOX)
    with pytest.raises(Protocol, match="could not push"):
        await docker.push_image(BUSYBOX, f"127.0.0.1:9/tranship-test/{uuid.uuid4().hex}:1")
    assert await docker.image_facts(BUSYBOX) == before
