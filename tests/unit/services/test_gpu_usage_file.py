"""GPU usage on disk: who may count, what survives, and a file that is damaged, locked or of somebody else."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.gpu.sampler import GpuTiming
from backends.model.gpu import GpuSnapshot
from backends.services import gpu_usage_file
from backends.services.changes import ContainerSeen
from backends.services.gpu_usage import Spender, Spent
from backends.services.gpu_usage_file import KEEP_DAYS, LEASE_S, Usage, UsageFile, UsageFileError, read_usage
from backends.services.gpu_usage_recorder import UsageRecorder, default_path
from backends.services.gpus import sample_gpus
from backends.services.store import Store
from tests.unit.sampler.gpu_facts import GIB, container, key, process, reading, snapshot

NOW = 1_000_000_000.0
DAY_S = 86_400
GAP_S = 3.0
CONTAINERS = {key(1): container(1)}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file is to be; nobody waits long for a locked one."""
    monkeypatch.setattr(gpu_usage_file, "_WAIT_S", 0.02)
    return tmp_path / "state" / "gpu_usage.sqlite3"


def row(hour: float, held_s: float = 1.0, number: int = 1) -> Usage:
    return Usage(int(hour), Spender("docker", key(number).id, 0), f"c{number}", "train:1", Spent(held_s, held_s / 2))


def test_the_file_is_the_user_s_own(path: Path) -> None:
    UsageFile(path, "a").close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_file_lies_in_the_state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path() == tmp_path / "tranship" / "gpu_usage.sqlite3"


def test_what_is_written_adds_up_by_hour_and_spender(path: Path) -> None:
    file = UsageFile(path, "a")
    assert file.take_lease(NOW)
    assert file.write([row(NOW), row(NOW, number=2)], NOW)
    assert file.write([row(NOW, 3.0), row(NOW + 3600)], NOW)
    assert read_usage(path) == [row(NOW, 4.0), row(NOW, number=2), row(NOW + 3600)]  # while it is open, too
    file.close()
    assert read_usage(path, since=NOW + 3600) == [row(NOW + 3600)]
    assert read_usage(path, since=NOW + 3599) == [row(NOW, 4.0), row(NOW, number=2), row(NOW + 3600)]


def test_where_there_is_no_file_nothing_is_told_and_none_is_made(path: Path) -> None:
    assert read_usage(path) == []
    assert not path.exists()


def test_old_rows_go(path: Path) -> None:
    file = UsageFile(path, "a")
    file.take_lease(NOW)
    file.write([row(NOW - (KEEP_DAYS + 1) * DAY_S), row(NOW - (KEEP_DAYS - 1) * DAY_S)], NOW)
    assert len(read_usage(path)) == 1
    file.close()


def test_only_one_counts(path: Path) -> None:
    first, second = UsageFile(path, "a"), UsageFile(path, "b")
    assert first.take_lease(NOW)
    assert not second.take_lease(NOW + LEASE_S - 1)
    assert not second.write([row(NOW)], NOW)
    assert first.write([], NOW + LEASE_S - 1)  # renewed
    assert not second.take_lease(NOW + 2 * LEASE_S - 2)
    first.close()
    assert second.take_lease(NOW)
    second.close()


def test_whoever_was_killed_holds_the_lease_for_a_while_only(path: Path) -> None:
    killed, next_one = UsageFile(path, "a"), UsageFile(path, "b")
    killed.take_lease(NOW)
    assert next_one.take_lease(NOW + LEASE_S)
    assert not killed.write([row(NOW)], NOW + LEASE_S + 1)  # it was only stopped, and counts no more
    assert read_usage(path) == []
    killed.close()
    assert next_one.write([row(NOW)], NOW + LEASE_S + 2)  # what the other one closed was not the lease
    next_one.close()


def test_a_lease_of_a_clock_that_was_set_back_does_not_hold_for_years(path: Path) -> None:
    first, second = UsageFile(path, "a"), UsageFile(path, "b")
    first.take_lease(NOW + 365 * DAY_S)
    assert second.take_lease(NOW)
    first.close()
    second.close()


def exists(path: Path) -> bool:
    return path.exists()


def remove(path: Path) -> None:
    path.unlink()


def garbage(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 40)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE theirs (x)")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "said", "hint"),
    [
        (garbage, "is damaged: file is not a database", "move the file away"),
        (foreign, "is no usage file of Tranship", "move the file away"),
        (newer, "was written by a newer Tranship (format 99", "update Tranship"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words_and_left_as_it_is(
    path: Path, spoil: Callable[[Path], None], said: str, hint: str
) -> None:
    path.parent.mkdir()
    spoil(path)
    before = path.read_bytes()
    for use in (lambda: UsageFile(path, "a"), lambda: read_usage(path)):
        with pytest.raises(UsageFileError) as refused:
            use()
        assert said in refused.value.title
        assert hint in refused.value.hint
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(UsageFileError, match="cannot be opened: Not a directory"):
        UsageFile(tmp_path / "state" / "x.sqlite3", "a")


class Watcher:
    """A recorder with a clock of its own, fed second by second."""

    def __init__(self, path: Path) -> None:
        self.wall = NOW
        self.recorder = UsageRecorder(path, GAP_S, wall=lambda: self.wall, write_every_s=5.0)

    async def see(self, *seconds: float, sm: float = 50.0) -> None:
        """Watch container 1 at these seconds."""
        for at in seconds:
            self.recorder.take(snapshot(reading(process(1, sm, 2 * GIB), at=at)), CONTAINERS)
        await self.settled()

    async def settled(self) -> None:
        """Wait until all that was taken is added up."""
        await asyncio.wrap_future(self.recorder._thread.submit(lambda: None))


def seconds(first: int, last: int) -> list[float]:
    return [float(second) for second in range(first, last + 1)]


def held(path: Path) -> float:
    return sum(one.spent.held_s for one in read_usage(path))


async def test_what_is_watched_is_written_down_and_the_rest_at_the_end(path: Path) -> None:
    watcher = Watcher(path)
    await watcher.see(*seconds(0, 7))
    assert held(path) == 5.0
    await watcher.recorder.close()
    (one,) = read_usage(path)
    assert (one.name, one.image, one.spender) == ("c1", "train:1", Spender("docker", key(1).id, 1000))
    assert one.spent == Spent(7.0, 3.5, memory_byte_s=14.0 * GIB)
    assert one.hour % 3600 == 0
    assert 0 <= NOW - one.hour < 3600


async def test_time_that_nobody_watched_is_not_counted(path: Path) -> None:
    watcher = Watcher(path)
    await watcher.see(0.0, 1.0, 2.0, 60.0, 61.0, 64.5, 64.5, 60.0)
    await watcher.recorder.close()
    assert held(path) == 3.0


async def test_no_file_is_made_before_a_container_uses_a_gpu(path: Path) -> None:
    watcher = Watcher(path)
    for at in seconds(0, 20):
        watcher.recorder.take(snapshot(reading(process(-1), at=at)), CONTAINERS)
        watcher.recorder.take(GpuSnapshot(absent="no driver"), CONTAINERS)
    await watcher.recorder.close()
    assert not exists(path)


async def test_two_that_watch_one_machine_count_once_and_the_second_takes_over(path: Path) -> None:
    first, second = Watcher(path), Watcher(path)
    for second_ in range(12):
        await first.see(float(second_))
        await second.see(float(second_))
    await first.recorder.close()
    assert held(path) == 11.0
    await second.see(*seconds(12, 30))
    await second.recorder.close()
    # It asks for the lease every 5 s (here at 15), and counts from the reading after.
    assert held(path) == 11.0 + 15.0


async def test_one_that_was_stopped_and_lost_its_lease_throws_its_part_away(path: Path) -> None:
    first, second = Watcher(path), Watcher(path)
    await first.see(*seconds(0, 4))
    first.wall = second.wall = NOW + LEASE_S + 1
    await second.see(*seconds(4, 8))
    await first.see(*seconds(5, 12))
    await first.recorder.close()
    await second.recorder.close()
    assert held(path) == 4.0


async def test_a_damaged_file_is_a_note_and_counting_begins_when_it_is_gone(path: Path) -> None:
    garbage(path)
    watcher = Watcher(path)
    await watcher.see(*seconds(0, 4))
    assert watcher.recorder.note.startswith(f"GPU usage is not written down: {path} is damaged")
    assert watcher.recorder.note.endswith("Next: move the file away to begin anew")
    remove(path)
    await watcher.see(*seconds(5, 8))
    assert watcher.recorder.note == ""
    await watcher.recorder.close()
    assert held(path) == 3.0


async def test_a_locked_file_is_a_note_and_nothing_is_lost(path: Path) -> None:
    watcher = Watcher(path)
    await watcher.see(*seconds(0, 2))
    with closing(sqlite3.connect(path, isolation_level=None)) as locker:
        locker.execute("BEGIN IMMEDIATE")
        await watcher.see(*seconds(3, 6))
        assert "database is locked" in watcher.recorder.note
        assert "another program holds it" in watcher.recorder.note
        locker.execute("ROLLBACK")
    await watcher.see(*seconds(7, 10))
    assert watcher.recorder.note == ""
    await watcher.recorder.close()
    assert held(path) == 10.0


async def test_a_locked_file_at_the_end_is_no_crash(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watcher = Watcher(path)
    await watcher.see(*seconds(0, 2))
    with closing(sqlite3.connect(path, isolation_level=None)) as locker:
        locker.execute("BEGIN IMMEDIATE")
        await watcher.recorder.close()
        await watcher.recorder.close()
        locker.execute("ROLLBACK")
    watcher.recorder.take(snapshot(reading(process(1), at=3.0)), CONTAINERS)
    assert "database is locked" in caplog.text


_acts = st.lists(
    st.tuples(st.sampled_from(["watch", "watch", "sleep", "quit", "kill"]), st.integers(0, 2), st.integers(1, 40)),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(_acts)
def test_whatever_several_of_them_do_no_second_is_counted_twice(acts: list[tuple[str, int, int]]) -> None:
    """Three on one machine, each watching for a while, stopped for a while, left or killed, in any order."""
    with tempfile.TemporaryDirectory() as folder:
        path, clock = Path(folder) / "gpu_usage.sqlite3", [0.0]

        def begun() -> UsageRecorder:
            return UsageRecorder(path, GAP_S, wall=lambda: NOW + clock[0], write_every_s=10.0)

        watching = [begun() for _ in range(3)]
        awake = [True, True, True]
        for act, who, seconds_ in acts:
            if act == "sleep":
                awake[who] = not awake[who]
            elif act in {"quit", "kill"}:
                _leave(watching[who], kill=act == "kill")
                watching[who], awake[who] = begun(), True
            for _ in range(seconds_ if act == "watch" else 0):
                clock[0] += 1.0
                for recorder, sees in zip(watching, awake, strict=True):
                    if sees:  # as its thread would, without the thread
                        recorder._take(snapshot(reading(process(1), at=clock[0])), CONTAINERS)
        for recorder in watching:
            _leave(recorder, kill=False)
        assert held(path) <= clock[0]
        if all(act == "watch" for act, *_ in acts):
            assert held(path) == max(0.0, clock[0] - 1.0)


def _leave(recorder: UsageRecorder, *, kill: bool) -> None:
    if not kill:
        recorder._end()
    elif recorder._file is not None:
        recorder._file.abandon()


class Probe:
    """One device with a busy container, read at seconds that count up."""

    def __init__(self) -> None:
        self.at = 0.0

    def open(self) -> None:
        """Nothing to open."""

    def sample(self) -> GpuSnapshot:
        self.at += 1.0
        return snapshot(reading(process(1), at=self.at))

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("broken", [False, True])
async def test_the_sampling_service_records_and_tells_why_it_does_not(path: Path, broken: bool) -> None:
    if broken:
        garbage(path)
    store, recorder = Store(), UsageRecorder(path, GAP_S, write_every_s=2.0)
    store.apply(ContainerSeen(container(1)))
    timing = GpuTiming(interval_s=0.005)
    task = asyncio.create_task(sample_gpus(store, {"NVIDIA": Probe()}, timing=timing, recorder=recorder))
    async with asyncio.timeout(10):
        while not (store.view.gpus.notes if broken else exists(path) and held(path)):  # noqa: ASYNC110 - of a thread
            await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [bool("is damaged" in note) for note in store.view.gpus.notes] == [True] * broken
