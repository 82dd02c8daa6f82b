"""What of a container goes to the clipboard (OSC 52, so over SSH too): its id at once, or one of several things.

Reads no engine itself. Values of variables that are named like secrets never get there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from backends.model.container import Container
from backends.model.ids import EngineKind
from tui.messages import RunLineRead
from widgets.text import cut_middle, inert

if TYPE_CHECKING:
    from tui.screens.fleet import FleetScreen

_SHOWN_CELLS = 46  # one line of the dialog, beside what it is


def copy_acts(fleet: FleetScreen) -> Mapping[str, Callable[[], object]]:
    """What is copied, by action id."""
    return {"container.copy_id": partial(_copy_id, fleet), "container.copy": partial(_ask, fleet)}


def _copy(fleet: FleetScreen, what: str, text: str, shown: str = "") -> None:
    fleet.app.copy_to_clipboard(text)
    fleet.notify(f"Copied {what}" + (f": {shown}" if shown else "."), timeout=3, markup=False)


def _copy_id(fleet: FleetScreen) -> None:
    container = fleet.selected()
    if container is not None:
        _copy(fleet, f"the id of {container.name}", container.key.id, f"{container.key.short}…")


def _ask(fleet: FleetScreen) -> None:
    from widgets.dialogs import Choice, ChoiceDialog

    container = fleet.selected()
    if container is None:
        return
    program = "podman run" if container.key.engine.plays is EngineKind.PODMAN else "docker run"
    choices = [
        Choice("id", "id     ", f"{container.key.short}…"),
        Choice("name", "name   ", cut_middle(inert(container.name), _SHOWN_CELLS)),
        Choice("image", "image  ", cut_middle(inert(container.image), _SHOWN_CELLS)),
        Choice("command", "command", f"{program} …, without values of secrets"),
    ]
    question = ChoiceDialog(f"What to copy of {container.name}", choices)
    fleet.app.push_screen(question, partial(_take, fleet, container))


def _take(fleet: FleetScreen, container: Container, chosen: str | None) -> None:
    if chosen == "id":
        _copy(fleet, f"the id of {container.name}", container.key.id, f"{container.key.short}…")
    elif chosen == "name":
        _copy(fleet, "the name", container.name, container.name)
    elif chosen == "image":
        _copy(fleet, f"the image of {container.name}", container.image, container.image)
    elif chosen == "command":
        fleet.tranship.commands.run.line_of(container, fleet.post_message)


def take_line(fleet: FleetScreen, message: RunLineRead) -> None:
    """The command line was read: copy it, and say what it does not hold."""
    _copy(fleet, f"the command that runs one like {message.name}", message.text)
    left = [f"Set {name} yourself: it looks like a secret." for name in message.hidden]
    left += [f"Not in the command: {one}" for one in message.unsaid]
    if left:
        fleet.notify("\n".join(left), severity="warning", timeout=8, markup=False)
