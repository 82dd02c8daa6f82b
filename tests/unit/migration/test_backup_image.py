"""Docker-archives of every shape that engines write become an OCI layout, and archives again, in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.migration.backup_file import BackupWriter, read_members
from backends.migration.oci import ImageIntake, content_of, docker_archive, stored_image
from backends.migration.tarsplit import End, Head, TarSplitter
from backends.model.errors import Protocol
from backends.model.ids import EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts

LAYERS = (b"small layer" * 10, os.urandom(200_000), b"middle" * 20_000)
PLAIN = "application/vnd.oci.image.layer.v1.tar"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def config_of(layers: tuple[bytes, ...], padding: int = 0) -> bytes:
    """An image's configuration; padding: bytes that make it long."""
    diff_ids = [f"sha256:{digest(layer)}" for layer in layers]
    said = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    return json.dumps(said | {"x": "y" * padding}).encode()


def facts_of(layers: tuple[bytes, ...], config: bytes) -> ImageFacts:
    key = ImageKey(EngineId(EngineKind.DOCKER, "docker"), digest(config))
    diff_ids = tuple(f"sha256:{digest(layer)}" for layer in layers)
    return ImageFacts(key, (), f"sha256:{digest(config)}", diff_ids, "amd64", "linux", 0)


Entry = tuple[str, bytes | str, bytes]
"""Name, content (or target of a link), type flag."""


def packed(entries: list[Entry], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, content, kind in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            if isinstance(content, str):
                entry.linkname = content
                tar.addfile(entry)
            else:
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def listed(config: str, names: list[str]) -> Entry:
    return "manifest.json", json.dumps([{"Config": config, "RepoTags": ["a:1"], "Layers": names}]).encode(), b"0"


def intake(folder: Path, archive: bytes, facts: ImageFacts, chunk: int = 70_001) -> dict[str, bytes]:
    """The members of a backup into which the archive went; and back again, which engines must be able to load."""
    path = folder / "image"
    path.unlink(missing_ok=True)
    writer = BackupWriter(path)
    try:
        taking = ImageIntake(writer)
        for at in range(0, len(archive), chunk):
            taking.feed(archive[at : at + chunk])
        taking.finish(facts, "docker.io/library/a:1")
        writer.finish(b"{}", lambda: False)
    finally:
        writer.close()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        members = read_members(descriptor, lambda: False)
        image = stored_image(descriptor, members.found, facts)
        again = b"".join(docker_archive(image, lambda found: content_of(descriptor, found)))
        found = {name: b"".join(content_of(descriptor, entry)) for name, entry in members.found.items()}
    finally:
        os.close(descriptor)
    _is_the_image(again, facts)
    return found


def _is_the_image(archive: bytes, facts: ImageFacts) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    (entry,) = json.loads(files["manifest.json"])
    assert entry["RepoTags"] is None
    assert digest(files[entry["Config"]]) == facts.config_digest.removeprefix("sha256:")
    contents = [files[name] for name in entry["Layers"]]
    plain = [gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else layer for layer in contents]
    assert tuple(f"sha256:{digest(layer)}" for layer in plain) == facts.diff_ids


def media_types(found: dict[str, bytes]) -> list[str]:
    (entry,) = json.loads(found["index.json"])["manifests"]
    manifest = json.loads(found[f"blobs/sha256/{entry['digest'].removeprefix('sha256:')}"])
    return [layer["mediaType"] for layer in manifest["layers"]]


CONFIG = config_of(LAYERS)


def podman_style() -> list[Entry]:
    names = [f"{digest(layer)}.tar" for layer in LAYERS]
    files: list[Entry] = [(name, layer, b"0") for name, layer in zip(names, LAYERS, strict=True)]
    old: list[Entry] = [("1234/layer.tar", f"../{names[0]}", b"2"), ("1234/VERSION", b"1.0", b"0")]
    return [*files, (f"{digest(CONFIG)}.json", CONFIG, b"0"), *old, listed(f"{digest(CONFIG)}.json", names)]


def docker_style() -> list[Entry]:
    names = [f"blobs/sha256/{digest(layer)}" for layer in LAYERS]
    files: list[Entry] = [(name, layer, b"0") for name, layer in zip(names, LAYERS, strict=True)]
    config: Entry = (f"blobs/sha256/{digest(CONFIG)}", CONFIG, b"0")
    junk: list[Entry] = [("index.json", b"{}", b"0"), ("blobs", b"", b"5"), ("oci-layout", b"{}", b"0")]
    return [junk[1], config, *files, junk[0], listed(config[0], names), junk[2]]


@pytest.mark.parametrize("entries", [podman_style(), docker_style()], ids=["podman", "docker"])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("chunk", [700, 70_001, 1 << 20])
def test_archives_as_the_engines_write_them(entries: list[Entry], form: int, chunk: int, tmp_path: Path) -> None:
    facts = facts_of(LAYERS, CONFIG)
    found = intake(tmp_path, packed(entries, form), facts, chunk)
    assert media_types(found) == [PLAIN] * 3
    assert found[f"blobs/sha256/{digest(CONFIG)}"] == CONFIG
    blobs = [name for name in found if name.startswith("blobs/")]
    assert len(blobs) == 5, "three layers, the configuration, the manifest; nothing of what is only of that format"


def test_layers_that_come_compressed_stay_so(tmp_path: Path) -> None:
    packs = [gzip.compress(layer, mtime=0) for layer in LAYERS]
    names = [f"blobs/sha256/{digest(pack)}" for pack in packs]
    files: list[Entry] = [(name, pack, b"0") for name, pack in zip(names, packs, strict=True)]
    found = intake(tmp_path, packed([*files, ("c", CONFIG, b"0"), listed("c", names)]), facts_of(LAYERS, CONFIG))
    assert media_types(found) == [f"{PLAIN}+gzip"] * 3
    assert found[f"blobs/sha256/{digest(packs[1])}"] == packs[1]


def test_a_layer_that_is_there_twice_is_stored_once(tmp_path: Path) -> None:
    big = LAYERS[1]
    layers = (big, LAYERS[0], big)
    config = config_of(layers)
    entries: list[Entry] = [("1/layer.tar", big, b"0"), ("2/layer.tar", LAYERS[0], b"0"), ("3/layer.tar", big, b"0")]
    names = [entry[0] for entry in entries]
    found = intake(tmp_path, packed([*entries, ("c", config, b"0"), listed("c", names)]), facts_of(layers, config))
    assert sum(content == big for content in found.values()) == 1
    linked: list[Entry] = [*entries[:2], ("3/layer.tar", "1/layer.tar", b"1")]
    again = intake(tmp_path, packed([*linked, ("c", config, b"0"), listed("c", names)]), facts_of(layers, config))
    assert {n: c for n, c in again.items() if "/" in n} == {n: c for n, c in found.items() if "/" in n}


def test_a_long_configuration(tmp_path: Path) -> None:
    config = config_of(LAYERS, padding=300_000)
    names = [f"{number}.tar" for number in range(3)]
    files: list[Entry] = [(name, layer, b"0") for name, layer in zip(names, LAYERS, strict=True)]
    found = intake(tmp_path, packed([listed("c", names), ("c", config, b"0"), *files]), facts_of(LAYERS, config))
    assert found[f"blobs/sha256/{digest(config)}"] == config


def _named(entries: list[Entry], name: str, content: bytes) -> list[Entry]:
    return [(name, content, b"0") if entry[0] == name else entry for entry in entries]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry for entry in docker_style() if entry[0] != "manifest.json"], "manifest.json"),
        (docker_style()[2:], "is missing"),
        (_named(docker_style(), "manifest.json", b"[]"), "exactly one image"),
        (_named(docker_style(), "manifest.json", b"{"), "manifest.json"),
        (_named(docker_style(), f"blobs/sha256/{digest(LAYERS[1])}", b"other" * 40_000), "another content"),
        (_named(docker_style(), f"blobs/sha256/{digest(LAYERS[0])}", b"other"), "another content"),
        (_named(docker_style(), f"blobs/sha256/{digest(CONFIG)}", config_of(LAYERS, 1)), "its configuration is"),
        ([("a", "b", b"2"), ("b", "a", b"2"), listed("a", [])], "is missing"),
    ],
)
def test_archives_that_are_not_what_was_asked_for(entries: list[Entry], words: str, tmp_path: Path) -> None:
    with pytest.raises(Protocol) as caught:
        intake(tmp_path, packed(entries), facts_of(LAYERS, CONFIG))
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_layers_in_another_order(tmp_path: Path) -> None:
    facts = facts_of(LAYERS, CONFIG)
    with pytest.raises(Protocol, match="image archive"):
        intake(tmp_path, packed(docker_style()), replace(facts, diff_ids=facts.diff_ids[::-1]))


@pytest.mark.parametrize("share", [0, 1, 30, 60, 95, 99])
def test_an_archive_that_is_cut(share: int, tmp_path: Path) -> None:
    whole = packed(docker_style()).rstrip(b"\0")
    with pytest.raises(Protocol):
        intake(tmp_path, whole[: len(whole) * share // 100], facts_of(LAYERS, CONFIG))


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """A layer of 96 MiB passes in chunks; what is held stays under 8 MiB."""
    chunk = os.urandom(1 << 20)
    writer = BackupWriter(tmp_path / "image")

    def stream() -> Iterator[bytes]:
        entry = tarfile.TarInfo("layer.tar")
        entry.size = 96 << 20
        yield entry.tobuf()
        for _ in range(96):
            yield chunk

    try:
        taking = ImageIntake(writer)
        tracemalloc.start()
        for piece in stream():
            taking.feed(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        writer.close()
    assert peak < 8 << 20


NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=150).filter(
    lambda name: name.strip("/") == name and not name.startswith(".")
)


@given(
    entries=st.lists(st.tuples(NAMES, st.binary(max_size=1500)), max_size=6),
    form=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=5),
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_tar_is_split_as_it_was_packed(entries: list[tuple[str, bytes]], form: int, sizes: list[int]) -> None:
    archive = packed([(name, content, b"0") for name, content in entries], form)
    splitter, at, turn = TarSplitter(), 0, 0
    seen: list[tuple[str, bytes]] = []
    content = b""
    while at < len(archive):
        size = sizes[turn % len(sizes)]
        for part in splitter.split(archive[at : at + size]):
            if isinstance(part, Head):
                seen.append((part.name, b""))
                content = b""
            elif isinstance(part, End):
                seen[-1] = (seen[-1][0], content)
            else:
                content += part
        at, turn = at + size, turn + 1
    splitter.close()
    assert seen == entries
