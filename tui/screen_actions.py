"""Actions of the screens above the fleet, and of every screen. Data only."""

from __future__ import annotations

from tui.action import Action, Scope

GPU_ACTIONS: tuple[Action, ...] = (
    Action("gpus.part", "Next part: GPUs, processes, containers", ("tab",), Scope.GPUS, footer=2, short="part"),
    Action("gpus.span", "Last 5 minutes, or the last hour", ("h",), Scope.GPUS, footer=1, short="5 min/1 h"),
    Action("gpus.only", "Of the selected GPU only, or of all", ("a",), Scope.GPUS, footer=3, short="one/all"),
    Action("gpus.idle", "Only those that hold memory idly", ("I",), Scope.GPUS, footer=4, short="idle"),
    Action("gpus.open", "Details of the row's container", ("enter",), Scope.GPUS, footer=5, short="details"),
    Action("gpus.logs", "Logs of the row's container", ("l",), Scope.GPUS, footer=9, short="logs"),
    Action(
        "gpus.stop", "Stop the row's container (asks first)", ("s",), Scope.GPUS, changes=True, footer=6, short="stop"
    ),
)

DETAIL_ACTIONS: tuple[Action, ...] = (
    Action("logs.follow", "Pause or follow", ("space",), Scope.LOGS, footer=1, short="pause/follow"),
    Action("logs.search", "Search", ("slash",), Scope.LOGS, footer=2, short="search"),
    Action("logs.next", "Next line found", ("n",), Scope.LOGS, footer=3, short="next"),
    Action("logs.previous", "Previous line found", ("N",), Scope.LOGS, footer=4, short="previous"),
    Action("detail.reload", "Read again", ("r",), Scope.DETAIL, footer=1, short="read again"),
)

DOCTOR_ACTIONS: tuple[Action, ...] = (
    Action("doctor.copy", "Copy the command that mends it", ("y",), Scope.DOCTOR, footer=1, short="copy command"),
    Action("doctor.again", "Look again", ("r",), Scope.DOCTOR, footer=2, short="look again"),
    Action("doctor.amiss", "Only what is amiss, or all", ("a",), Scope.DOCTOR, footer=3, short="amiss/all"),
)

MIGRATE_ACTIONS: tuple[Action, ...] = (
    Action("migrate.run", "Run the plan (asks first)", ("enter",), Scope.MIGRATE, changes=True, footer=1, short="run"),
    Action("migrate.target", "Next target engine", ("t",), Scope.MIGRATE, changes=True, footer=2, short="target"),
    Action("migrate.name", "Name of the copy", ("n",), Scope.MIGRATE, changes=True, footer=3, short="name"),
    *(
        Action(id, title, (key,), Scope.MIGRATE, changes=True)
        for id, title, key in (
            ("migrate.layer", "Changed files: leave, image, copy", "f"),
            ("migrate.volumes", "Volumes: copy, share, leave empty", "v"),
            ("migrate.ports", "Ports: the same, any free, others", "p"),
            ("migrate.gpus", "GPUs: choose those of the copy", "g"),
            ("migrate.defaults", "Defaults: as before, the target's", "d"),
            ("migrate.way", "Image: as fits, archive, layers", "i"),
            ("migrate.source", "Source: stopped, or runs on", "s"),
            ("migrate.live", "Copying: before the stop, or after", "l"),
        )
    ),
    Action(
        "migrate.cancel",
        "Cancel a migration (asks first)",
        ("x",),
        Scope.MIGRATE,
        changes=True,
        footer=4,
        short="cancel",
    ),
    Action(
        "migrate.accept",
        "Accept a finished move (asks first)",
        ("c",),
        Scope.MIGRATE,
        changes=True,
        footer=4,
        short="accept",
    ),
    Action(
        "migrate.remove",
        "Accept, remove source (asks first)",
        ("D",),
        Scope.MIGRATE,
        destructive=True,
        changes=True,
        footer=6,
        short="remove source",
    ),
    Action(
        "migrate.undo",
        "Undo a finished move (asks first)",
        ("u",),
        Scope.MIGRATE,
        destructive=True,
        changes=True,
        footer=5,
        short="undo",
    ),
    Action("migrate.again", "Plan again", ("a",), Scope.MIGRATE, changes=True, footer=7, short="plan again"),
)

APP_ACTIONS: tuple[Action, ...] = (
    Action("app.error", "Details of the last failure", ("e",), Scope.APP),
    Action("app.help", "Help", ("question_mark",), Scope.APP, footer=0, short="help"),
    Action("app.palette", "Command palette", ("ctrl+p", "colon"), Scope.APP),
    Action("app.theme", "Dark or light", ("ctrl+t",), Scope.APP),
    Action("app.back", "Back to the fleet", ("escape", "q"), Scope.BACK, footer=8, short="back"),
    Action("app.quit", "Quit", ("q", "ctrl+q"), Scope.APP, footer=7, short="quit"),
)
