"""What an action is, and where it applies. Knows no screen and no widget; may not act."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backends.model.capabilities import Capability
from backends.model.container import ContainerState


class Scope(StrEnum):
    """Where an action applies; the value is the heading in help and README."""

    MOVE = "Moving"  # bound by the table itself; the ids are its bindings'
    CONTAINER = "On the selected container"
    FLEET = "The fleet"
    GPUS = "On the GPU screen"
    IMAGES = "On the images screen"
    IMAGE = "On the screen of one image"
    TRANSFERS = "On the screen of pulls and pushes"
    SEARCH = "On the search screen"
    COMPARE = "On the comparison of two images"
    BUILD = "While an image is built"
    STORES = "On the volumes and networks screens"
    FILES = "Among files"
    DOCTOR = "On the doctor's screen"
    SECURITY = "On the security screen"
    ADVICE = "On the advisor's screen"
    AUDIT = "On the audit trail"
    SCHEDULES = "Among scheduled backups"
    EXPORT = "On the export screen"
    TRIAL = "On the screen of a trial"
    SWEEP = "On the screen of a sweep"
    SWEEP_FORM = "In the form of a sweep"
    DETAIL = "In the details"
    LINKS = "Among the links"
    EVENTS = "Among the events"
    LOGS = "In the log"
    EXEC = "On a command's output"
    MIGRATE = "In a migration"
    RUN = "In the form of a new container"
    BACK = "On any screen but the fleet"
    APP = "Everywhere"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can ask for.

    id: stable, what a keymap overrides ("container.stop"). keys: as Textual names them, the first is shown.
    needs: the capability that the engine must have. states: of the container in which it makes sense, None = any.
    destructive: loses something, so it is confirmed by name. changes: is refused in read-only mode.
    footer: place in the footer, low first; None = not there. short: its word in the footer.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    scope: Scope
    needs: Capability | None = None
    states: frozenset[ContainerState] | None = None
    destructive: bool = False
    changes: bool = False
    footer: int | None = None
    short: str = ""
