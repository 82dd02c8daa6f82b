"""Actions of the audit trail, and of what is done again and again: of the fleet, and of their screens. Data only."""

from __future__ import annotations

from tui.action import Action, Scope

AUDIT_ACTIONS: tuple[Action, ...] = (
    Action("fleet.audit", "Audit trail: who did what, and is it whole", ("J",), Scope.FLEET),
    Action("audit.filter", "Filter: any word of a line", ("slash",), Scope.AUDIT, footer=1, short="filter"),
    Action(
        "audit.deployments", "Only what was brought to run, or all", ("d",), Scope.AUDIT, footer=2, short="deployed"
    ),
    Action("audit.part", "The list, or the line in full", ("tab",), Scope.AUDIT, footer=3, short="in full"),
    Action("audit.copy", "Copy the line as JSON", ("y",), Scope.AUDIT, footer=4, short="copy"),
    Action("audit.schedules", "Backups on a schedule", ("b",), Scope.AUDIT, footer=6, short="schedules"),
    Action("audit.again", "Read and prove again", ("r",), Scope.AUDIT, footer=5, short="again"),
)

SCHEDULE_ACTIONS: tuple[Action, ...] = (
    Action("fleet.schedules", "Backups on a schedule", (), Scope.FLEET),
    Action(
        "schedules.remove",
        "Take it away; its backups stay (asks first)",
        ("d",),
        Scope.SCHEDULES,
        destructive=True,
        changes=True,
        footer=1,
        short="remove",
    ),
    Action("schedules.again", "Look again", ("r",), Scope.SCHEDULES, footer=2, short="look again"),
)
