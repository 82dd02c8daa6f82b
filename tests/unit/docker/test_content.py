"""The config digest of containerd's store: told where every file proves it, else not at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from backends.engines.docker_content import config_digest

LAYERS = ["sha256:" + "1" * 64, "sha256:" + "2" * 64]


class Store:
    """A containerd content store in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.blobs = root / "containerd/daemon/io.containerd.content.v1.content/blobs/sha256"
        self.blobs.mkdir(parents=True)

    def put(self, value: object) -> str:
        data = json.dumps(value).encode()
        name = hashlib.sha256(data).hexdigest()
        (self.blobs / name).write_bytes(data)
        return f"sha256:{name}"

    def manifest(self, layers: list[str], **more: Any) -> tuple[str, str]:
        """Digests of a manifest and of its config."""
        config = self.put({"rootfs": {"type": "layers", "diff_ids": layers}, **more})
        return self.put({"config": {"digest": config}, "layers": []}), config


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def _image(digest: str) -> dict[str, Any]:
    return {"Id": digest, "RootFS": {"Layers": LAYERS}}


def test_of_a_manifest(store: Store) -> None:
    manifest, config = store.manifest(LAYERS)
    assert config_digest(_image(manifest), store.root) == config


def test_of_an_index_the_one_with_the_images_layers(store: Store) -> None:
    attestation, _ = store.manifest([])
    other, _ = store.manifest(LAYERS[:1], architecture="arm64")
    mine, config = store.manifest(LAYERS, architecture="amd64")
    absent = "sha256:" + "f" * 64
    index = store.put({"manifests": [{"digest": one} for one in (attestation, absent, other, mine)]})
    assert config_digest(_image(index), store.root) == config


def test_what_does_not_prove_itself_is_not_told(store: Store) -> None:
    manifest, config = store.manifest(LAYERS)
    (store.blobs / config.removeprefix("sha256:")).write_text(json.dumps({"rootfs": {"diff_ids": LAYERS}}) + " ")
    assert config_digest(_image(manifest), store.root) == ""


@pytest.mark.parametrize(
    "value", [[], {}, {"config": {}}, {"manifests": [{}]}, {"config": {"digest": "../../../../etc/passwd"}}]
)
def test_foreign_blobs(store: Store, value: object) -> None:
    assert config_digest(_image(store.put(value)), store.root) == ""


def test_where_there_is_no_store(tmp_path: Path) -> None:
    for digest in ("", "sha256:" + "a" * 64, "sha256:../x", "sha512:" + "a" * 128):
        assert config_digest(_image(digest), str(tmp_path)) == ""
