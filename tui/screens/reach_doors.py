"""What reaches from the fleet into its containers, volumes and networks. Does nothing to them itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from backends.model.container import Container
from tui.actions import BY_ID

if TYPE_CHECKING:
    from tui.screens.fleet import FleetScreen


def reach_acts(fleet: FleetScreen) -> Mapping[str, Callable[[], object]]:
    """What is done, by action id."""
    return {
        "container.shell": partial(_shell, fleet),
        "container.attach": partial(_attach, fleet),
        "container.exec": partial(_exec, fleet),
        "container.files": partial(_files, fleet),
        "fleet.volumes": partial(_volumes, fleet),
        "fleet.networks": partial(_networks, fleet),
    }


def _allowed(fleet: FleetScreen, action: str) -> Container | None:
    container = fleet.selected()
    return container if container is not None and fleet.allowed(BY_ID[action], container) else None


def _shell(fleet: FleetScreen) -> None:
    container = _allowed(fleet, "container.shell")
    if container is not None:
        fleet.tranship.commands.talks.shell(container)


def _attach(fleet: FleetScreen) -> None:
    container = _allowed(fleet, "container.attach")
    if container is not None:
        fleet.tranship.commands.talks.attach(container)


def _exec(fleet: FleetScreen) -> None:
    from tui.screens.program import ProgramScreen, command_question

    container = _allowed(fleet, "container.exec")
    if container is None:
        return

    def run(command: str | None) -> None:
        if command:
            fleet.app.push_screen(ProgramScreen(container, command))

    fleet.app.push_screen(command_question(container), run)


def _volumes(fleet: FleetScreen) -> None:
    from tui.screens.volumes import VolumesScreen

    fleet.app.push_screen(VolumesScreen())


def _networks(fleet: FleetScreen) -> None:
    from tui.screens.volumes import NetworksScreen

    fleet.app.push_screen(NetworksScreen())


def _files(fleet: FleetScreen) -> None:
    from tui.screens.files import ContainerFiles, FilesScreen

    container = _allowed(fleet, "container.files")
    if container is not None:
        fleet.app.push_screen(FilesScreen(ContainerFiles(container)))
