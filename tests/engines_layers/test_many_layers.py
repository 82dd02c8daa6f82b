"""As many layers as an engine takes, of all that a layer may do, against dicts and a container; and squashed."""

from __future__ import annotations

import io
import json
import random
import subprocess
import tarfile
import uuid
from pathlib import Path

import pytest

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.layers import reading
from backends.layers.cache import LayerCache
from backends.layers.contents import ImageContents
from backends.layers.reading import read_image
from backends.model.ids import EngineId, EngineKind
from backends.model.image_files import FileKind, Mark
from backends.wire.endpoint import Endpoint
from benchmarks.layered import LayeredImage, LayerFile
from tests.engines_layers.test_layers_on_engines import BUSYBOX, refuse
from tests.real import RealEngines
from tests.thorough import thorough
from tests.unit.layers.images import diff_id
from tests.unit.layers.test_overlay import Made, Naive, possible, tar_of
from tui.cli.layers_table import paths

pytestmark = pytest.mark.engines

TOP = "made"
LAYERS = {"docker": 125, "podman": 127}
"""Docker takes no more: moby, layer/layer.go, maxLayerDepth."""


def made_layer(dice: random.Random) -> dict[str, Made]:
    """Files, hard links, folders, removals and opaque folders, at random; now and then nothing at all."""
    kinds = ("file", "file", "file", "folder", "link", "gone", "opaque")
    made: dict[str, Made] = {f"{TOP}/kept": ("folder", 0)}
    for _ in range(dice.randrange(8)):
        path = "/".join([TOP, *dice.choices("abc", k=dice.randint(1, 3))])
        made[path] = (dice.choice(kinds), dice.randrange(5000))
    sizes = {path: (kind, size if kind == "file" else 0) for path, (kind, size) in possible(made).items()}
    # What a layer removes it does not bring: there the engines differ.
    gone = {path for path, (kind, _) in sizes.items() if kind == "gone"}
    return {p: what for p, what in sizes.items() if p not in gone or not any(q.startswith(f"{p}/") for q in sizes)}


def image_of(layers: list[bytes], folder: Path) -> LayeredImage:
    files = []
    for number, tar in enumerate(layers):
        path = folder / f"{number}.tar"
        path.write_bytes(tar)
        files.append(LayerFile(path, diff_id(tar)))
    return LayeredImage(f"many-{uuid.uuid4().hex[:10]}", files)


def base_layers(cli: RealEngines) -> list[bytes]:
    """Busybox's."""
    argv = [str(cli.bin / "docker"), "-H", cli.docker, "save", BUSYBOX.removeprefix("docker.io/")]
    archive = subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:

        def read(name: str) -> bytes:
            file = tar.extractfile(name)
            assert file is not None
            return file.read()

        return [read(name) for name in json.loads(read("manifest.json"))[0]["Layers"]]


def visible(contents: ImageContents) -> dict[str, int | None]:
    """Paths below TOP with the bytes of files (of a hard link those of what it is), None for a folder."""
    sizes: dict[str, int | None] = {}
    links = {}
    for path, node in paths(contents.tree()):
        if node.mark is Mark.REMOVED or not path.startswith(f"/{TOP}"):
            continue
        sizes[path] = None if node.kind is FileKind.FOLDER else node.size_bytes
        if node.kind is FileKind.HARD_LINK:
            links[path] = node
    assert all(node.size_bytes == 0 for node in links.values())
    return {path: size for path, size in sizes.items() if path not in links}


def inside(cli: RealEngines, engine: str, image: str) -> dict[str, int | None]:
    script = rf"PATH=/bin:/usr/bin; find /{TOP} -exec stat -c '%F:%s %n' {{}} +"
    lines = [
        line.split(" /", 1) for line in cli.cli(engine, "run", "--rm", image, "/bin/sh", "-c", script).splitlines()
    ]
    return {
        f"/{path}": None if facts.startswith("directory") else int(facts.rpartition(":")[2]) for facts, path in lines
    }


@pytest.mark.parametrize("name", thorough("docker", "podman"))
async def test_all_agree(name: str, real_engines: RealEngines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(5)
    base = base_layers(real_engines)
    layers = [made_layer(dice) for _ in range(LAYERS[name] - len(base) - 1)]
    layers.insert(60, {})
    naive = Naive()
    for number, made in enumerate(layers):
        naive.add(number, made)
    image = image_of([*base, *map(tar_of, layers)], tmp_path)
    archive = io.BytesIO()
    image.write(archive)
    real_engines.cli(name, "load", stdin=archive.getvalue())
    docker = name == "docker"
    endpoint = Endpoint.parse(real_engines.docker if docker else real_engines.podman)
    engine: Engine = (DockerEngine if docker else PodmanEngine)(
        EngineId(EngineKind.DOCKER if docker else EngineKind.PODMAN, name), endpoint
    )
    squashed = f"docker.io/tranship-test/squashed-{uuid.uuid4().hex[:10]}:1"
    try:
        contents = await read_image(engine, image.name, LayerCache(tmp_path / "store"), lambda _: None)
        with monkeypatch.context() as patch:
            patch.setattr(reading, "find_image", refuse)
            archived = await read_image(engine, image.name, LayerCache(tmp_path / "saved"), lambda _: None)
        assert contents.tables == archived.tables
        assert len(contents.tables) == LAYERS[name]

        seen = visible(contents)
        links = {f"/{path}" for path, what in naive.seen.items() if what is not None and what[1] != path}
        assert seen == {
            f"/{path}": None if what is None else naive.sizes.get(what, 0)
            for path, what in naive.seen.items()
            if f"/{path}" not in links
        } | {f"/{TOP}": None}
        told = inside(real_engines, name, image.name)
        assert {path: size for path, size in told.items() if path not in links} == seen
        assert told.keys() - seen.keys() == links
        waste = contents.waste()
        assert waste.wasted_bytes == naive.wasted
        assert sum(one.wasted_bytes for one in waste.offenders) == naive.wasted

        container = f"many-{uuid.uuid4().hex[:10]}"
        real_engines.cli(name, "create", "--name", container, image.name, "sh")
        try:
            flat = tmp_path / "flat.tar"
            real_engines.cli(name, "export", "-o", str(flat), container)
            real_engines.cli(name, "import", str(flat), squashed)
        finally:
            real_engines.cli(name, "rm", container)
        alone = await read_image(engine, squashed, LayerCache(tmp_path / "flat"), lambda _: None)
        assert (len(alone.tables), alone.waste().wasted_bytes) == (1, 0)
        held = [path for path, _ in paths(alone.tree()) if path.startswith(f"/{TOP}")]
        assert sorted(held) == sorted(told)
        contents_seen = {what for what in naive.seen.values() if what is not None}
        held_bytes = sum(size for size in visible(alone).values() if size is not None)
        assert held_bytes == sum(naive.sizes.get(what, 0) for what in contents_seen)
    finally:
        await engine.close()
        real_engines.cli(name, "rmi", "-f", image.name)
        real_engines.cli(name, "rmi", "-f", squashed)
