"""Where an image lies in the folders of its engine, and when that is not believed."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from backends.model.ids import EngineKind
from backends.stores import StoreError, find_image, open_image, rebuild, tar_bytes
from backends.stores.docker_folders import docker_image
from backends.stores.podman_folders import podman_image
from tests.unit.stores.folders import docker_store, facts_of, file, info_of, layer_of, podman_store

BASE = layer_of(file("bin/sh", b"#!"))
LAYERS = [BASE, layer_of(file("top", b"1" * 5000)), BASE]
"""One layer may be in an image twice."""

Make = Callable[[Path, Sequence[bytes]], None]
ENGINES = [(EngineKind.DOCKER, "overlay2", docker_store), (EngineKind.PODMAN, "overlay", podman_store)]


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """A socket at which this process listens."""
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        yield f"unix://{path}"


@pytest.mark.parametrize(("kind", "driver", "make"), ENGINES)
def test_an_image_is_found_as_its_engine_sees_it(
    tmp_path: Path, endpoint: str, kind: EngineKind, driver: str, make: Make
) -> None:
    root = tmp_path / "store"
    make(root, LAYERS)
    image = find_image(kind, info_of(root, driver), endpoint, facts_of(kind, LAYERS))
    assert image.root == Path(f"/proc/{os.getpid()}/root{root}")
    assert [b"".join(rebuild(layer)) for layer in image.layers] == LAYERS
    assert [tar_bytes(layer) for layer in image.layers] == [len(layer) for layer in LAYERS]
    assert json.loads(image.config)["rootfs"]["diff_ids"] == [layer.diff_id for layer in image.layers]
    assert image.oci == (kind is EngineKind.PODMAN)


def test_an_engine_whose_first_thread_sees_other_files_is_seen_by_its_others(
    tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Podman's after a copy into a container: its first thread stays in the container's mount namespace."""
    root = tmp_path / "store"
    podman_store(root, LAYERS)
    container = tmp_path / "container"
    podman_store(container / root.relative_to("/"), LAYERS[:1])
    pid, proc = os.getpid(), tmp_path / "proc"
    # The process, its first thread, one that entered the container as well, and two that did not, the older one last.
    for place, seen, namespace, started in (
        (f"{pid}", container, "mnt:[2]", 1),
        (f"{pid}/task/{pid}", container, "mnt:[2]", 1),
        (f"{pid}/task/{pid + 1}", container, "mnt:[2]", 2),
        (f"{pid}/task/{pid + 2}", Path("/"), "mnt:[1]", 9),
        (f"{pid}/task/{pid + 3}", Path("/"), "mnt:[1]", 3),
    ):
        (proc / place / "ns").mkdir(parents=True)
        (proc / place / "root").symlink_to(seen)
        (proc / place / "ns/mnt").symlink_to(namespace)
        (proc / place / "stat").write_bytes(b"%d (pod) \xffman) S %b%d 0" % (pid, b"0 " * 18, started))
    (proc / f"{pid}/task/{pid + 4}").mkdir()  # has just ended
    monkeypatch.setattr("backends.stores.find._PROC", proc)
    image = find_image(EngineKind.PODMAN, info_of(root, "overlay"), endpoint, facts_of(EngineKind.PODMAN, LAYERS))
    assert image.root == Path(f"{proc}/{pid}/task/{pid + 3}/root{root}")


def test_a_folder_that_may_not_be_entered_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As /var/lib/docker is to a user: whether something is in it cannot be seen either."""
    docker_store(tmp_path, LAYERS)

    def stat(path: Path, **_named: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(StoreError, match="may not be read by this user"):
        open_image(EngineKind.DOCKER, tmp_path, facts_of(EngineKind.DOCKER, LAYERS))


@pytest.mark.parametrize(("kind", "driver", "make"), ENGINES)
def test_where_nobody_listens_the_path_itself_is_tried(
    tmp_path: Path, kind: EngineKind, driver: str, make: Make
) -> None:
    make(tmp_path / "store", LAYERS)
    found = find_image(kind, info_of(tmp_path / "store", driver), "unix:///nowhere", facts_of(kind, LAYERS))
    assert found.root == tmp_path / "store"


def test_engines_and_stores_of_other_kinds_are_left(tmp_path: Path, endpoint: str) -> None:
    docker_store(tmp_path / "store", LAYERS)
    facts, info = facts_of(EngineKind.DOCKER, LAYERS), info_of(tmp_path / "store", "overlay2")

    def why(kind: EngineKind = EngineKind.DOCKER, place: str = endpoint, **changed: object) -> str:
        with pytest.raises(StoreError) as error:
            find_image(kind, replace(info, **changed), place, facts)  # type: ignore[arg-type]
        return error.value.title

    assert "not one of this machine" in why(EngineKind.DEMO)
    assert "not one of this machine" in why(local=False)
    assert "not one of this machine" in why(place="ssh://host/run/docker.sock")
    assert "of another kind (containerd)" in why(image_store="containerd")
    assert "of another kind (not told)" in why(image_store="")
    assert "does not tell where" in why(graph_root="")
    assert "not in its folders" in why(graph_root="/nowhere/at/all")


@pytest.mark.parametrize(("kind", "driver", "make"), ENGINES)
def test_folders_that_are_not_ours_to_read(
    tmp_path: Path, endpoint: str, kind: EngineKind, driver: str, make: Make
) -> None:
    root = tmp_path / "store"
    make(root, LAYERS)
    for folder in root.rglob("*"):
        if folder.name == "diff" and folder.is_dir():
            folder.chmod(0)
    user = os.geteuid()
    if user == 0:
        tmp_path.chmod(0o755)
        os.seteuid(65534)
    try:
        with pytest.raises(StoreError) as error:
            find_image(kind, info_of(root, driver), endpoint, facts_of(kind, LAYERS))
    finally:
        os.seteuid(user)
    assert error.value.title == "its folders may not be read by this user"


# -- folders that are not what they should be ------------------------------------------------------
Look = Callable[[Path, str, tuple[str, ...]], object]


def _first(root: Path, pattern: str) -> Path:
    return sorted(root.glob(pattern))[0]


def _listed(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    told = json.loads(path.read_text())
    for one in told:
        change(one)
    path.write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("make", "look", "spoil", "why"),
    [
        (docker_store, docker_image, lambda at: _first(at, "image/*/imagedb/content/*/*").write_text("{}"), "digest"),
        (docker_store, docker_image, lambda at: _first(at, "image/*/layerdb/*/*/diff").write_text("sha256:0"), "place"),
        (docker_store, docker_image, lambda at: _first(at, "image/*/layerdb/*/*/cache-id").write_text("../x"), "name"),
        (docker_store, docker_image, lambda at: _first(at, "image/*/layerdb/*/*/cache-id").unlink(), "not in its"),
        (podman_store, podman_image, lambda at: _first(at, "overlay-images/*/=*").write_text("{}"), "digest"),
        (podman_store, podman_image, lambda at: (at / "overlay-layers/layers.json").write_text("[]"), "list of"),
        (podman_store, podman_image, lambda at: (at / "overlay-layers/layers.json").write_text("{}"), "shape"),
        (podman_store, podman_image, lambda at: (at / "overlay-layers/layers.json").write_text("?"), "not JSON"),
        (podman_store, podman_image, lambda at: (at / "overlay-images/images.json").write_text("[]"), "list of"),
        (
            podman_store,
            podman_image,
            lambda at: _listed(at / "overlay-layers/layers.json", lambda one: one.update(parent="../../x")),
            "list of",
        ),
    ],
)
def test_a_store_that_is_not_the_engines_is_not_believed(
    tmp_path: Path, make: Make, look: Look, spoil: Callable[[Path], object], why: str
) -> None:
    kind = EngineKind.DOCKER if make is docker_store else EngineKind.PODMAN
    make(tmp_path / "store", LAYERS)
    facts = facts_of(kind, LAYERS)
    look(tmp_path / "store", facts.key.id, facts.diff_ids)
    spoil(tmp_path / "store")
    with pytest.raises(StoreError) as error:
        look(tmp_path / "store", facts.key.id, facts.diff_ids)
    assert why in error.value.title


@pytest.mark.parametrize(("kind", "driver", "make"), ENGINES)
def test_an_image_with_other_layers_is_another(tmp_path: Path, kind: EngineKind, driver: str, make: Make) -> None:
    make(tmp_path / "store", LAYERS)
    facts = replace(facts_of(kind, LAYERS), diff_ids=facts_of(kind, LAYERS[:1]).diff_ids)
    with pytest.raises(StoreError, match="other layers"):
        find_image(kind, info_of(tmp_path / "store", driver), "unix:///nowhere", facts)


@pytest.mark.parametrize("image_id", ["../../etc/passwd", "", "g" * 64])
def test_an_id_that_is_none_finds_nothing(tmp_path: Path, image_id: str) -> None:
    docker_store(tmp_path / "d", LAYERS)
    podman_store(tmp_path / "p", LAYERS)
    for look, root in ((docker_image, tmp_path / "d"), (podman_image, tmp_path / "p")):
        with pytest.raises(StoreError):
            look(root, image_id, ())
