"""Pictures of the panes as a person sees them, each in an app of its own. Every time is injected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from backends.model.events import Link
from backends.model.fleet import FleetView
from tests.snapshots.samples import DOCKER, NO_GPU, NOW, PODMAN, engine_view, fleet, gpus, layers, log_lines, plan
from widgets.container_rows import Sort
from widgets.container_table import ContainerTable
from widgets.gpu_panel import GpuPanel
from widgets.layer_tree import LayerTree
from widgets.log_view import LogView
from widgets.plan_view import PlanView
from widgets.status_bar import StatusBar

Compare = Callable[..., bool]
NARROW, WIDE = (80, 24), (200, 50)


class Host(App[None]):
    """An app that shows some panes one below the other."""

    def __init__(self, *panes: Widget) -> None:
        super().__init__()
        self._panes = panes

    def compose(self) -> ComposeResult:
        yield from self._panes


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are in colour whatever the terminal of the test run is."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")


def table_host(show: Callable[[ContainerTable, StatusBar], None]) -> tuple[Host, Callable[[Pilot[None]], Any]]:
    """The container table over the status bar, and what fills them."""
    table, bar = ContainerTable(), StatusBar()

    async def fill(pilot: Pilot[None]) -> None:
        show(table, bar)
        table.focus()
        await pilot.pause()

    return Host(table, bar), fill


def shown(view: FleetView, **how: Any) -> Callable[[ContainerTable, StatusBar], None]:
    """Fills both with a fleet."""

    def show(table: ContainerTable, bar: StatusBar) -> None:
        table.show(view, now=NOW, **how)
        bar.show(view, monotonic_now=100.0)
        table.move_to(list(view.containers)[1] if view.containers else None)
        table.toggle_mark()

    return show


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])
def test_containers(snap_compare: Compare, size: tuple[int, int]) -> None:
    host, fill = table_host(shown(fleet(), sort=Sort("cpu", True)))
    assert snap_compare(host, terminal_size=size, run_before=fill)


def test_containers_of_a_lost_engine_are_grey(snap_compare: Compare) -> None:
    host, fill = table_host(shown(fleet(docker=Link.LOST), group="engine"))
    assert snap_compare(host, terminal_size=WIDE, run_before=fill)


def test_no_containers(snap_compare: Compare) -> None:
    engines = {DOCKER: engine_view(DOCKER), PODMAN: engine_view(PODMAN, Link.ABSENT)}
    host, fill = table_host(shown(FleetView(engines=engines)))
    assert snap_compare(host, terminal_size=NARROW, run_before=fill)


@pytest.mark.parametrize("count", [0, 2, 8])
def test_gpus(snap_compare: Compare, count: int) -> None:
    panel = GpuPanel()

    async def fill(pilot: Pilot[None]) -> None:
        panel.show(gpus(count) if count else NO_GPU)
        await pilot.pause()

    assert snap_compare(Host(panel), terminal_size=(80, 14), run_before=fill)


def test_layers(snap_compare: Compare) -> None:
    tree = LayerTree()

    async def fill(pilot: Pilot[None]) -> None:
        tree.show(layers(), now=NOW)
        await pilot.pause()

    assert snap_compare(Host(tree), terminal_size=NARROW, run_before=fill)


def test_a_plan(snap_compare: Compare) -> None:
    view = PlanView()

    async def fill(pilot: Pilot[None]) -> None:
        view.show_plan(plan())
        await pilot.pause()

    assert snap_compare(Host(view), terminal_size=(80, 36), run_before=fill)


def test_a_log(snap_compare: Compare) -> None:
    view = LogView()

    async def fill(pilot: Pilot[None]) -> None:
        view.append(log_lines())
        await pilot.pause()

    assert snap_compare(Host(view), terminal_size=NARROW, run_before=fill)
