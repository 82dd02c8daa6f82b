"""Images and volumes: facts, names, and their way out and in."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import UTC, datetime

import pytest

from backends.engines.demo_images import BuildStep, build, write_archive
from backends.model.errors import BackendError, NotFound
from backends.model.workload import VolumeSpec
from tests.contract.lab import BUSYBOX, Lab, collect, one_chunk


async def test_facts_and_layers_agree(lab: Lab) -> None:
    facts = await lab.engine.image_facts(BUSYBOX)
    report = await lab.engine.image_layers(BUSYBOX)
    assert facts.architecture == "amd64"
    assert facts.size_bytes > 0
    assert BUSYBOX in facts.tags
    assert facts.diff_ids
    assert tuple(layer.diff_id for layer in report.layers if not layer.empty) == facts.diff_ids
    assert report.key == facts.key
    by_id = await lab.engine.image_facts(facts.key.id)
    assert by_id.key == facts.key
    assert facts.key in {image.key for image in await lab.engine.list_images()}


async def test_a_tag_is_one_more_name(lab: Lab) -> None:
    tag = lab.owns_image(f"docker.io/tranship-test/{lab.name()}:2")
    await lab.engine.tag_image(BUSYBOX, tag)
    facts = await lab.engine.image_facts(tag)
    assert facts.key == (await lab.engine.image_facts(BUSYBOX)).key
    assert {tag, BUSYBOX} <= set(facts.tags)
    await lab.engine.remove_image(tag)
    with pytest.raises(NotFound):
        await lab.engine.image_facts(tag)
    assert (await lab.engine.image_facts(BUSYBOX)).key == facts.key


async def test_an_image_goes_out_and_comes_in_the_same(lab: Lab) -> None:
    before = await lab.engine.image_facts(BUSYBOX)
    async with lab.engine.export_image(BUSYBOX) as chunks:
        archive = await collect(chunks)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        (entry,) = json.load(manifest)
    assert len(entry["Layers"]) == len(before.diff_ids)
    (loaded,) = await lab.engine.import_image(one_chunk(archive))
    after = await lab.engine.image_facts(loaded)
    assert (after.config_digest, after.diff_ids) == (before.config_digest, before.diff_ids)


async def test_an_archive_of_the_demo_loads_on_every_engine(lab: Lab) -> None:
    reference = lab.owns_image(f"docker.io/tranship-test/{lab.name()}:1")
    steps = [BuildStep(f"ADD {reference}", 5000), BuildStep("ENV A=b"), BuildStep("RUN true", 700)]
    image = build([reference], steps, {"Cmd": ["true"], "Env": ["A=b"]}, datetime(2026, 1, 1, tzinfo=UTC))
    await lab.engine.import_image(one_chunk(write_archive(image, [reference])))
    facts = await lab.engine.image_facts(reference)
    assert facts.config_digest == f"sha256:{image.id}"
    layers = (await lab.engine.image_layers(reference)).layers
    assert [layer.empty for layer in layers] == [False, True, False]
    assert "ENV A=b" in layers[1].command


async def test_what_is_no_archive_is_refused(lab: Lab) -> None:
    with pytest.raises(BackendError) as caught:
        await lab.engine.import_image(one_chunk(b"this is no archive" * 100))
    assert caught.value.engine == lab.engine.id


async def test_a_volume_has_its_labels_and_is_gone_after(lab: Lab) -> None:
    name = lab.owns_volume(lab.name())
    await lab.engine.create_volume(VolumeSpec(name, labels={**lab.label, "team": "ml"}))
    seen = await lab.engine.inspect_volume(name)
    assert (seen.name, seen.driver, seen.labels["team"], seen.anonymous) == (name, "local", "ml", False)
    assert name in {volume.name for volume in await lab.engine.list_volumes()}
    await lab.engine.remove_volume(name)
    with pytest.raises(NotFound):
        await lab.engine.inspect_volume(name)


def _entry(
    name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, owner: tuple[int, int] = (0, 0)
) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, 1_700_000_000
    entry.uid, entry.gid = owner
    return entry


def _volume_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_entry("./", tarfile.DIRTYPE, 0o750, (1000, 1001)))
        tar.addfile(_entry("./empty", tarfile.DIRTYPE, 0o1777))
        tar.addfile(_entry("./deep", tarfile.DIRTYPE, 0o700, (33, 33)))
        content = b"\x00\xffmodel weights" * 9000
        for name, mode, owner in (
            ("./deep/weights.bin", 0o600, (33, 34)),
            ("./tool", 0o4755, (0, 0)),
            ("./" + "long-name-" * 20, 0o640, (1000, 1000)),
            ("./grüße und ü", 0o644, (65534, 65534)),
        ):
            entry = _entry(name, mode=mode, owner=owner)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        link = _entry("./latest", tarfile.SYMTYPE, 0o777, (1000, 1000))
        link.linkname = "deep/weights.bin"
        tar.addfile(link)
    return out.getvalue()


def _manifest(archive: bytes) -> dict[str, tuple[object, ...]]:
    """What a tar holds, by path: all that must survive."""
    found: dict[str, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            content = tar.extractfile(entry) if entry.isreg() else None
            mode = 0 if entry.issym() else entry.mode & 0o7777
            path = entry.name.rstrip("/") or "."
            found[path] = (
                entry.type,
                mode,
                entry.uid,
                entry.gid,
                int(entry.mtime),
                entry.linkname,
                content and content.read(),
            )
    return found


async def test_a_volume_goes_in_and_comes_out_with_owners_modes_and_links(lab: Lab) -> None:
    volume, archive = await lab.volume(), _volume_tar()
    await lab.engine.import_volume(volume, one_chunk(archive), via_image=BUSYBOX)
    async with lab.engine.export_volume(volume, via_image=BUSYBOX) as chunks:
        out = await collect(chunks)
    with tarfile.open(fileobj=io.BytesIO(out)) as tar:
        first = tar.next()
    assert first is not None
    assert first.name.rstrip("/") in {".", ""}
    assert _manifest(out) == _manifest(archive)
    assert await lab.helpers() == set(), "a helper container was left behind"
