"""Which backups stay: the newest good ones; a damaged one is never counted, and the last good one never taken."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backends.migration.backup import back_up
from backends.migration.backup_keep import backups_of, file_name, flaw_of, keep_newest
from tests.migration_scene import Scene, spec

_FIRST = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Five good backups of train on docker, a day apart, and files that are none of them."""
    scene = Scene()
    await scene.furnish(spec(ports=()))
    made = tmp_path / "made"
    await back_up(scene.source, "train", made, version="1", state_dir=tmp_path / "state")
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(5):
        shutil.copy(made, folder / file_name("train", "docker", _FIRST + timedelta(days=day)))
    for other in ("train@podman-20261101T030000Z.backup", "train2@docker-20261101T030000Z.backup", "notes.txt"):
        (folder / other).write_text("somebody else's")
    return folder


def _damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_newest_stay_and_nothing_else_is_touched(folder: Path) -> None:
    before = backups_of(folder, "train", "docker")
    assert before[0].name == "train@docker-20261124T030000Z.backup"
    kept = keep_newest(folder, "train", "docker", 2)
    assert list(kept.kept) == before[:2]
    assert list(kept.removed) == before[2:]
    assert kept.damaged == ()
    assert backups_of(folder, "train", "docker") == before[:2]
    assert len(list(folder.iterdir())) == 2 + 3


def test_damaged_ones_do_not_count_and_stay(folder: Path) -> None:
    newest, second, third, fourth, last = backups_of(folder, "train", "docker")
    _damage(newest)
    _damage(third)
    kept = keep_newest(folder, "train", "docker", 2)
    assert kept.kept == (second, fourth)
    assert kept.removed == (last,)
    assert [path for path, _ in kept.damaged] == [newest, third]
    assert all(path.exists() for path in (newest, second, third, fourth))


def test_the_last_good_one_is_never_taken(folder: Path) -> None:
    *others, last = backups_of(folder, "train", "docker")
    for path in others:
        _damage(path)
    kept = keep_newest(folder, "train", "docker", 1)
    assert kept.kept == (last,)
    assert kept.removed == ()
    _damage(last)
    assert keep_newest(folder, "train", "docker", 1).removed == ()


def test_what_was_read_just_now_is_not_read_again(folder: Path) -> None:
    newest = backups_of(folder, "train", "docker")[0]
    _damage(newest)
    assert keep_newest(folder, "train", "docker", 1, proven={newest}).kept == (newest,)
    assert "damaged" in flaw_of(newest)


def test_the_one_that_was_made_just_now_stays_where_an_older_one_bears_a_later_time(folder: Path) -> None:
    newest, *_ = backups_of(folder, "train", "docker")
    ahead = newest.rename(folder / "train@docker-20371124T030000Z.backup")
    made = backups_of(folder, "train", "docker")[1]
    kept = keep_newest(folder, "train", "docker", 1, proven={made})
    assert kept.kept == (made,)
    assert ahead in kept.removed
