"""GPU requests, references, progress, journal and unbroken work, each by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.migration import gpus
from backends.migration.journal import Effect, Entry, Journal, Record, Status, from_json, load, new_id, to_json
from backends.migration.progress import Flow, Meter, metered
from backends.migration.references import is_id, tag_of
from backends.migration.unbroken import unbroken
from backends.migration.verify import compare_specs
from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.container import Port
from backends.model.errors import Denied, Protocol
from backends.model.ids import EngineId, EngineKind
from backends.model.workload import GpuRequest, RestartName, RestartPolicy, WorkloadSpec

DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")
ID = "ab" * 32
KNOWS = EngineInfo("1", "1", rootless=False, local=True, cdi_devices=("nvidia.com/gpu=0", "nvidia.com/gpu=all"))
SILENT = replace(KNOWS, cdi_devices=())
NO_CDI = replace(SILENT, capabilities=Capabilities(MappingProxyType({Capability.CDI: "too old"})))


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (GpuRequest(count=-1), ("nvidia.com/gpu=all",)),
        (GpuRequest(count=2, driver="nvidia"), ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        (GpuRequest(device_ids=("0", "GPU-x")), ("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-x")),
        (GpuRequest(device_ids=("nvidia.com/gpu=1",), driver="cdi"), ("nvidia.com/gpu=1",)),
        (GpuRequest(count=-1, driver="amd"), ("amd.com/gpu=all",)),
        (GpuRequest(cdi_devices=("vendor.com/x=1",)), ("vendor.com/x=1",)),
    ],
)
def test_every_form_of_a_gpu_request_has_cdi_names(request_: GpuRequest, names: tuple[str, ...]) -> None:
    moved = gpus.move(request_, DOCKER, PODMAN, SILENT)
    assert moved.request == GpuRequest(cdi_devices=names)
    assert moved.unknown
    assert (moved.reason == "") == (request_ == moved.request)


def test_gpus_that_the_target_has_not_are_missing() -> None:
    assert gpus.move(GpuRequest(count=-1), DOCKER, PODMAN, KNOWS).missing == ()
    assert gpus.move(GpuRequest(device_ids=("7",)), DOCKER, PODMAN, KNOWS).missing == ("nvidia.com/gpu=7",)


def test_without_cdi_docker_gets_its_own_form_and_podman_nothing() -> None:
    wanted = GpuRequest(cdi_devices=("nvidia.com/gpu=1",))
    assert gpus.move(wanted, PODMAN, DOCKER, NO_CDI).request == GpuRequest(
        device_ids=("1",), driver="nvidia", capabilities=(("gpu",),)
    )
    everything = gpus.move(GpuRequest(cdi_devices=("nvidia.com/gpu=all",)), PODMAN, DOCKER, NO_CDI).request
    assert everything is not None
    assert everything.count == -1
    assert gpus.move(wanted, DOCKER, PODMAN, NO_CDI).request is None
    assert gpus.move(GpuRequest(cdi_devices=("amd.com/gpu=0",)), PODMAN, DOCKER, NO_CDI).request is None
    assert "too old" in gpus.move(wanted, DOCKER, PODMAN, NO_CDI).reason


def test_between_two_dockers_a_request_stays_and_lost_capabilities_are_told() -> None:
    wanted = GpuRequest(count=1, capabilities=(("gpu", "compute"),))
    assert gpus.move(wanted, DOCKER, EngineId(EngineKind.DOCKER, "other"), KNOWS) == gpus.GpuMove(wanted)
    assert "driver capabilities" in gpus.move(wanted, DOCKER, PODMAN, KNOWS).reason
    assert gpus.describe(wanted) == "the first 1 (default driver)"


@given(st.text("0123456789abcdef", min_size=12, max_size=64))
def test_an_id_is_known_by_its_image(digits: str) -> None:
    assert is_id(digits, ID) == ID.startswith(digits)
    assert is_id(ID[: len(digits)], ID)
    assert is_id("sha256:" + ID, ID)
    assert not is_id("docker.io/a/b:" + digits, ID)


def test_tags() -> None:
    assert tag_of("docker.io/a/b:1", ID) == ("docker.io/a/b:1", "")
    assert tag_of(f"host:5000/a:2@sha256:{ID}", ID)[0] == "host:5000/a:2"
    assert tag_of(f"host:5000/a@sha256:{ID}", ID)[0] == ""
    assert tag_of(ID[:12], ID)[0] == ""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_meter_knows_rate_and_rest_and_forgets_a_wrong_estimate() -> None:
    clock = Clock()
    meter = Meter(1000, clock)
    assert meter.flow() == Flow(0, 1000, None, None)
    clock.now = 1.0
    assert meter.count(200)
    assert meter.flow() == Flow(200, 1000, 200.0, 4.0)
    clock.now = 1.05
    assert not meter.count(10), "not again within a tenth of a second"
    clock.now = 2.0
    assert meter.count(2000)
    assert meter.flow().total_bytes is None
    assert meter.flow().eta_s is None


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 10**9)), max_size=40), st.none() | st.integers(0, 10**10))
def test_a_meter_never_says_nonsense(steps: list[tuple[float, int]], total: int | None) -> None:
    clock = Clock()
    meter = Meter(total, clock)
    for wait, size in steps:
        clock.now += wait
        meter.count(size)
        flow = meter.flow()
        assert flow.done_bytes == meter.done_bytes
        assert flow.bytes_per_s is None or flow.bytes_per_s > 0
        assert flow.eta_s is None or flow.eta_s >= 0
        assert flow.total_bytes is None or flow.done_bytes <= flow.total_bytes
        assert len(meter._samples) <= 60


async def test_metered_passes_everything_on() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(5):
            yield bytes([number])

    seen: list[bytes] = []
    flows: list[Flow] = []

    async def tap(chunk: bytes) -> None:
        seen.append(chunk)

    meter = Meter(None)
    passed = [chunk async for chunk in metered(chunks(), meter, flows.append, tap)]
    assert passed == seen == [bytes([number]) for number in range(5)]
    assert meter.done_bytes == 5
    assert flows


RECORD = Record(
    id="20260101-000000-abcd",
    started_at="2026-01-01T00:00:00+00:00",
    pid=1,
    source="docker",
    target="podman",
    container_id="c",
    container_name="web",
    was_running=True,
    was_paused=False,
    copy_name="web",
    image_id=ID,
)
ENTRIES = st.builds(Entry, st.sampled_from(Effect), st.text(), st.text(), st.booleans(), st.text(), st.floats(0, 2**33))


@given(st.builds(replace, st.just(RECORD), status=st.sampled_from(Status), entries=st.lists(ENTRIES).map(tuple)))
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert from_json(to_json(record)) == record


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(Protocol, match="cannot be read"):
        from_json(text)


@pytest.mark.parametrize(
    "change", [{"schema": 3}, {"pid": "1"}, {"was_running": 1}, {"status": "odd"}, {"entries": [{}]}]
)
def test_a_record_with_a_wrong_part_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Protocol):
        from_json(json.dumps({**json.loads(to_json(RECORD)), **change}))


async def test_the_journal_is_on_disk_after_each_call(tmp_path: Path) -> None:
    journal = await Journal.begin(tmp_path, RECORD)
    number = await journal.intend(Effect.VOLUME, "v")
    assert (await load(tmp_path, RECORD.id)).record.entries == journal.record.entries
    await journal.confirm(number, "v")
    other = await journal.intend(Effect.CONTAINER, "web")
    await journal.withdraw(other)
    [entry] = (await load(tmp_path, RECORD.id)).record.entries
    assert (entry.effect, entry.name, entry.id, entry.made) == (Effect.VOLUME, "v", "v", True)
    assert entry.at > 0
    await journal.close(Status.DONE)
    assert (await load(tmp_path, RECORD.id)).record.status is Status.DONE
    assert [path.name for path in (tmp_path / "migrations").iterdir()] == [f"{RECORD.id}.json"]


async def test_a_journal_that_cannot_be_written_is_denied(tmp_path: Path) -> None:
    (tmp_path / "migrations").write_text("in the way")
    with pytest.raises(Denied, match="cannot be written"):
        await Journal.begin(tmp_path, RECORD)


def test_ids_sort_by_time() -> None:
    early, late = (new_id(datetime(2026, 1, 1, hour, tzinfo=UTC)) for hour in (9, 10))
    assert early < late


async def test_unbroken_work_ends_before_the_cancellation_is_passed_on() -> None:
    done = asyncio.Event()
    begun = asyncio.Event()
    go_on = asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    task = asyncio.create_task(unbroken(work()))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_unbroken_work_gives_its_result_or_its_error() -> None:
    async def good() -> int:
        return 3

    async def bad() -> int:
        raise ValueError("no")

    assert await unbroken(good()) == 3
    with pytest.raises(ValueError, match="no"):
        await unbroken(bad())


def test_recipes_are_compared_field_by_field_and_secrets_masked() -> None:
    wanted = WorkloadSpec(
        "web", "docker.io/a/b:1", env={"API_KEY": "1", "A": "b"}, ports=(Port(80, host_port=80),), memory_bytes=5
    )
    assert all(check.equal for check in compare_specs(wanted, wanted))
    same = replace(wanted, ports=(Port(80, "tcp", "0.0.0.0", 80),), labels={"io.tranship.migration": "x"})
    assert all(check.equal for check in compare_specs(wanted, same))
    other = replace(
        wanted,
        env={"API_KEY": "2"},
        memory_bytes=6,
        restart=RestartPolicy(RestartName.ALWAYS),
        gpu=GpuRequest(count=1),
        labels={"x": "y"},
    )
    wrong = {check.subject: check for check in compare_specs(wanted, other) if not check.equal}
    assert wrong.keys() == {"env.API_KEY", "env.A", "memory_bytes", "restart", "gpu", "labels.x"}
    assert "1" not in wrong["env.API_KEY"].source
    assert wrong["env.A"].target == "(not set)"
