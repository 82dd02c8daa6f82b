"""What opens from the fleet: one method for each screen above it. Does nothing to a container.

The screens and dialogs are imported when they are first opened: the first frame does without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from backends.model.capabilities import Capability
from backends.model.errors import BackendError
from backends.model.ids import EngineId, ImageKey
from tui.actions import BY_ID
from tui.screens.fleet_moves import choices_of, targets_of
from tui.screens.panes import Panes
from tui.screens.reach_doors import reach_acts
from tui.screens.registries import Registries
from widgets.container_table import ContainerTable

if TYPE_CHECKING:
    from backends.presets.preset import Preset
    from tui.app import TranshipApp
    from tui.move import Move
    from tui.screens.fleet import FleetScreen


class Doors:
    """The ways out of the fleet's screen."""

    def __init__(self, fleet: FleetScreen) -> None:
        self._fleet = fleet
        self._listing = False

    @property
    def _app(self) -> TranshipApp:
        return self._fleet.tranship

    @property
    def _panes(self) -> Panes:
        return self._fleet.query_one(Panes)

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """What opens a screen, by action id."""
        return {
            "container.advice": self._advice,
            "container.change": partial(self._again, "container.change"),
            "container.detail": self._detail,
            "container.export": self._export,
            "container.like": partial(self._again, "container.like"),
            "container.links": self._links,
            "container.logs": self._logs,
            "container.migrate": self._migrate,
            "container.security": self._security,
            "container.trial": self._trial,
            "fleet.events": self._events,
            "fleet.gpu_screen": self._gpu_screen,
            "fleet.idle": self._idle,
            "fleet.image": self._image,
            "fleet.images": self._images,
            "fleet.moves": self._moves,
            **Registries(self._fleet).acts("fleet"),
            "fleet.run": self._run,
            **reach_acts(self._fleet),
            "fleet.audit": self._audit,
            "fleet.doctor": self._doctor,
            "fleet.schedules": self._schedules,
            "fleet.sweeps": self._sweeps,
        }

    def _detail(self) -> None:
        from tui.screens.container import ContainerScreen

        if self._panes.gpus.has_focus:
            self._gpu_screen()  # Enter on the GPUs is about them
            return
        if self._fleet.query_one("#layers").has_focus:
            self._image()
            return
        container = self._fleet.selected()
        if container is not None:
            self._app.push_screen(ContainerScreen(container.key))

    def _logs(self) -> None:
        from tui.screens.logs import LogScreen

        containers = self._fleet.chosen()
        if containers:
            self._app.push_screen(LogScreen(*containers))

    def _links(self) -> None:
        from tui.screens.links import LinkScreen

        container = self._fleet.selected()
        if container is not None:
            self._app.push_screen(LinkScreen(container))

    def _advice(self) -> None:
        from tui.screens.advice import AdviceScreen

        container = self._fleet.selected()
        if container is not None and self._fleet.allowed(BY_ID["container.advice"], container):
            self._app.push_screen(AdviceScreen(container))

    def _export(self) -> None:
        from tui.screens.export import ExportScreen

        containers, action = self._fleet.chosen(), BY_ID["container.export"]
        if containers and all(self._fleet.allowed(action, one) for one in containers):
            self._app.push_screen(ExportScreen(containers))

    def _security(self) -> None:
        from tui.screens.security import SecurityScreen

        container = self._fleet.selected()
        if container is not None and self._fleet.allowed(BY_ID["container.security"], container):
            self._app.push_screen(SecurityScreen(container))

    def _migrate(self) -> None:
        from tui.screens.migrate import MigrateScreen

        container = self._fleet.selected()
        if container is None or not self._fleet.allowed(BY_ID["container.migrate"], container):
            return
        move = self._app.commands.moves.of(container.key)
        targets = move.targets if move is not None else targets_of(self._app.view, container.key.engine)
        if targets:
            self._app.push_screen(MigrateScreen(container, targets, move))
        else:
            self._app.refuse("No other engine is connected that it could go to.")

    def _moves(self) -> None:
        """The moves of this session, and those of earlier ones that are not over: they are read first."""
        self._listing = True
        self._app.commands.moves.look_for_earlier(self._fleet.post_message)

    def listed(self, error: BackendError | None) -> None:
        """The journals were read: show what there is where somebody asked for it, or why they could not be read."""
        asked, self._listing = self._listing, False
        if not asked:
            return
        if error is not None:
            self._app.fail(error)
        moves = self._app.commands.moves.known
        if moves and self._fleet.is_current:
            self._choose_move(moves)
        elif not moves and error is None:
            self._app.refuse("Nothing was moved in this session, and no earlier move waits for anything.")

    def _choose_move(self, moves: Sequence[Move]) -> None:
        from tui.screens.migrate import MigrateScreen
        from widgets.dialogs import ChoiceDialog

        def look(chosen: str | None) -> None:
            if chosen is not None:
                move = moves[int(chosen)]
                self._app.push_screen(MigrateScreen(move.container, move.targets, move))

        self._app.push_screen(ChoiceDialog("Migrations", choices_of(moves)), look)

    def _gpu_screen(self, *, idle: bool = False) -> None:
        from tui.screens.gpus import GpuScreen

        self._app.push_screen(GpuScreen(self._panes.gpus.chosen, idle=idle))

    def _idle(self) -> None:
        """Those that hold GPU memory idly, on the screen where one of them can be stopped."""
        if self._panes.idle_note:
            self._gpu_screen(idle=True)
        else:
            minutes = self._app.settings.idle_gpu_minutes
            self._app.refuse(f"No container has held GPU memory idly for {minutes:g} minutes.")

    def _events(self) -> None:
        from tui.screens.events import EventScreen

        self._app.push_screen(EventScreen())

    def _image(self) -> None:
        from tui.screens.image import ImageScreen

        container = self._fleet.selected()
        if container is not None and container.image_id:
            self._app.push_screen(ImageScreen(ImageKey(container.key.engine, container.image_id), container.image))
        elif container is not None:
            self._app.refuse(f"{container.key.engine} does not name the image of {container.name}.")

    def _images(self) -> None:
        from tui.screens.images import ImagesScreen

        self._app.push_screen(ImagesScreen())

    # -- new containers --------------------------------------------------------------------------
    def _run(self) -> None:
        """A preset first, then the form, on the engine of the row under the cursor."""
        from tui.screens.run import RunScreen
        from tui.screens.run_presets import EMPTY, preset_picker

        engine = self._near()
        if engine is None:
            self._app.refuse("No engine is connected that it could run on.")
            return

        async def take(preset: Preset | None) -> None:
            if preset is not None:
                self._app.push_screen(RunScreen(engine, None if preset is EMPTY else preset))

        preset_picker(self._app, take)

    def _near(self) -> EngineId | None:
        """The engine of the row under the cursor where it is connected, else the first that is."""
        view = self._app.view
        there = view.offering(Capability.RECIPES)
        key = self._fleet.query_one(ContainerTable).selected
        return key.engine if key is not None and key.engine in there else next(iter(there), None)

    def _again(self, action: str) -> None:
        """The form, filled from the container under the cursor: one like it, or itself made again."""
        from tui.screens.run import RunScreen

        container = self._fleet.selected()
        if container is not None and self._fleet.allowed(BY_ID[action], container):
            change = action == "container.change"
            self._app.push_screen(RunScreen(container.key.engine, source=container, change=change))

    def _audit(self) -> None:
        from tui.screens.audit import AuditScreen

        self._app.push_screen(AuditScreen())

    def _doctor(self) -> None:
        from tui.screens.doctor import DoctorScreen

        self._app.push_screen(DoctorScreen())

    def _trial(self) -> None:
        from tui.screens.trial import TrialScreen

        container = self._fleet.selected()
        if container is not None and self._fleet.allowed(BY_ID["container.trial"], container):
            self._app.push_screen(TrialScreen(container))

    def _sweeps(self) -> None:
        """The newest of this session; the form where there was none."""
        from tui.screens.sweep import SweepScreen
        from tui.screens.sweep_form import SweepForm

        if self._app.commands.sweeps.known:
            self._app.push_screen(SweepScreen())
        elif self._app.allows("sweep.new"):
            engine = self._near()
            if engine is None:
                self._app.refuse("No engine is connected that it could run on.")
            else:
                self._app.push_screen(SweepForm(engine))

    def _schedules(self) -> None:
        from tui.screens.schedules import SchedulesScreen

        self._app.push_screen(SchedulesScreen())
