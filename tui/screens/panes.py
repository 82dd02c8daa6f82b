"""The panes below the table: GPUs, layers of the container's image, its facts. Asks for layers only when seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal

from backends.model.events import ConnectionState, Link
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey, ImageKey
from tui.actions import BY_ID, first_key_label
from tui.image_messages import LayersFailed, LayersLoaded
from tui.screens.facts import InfoPane
from widgets.container_rows import GpuLight
from widgets.gpu_given import devices_of, names_of
from widgets.gpu_holders import holders_of, idle_words, takers_of
from widgets.gpu_lines import GpuMarks
from widgets.gpu_panel import GpuPanel
from widgets.layer_tree import LayerTree
from widgets.lines_pane import LinesPane

if TYPE_CHECKING:
    from backends.model.image import LayerReport

PANES = ("gpus", "layers", "info")


class Panes(Horizontal):
    """One, two or three panes, as the width allows; the chosen one is always among them.

    cached: layers that are known. load: asks for those that are not; the answer comes by `take`.
    now: the wall clock.
    """

    def __init__(
        self,
        *,
        cached: Callable[[ImageKey], LayerReport | None],
        load: Callable[[ImageKey], None],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(id="panes")
        self._cached = cached
        self._load = load
        self._now = now
        self._layers_of: ImageKey | None = None
        self._failed_on: ConnectionState | None = None
        self._light, self._idle_note = GpuLight(), ""
        self._chosen = PANES[0]
        self._beside = PANES[1]

    def compose(self) -> ComposeResult:
        """The three panes."""
        panes: tuple[LinesPane, ...] = (GpuPanel(id="gpus"), LayerTree(id="layers"), InfoPane(id="info"))
        for pane, title in zip(panes, ("GPUs", "Layers", "Info"), strict=True):
            pane.border_title = title
            yield pane

    def on_mount(self) -> None:
        """Show the first."""
        self.query_one(LayerTree).show_nothing("No container is selected.")
        self.choose(self._chosen)

    @property
    def chosen(self) -> str:
        """The pane that is shown where there is room for one only."""
        return self._chosen

    @property
    def gpus(self) -> GpuPanel:
        """The pane of GPUs."""
        return self.query_one(GpuPanel)

    @property
    def light(self) -> GpuLight:
        """What was pointed out when it was shown last."""
        return self._light

    @property
    def idle_note(self) -> str:
        """How many containers hold GPU memory idly, "" where none does."""
        return self._idle_note

    def choose(self, pane: str) -> LinesPane:
        """Show a pane ("gpus", "layers", "info") for certain; returns it."""
        self._chosen = pane
        if pane != "gpus":
            self._beside = pane
        for name in PANES:
            self.set_class(name == self._chosen, f"-chosen-{name}")
            self.set_class(name == self._beside, f"-beside-{name}")
        return self.query_one(f"#{pane}", LinesPane)

    def show(self, view: FleetView, key: ContainerKey | None, light: GpuLight) -> None:
        """Show the newest view; key: the container under the cursor, whose GPUs are marked."""
        self._light = light
        self._show_gpus(view, key)
        self.query_one(InfoPane).show(view, key, self._now())
        self._show_layers(view, key)

    def _show_gpus(self, view: FleetView, key: ContainerKey | None) -> None:
        light, container = self._light, view.containers.get(key) if key is not None else None
        lit = devices_of(view, container, names_of(view.gpus)) if container is not None else frozenset()
        holders = holders_of(view, monotonic_now=light.monotonic_now, idle_after_s=light.idle_after_s)
        self._idle_note = idle_words(holders)
        note = f"{self._idle_note} ({first_key_label(BY_ID['fleet.idle'])} lists)" if self._idle_note else ""
        self.gpus.show(view.gpus, view.gpu_traces, GpuMarks(lit=lit, note=note, takers=takers_of(view, holders)))

    def _show_layers(self, view: FleetView, key: ContainerKey | None) -> None:
        tree = self.query_one(LayerTree)
        container = view.containers.get(key) if key is not None else None
        if container is None or not container.image_id:
            self._layers_of = None
            tree.show_nothing("The engine does not name the image." if container else "No container is selected.")
            return
        image = ImageKey(container.key.engine, container.image_id)
        engine = view.engines.get(image.engine)
        if engine is not None and engine.connection.link is Link.CONNECTING:
            tree.show_loading(container.image)  # asked for once the engine is there
            return
        if self._failed_on is not None and engine is not None and engine.connection != self._failed_on:
            self._layers_of = self._failed_on = None  # the link changed since: worth another try
        if image == self._layers_of or not tree.display:
            return
        self._layers_of, self._failed_on = image, None
        report = self._cached(image)
        if report is not None:
            tree.show(report, now=self._now())
        else:
            tree.show_loading(container.image)
            self._load(image)

    def take(self, answer: LayersLoaded | LayersFailed, view: FleetView) -> None:
        """An answer to what was asked for; too late ones are dropped."""
        if answer.image != self._layers_of:
            return
        tree = self.query_one(LayerTree)
        if isinstance(answer, LayersLoaded):
            tree.show(answer.report, now=self._now())
            return
        tree.show_error(answer.error)
        engine = view.engines.get(answer.image.engine)
        self._failed_on = engine.connection if engine is not None else None
