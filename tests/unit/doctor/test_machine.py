"""What doctor says of the machine itself."""

from __future__ import annotations

from pathlib import Path

from backends.services.doctor import Level
from backends.services.machine import LITTLE_ROOM_BYTES, Machine, examine_machine, read_machine

GIB = 1 << 30


def test_this_machine_is_read(tmp_path: Path) -> None:
    machine = read_machine([str(tmp_path), "/no/such/store"])
    assert machine.cpus >= 1
    assert 0 < machine.available_bytes <= machine.memory_bytes
    assert set(machine.free_bytes) == {str(tmp_path)}
    assert machine.free_bytes[str(tmp_path)] > 0


def test_it_is_told_in_sizes_that_people_read() -> None:
    machine = Machine(16, 128 * GIB, 100 * GIB + GIB // 2, {"/var/lib/docker": 300 * GIB})
    told = list(examine_machine(machine))
    assert [(one.topic, one.level) for one in told] == [("machine", Level.OK), ("room", Level.OK)]
    assert told[0].sentence == "16 CPUs, 128.0 GiB of memory, 100.5 GiB of it available"
    assert told[1].sentence == "300.0 GiB free under /var/lib/docker"


def test_little_room_is_worth_a_note_with_the_next_step() -> None:
    (_, room) = examine_machine(
        Machine(
            1,
            GIB,
            GIB,
            {
                "/d": LITTLE_ROOM_BYTES - 1,
            },
        )
    )
    assert room.level is Level.NOTE
    assert "only" in room.sentence
    assert "image prune" in room.hint
