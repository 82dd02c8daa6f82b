"""A program that writes all the time is moved: all that it committed is there, and only changes go after the stop."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from backends.model.events import Phase
from backends.model.plan import StepKind, StepProgress
from tests.engines_migration.yard import Yard
from tests.thorough import thorough

pytestmark = pytest.mark.engines

PAIRS = [("docker", "podman"), *thorough(("podman", "docker"))]
BULK_BYTES = 24 << 20

WRITER = r"""
cd /data
n=$(tail -n 1 journal 2>/dev/null | cut -d' ' -f1); n=${n:-0}
while :; do
  n=$((n + 1)); k="key$((n % 17))=$(printf '%064d' $n)"
  printf '%s %s %s\n' $n "$k" "$(printf '%s' "$n $k" | sha256sum | cut -d' ' -f1)" >> journal
  printf '%s\n' "$k" > table.new; mv table.new table.$((n % 17))
  echo $n > committed.new; mv committed.new committed
  usleep 2000
done
"""
"""Journal first, then a table in files of its own, each replaced at once, then the number of what is committed."""


def records(journal: str) -> list[int]:
    """The numbers of the records, each whole: its checksum is checked; a torn last one is cut off."""
    numbers = []
    for line in journal[: journal.rfind("\n") + 1].splitlines():
        words, _, checksum = line.rpartition(" ")
        assert hashlib.sha256(words.encode()).hexdigest() == checksum, line
        numbers.append(int(words.split(" ")[0]))
    return numbers


async def committed(yard: Yard, engine: str, least: int) -> int:
    """The last committed number, once it is at least that."""
    async with asyncio.timeout(60):
        while True:
            text = await asyncio.to_thread(yard.cli, engine, "exec", yard.run, "cat", "/data/committed")
            if text.strip() and int(text) >= least:
                return int(text)
            await asyncio.sleep(0.05)


def read_stopped(yard: Yard, engine: str, name: str) -> str:
    """A file of the stopped source's volume, by another container."""
    return yard.cli(engine, "run", "--rm", "-v", f"{yard.run}-data:/data:ro", "test/busybox:1", "cat", f"/data/{name}")


@pytest.mark.parametrize(("here", "there"), PAIRS)
async def test_a_writer_goes_on_where_it_was_stopped(yard: Yard, here: str, there: str) -> None:
    yard.build(here)
    volume = f"{yard.run}-data"
    yard.cli(here, "volume", "create", *yard.marks, volume)
    fill = f"head -c {BULK_BYTES} /dev/urandom > /data/bulk; sha256sum < /data/bulk"
    mount = ["-v", f"{volume}:/data"]
    digest = yard.cli(here, "run", "--rm", *mount, *yard.marks, "test/busybox:1", "sh", "-c", fill)
    yard.cli(here, "run", "-d", "--name", yard.run, *mount, *yard.marks, yard.image, "sh", "-c", WRITER)
    begun = await committed(yard, here, 20)
    seen: list[StepProgress] = []
    report = await yard.move(here, there, yard.run, on_update=seen.append)
    assert report.equal, [check for check in report.checks if not check.equal]
    assert report.downtime_s is not None
    assert 0 < report.downtime_s < report.duration_s

    last = int(read_stopped(yard, here, "committed"))
    source = records(read_stopped(yard, here, "journal"))
    assert begun < last <= source[-1]
    assert source == list(range(1, source[-1] + 1)), "the writer went on until the stop"
    now = await committed(yard, there, last + 1)
    copied = records(yard.cli(there, "exec", yard.run, "cat", "/data/journal"))
    assert copied[: len(source)] == source
    assert copied == list(range(1, copied[-1] + 1)), "nothing is lost, doubled or torn"
    assert copied[-1] >= now > last
    assert yard.cli(there, "exec", yard.run, "sh", "-c", "sha256sum < /data/bulk") == digest

    def sent(kind: StepKind) -> int:
        """The most that a copy of that step has sent."""
        steps = [update for update in seen if update.step.kind is kind and update.note == "copying"]
        return max((update.done_bytes or 0 for update in steps), default=0)

    order = [update.step.kind for update in seen if update.phase is Phase.STARTED]
    assert order.index(StepKind.PRECOPY) < order.index(StepKind.STOP_SOURCE) < order.index(StepKind.VOLUME)
    assert sent(StepKind.PRECOPY) >= BULK_BYTES, "the bulk went while it ran"
    assert 0 < sent(StepKind.VOLUME) < BULK_BYTES // 4, "only what changed went after the stop"
    assert report.moved_bytes < 2 * BULK_BYTES
