"""What Podman says of its host, and how much fits."""

from __future__ import annotations

import os
from pathlib import Path

from backends.engines.podman_host import described, room_here, room_told
from backends.engines.podman_translate import engine_info
from backends.model.capabilities import Room
from tests.unit.podman.recorded import recorded


def test_rights_and_controllers_of_both_kinds() -> None:
    info = recorded("rootful", "info")
    told = described(engine_info(info, local=True), info)
    assert (told.seccomp, told.apparmor, told.selinux) == (True, False, False)
    assert {"cpu", "io", "memory", "pids"} <= set(told.cgroup_controllers)
    assert told.image_store == "overlay"
    assert told.id_ranges == ()
    info = recorded("rootless", "info")
    told = described(engine_info(info, local=True), info)
    assert told.cgroup_controllers == ()
    assert told.id_ranges == ((0, 1), (1, 65536))


def test_what_an_older_one_does_not_say_is_not_known() -> None:
    info = recorded("rootful", "info")
    del info["host"]["security"], info["host"]["cgroupControllers"]
    told = described(engine_info(info, local=True), info)
    assert (told.seccomp, told.apparmor, told.selinux, told.cgroup_controllers) == (None, None, None, ())
    assert room_told({}) == (Room(), 0)


def test_room_is_the_engines_own_figure_but_for_its_own_machine(tmp_path: Path) -> None:
    here = os.statvfs(tmp_path)
    size = here.f_blocks * here.f_frsize
    told = {
        "store": {
            "graphRoot": str(tmp_path),
            "graphRootAllocated": size,
            "graphRootUsed": size - 4096,
            "imageCopyTmpDir": "/no/such/place",
        }
    }
    room, seen = room_told(told)
    assert (room, seen) == (Room(str(tmp_path), 4096, "/no/such/place", None), size)
    assert room_here(room, size + 1) == room, "another file system of the same name"
    found = room_here(Room(str(tmp_path), 4096, str(tmp_path)), size)
    assert found.free_bytes is not None
    assert found.free_bytes > 4096
    assert found.temp_free_bytes is not None
    assert found.temp_free_bytes > 4096
