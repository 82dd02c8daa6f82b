"""Files and waste of real images against what a container of them sees, on each engine and Docker's other store."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from backends.engine import ByteStream, Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.layers import reading
from backends.layers.archive import ArchiveWalk
from backends.layers.cache import LayerCache
from backends.layers.contents import ImageContents
from backends.layers.reading import read_image
from backends.layers.table import LayerTable
from backends.layers.unpack import GZIP, ZSTD
from backends.model.ids import EngineId, EngineKind
from backends.model.image import ImageFacts
from backends.model.image_files import FileKind, Mark
from backends.stores import StoreError
from backends.wire.endpoint import Endpoint
from tests.private import PrivateEngine
from tests.real import RealEngines
from tests.thorough import ON
from tui.cli.layers_table import paths

pytestmark = pytest.mark.engines

BUSYBOX = "docker.io/test/busybox:1"
FIRST = """mkdir -p /d/sub /gone /again && cd /d && dd if=/dev/zero of=big bs=1k count=64 && echo one >file &&
ln file hard && ln -s file soft && dd if=/dev/zero of=/gone/a bs=1k count=10 && echo b >/gone/b && echo c >/again/old"""
SECOND = """cd /d && dd if=/dev/zero of=big bs=1k count=32 && mv file moved && rm -r /gone /again && mkdir /again &&
echo new >/again/new && chmod 700 /d/sub"""
ENGINES_OWN = (
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/.dockerenv",
    "/etc/mtab",
    "/dev/",
    "/proc/",
    "/run/",
    "/sys/",
)


def layered(cli: RealEngines, engine: str, label: dict[str, str]) -> str:
    """An image of two layers above busybox, made by commits."""
    name, below = f"docker.io/tranship-test/layers-{uuid.uuid4().hex[:10]}:1", BUSYBOX
    ((key, value),) = label.items()
    for script in (FIRST, SECOND):
        container = f"layers-{uuid.uuid4().hex[:10]}"
        cli.cli(engine, "run", "--name", container, "--label", f"{key}={value}", below, "sh", "-ec", script)
        cli.cli(engine, "commit", container, name)
        cli.cli(engine, "rm", container)
        below = name
    return name


def seen_inside(cli: RealEngines, engine: str, image: str) -> dict[str, int]:
    """Regular files as a container of the image has them, with their sizes."""
    script = r"find / -xdev -type f -exec stat -c '%s %n' {} +"
    told = cli.cli(engine, "run", "--rm", image, "sh", "-c", script)
    lines = [line.split(" ", 1) for line in told.splitlines()]
    return {path: int(size) for size, path in lines if not path.startswith(ENGINES_OWN)}


@pytest.fixture(params=["docker", "podman", "podman-rootless"])
async def engine(request: pytest.FixtureRequest, real_engines: RealEngines) -> AsyncIterator[Engine]:
    name = str(request.param)
    url = {"docker": real_engines.docker, "podman": real_engines.podman}.get(name, real_engines.rootless)
    engine: Engine = (
        DockerEngine(EngineId(EngineKind.DOCKER, name), Endpoint.parse(url))
        if name == "docker"
        else PodmanEngine(EngineId(EngineKind.PODMAN, name), Endpoint.parse(url))
    )
    await engine.connect()
    yield engine
    await engine.close()


@pytest.fixture
def image(engine: Engine, real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[str]:
    name = layered(real_engines, engine.id.name, run_label)
    yield name
    real_engines.cli(engine.id.name, "rmi", "-f", name)


def check(contents: ImageContents, inside: dict[str, int]) -> None:
    """The tree is what a container sees, the waste what the two scripts left."""
    nodes = dict(paths(contents.tree()))
    seen = {
        path: node
        for path, node in nodes.items()
        if node.kind in (FileKind.FILE, FileKind.HARD_LINK) and node.mark is not Mark.REMOVED
    }
    files = {path: node for path, node in seen.items() if not path.startswith(ENGINES_OWN)}
    assert files.keys() == inside.keys()
    plain = {path: node.size_bytes for path, node in files.items() if node.kind is FileKind.FILE}
    assert plain == {path: inside[path] for path in plain}
    assert nodes["/gone"].mark is nodes["/again/old"].mark is Mark.REMOVED
    assert nodes["/again/new"].mark is nodes["/d/moved"].mark is Mark.ADDED
    assert nodes["/d/big"].mark is nodes["/d/sub"].mark is Mark.CHANGED
    assert (nodes["/d/soft"].link, nodes["/bin/sh"].mark) == ("file", Mark.SAME)
    offenders = {bad.path: bad.wasted_bytes for bad in contents.waste().offenders}
    assert offenders["/d/big"] == 64 << 10
    assert offenders["/gone"] == (10 << 10) + 2
    assert "/bin/busybox" not in offenders


def refuse(*_: object) -> NoReturn:
    """In place of `find_image`."""
    raise StoreError("its folders may not be read by this user")


async def test_the_tree_is_what_a_container_sees(
    engine: Engine, image: str, real_engines: RealEngines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests run as root, so that the engine's own folders are read; its archive must give the same."""
    saved: list[str] = []
    save = engine.export_image

    def export(reference: str) -> ByteStream:
        saved.append(reference)
        return save(reference)

    monkeypatch.setattr(engine, "export_image", export)
    cache = LayerCache(tmp_path)
    contents = await read_image(engine, image, cache, lambda _: None)
    check(contents, seen_inside(real_engines, engine.id.name, image))
    assert contents.against(await read_image(engine, image, cache, lambda _: None))[1] == ()
    assert saved == []

    monkeypatch.setattr(reading, "find_image", refuse)
    archived = await read_image(engine, image, LayerCache(tmp_path / "archived"), lambda _: None)
    assert len(saved) == 1
    assert contents.tables == archived.tables


def compressed(cli: RealEngines, image: str, folder: Path, kind: str) -> Path:
    """The image as an OCI archive whose layers skopeo has compressed so."""
    plain, made = folder / "plain.tar", folder / f"{kind}.tar"
    if not plain.exists():
        cli.cli("docker", "save", "-o", str(plain), image)
    argv = [
        "skopeo",
        "copy",
        "-q",
        "--dest-compress-format",
        kind,
        f"docker-archive:{plain}",
        f"oci-archive:{made}:{image}",
    ]
    cli.cli("engines-exec", *argv)
    return made


def first_bytes(archive: bytes) -> set[bytes]:
    """How its files begin."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {file.read(4) for member in tar if member.isfile() and (file := tar.extractfile(member))}


def walked(archive: bytes, facts: ImageFacts) -> ImageContents:
    """The image as an archive has it, in pieces of no good size."""
    found: dict[str, LayerTable] = {}
    walk = ArchiveWalk(set(facts.diff_ids), (), lambda table: found.update({table.diff_id: table}), lambda: False)
    for at in range(0, len(archive), 100_003):
        walk.feed(archive[at : at + 100_003])
    walk.close()
    return ImageContents(facts, tuple(found[diff_id] for diff_id in facts.diff_ids))


@pytest.mark.parametrize("engine", ["docker"], indirect=True)
async def test_containerds_store_and_compressed_layers_give_the_same(
    engine: Engine, image: str, real_engines: RealEngines, tmp_path: Path
) -> None:
    """containerd keeps and saves layers as they came: plain, by gzip, by zstd."""
    inside = seen_inside(real_engines, "docker", image)
    ours = await read_image(engine, image, LayerCache(tmp_path / "classic"), lambda _: None)
    check(ours, inside)
    features = {"features": {"containerd-snapshotter": True}}
    with PrivateEngine("docker", real_engines, config=features) as private:
        other = DockerEngine(EngineId(EngineKind.DOCKER, "other"), Endpoint.parse(private.url))
        assert (await other.connect()).image_store == "containerd"
        for kind, begin in (("gzip", GZIP), ("zstd", ZSTD)) if ON else (("zstd", ZSTD),):
            archive = compressed(real_engines, image, private.folder, kind).read_bytes()
            assert any(first.startswith(begin) for first in first_bytes(archive))
            assert walked(archive, ours.facts).tables == ours.tables
            name = image.replace("/layers-", f"/{kind}-")
            private.cli("load", stdin=archive)
            private.cli("tag", image, name)
            async with other.export_image(name) as chunks:
                saved = b"".join([chunk async for chunk in chunks])
            assert any(first.startswith(begin) for first in first_bytes(saved)), "containerd saves what it was given"
            theirs = await read_image(other, name, LayerCache(tmp_path / kind), lambda _: None)
            assert theirs.tables == ours.tables
            private.cli("rmi", "-f", image, name)
        private.take_image(image.removeprefix("docker.io/"))
        plain = await read_image(other, image, LayerCache(tmp_path / "plain"), lambda _: None)
        assert plain.tables == ours.tables
        await other.close()
