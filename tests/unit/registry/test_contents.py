"""Depot, manifests and partial archives: what they make and what they refuse."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.registry.archive import Part, partial_archive
from backends.registry.depot import PIECE_BYTES, Damaged, Depot, digest_of
from backends.registry.manifests import OCI, SCHEMA2, plain_manifest, read_manifest, with_plain_layers


async def put(depot: Depot, data: bytes) -> str:
    name = depot.begin()
    await depot.uploads[name].write(data)
    await depot.commit(name, digest_of(data))
    return digest_of(data)


async def test_a_depot_gives_back_what_it_took(tmp_path: Path) -> None:
    depot = Depot(tmp_path)
    data = bytes(range(256)) * 8192 + b"end"
    digest = await put(depot, data)
    pieces = [piece async for piece in depot.pieces(digest)]
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) == PIECE_BYTES
    assert [blob.path.stat().st_size for blob in depot.blobs.values()] == [len(data)]
    depot.close()
    depot.close()
    assert os.listdir(tmp_path) == []


async def test_a_damaged_blob_is_not_kept(tmp_path: Path) -> None:
    depot = Depot(tmp_path)
    name = depot.begin()
    await depot.uploads[name].write(b"one")
    with pytest.raises(Damaged, match=hashlib.sha256(b"one").hexdigest()):
        await depot.commit(name, digest_of(b"two"))
    assert (depot.blobs, depot.uploads, os.listdir(depot.folder)) == ({}, {}, [])


async def test_an_archive_has_files_only_for_the_layers_that_are_missing(tmp_path: Path) -> None:
    depot = Depot(tmp_path)
    config = await put(depot, b'{"rootfs":{}}')
    layer = await put(depot, b"x" * 5000)
    part = Part(depot.blobs[layer].size, lambda: depot.pieces(layer))
    archive = b"".join([piece async for piece in partial_archive(await depot.read(config), [None, part, None])])
    assert len(archive) % tarfile.BLOCKSIZE == 0
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    (index,) = json.loads(files.pop("manifest.json"))
    assert index["RepoTags"] is None
    assert len(index["Layers"]) == 3
    assert files == {index["Config"]: b'{"rootfs":{}}', index["Layers"][1]: b"x" * 5000}


def _manifest(media_type: str, layers: list[str]) -> bytes:
    entries = [{"mediaType": "gz", "size": 0, "digest": layer} for layer in layers]
    config = {"mediaType": "c", "size": 0, "digest": "sha256:config"}
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": entries}).encode()


@pytest.mark.parametrize("media_type", [SCHEMA2, OCI])
def test_layers_that_are_not_held_are_named_by_their_content(media_type: str) -> None:
    manifest = read_manifest(_manifest(media_type, ["sha256:a", "sha256:b"]), "")
    assert manifest is not None
    made = json.loads(with_plain_layers(manifest, ("sha256:A", "sha256:B"), {"sha256:b": 7}, 9))
    assert [layer["digest"] for layer in made["layers"]] == ["sha256:A", "sha256:b"]
    assert "gz" not in made["layers"][0]["mediaType"]
    assert made["layers"][0]["mediaType"].endswith("tar")
    assert made["layers"][1] == {"mediaType": "gz", "size": 7, "digest": "sha256:b"}
    assert made["config"] == {"mediaType": "c", "size": 9, "digest": "sha256:config"}
    assert made["mediaType"] == media_type


def test_a_manifest_of_plain_layers_is_one_that_is_read_back_and_gets_its_sizes() -> None:
    made = plain_manifest("sha256:config", ("sha256:A", "sha256:B"))
    assert read_manifest(made.data, "") == made
    told = json.loads(with_plain_layers(made, made.layers, {"sha256:B": 7}, 9))
    assert [(layer["digest"], layer["size"]) for layer in told["layers"]] == [("sha256:A", 0), ("sha256:B", 7)]
    assert {layer["mediaType"] for layer in told["layers"]} == {"application/vnd.docker.image.rootfs.diff.tar"}
    assert told["config"]["size"] == 9


async def test_what_is_said_to_be_a_blob_is_kept_as_that_and_what_nobody_wants_is_forgotten(tmp_path: Path) -> None:
    depot = Depot(tmp_path)
    said, other = digest_of(b"layer"), depot.begin()
    name = depot.begin(said)
    depot.uploads[name].put(b"layer")
    depot.uploads[other].put(b"else")
    assert depot.keep(name, {said}) == said
    assert depot.keep(other, {said}) == digest_of(b"else")
    assert os.listdir(depot.folder) == [said.removeprefix("sha256:")]


def test_another_number_of_layers_is_refused() -> None:
    manifest = read_manifest(_manifest(OCI, ["sha256:a"]), "")
    assert manifest is not None
    with pytest.raises(ValueError, match="argument"):
        with_plain_layers(manifest, (), {}, 1)


def test_an_index_is_no_image() -> None:
    assert read_manifest(b'{"manifests":[]}', "application/vnd.oci.image.index.v1+json") is None


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), lambda s: st.lists(s)).map(lambda v: json.dumps(v).encode())
)
def test_whatever_comes_is_a_manifest_or_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of whatever kind: bad UTF-8, bad JSON, no manifest
        read_manifest(data, SCHEMA2)
