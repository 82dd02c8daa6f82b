"""A disk that fills up on the way: a copy ends before it is full; what an engine says of a full one is understood."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.engines.demo import DemoEngine
from backends.migration.space import RESERVE_BYTES, full, guarded
from backends.model.capabilities import Room
from backends.model.errors import BackendError, Protocol, Refused
from backends.model.plan import MigrationFailed
from tests.migration_scene import Saboteur, Scene, move, picture

MIB = 2**20


class Filling:
    """An engine whose room shrinks by what is sent to it. None: it does not tell."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, engine: DemoEngine, free_bytes: int | None) -> None:
        self.engine = engine
        self.free_bytes = free_bytes
        self.asked = 0
        monkeypatch.setattr(engine, "room", self._room)

    async def _room(self) -> Room:
        self.asked += 1
        return Room("/graph", self.free_bytes)

    async def take(self, sizes: list[int]) -> int:
        """Send chunks of these sizes; how much got through."""

        async def chunks() -> AsyncIterator[bytes]:
            for size in sizes:
                yield bytes(size)

        taken = 0
        async for chunk in guarded(self.engine, chunks()):
            taken += len(chunk)
            if self.free_bytes is not None:
                self.free_bytes -= len(chunk)
        return taken


async def test_a_copy_ends_while_there_is_room_to_take_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    filling = Filling(monkeypatch, Scene().target, 64 * MIB)
    with pytest.raises(Refused, match=r"there has no space left: .* free in /graph") as failure:
        await filling.take([MIB // 4] * 400)
    assert failure.value.engine == filling.engine.id
    assert "make room in /graph" in failure.value.hint
    assert filling.free_bytes is not None
    assert RESERVE_BYTES - 2 * MIB < filling.free_bytes < RESERVE_BYTES
    assert filling.asked < 20, "it is asked more often only as the room gets small"


async def test_what_fits_passes_with_few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    filling = Filling(monkeypatch, Scene().target, 64 * MIB)
    assert await filling.take([MIB] * 30) == 30 * MIB
    assert filling.asked <= 3
    silent = Filling(monkeypatch, Scene().target, None)
    assert await silent.take([MIB] * 30) == 30 * MIB
    assert silent.asked == 1


@pytest.mark.parametrize(
    ("title", "detail", "is_full"),
    [
        ("writing blob: write /x: no space left on device", "HTTP status 500", True),
        ("Podman does not understand this image archive", "oci-archive: write /x: No space left on device", True),
        ("Saving container: database or disk is full", "", True),
        ("write /x: disk quota exceeded", "", True),
        ("no such device", "the disk has 5 GiB free", False),
    ],
)
def test_the_words_of_a_full_disk(title: str, detail: str, is_full: bool) -> None:
    assert full(BackendError(title, detail=detail)) is is_full


async def test_a_failure_by_a_full_disk_says_so_whatever_the_engine_made_of_it(tmp_path: Path) -> None:
    scene = Scene()
    await scene.furnish()
    before = picture(scene.source), picture(scene.target)
    saboteur = Saboteur()
    await move(scene, tmp_path / "count", saboteur=saboteur)
    scene = Scene()
    await scene.furnish()
    failing = Saboteur(saboteur.calls.index("there.import_image"))
    words = "writing blob: write /ballast: no space left on device"
    failing.error = Protocol("this image archive is not understood", detail=words, engine=scene.target.id)
    with pytest.raises(MigrationFailed) as failure:
        await move(scene, tmp_path, saboteur=failing)
    assert failure.value.title == "train was not moved: there has no space left"
    assert failure.value.detail == f"this image archive is not understood: {words}"
    assert failure.value.hint == "make room where there keeps its images and volumes, then move again"
    assert (picture(scene.source), picture(scene.target)) == before
