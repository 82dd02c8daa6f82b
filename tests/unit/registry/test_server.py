"""Our registry as a client sees it: over its real port, with aiohttp as the client."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from backends.model.errors import Unsupported
from backends.registry import Registry, open_registry
from backends.registry.archive import Part
from backends.registry.manifests import OCI, SCHEMA2

CONFIG = b'{"rootfs":{"diff_ids":[]}}'


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def listening(port: int) -> list[str]:
    """The addresses at which something listens on that port, as the kernel writes them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Registry, aiohttp.ClientSession, str]]:
    """A registry, a client, and the URL of its repository."""
    async with open_registry(folder) as registry, aiohttp.ClientSession() as client:
        yield registry, client, f"http://{registry.address}/v2/{registry.repository}"


async def upload(client: aiohttp.ClientSession, url: str, data: bytes, said: str = "", pieces: int = 3) -> int:
    """A blob as Docker uploads it: POST, PATCH in a stream, PUT; returns the last status."""

    async def body() -> AsyncIterator[bytes]:
        step = len(data) // pieces + 1
        for at in range(0, len(data), step):
            yield data[at : at + step]

    async with client.post(f"{url}/blobs/uploads/") as begun:
        assert begun.status == 202
        place = begun.headers["Location"]
    host = url.partition("/v2/")[0]
    async with client.patch(host + place, data=body()) as sent:
        assert sent.status == 202
        assert sent.headers["Range"] == f"0-{max(0, len(data) - 1)}"
    async with client.put(host + sent.headers["Location"], params={"digest": said or digest(data)}) as done:
        return done.status


async def test_a_blob_goes_in_and_comes_out(tmp_path: Path) -> None:
    data = os.urandom(3_000_001)
    async with served(tmp_path) as (registry, client, url):
        assert await upload(client, url, data) == 201
        async with client.head(f"{url}/blobs/{digest(data)}") as there:
            assert there.status == 200
            assert there.headers["Content-Length"] == str(len(data))
        async with client.get(f"{url}/blobs/{digest(data)}") as got:
            assert await got.read() == data
        assert registry.depot.received_bytes == len(data)


async def test_a_part_of_a_blob_can_be_asked_for(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, client, url):
        await upload(client, url, b"0123456789")
        async with client.get(f"{url}/blobs/{digest(b'0123456789')}", headers={"Range": "bytes=4-"}) as got:
            assert (got.status, await got.read()) == (206, b"456789")


async def test_a_blob_of_another_digest_is_refused_and_forgotten(tmp_path: Path) -> None:
    async with served(tmp_path) as (registry, client, url):
        assert await upload(client, url, b"changed", said=digest(b"original")) == 400
        assert registry.depot.blobs == {}
        assert files(registry.depot.folder) == []


async def test_an_upload_in_one_call(tmp_path: Path) -> None:
    async with served(tmp_path) as (registry, client, url):
        async with client.post(f"{url}/blobs/uploads/", params={"digest": digest(b"whole")}, data=b"whole") as done:
            assert done.status == 201
        assert set(registry.depot.blobs) == {digest(b"whole")}


async def test_an_upload_can_be_given_up(tmp_path: Path) -> None:
    async with served(tmp_path) as (registry, client, url):
        async with client.post(f"{url}/blobs/uploads/") as begun:
            place = url.partition("/v2/")[0] + begun.headers["Location"]
        async with client.delete(place) as gone:
            assert gone.status == 204
        async with client.patch(place, data=b"more") as late:
            assert late.status == 404
        assert registry.depot.uploads == {}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
async def test_another_repository_is_not_there(tmp_path: Path, method: str) -> None:
    async with served(tmp_path) as (registry, client, url):
        await upload(client, url, b"secret")
        other = f"http://{registry.address}/v2/tranship/{'0' * 32}"
        paths = {"POST": "/blobs/uploads/", "PUT": "/manifests/move"}
        async with client.request(method, other + paths.get(method, f"/blobs/{digest(b'secret')}")) as answer:
            assert answer.status == 404


async def test_each_registry_has_another_name(tmp_path: Path) -> None:
    async with open_registry(tmp_path) as one, open_registry(tmp_path) as two:
        assert one.repository != two.repository
        assert re.fullmatch(r"127\.0\.0\.1:\d+/tranship/[0-9a-f]{32}:move", one.name)


async def test_it_says_there_only_for_what_is_presumed(tmp_path: Path) -> None:
    known, unknown = digest(b"known"), digest(b"unknown")
    async with served(tmp_path) as (registry, client, url):
        registry.begin_push(lambda asked: asked == known)
        async with client.head(f"{url}/blobs/{known}") as there, client.head(f"{url}/blobs/{unknown}") as missing:
            assert (there.status, missing.status) == (200, 404)
        async with client.get(f"{url}/blobs/{known}") as got:
            assert got.status == 404
        assert registry.lacking == {known}


async def test_the_manifest_is_noted_and_can_be_declined(tmp_path: Path) -> None:
    layer = {"mediaType": "x", "size": 1, "digest": digest(b"layer")}
    body = {"schemaVersion": 2, "mediaType": SCHEMA2, "config": {**layer, "digest": digest(CONFIG)}, "layers": [layer]}
    async with served(tmp_path) as (registry, client, url):
        async with client.put(f"{url}/manifests/move", data=json.dumps(body)) as taken:
            assert taken.status == 201
        registry.begin_push(lambda _asked: False)
        registry.declines = True
        async with client.put(f"{url}/manifests/move", data=json.dumps(body)) as declined:
            assert declined.status == 403
        (manifest,) = registry.images
        assert (manifest.config, manifest.layers) == (digest(CONFIG), (digest(b"layer"),))
        async with client.get(f"{url}/manifests/move") as asked:
            assert asked.status == 404


async def test_a_push_may_send_only_so_many_blobs(tmp_path: Path) -> None:
    async with served(tmp_path) as (registry, client, url):
        registry.most_uploads = 1
        assert await upload(client, url, b"one") == 201
        overruns = [registry.overrun]
        for _ in range(2):
            async with client.post(f"{url}/blobs/uploads/") as refused:
                assert refused.status == 403
        overruns.append(registry.overrun)
        registry.begin_push(lambda _asked: False)
        assert [*overruns, registry.overrun] == [False, True, False]
        assert await upload(client, url, b"two") == 201


async def test_what_is_offered_can_be_had_by_tag_and_digest(tmp_path: Path) -> None:
    async with served(tmp_path) as (registry, client, url):
        registry.offer(b"{}", OCI)
        for reference in ("move", digest(b"{}")):
            async with client.get(f"{url}/manifests/{reference}") as got:
                assert (await got.read(), got.content_type) == (b"{}", OCI)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"mediaType":"text/plain"}', b'{"layers":3}'])
async def test_what_is_no_manifest_is_refused(tmp_path: Path, data: bytes) -> None:
    async with served(tmp_path) as (registry, client, url):
        headers = {"Content-Type": SCHEMA2}
        async with client.put(f"{url}/manifests/move", data=data, headers=headers) as answer:
            assert answer.status == 400
        assert registry.images == []


async def test_a_manifest_without_end_is_refused(tmp_path: Path) -> None:
    async with (
        served(tmp_path) as (_, client, url),
        client.put(f"{url}/manifests/move", data=io.BytesIO(b"x" * (5 << 20))) as answer,
    ):
        assert answer.status == 413


async def test_files_are_ours_alone_and_go_with_the_registry(tmp_path: Path) -> None:
    async def fail() -> None:
        async with served(tmp_path) as (registry, client, url):
            await upload(client, url, b"done")
            registry.depot.begin()
            folder = registry.depot.folder
            assert folder.stat().st_mode & 0o777 == 0o700
            assert {path.stat().st_mode & 0o777 for path in files(folder)} == {0o600}
            assert len(files(folder)) == 2
            raise RuntimeError("by design")

    with pytest.raises(RuntimeError, match="by design"):
        await fail()
    assert files(tmp_path) == []


async def test_a_cancelled_registry_leaves_nothing(tmp_path: Path) -> None:
    opened = asyncio.Event()

    async def live() -> None:
        async with open_registry(tmp_path) as registry:
            registry.depot.begin()
            opened.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(live())
    await opened.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(tmp_path) == []


async def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    async with open_registry(tmp_path) as registry:
        port = int(registry.address.rpartition(":")[2])
        assert listening(port) == [f"0100007F:{port:04X}"]
    assert listening(port) == [], "only for the transfer's length"


async def test_it_is_reached_by_a_unix_socket_too(tmp_path: Path) -> None:
    door = tmp_path / "door"
    async with (
        open_registry(tmp_path, unix_socket=door),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(door))) as client,
        client.get("http://any/v2/") as hello,
    ):
        assert hello.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


async def test_lent_blobs_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    data, passed = os.urandom(3 << 20), list[int]()

    async def pieces() -> AsyncGenerator[bytes, None]:
        for at in range(0, len(data), 1 << 20):
            yield data[at : at + (1 << 20)]

    async with served(tmp_path) as (registry, client, url):
        registry.lent = {digest(data): Part(len(data), pieces)}
        registry.on_bytes = passed.append
        async with client.head(f"{url}/blobs/{digest(data)}") as head:
            assert (head.status, head.content_length, passed) == (200, len(data), [])
        async with client.get(f"{url}/blobs/{digest(data)}") as got:
            assert got.content_length == len(data)
            assert await got.read() == data
        assert sum(passed) == len(data)
        assert files(registry.depot.folder) == []


async def test_a_lent_blob_that_cannot_be_read_to_its_end_never_looks_whole(tmp_path: Path) -> None:
    name = digest(b"whatever")

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b"x" * 1000
        raise Unsupported("the layer is not what it should be")

    async with served(tmp_path) as (registry, client, url):
        registry.lent = {name: Part(2000, pieces)}
        with pytest.raises(aiohttp.ClientError):
            async with client.get(f"{url}/blobs/{name}") as got:
                await got.read()
        assert str(registry.failed) == "the layer is not what it should be"
        async with client.get(f"{url}/blobs/{name}") as again:
            assert again.status == 404
