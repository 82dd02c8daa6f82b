"""FleetView to rows without a terminal: filter, order, groups, pending operations, what an empty table says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.container import StatsReading
from backends.model.events import ConnectionState, Link, Phase
from backends.model.fleet import FleetView
from backends.model.gpu import GpuSnapshot
from backends.model.ids import EngineId, EngineKind
from backends.model.values import Count, Missing
from tests.snapshots.samples import DOCKER, NOW, PODMAN, ROOTLESS, engine_view, fleet, key_of
from tests.snapshots.samples import gpus as some_gpus
from widgets.column_choice import USUAL, ColumnChoice
from widgets.container_filter import FIELDS, parse
from widgets.container_rows import (
    GROUPS,
    SORTABLE,
    Sort,
    columns_for,
    empty_lines,
    rows_of,
    told_in_seconds,
    widths_of,
)
from widgets.container_sort import own_limit
from widgets.container_table import ContainerTable
from widgets.engine_badge import badges
from widgets.format import age_text
from widgets.line import Tone, plain
from widgets.table_layout import Column, column_at, lay_out, pages
from widgets.table_rows import Row
from widgets.text import line_width


def names(rows: Sequence[Row]) -> list[str]:
    """The name cells of the rows that are no headings."""
    return [plain(row.cells[1]) for row in rows if not row.heading]


def cell(rows: Sequence[Row], name: str, column: str) -> str:
    """One cell's text."""
    order = [c.key for c in columns_for(badge_width=4, gpus=True)].index(column)
    return next(plain(row.cells[order]) for row in rows if not row.heading and plain(row.cells[1]) == name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TRITON", ["triton"]),
        ("state:exit", ["eval-batch-0007", "warmup"]),
        ("engine:docker -state:exited", ["llama-finetune-70b-rank-64-seed-1337", "postgres", "triton"]),
        ("project:vision health:unhealthy", ["triton"]),
        ("postgres:17", ["postgres"]),
        ("port:8888", ["jupyter"]),
        ("label:vision !triton", ["llama-finetune-70b-rank-64-seed-1337"]),
        ("gpu:gpu=0", ["llama-finetune-70b-rank-64-seed-1337"]),
        ("前処理", ["データ前処理-パイプライン"]),
        ("nothing-like-it", []),
    ],
)
def test_filter(text: str, expected: list[str]) -> None:
    assert names(rows_of(fleet(), filter=text, now=NOW)) == expected


@given(st.text(max_size=30))
def test_any_text_is_a_filter(text: str) -> None:
    everything = set(names(rows_of(fleet(), now=NOW)))
    assert set(names(rows_of(fleet(), filter=text, now=NOW))) <= everything


def test_a_prefix_alone_asks_for_nothing() -> None:
    assert all(parse(f"{field}:") == () for field in FIELDS)


@given(st.sampled_from(SORTABLE), st.booleans(), st.sampled_from(GROUPS))
def test_every_order_and_group_shows_every_container_once(column: str, descending: bool, group: str) -> None:
    view = fleet()
    rows = rows_of(view, sort=Sort(column, descending), group=group, now=NOW)  # type: ignore[arg-type]  # from GROUPS
    assert sorted(row.key for row in rows if not row.heading) == sorted(view.containers)  # type: ignore[type-var]
    assert len({row.key for row in rows}) == len(rows)


def test_order_by_number_puts_the_unknown_last_both_ways() -> None:
    up = names(rows_of(fleet(), sort=Sort("gpu_memory"), now=NOW))
    down = names(rows_of(fleet(), sort=Sort("gpu_memory", True), now=NOW))
    assert up[:2] == ["triton", "llama-finetune-70b-rank-64-seed-1337"]
    assert down[:2] == ["llama-finetune-70b-rank-64-seed-1337", "triton"]
    assert up[2:] == down[2:]


def test_a_click_on_a_column_takes_the_useful_way_first_then_turns() -> None:
    assert Sort().toggled("cpu") == Sort("cpu", True)
    assert Sort("cpu", True).toggled("cpu") == Sort("cpu", False)
    assert Sort("cpu", True).toggled("name") == Sort("name", False)


def test_groups_have_headings_that_count() -> None:
    rows = rows_of(fleet(docker=Link.LOST), group="engine", now=NOW)
    headings = [plain(row.cells[0]) for row in rows if row.heading]
    assert headings[0] == "docker  3 running · 2 not · 1 unhealthy · last known"
    assert [heading.split()[0] for heading in headings] == ["docker", "podman", "podman-rootless"]
    by_project = [plain(row.cells[0]) for row in rows_of(fleet(), group="project", now=NOW) if row.heading]
    assert [heading.split("  ")[0] for heading in by_project] == ["vision", "no project"]


@given(st.integers(min_value=-100, max_value=200))
def test_whoever_is_told_in_seconds_is_known(after_s: int) -> None:
    view = fleet()
    newest = max(max(one.created_at, one.started_at or one.created_at) for one in view.containers.values())
    now = max(newest, *(one.finished_at or newest for one in view.containers.values())) + timedelta(seconds=after_s)
    moments = [at for one in view.containers.values() for at in (one.created_at, one.started_at, one.finished_at)]
    assert told_in_seconds(view, now) == any(age_text(at, now).endswith("s") for at in moments if at is not None)
    lost = ConnectionState(Link.LOST, retry_at=9.0)
    waiting = replace(view, engines={**view.engines, DOCKER: replace(view.engines[DOCKER], connection=lost)})
    assert told_in_seconds(waiting, now)


def test_rows_of_a_lost_engine_are_stale_and_only_those() -> None:
    rows = rows_of(fleet(docker=Link.LOST), now=NOW)
    view = fleet()
    stale = {row.key for row in rows if row.stale}
    assert stale == {key for key in view.containers if key.engine == DOCKER}


def test_cells_say_what_was_read() -> None:
    rows = rows_of(fleet(), now=NOW)
    assert cell(rows, "triton", "limit").split() == ["━━━━━╸", "6.0", "GiB"]
    assert cell(rows, "triton", "gpu") == "1"
    assert cell(rows, "triton", "gpu_percent") == "12%"
    assert cell(rows, "triton", "ports") == "8000→8000 8001→8001"
    assert cell(rows, "jupyter", "state") == "◒ stopping…"
    assert cell(rows, "warmup", "cpu") == "–"
    assert cell(rows, "postgres", "limit").strip() == "–"
    assert cell(rows, "evilgnp.exe[red]", "image") == "x/y"


def test_an_operation_that_ended_is_not_pending() -> None:
    view = fleet()
    ended = {key: replace(update, phase=Phase.DONE) for key, update in view.operations.items()}
    rows = rows_of(replace(view, operations=ended), now=NOW)
    assert cell(rows, "jupyter", "state") == "● running"


def test_badges_are_short_mark_rootless_and_never_look_alike() -> None:
    second = EngineId(EngineKind.DOCKER, "docker-gpu-node-0001")
    demo = EngineId(EngineKind.DEMO, "demo-podman")
    views = [engine_view(PODMAN), engine_view(ROOTLESS, rootless=True), engine_view(demo)]
    assert list(badges(views).values()) == ["PDM", "PDMʳ", "DEMO·P"]
    assert badges([engine_view(DOCKER), engine_view(second)])[second] == "docker…-0001"


def test_an_empty_table_says_why() -> None:
    def said(view: FleetView, filter: str = "", total: int = 0) -> str:
        return "\n".join(plain(part) for part in empty_lines(view, filter=filter, total=total))

    assert "No container matches x" in said(fleet(), "x", 13)
    assert said(FleetView()).startswith("Looking for engines")
    absent = FleetView(engines={DOCKER: engine_view(DOCKER, Link.ABSENT)})
    assert said(absent) == "No engine found on this machine.\ndocker: connection refused"
    assert said(FleetView(engines={DOCKER: engine_view(DOCKER, Link.LOST)})).startswith("Waiting")
    assert said(FleetView(engines={DOCKER: engine_view(DOCKER)})).startswith("No containers yet")


@given(st.integers(min_value=10, max_value=300), st.booleans(), st.integers(min_value=0, max_value=12))
def test_columns_never_leave_the_width_nor_overlap(width: int, gpus: bool, badge_width: int) -> None:
    slots = lay_out(columns_for(badge_width=badge_width, gpus=gpus), width)
    for left, right in pairwise(slots):
        assert left.width == 0 or left.x + left.width < right.x
    assert all(slot.width == 0 or slot.x + slot.width <= width for slot in slots)


def test_at_80_columns_gpu_matters_where_there_are_gpus_and_image_where_there_are_none() -> None:
    def shown(gpus: bool, width: int) -> list[str]:
        return [slot.column.key for slot in lay_out(columns_for(badge_width=4, gpus=gpus), width)]

    assert shown(True, 80) == [
        *("engine", "name", "state", "cpu", "memory"),
        *("gpu", "gpu_memory", "gpu_percent"),
    ]
    assert shown(False, 80) == ["engine", "name", "state", "cpu", "memory", "image", "age"]
    assert len(shown(True, 200)) == len(SORTABLE)


@given(st.integers(1, 220), st.booleans(), st.integers(0, 12))
def test_every_column_that_fits_beside_the_fixed_ones_stands_on_some_page(
    width: int, gpus: bool, badge_width: int
) -> None:
    columns = columns_for(badge_width=badge_width, gpus=gpus)
    every = pages(columns, width)
    turned = [index for page in every for index in page if not columns[index].fixed]
    assert len(turned) == len(set(turned))
    for number, page in enumerate(every):
        assert page == sorted(page)
        assert [slot.index for slot in lay_out(columns, width, number)] == page
    if width >= 60:
        assert set(turned) == {index for index, column in enumerate(columns) if not column.fixed}


def test_columns_grow_no_wider_than_their_longest_text() -> None:
    widths = {"name": 20, "image": 25, "ports": 0}
    slots = {slot.column.key: slot.width for slot in lay_out(columns_for(badge_width=4, gpus=True, widths=widths), 240)}
    assert (slots["name"], slots["image"], slots["ports"]) == (20, 25, 11)
    assert widths_of(fleet())["name"] == max(len(one.name) for one in fleet().containers.values())


def test_a_name_is_whole_before_columns_of_gpus_that_are_not_there() -> None:
    columns = columns_for(badge_width=4, gpus=False, widths={"name": 18, "image": 14, "ports": 0, "gpu": 0})
    for width in (80, 120):
        assert next(slot.width for slot in lay_out(columns, width) if slot.column.key == "name") >= 18


def test_columns_of_gpus_stand_where_there_are_some_or_a_person_wants_them() -> None:
    def gpu_columns(gpus: GpuSnapshot, choice: ColumnChoice = USUAL) -> int:
        table = ContainerTable()
        table.show(replace(fleet(), gpus=gpus, containers={}), now=NOW, columns=choice)
        return sum(column.key.startswith("gpu") for column in table._columns)

    assert gpu_columns(some_gpus(1)) == 3
    assert gpu_columns(GpuSnapshot()) == 3, "nobody has looked yet"
    none = GpuSnapshot(absent="No NVIDIA driver on this machine")
    assert gpu_columns(none) == 0
    assert gpu_columns(none, ColumnChoice(hidden=frozenset({"age"}))) == 3


def test_a_number_and_the_text_beside_it_are_two_in_a_narrow_table() -> None:
    columns = (Column("a", "A", 4), Column("size", "OWN", 6, align="right"), Column("used", "USED BY", 8))
    assert [slot.x for slot in lay_out(columns, 40)] == [3, 8, 16]


def test_the_column_under_a_cell() -> None:
    slots = lay_out(columns_for(badge_width=4, gpus=False), 80)
    found = [column_at(slots, x) for x in (0, slots[0].x, slots[1].x, 79)]
    assert [column.key if column else None for column in found] == [None, "engine", "name", "age"]


def test_cells_of_a_row_have_tones_besides_their_signs() -> None:
    rows = rows_of(fleet(), filter="name:triton", now=NOW)
    state = rows[0].cells[2]
    assert (state[0].text, state[0].tone) == ("◍ ", Tone.BAD)
    assert line_width(state) == len("◍ unhealthy")
    assert rows[0].key == key_of(DOCKER, 2)


@pytest.mark.parametrize(
    ("limit", "host", "expected"),
    [
        (6 << 30, 24 << 30, 6.0 * (1 << 30)),
        (24 << 30, 24 << 30, None),  # an engine's way of saying that there is none
        ((24 << 30) - 4096, 24 << 30, None),
        (48 << 30, 24 << 30, None),
        (24 << 30, 0, 24.0 * (1 << 30)),  # the host is unknown
        (Missing("not told"), 24 << 30, None),
    ],
)
def test_the_hosts_memory_is_no_limit(limit: Count, host: int, expected: float | None) -> None:
    assert own_limit(StatsReading(key_of(DOCKER, 1), 0.0, memory_limit_bytes=limit), host) == expected
