"""The GPU pane, the tables and the detail as text, without a terminal: what they say, and that all of it is inert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.fleet import FleetView
from backends.model.gpu import GpuClocks, GpuHealth, GpuReading, GpuSnapshot, GpuTrace
from backends.model.values import Missing
from tests.snapshots.gpu_samples import (
    NOTEBOOK,
    NOW,
    TRAINER,
    TRITON,
    busy_fleet,
    device,
    lost,
    process,
    reading,
)
from tests.snapshots.samples import NO_GPU, gpus
from tests.snapshots.samples import NOW as WALL
from widgets.container_rows import GpuLight, Sort, gpu_cells, rows_of
from widgets.gpu_detail import GpuLook, detail_lines
from widgets.gpu_facts import fact_lines
from widgets.gpu_holders import holder_rows, holders_of, idle_by_device, idle_words, takers_of
from widgets.gpu_lines import GpuMarks, Taker, gpu_lines, owned_lines
from widgets.gpu_processes import ProcessKey, container_of, process_rows, user_ids
from widgets.gpu_rows import Gauges, device_columns, device_rows, gauges_for, longest_name
from widgets.line import Line, plain
from widgets.table_draw import row_line
from widgets.table_layout import lay_out
from widgets.table_rows import Row
from widgets.text import line_width

AGES = {"monotonic_now": NOW, "idle_after_s": 600.0}


def text(lines: Sequence[Line]) -> str:
    """All lines, as they read."""
    return "\n".join(plain(part).rstrip() for part in lines)


def cells(row: Row) -> list[str]:
    """The cells of a row, as they read."""
    return [plain(cell).strip() for cell in row.cells]


def snapshot(*readings: GpuReading, **more: object) -> GpuSnapshot:
    """A snapshot of these devices."""
    return replace(GpuSnapshot(readings), **more)  # type: ignore[arg-type]  # fields of GpuSnapshot by name


# -- the pane ------------------------------------------------------------------------------------
def test_the_devices_of_the_selected_container_and_the_chosen_one_are_marked_without_colour() -> None:
    lines = gpu_lines(snapshot(reading(0), reading(1)), 80, marks=GpuMarks("GPU-1", frozenset({"GPU-0"})))
    said = text(lines).splitlines()
    assert said[0].startswith(" ▸0 NVIDIA H200")
    assert next(one for one in said if "1 NVIDIA" in one).startswith("▌ 1 NVIDIA H200")


def test_a_lost_device_says_so_with_the_next_step_and_the_others_go_on() -> None:
    said = text(gpu_lines(snapshot(reading(0), lost(1)), 80))
    assert "✕1 NVIDIA H200" in said
    assert "The GPU is lost: it fell off the bus" in said
    assert "Reboot the machine" in said
    assert "97%" in said
    one_line = text(gpu_lines(snapshot(*map(reading, range(5)), lost(5)), 60)).splitlines()
    assert one_line[6].strip() == "5  ✕ the GPU is lost: it fell off the bus"


def test_a_device_that_is_hot_or_slowed_down_says_so_in_words() -> None:
    hot = replace(reading(0), temperature_c=90.0, clocks=GpuClocks(throttled=("power cap", "too hot")))
    assert "▲ 90 °C · ▲ power cap, too hot · 612 / 700 W" in text(gpu_lines(snapshot(hot), 100))
    unknown = replace(hot, device=replace(hot.device, slowdown_c=Missing("Not Supported")), temperature_c=70.0)
    assert "  70 °C" in text(gpu_lines(snapshot(unknown), 100))


def test_notes_of_the_driver_are_said_with_and_without_a_device() -> None:
    note = "the other driver does not answer"
    assert "! The other driver does not answer" in text(gpu_lines(snapshot(reading(0), notes=(note,)), 80))
    assert "! The other driver does not answer" in text(gpu_lines(replace(NO_GPU, notes=(note,)), 80))


def test_blocks_become_lines_where_the_pane_is_too_low_for_them() -> None:
    four = snapshot(*map(reading, range(4)))
    assert "MEM" in text(gpu_lines(four, 80, height=20))
    low = text(gpu_lines(four, 80, height=6)).splitlines()
    assert [one.split()[0] for one in low[1:5]] == ["0", "1", "2", "3"]
    assert "MEM" in text(gpu_lines(snapshot(reading(0)), 80, height=2))


def test_each_line_knows_its_device() -> None:
    owners = [key for key, _ in owned_lines(snapshot(reading(0), reading(1)), 80)]
    assert list(dict.fromkeys(owner for owner in owners if owner)) == ["GPU-0", "GPU-1"]


def test_the_pane_says_who_has_the_memory_and_what_is_left() -> None:
    view = busy_fleet()
    takers = takers_of(view, holders_of(view, **AGES))
    assert takers["GPU-0"][0] == Taker("python3", "49 GiB")
    assert Taker("jupyter", "10 GiB", "1h") in takers["GPU-0"]
    two = snapshot(*(replace(one, memory_free_bytes=22 << 30) for one in view.gpus.readings))
    marks = GpuMarks(takers=takers)
    high = text(gpu_lines(two, 90, marks=marks, height=20))
    assert "GiB · 22 GiB free" in high
    assert "jupyter 10 GiB idle 1h" in high
    assert " more" in text(gpu_lines(two, 50, marks=marks, height=20))
    assert "free" not in text(gpu_lines(two, 40, marks=marks, height=20))
    # Without a line of its own it stands in the title, in place of how many processes there are.
    few = GpuMarks(takers={"GPU-0": (Taker("train"), Taker("a[b]\x1b[2J"))})
    low = text(gpu_lines(snapshot(reading(0)), 90, marks=few, height=3))
    assert "W · train, a[b]" in low
    assert "\x1b" not in low


def test_the_column_of_gpus_is_as_wide_as_what_it_says() -> None:
    assert gpu_cells(rows_of(busy_fleet(), now=WALL)) == 1 + len("all→0")
    assert gpu_cells([]) == 0


@given(st.integers(30, 200), st.integers(1, 17), st.integers(0, 30))
def test_no_line_of_the_pane_is_wider_than_it(width: int, count: int, height: int) -> None:
    traces = {f"GPU-{index}": GpuTrace(tuple(map(float, range(99)))) for index in range(count)}
    lines = gpu_lines(gpus(count), width, traces, height=height)
    bars = [one for one in lines if any("─" in span.text for span in one)]
    assert all(line_width(one) <= max(width, 40) for one in bars)


# -- the table of devices ------------------------------------------------------------------------
def drawn(view: FleetView, width: int) -> list[str]:
    """The rows of the devices as a table of this width draws them."""
    gauges = gauges_for(width)
    slots = lay_out(device_columns(gauges, longest_name(view)), width)
    rows = device_rows(view, gauges)
    return [plain(row_line(row, slots, width, at_cursor=False, marked=False)) for row in rows]


def test_instances_stand_below_their_device_with_their_memory() -> None:
    view = busy_fleet()
    rows = device_rows(view, Gauges(10, 20), frozenset({"MIG-1-0"}))
    assert [row.key for row in rows] == ["GPU-0", "GPU-1", "MIG-1-0", "MIG-1-1"]
    assert cells(rows[0])[:2] == ["0  H200", "━━━━━━━━━╸  97%"]
    assert cells(rows[2])[0] == "▸   ├ 0 1g.18gb"
    assert cells(rows[2])[3].endswith("9.0 / 18 GiB")
    assert cells(rows[2])[6] == "1"
    assert cells(rows[3])[0].startswith("└ 1")


def test_a_device_says_beside_its_numbers_what_is_wrong_with_it() -> None:
    slow = replace(reading(0), clocks=GpuClocks(throttled=("too hot",)))
    view = replace(busy_fleet(), gpus=snapshot(slow, lost(1)))
    first, second = device_rows(view, Gauges(10, 20), idle={"GPU-0": 2})
    assert cells(first)[-1] == "▲ too hot · 2 idle"
    assert cells(second)[-1] == "✕ the GPU is lost: it fell off the bus"
    assert [one.split()[1][0] for one in drawn(view, 79)] == ["▲", "✕"]


@pytest.mark.parametrize("width", [79, 80, 120, 200])
def test_every_number_of_a_device_fits_its_table(width: int) -> None:
    full = replace(reading(0), temperature_c=100.0, memory_used_bytes=600 << 20)
    view = replace(busy_fleet(), gpus=snapshot(replace(full, gpu_percent=100.0)))
    line = drawn(view, width)[0]
    for said in ("H200", "100%", "600 MiB / 141 GiB"[: 17 if width > 79 else 10], "▲ 100 °C"[:5], "612"):
        assert said in line


# -- who has them --------------------------------------------------------------------------------
def test_processes_by_device_the_largest_first_with_user_and_container() -> None:
    view = busy_fleet()
    rows = process_rows(view, lit="MIG-1-0", users={1000: "ana"})
    assert [row.key for row in rows] == [
        ProcessKey(4999, "GPU-0", ""),
        ProcessKey(4041, "GPU-0", ""),
        ProcessKey(4010, "GPU-0", ""),
        ProcessKey(4041, "GPU-1", ""),
        ProcessKey(4013, "GPU-1", "MIG-1-0"),
    ]
    assert cells(rows[0]) == ["0", "4999", "ana", "python3", "no container", "49 GiB", "40%"]
    assert cells(rows[4]) == ["▸ 1:0", "4013", "ana", "python3", "triton", "13 GiB", "40%"]
    assert user_ids(view) == {1000}


def test_processes_of_one_device_or_instance_only() -> None:
    view = busy_fleet()
    assert len(process_rows(view, only="GPU-0")) == 3
    assert [row.key for row in process_rows(view, only="MIG-1-0")] == [ProcessKey(4013, "GPU-1", "MIG-1-0")]


def test_a_process_leads_to_its_container_where_it_has_one() -> None:
    view = busy_fleet()
    assert container_of(view, ProcessKey(4041, "GPU-1", "")) == TRAINER
    assert container_of(view, ProcessKey(4999, "GPU-0", "")) is None
    assert container_of(view, None) is None


def test_a_process_of_a_container_that_no_engine_knows_shows_its_id() -> None:
    stranger = replace(process(7, 0), container_id="ab" * 32, name="", user_id=None)
    view = replace(busy_fleet(), gpus=snapshot(reading(0, stranger)))
    assert cells(process_rows(view)[0])[2:5] == ["–", "–", "abababababab"]


def test_holders_say_what_was_given_beside_what_is_used() -> None:
    holders = holders_of(busy_fleet(), **AGES)
    rows = {row.key: cells(row) for row in holder_rows(holders, "GPU-0")}
    assert rows[TRAINER][1:] == ["▸llama-finetune-70b-rank-64-seed-1337", "0,1", "0,1", "82 GiB", "80%", "now"]
    assert rows[TRITON][1:] == ["triton", "1", "1:0", "13 GiB", "40%", "now"]
    assert rows[NOTEBOOK][1:] == ["▸jupyter", "all", "0", "10 GiB", "0.0%", "idle 1h"]


def test_idle_holders_are_counted_with_what_they_hold() -> None:
    view = busy_fleet()
    holders = holders_of(view, **AGES)
    assert idle_words(holders) == "1 container holds 10 GiB idle"
    assert idle_by_device(view, holders) == {"GPU-0": 1}
    notebook = next(one for one in holders if one.long)
    assert notebook.held_words() == "It holds 10 GiB of GPU memory, idle for 1h."
    assert idle_words(holders_of(view, monotonic_now=NOW, idle_after_s=7200.0)) == ""


def test_one_that_was_given_a_gpu_and_does_not_use_it_comes_last() -> None:
    view = busy_fleet()
    holders = holders_of(replace(view, gpu_use={TRAINER: view.gpu_use[TRAINER]}))
    assert [one.container.key for one in holders] == [TRAINER, NOTEBOOK, TRITON]
    assert cells(holder_rows(holders)[1])[3:] == ["–", "–", "–", "no use"]


# -- the detail ----------------------------------------------------------------------------------
def test_a_device_tells_its_facts_and_why_it_does_not_tell_the_rest() -> None:
    said = text(fact_lines(reading(0), 120))
    for words in (
        "71 of 89 °C, off at 92",
        "612 / 700 W",
        "1830 of 1980 MHz",
        "44% of the time",
        "3.0 GiB/s",
        "0 repaired, 0 not",
        "Persistence  on",
        "Compute mode default",
        "n/a: encoder, fan (Not Supported)",
        "GPU-0  00000000:00:00.0  nvidia.com/gpu=0",
    ):
        assert words in said


def test_errors_of_the_memory_are_marked_by_a_sign() -> None:
    ill = replace(reading(0), health=GpuHealth(3, 1, 2, "on", "default"), clocks=GpuClocks(throttled=("power cap",)))
    said = text(fact_lines(ill, 120))
    assert "▲ 3 repaired, 1 not" in said
    assert "▲ 2 pages" in said
    assert "▲ power cap" in said


def test_processes_that_the_driver_refuses_are_named_with_the_reason() -> None:
    assert "n/a: processes (no permission)" in text(
        fact_lines(replace(reading(0), processes_refused="no permission"), 80)
    )


@pytest.mark.parametrize("hour", [False, True])
def test_the_curves_show_their_mean_and_peak_and_how_much_time(hour: bool) -> None:
    trace = busy_fleet().gpu_traces["GPU-0"]
    said = text(detail_lines(GpuLook(reading(0), trace, hour), 100, 20))
    assert "GPU use  97%" in said
    assert "peak 99%" in said
    assert ("1 h ago" if hour else "5 min ago") in said


def test_without_a_history_the_curves_say_so_or_why_there_is_no_value() -> None:
    empty = detail_lines(GpuLook(reading(0)), 100, 20)
    assert "nothing recorded yet" in text(empty)
    refused = replace(reading(0), gpu_percent=Missing("MIG is on"))
    assert "GPU use  –  MIG is on" in text(detail_lines(GpuLook(refused), 100, 20))


def test_a_lost_device_in_full_is_its_condition_and_the_next_step() -> None:
    said = text(detail_lines(GpuLook(lost(1)), 80, 20))
    assert "✕ The GPU is lost: it fell off the bus" in said
    assert "Reboot the machine" in said
    assert "No NVIDIA driver" in text(detail_lines(GpuLook(snapshot=NO_GPU), 80, 20))


@given(st.integers(40, 220), st.integers(1, 60))
def test_no_line_of_the_detail_is_wider_than_its_pane(width: int, height: int) -> None:
    trace = busy_fleet().gpu_traces["GPU-0"]
    lines = detail_lines(GpuLook(reading(0, process(1, 0), instances=2), trace), width, height)
    told = [one for one in lines if not plain(one).startswith(" GPU-")]
    assert all(line_width(one) <= width for one in told)


@given(st.text(max_size=30))
def test_nothing_that_a_driver_or_an_engine_says_reaches_the_terminal_unread(said: str) -> None:
    named = replace(device(0), name=said, uuid=said, pci_bus_id=said, cdi_name=said)
    bad = replace(reading(0), device=named, condition=said, hint=said, clocks=GpuClocks(throttled=(said,)))
    fine = replace(bad, condition="", processes_refused=said, health=GpuHealth(persistence=said, compute_mode=said))
    hostile = replace(process(1, 0), name=said, container_id=said)
    view = replace(busy_fleet(), gpus=GpuSnapshot((bad, replace(fine, processes=(hostile,))), notes=(said,)))
    shown = text(gpu_lines(view.gpus, 80)) + text(detail_lines(GpuLook(fine), 80, 20))
    shown += text(detail_lines(GpuLook(bad), 80, 20))
    for row in (*device_rows(view, Gauges(5, 0)), *process_rows(view, users={1000: said})):
        shown += "".join(cells(row))
    assert not set(shown) & set(map(chr, (*range(10), *range(11, 32), 127, 0x202E)))


# -- the containers of the fleet -----------------------------------------------------------------
def fleet_cells(view: FleetView, light: GpuLight) -> dict[object, list[str]]:
    """GPU, GPU MEM and GPU % of each container."""
    now = next(iter(view.containers.values())).created_at
    return {row.key: cells(row)[6:9] for row in rows_of(view, now=now, light=light)}


def test_containers_of_the_gpu_that_is_pointed_at_are_marked() -> None:
    rows = fleet_cells(busy_fleet(), GpuLight("GPU-1", NOW, 600.0))
    assert rows[TRAINER] == ["▸0,1", "82 GiB", "80%"]
    assert rows[TRITON] == ["▸1→1:0", "13 GiB", "40%"]
    assert rows[NOTEBOOK] == ["▸all→0", "10 GiB", "idle 1h"]
    assert fleet_cells(busy_fleet(), GpuLight("GPU-7", NOW, 7200.0))[NOTEBOOK] == ["all→0", "10 GiB", "0.0%"]


@pytest.mark.parametrize(("column", "first"), [("gpu_memory", TRAINER), ("gpu_percent", TRAINER), ("gpu", NOTEBOOK)])
def test_the_fleet_is_sorted_by_its_gpus(column: str, first: object) -> None:
    view = busy_fleet()
    now = next(iter(view.containers.values())).created_at
    assert rows_of(view, sort=Sort(column, True), now=now)[0].key == first
