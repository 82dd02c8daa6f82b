"""Backups on real engines: from one into a file, from the file to the other, and what a damaged file does not do."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from backends.migration.backup import BackupReport, back_up
from backends.migration.restore import opened, plan_restore, run_restore
from backends.model.errors import Protocol
from backends.model.plan import Choices, LayerChoice, MigrationReport
from tests.engines_migration.yard import LOOK, Yard
from tests.thorough import thorough

pytestmark = pytest.mark.engines

FILL = r"""
set -e; cd /data
i=0; while [ $i -lt 170 ]; do mkdir -p d$((i % 5)); echo "content $i" > "d$((i % 5))/f$i"; i=$((i+1)); done
i=0; while [ $i -lt 10 ]; do chown $((1000 + i)):$((50 + i)) d0/f$((i * 5))
chmod 0$((4 + i % 4))$i$((i % 5)) d0/f$((i * 5)) || true; i=$((i+1)); done
chmod 4755 d1/f1; chmod 2750 d2; chmod 0 d1/f6; mkdir -p empty "with space" sticky
chmod 1777 sticky; chown 12:34 sticky
echo x > "with space/a
newline"; echo y > "ünïcödé-名"; echo z > ./-dash; echo q > 'quo"te'; : > nothing
ln d1/f11 "with space/hard"; ln d1/f11 ahard; ln -s d1/f11 soft; ln -s /nowhere/at/all dangling; ln -s . loop
n=$(printf 'long%.0s' $(seq 1 50)); mkdir -p "$n/$n"; echo long > "$n/$n/$n"
dd if=/dev/urandom of=random bs=1024 count=3000 2>/dev/null
mkfifo pipe; touch -d "2001-02-03 04:05:06" d1/f16 d3; chown 7:8 .; chmod 750 .
"""
"""About 200 files with everything that an archive may get wrong."""

LOOK_HERE = LOOK.replace("[ f7 -ef ahard ]", "[ d1/f11 -ef ahard ]").replace("[ f7 -ef", "[ d1/f11 -ef")

THERE, BACK = ("docker", "podman"), ("podman", "docker")
PAIRS = [THERE, BACK]


def furnish(yard: Yard, engine: str) -> str:
    """A container with a filled volume, an odd environment and a limit, on an image that only this engine has."""
    yard.build(engine)
    volume = f"{yard.run}-data"
    yard.cli(engine, "volume", "create", *yard.marks, volume)
    options = ["--name", yard.run, "-e", "COLOR=blue", "-e", "API_TOKEN=hunter2 with space", "-e", "EMPTY="]
    options += ["-v", f"{volume}:/data", "-m", "64m", "--label", "team=vision"]
    yard.cli(engine, "run", "-d", *options, *yard.marks, yard.image, "sleep", "infinity")
    yard.cli(engine, "exec", yard.run, "sh", "-c", FILL)
    return yard.run


async def write(yard: Yard, engine: str, path: Path, layer: LayerChoice = LayerChoice.DISCARD) -> BackupReport:
    """A backup of this test's container."""
    return await back_up(yard.engine(engine), yard.run, path, version="test", state_dir=yard.state_dir, layer=layer)


async def read(yard: Yard, engine: str, path: Path, name: str | None = None) -> MigrationReport:
    """That backup on an engine."""
    target = yard.engine(engine)
    async with opened(path) as backup:
        plan = await plan_restore(backup, target, choices=Choices(name=name))
        assert not plan.blocked, [finding.title for finding in plan.findings]
        return await run_restore(plan, backup, target, on_update=lambda _: None, state_dir=yard.state_dir)


@pytest.mark.parametrize(("source", "target"), [THERE, *thorough(BACK)])
async def test_there_by_a_file(yard: Yard, source: str, target: str) -> None:
    name = furnish(yard, source)
    looked = yard.cli(source, "exec", name, "sh", "-c", LOOK_HERE)
    assert "one-file" in looked
    assert looked.count("|regular file|") + looked.count("|regular empty file|") > 175
    path = yard.state_dir / "web.backup"
    written = await write(yard, source, path)
    assert written.downtime_s is not None
    assert yard.ask(source, name, "{{.State.Running}}") == "true"
    assert yard.helpers(source) == ""

    report = await read(yard, target, path)
    assert report.equal, [check for check in report.checks if not check.equal]
    assert yard.cli(target, "exec", name, "sh", "-c", LOOK_HERE) == looked
    assert yard.env(target, name) == yard.env(source, name)
    assert yard.ask(target, name, "{{.HostConfig.Memory}}") == str(64 << 20)
    assert yard.ask(target, name, '{{index .Config.Labels "team"}}') == "vision"
    facts = [await yard.engine(engine).image_facts(yard.image) for engine in (source, target)]
    assert facts[0].diff_ids == facts[1].diff_ids
    assert facts[0].config_digest == facts[1].config_digest
    assert yard.helpers(target) == ""


@pytest.mark.parametrize("source", ["docker", "podman"])
async def test_the_image_in_the_file_is_what_its_digests_say(yard: Yard, source: str) -> None:
    furnish(yard, source)
    path = yard.state_dir / "web.backup"
    await write(yard, source, path)
    with tarfile.open(path) as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar if m.name.startswith(("blobs", "index"))}  # type: ignore[union-attr]
    blobs = {name.rpartition("/")[2]: content for name, content in files.items() if name.startswith("blobs")}
    assert all(hashlib.sha256(content).hexdigest() == name for name, content in blobs.items())
    (entry,) = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blobs[entry["digest"].removeprefix("sha256:")])
    parts = [manifest["config"], *manifest["layers"]]
    assert {part["digest"].removeprefix("sha256:") for part in parts} < set(blobs)
    assert len(blobs) == len(parts) + 1


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_a_damaged_file_creates_nothing(yard: Yard, source: str, target: str) -> None:
    name = furnish(yard, source)
    path = yard.state_dir / "web.backup"
    size = (await write(yard, source, path)).size_bytes
    with path.open("r+b") as file:
        file.seek(size // 2)
        byte = file.read(1)
        file.seek(size // 2)
        file.write(bytes([byte[0] ^ 0x10]))
    with pytest.raises(Protocol, match="damaged or cut short"):
        await read(yard, target, path)
    for kind, what in (("container", name), ("volume", f"{name}-data"), ("image", yard.image)):
        assert not yard.has(target, kind, what)


def own_images(yard: Yard, engine: str) -> set[str]:
    """The names of images that this test's container has to do with."""
    names = yard.cli(engine, "images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return {name for name in names if yard.run in name}


@pytest.mark.parametrize(("source", "target"), [BACK, *thorough(THERE)])
async def test_what_the_container_has_changed_comes_along_as_an_image(yard: Yard, source: str, target: str) -> None:
    name = furnish(yard, source)
    yard.cli(source, "exec", name, "sh", "-c", "echo mine > /etc/mine; rm /etc/passwd")
    before = own_images(yard, source)
    path = yard.state_dir / "web.backup"
    written = await write(yard, source, path, LayerChoice.COMMIT)
    assert written.contents.committed
    assert own_images(yard, source) == before, "the image that was made of it is gone from the engine"
    made = written.contents.reference
    try:
        assert (await read(yard, target, path)).equal
        assert yard.cli(target, "exec", name, "cat", "/etc/mine") == "mine\n"
        assert not yard.answers(target, "exec", name, "test", "-e", "/etc/passwd")
        assert yard.env(target, name) == yard.env(source, name)
    finally:
        yard.cli(target, "rm", "-f", *(["-t", "0"] if target != "docker" else []), name)
        if yard.answers(target, "image", "inspect", made):
            yard.cli(target, "rmi", made)
