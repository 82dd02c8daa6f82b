"""What opens from the fleet: one method for each screen above it. Does nothing to a container.

The screens and dialogs are imported when they are first opened: the first frame does without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from backends.model.ids import ImageKey
from tui.actions import BY_ID
from tui.screens.fleet_moves import choices_of, targets_of
from tui.screens.panes import Panes

if TYPE_CHECKING:
    from tui.app import TranshipApp
    from tui.screens.fleet import FleetScreen


class Doors:
    """The ways out of the fleet's screen."""

    def __init__(self, fleet: FleetScreen) -> None:
        self._fleet = fleet

    @property
    def _app(self) -> TranshipApp:
        return self._fleet.tranship

    @property
    def _panes(self) -> Panes:
        return self._fleet.query_one(Panes)

    def acts(self) -> Mapping[str, Callable[[], object]]:
        """What opens a screen, by action id."""
        return {
            "container.detail": self._detail,
            "container.logs": self._logs,
            "container.migrate": self._migrate,
            "fleet.gpu_screen": self._gpu_screen,
            "fleet.idle": self._idle,
            "fleet.image": self._image,
            "fleet.images": self._images,
            "fleet.moves": self._moves,
            "fleet.doctor": self._doctor,
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

        container = self._fleet.selected()
        if container is not None:
            self._app.push_screen(LogScreen(container))

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
        """The moves of this session, to look on at one."""
        from tui.screens.migrate import MigrateScreen
        from widgets.dialogs import ChoiceDialog

        moves = self._app.commands.moves.known

        def look(chosen: str | None) -> None:
            if chosen is not None:
                move = moves[int(chosen)]
                self._app.push_screen(MigrateScreen(move.container, move.targets, move))

        if moves:
            self._app.push_screen(ChoiceDialog("Migrations", choices_of(moves)), look)
        else:
            self._app.refuse("Nothing was moved in this session; tranship doctor knows of earlier moves.")

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

    def _doctor(self) -> None:
        from tui.screens.doctor import DoctorScreen

        self._app.push_screen(DoctorScreen())
