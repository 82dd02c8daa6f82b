"""The demo's pure parts: scripts, logs, readings, images, volumes, names, and the cast."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.engines.demo_actions import recipe
from backends.engines.demo_fleet import DEMO_DOCKER, DEMO_PODMAN, demo_engines
from backends.engines.demo_images import BuildStep, build, read_archive, write_archive
from backends.engines.demo_names import full_reference
from backends.engines.demo_program import KEPT_LINES, Endless, Script, parse
from backends.engines.demo_stats import LOADS, reading
from backends.engines.demo_volumes import DemoVolume, read_tar, write_tar
from backends.model.container import Container, ContainerState, Health
from backends.model.errors import Protocol
from backends.model.ids import ContainerKey, EngineId, EngineKind

_ID = EngineId(EngineKind.DEMO, "demo")
_PATHS = st.from_regex(r"[a-z]{1,8}/[a-z]{1,8}(\.bin){0,1}", fullmatch=True).filter(lambda path: path.count(".") < 2)
_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("argv", "texts", "end"),
    [
        (["sh", "-c", "echo a; echo 'b  c' >&2; sleep 2; exit 3"], ["a", "b  c"], (2.001, 3)),
        (["/bin/sh", "-c", "false"], [], (0.001, 1)),
        (["echo", "hi there"], ["hi there"], (0.001, 0)),
        (["sleep", "infinity"], [], None),
        (["/bin/sleep", "1.5"], [], (1.501, 0)),
    ],
)
def test_a_few_words_of_shell_do_what_they_say(
    argv: list[str], texts: list[str], end: tuple[float, int] | None
) -> None:
    program = parse(argv)
    assert isinstance(program, Script)
    assert [said.text for said in program.lines(0, 100)] == texts
    assert program.exit == (pytest.approx(end) if end else None)


@pytest.mark.parametrize(
    "argv", [["python", "train.py"], ["sh", "-c", "while true; do x; done"], ["sh", "-c", "echo 'a"], []]
)
def test_what_is_not_known_runs_for_ever(argv: list[str]) -> None:
    program = parse(argv)
    if argv:
        assert isinstance(program, Endless)
        assert program.exit is None
    else:
        assert program.exit is not None


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_command_line_is_some_program(argv: list[str]) -> None:
    program = parse(argv)
    lines = list(program.lines(0, 50))
    assert lines == sorted(lines, key=lambda said: said.after_s)


@settings(deadline=None)
@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_log_read_in_parts_is_the_log_read_at_once(a: float, b: float, c: float) -> None:
    first, middle, last = sorted((a, b, c))
    program = Endless("training", 2.0, seed=3)
    whole = list(program.lines(first, last))
    parts = [*program.lines(first, middle), *program.lines(middle, last)]
    assert parts[-len(whole) :] == whole if whole else parts == []
    assert len(whole) <= KEPT_LINES


@settings(deadline=None)
@given(st.sampled_from(sorted(LOADS)), st.floats(0, 1e10), st.integers(1 << 20, 1 << 40), st.booleans())
def test_readings_are_plausible_at_any_time(load: str, at_s: float, limit: int, frozen: bool) -> None:
    key = ContainerKey(_ID, "ab" * 32)
    one = reading(key, load, at_s, 1.0, limit_bytes=limit, frozen=frozen)
    assert one == reading(key, load, at_s, 1.0, limit_bytes=limit, frozen=frozen)
    assert isinstance(one.cpu_percent, float)
    assert isinstance(one.memory_bytes, int)
    assert 0 <= one.cpu_percent < 3200
    assert 0 < one.memory_bytes <= limit
    assert (one.cpu_percent == 0) or not frozen


def test_readings_move() -> None:
    key = ContainerKey(_ID, "ab" * 32)
    values = {reading(key, "training", at, at, limit_bytes=1 << 40).cpu_percent for at in range(60)}
    assert len(values) > 50


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.integers(0, 10**10)), max_size=6))
def test_an_image_survives_its_archive(steps: list[tuple[str, int]]) -> None:
    image = build(["docker.io/library/x:1"], [BuildStep(*step) for step in steps], {"Cmd": ["x"]}, _AT)
    (back,) = read_archive(write_archive(image, image.tags), _ID)
    assert (back.id, back.layers, back.tags) == (image.id, image.layers, image.tags)


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(0, 8000), st.integers(0, 255))
def test_a_damaged_archive_is_refused_or_whole(junk: bytes, place: int, value: int) -> None:
    image = build(["docker.io/library/x:1"], [BuildStep("ADD", 5)], {}, _AT)
    damaged = bytearray(write_archive(image, image.tags))
    damaged[place % len(damaged)] = value
    for archive in (junk, bytes(damaged), bytes(damaged[:place])):
        try:
            images = read_archive(archive, _ID)
        except Protocol:
            continue
        assert all(back.layers == image.layers for back in images)


@pytest.mark.parametrize(
    ("manifest", "config", "layer"),
    [
        ('[{"Config": 1, "Layers": []}]', "{}", b""),
        ('[{"Config": "c", "Layers": ["l"]}]', '{"rootfs": {"diff_ids": []}}', b"\x1f\x8b\x08" + bytes(30)),
        ("[" * 60_000, "{}", b""),
    ],
    ids=["no name", "no gzip", "deep"],
)
def test_what_is_only_like_an_archive_is_refused(manifest: str, config: str, layer: bytes) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in (("manifest.json", manifest.encode()), ("c", config.encode()), ("l", layer)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    with pytest.raises(Protocol):
        read_archive(out.getvalue(), _ID)


@settings(deadline=None)
@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}", fullmatch=True), st.binary(max_size=50), max_size=8)
)
def test_a_volume_survives_its_tar(files: dict[str, bytes]) -> None:
    volume, copy = DemoVolume("a"), DemoVolume("b")
    for path, content in files.items():
        volume.put(path, content, mode=0o640, uid=7, gid=8, mtime=9)
    archive = write_tar(volume)
    read_tar(copy, archive, _ID)
    assert write_tar(copy) == archive


def test_what_is_no_gzip_is_refused() -> None:
    with pytest.raises(Protocol):
        read_tar(DemoVolume("a"), b"\x1f\x8b\x08" + bytes(30), _ID)


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../out"])
def test_nothing_is_unpacked_outside_a_volume(path: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(path))
    with pytest.raises(Protocol, match="outside its folder"):
        read_tar(DemoVolume("b"), out.getvalue(), _ID)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("python", "docker.io/library/python:latest"),
        ("a/b:1", "docker.io/a/b:1"),
        ("localhost/x", "localhost/x:latest"),
        ("localhost:5000/x:2", "localhost:5000/x:2"),
        ("ghcr.io/a/b@sha256:00", "ghcr.io/a/b@sha256:00"),
    ],
)
def test_references_are_completed(short: str, full: str) -> None:
    assert full_reference(short) == full
    assert full_reference(full) == full


async def _cast() -> list[list[Container]]:
    return [await engine.list_containers() for engine in demo_engines(clock=lambda: _AT, look_s=0)]


async def test_the_fleet_is_the_same_in_each_run_and_has_all_that_is_to_be_shown() -> None:
    docker, podman = await _cast()
    assert [docker, podman] == await _cast()
    rows = [*docker, *podman]
    assert len(rows) == 14
    assert {row.key.engine for row in rows} == {DEMO_DOCKER, DEMO_PODMAN}
    assert all(row.key.engine.kind is EngineKind.DEMO for row in rows)
    assert {ContainerState.RUNNING, ContainerState.EXITED, ContainerState.PAUSED} == {row.state for row in rows}
    assert {Health.HEALTHY, Health.UNHEALTHY, Health.NONE} == {row.health for row in rows}
    assert {row.project for row in rows} == {"", "mlops", "rag"}
    assert any(row.exit_code == 137 for row in rows)
    assert any(len(row.gpus_given) == 2 for row in rows)


async def test_each_of_the_fleet_talks_and_has_layers_and_a_recipe() -> None:
    for engine in demo_engines(clock=lambda: _AT, look_s=0):
        for row in await engine.list_containers():
            async with engine.logs(row.key.id, tail=5) as lines:
                said = [line.text async for line in lines]
            assert said or row.command == ("sleep", "infinity")
            report = await engine.image_layers(row.image)
            assert report.total_bytes > 1 << 20
            spec = await engine.workload_spec(row.key.id)
            world = engine.world
            assert spec == recipe(world.container(row.key.id), world.image(row.image_id))
            assert spec.name == row.name


async def test_an_image_and_a_volume_move_between_the_two() -> None:
    docker, podman = demo_engines(clock=lambda: _AT, look_s=0, act_s=0)
    await podman.remove_image("docker.io/minio/minio:latest")
    async with docker.export_image("minio/minio") as archive:
        assert await podman.import_image(archive) == ("docker.io/minio/minio:latest",)
    theirs, ours = await docker.image_facts("minio/minio"), await podman.image_facts("minio/minio")
    assert (theirs.diff_ids, theirs.config_digest, theirs.size_bytes) == (
        ours.diff_ids,
        ours.config_digest,
        ours.size_bytes,
    )
    podman.world.volumes["copy"] = DemoVolume("copy")
    async with docker.export_volume("checkpoints", via_image="minio/minio") as content:
        await podman.import_volume("copy", content, via_image="minio/minio")
    assert write_tar(podman.world.volumes["copy"]) == write_tar(docker.world.volumes["checkpoints"])
