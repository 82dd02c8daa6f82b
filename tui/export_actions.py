"""Actions of the export screen, and what opens it. Data only."""

from __future__ import annotations

from backends.model.capabilities import Capability
from tui.action import Action, Scope

EXPORT_FLEET_ACTIONS: tuple[Action, ...] = (
    Action("container.export", "Export: run line, Quadlet, Compose, Kubernetes", ("X",), Scope.CONTAINER,
           needs=Capability.RECIPES),
)  # fmt: skip

EXPORT_ACTIONS: tuple[Action, ...] = (
    Action("export.next", "Next format (or its number)", ("tab",), Scope.EXPORT, footer=1, short="format"),
    Action("export.copy", "Copy all of its files' text", ("y",), Scope.EXPORT, footer=2, short="copy"),
    Action("export.write", "Write the files into a folder", ("w",), Scope.EXPORT, footer=3, short="write"),
    Action("export.install", "Install Quadlet units for your user (asks first)", ("I",), Scope.EXPORT, changes=True,
           footer=4, short="install"),
    Action("export.project", "All of its project or pod, or it alone", ("P",), Scope.EXPORT, footer=5,
           short="project"),
    Action("export.push", "Push its images to a registry, name them by digest", ("U",), Scope.EXPORT, changes=True),
    Action("export.apply", "Apply it to a cluster (Kubernetes; asks first)", ("A",), Scope.EXPORT, changes=True,
           footer=4, short="apply"),
    Action("export.external", "Compose: volumes and networks are there, or made", ("e",), Scope.EXPORT, footer=6,
           short="external"),
    Action("export.again", "Read again", ("r",), Scope.EXPORT),
)  # fmt: skip
