"""Sparse files: what counts as a hole, and the script that makes holes again, on this machine's own files."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from backends.migration.facts import VolumeFact
from backends.migration.holes import DIG, WORTH_BYTES, filled_note, hole_bytes
from backends.migration.places import look_over
from backends.migration.plan import make_plan
from backends.model.capabilities import Room
from backends.model.container import MountKind
from backends.model.plan import Severity
from backends.model.workload import MountSpec, Volume
from tests.unit.migration.test_plan import SPEC, source, target, titles


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.write(b"begin")
        file.seek(size - 3)
        file.write(b"end")
    return path


@pytest.mark.parametrize(
    ("file_bytes", "blocks", "mode", "found"),
    [
        (10 * WORTH_BYTES, 8, 0o100644, 10 * WORTH_BYTES - 4096),
        (WORTH_BYTES, 8, 0o100644, 0),
        (5, 8, 0o100644, 0),
        (10 * WORTH_BYTES, 8, 0o100755, 0),
        (10 * WORTH_BYTES, 8, 0o104644, 0),
    ],
)
def test_what_counts(file_bytes: int, blocks: int, mode: int, found: int) -> None:
    assert hole_bytes(file_bytes, blocks, mode) == found


def test_holes_are_made_of_zeros_and_nothing_else_changes(tmp_path: Path) -> None:
    if b"--dig-holes" not in subprocess.run(["fallocate", "--help"], capture_output=True, check=False).stdout:
        pytest.skip("this machine has no fallocate of util-linux")
    names = ["-rf", "two\nlines", "it's"]
    for name in names:
        path = tmp_path / name
        path.write_bytes(b"begin" + bytes(4 * WORTH_BYTES) + b"end")
        os.utime(path, ns=(1, 1_000_000_123))
    content = (tmp_path / "-rf").read_bytes()
    before = (tmp_path / "-rf").stat()
    stdin = b"".join(b"./%b\0" % os.fsencode(name) for name in names)
    subprocess.run(DIG, input=stdin, cwd=tmp_path, check=True)
    for name in names:
        after = (tmp_path / name).stat()
        assert after.st_mtime_ns == 1_000_000_123
        assert after.st_mode == before.st_mode
        assert (tmp_path / name).read_bytes() == content
    dug = sum(hole_bytes((seen := (tmp_path / name).stat()).st_size, seen.st_blocks, seen.st_mode) for name in names)
    assert dug in {0, 3 * hole_bytes(before.st_size, (tmp_path / "-rf").stat().st_blocks, before.st_mode)}


def test_room_is_asked_for_the_file_as_it_is_on_the_way(tmp_path: Path) -> None:
    sparse(tmp_path / "map", 64 << 20)
    held = look_over([Volume("v", mountpoint=str(tmp_path))])["v"]
    if not held.hole_bytes:
        pytest.skip("this file system has no holes")
    assert held.disk_bytes + held.hole_bytes >= 64 << 20
    spec = replace(SPEC, mounts=(MountSpec(MountKind.VOLUME, "v", "/v"),))
    facts = replace(source(spec), held={"v": VolumeFact(10, hole_bytes=1 << 30)})
    plan = make_plan(facts, replace(target(), room=Room(free_bytes=1 << 29)))
    assert [title for title in titles(plan, Severity.BLOCK) if "no room" in title]
    assert [title for title in titles(plan, Severity.NOTE) if "files with holes: 1 GiB" in title]


def test_the_note_names_one_and_counts_the_others() -> None:
    assert filled_note("v", {"a": 1 << 20, "b": 1 << 20}, ["a", "b", "other"], "why") == (
        "volume v: the holes of ./a and 1 more take 2 MiB of disk now: why",
    )
    assert filled_note("v", {"a": 1 << 20}, [], "why") == ()
