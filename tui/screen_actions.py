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
    Action("logs.follow", "Pause or follow", ("space",), Scope.LOGS, footer=1, short="pause"),
    Action("logs.search", "Search", ("slash",), Scope.LOGS, footer=2, short="search"),
    Action("logs.next", "Next line found", ("n",), Scope.LOGS, footer=3, short="next"),
    Action("logs.previous", "Previous line found", ("N",), Scope.LOGS, footer=14, short="previous"),
    Action("logs.filter", "Filter lines (regular expression)", ("f",), Scope.LOGS, footer=4, short="filter"),
    Action("logs.level", "Only from a level up: info, warning, error", ("v",), Scope.LOGS, footer=6, short="level"),
    Action("logs.since", "Only since a moment", ("s",), Scope.LOGS, footer=9, short="since"),
    Action("logs.times", "When each line was written", ("t",), Scope.LOGS, footer=10, short="times"),
    Action("logs.wrap", "Wrap long lines", ("w",), Scope.LOGS, footer=11, short="wrap"),
    Action("logs.save", "Save what is shown to a file", ("S",), Scope.LOGS, footer=12, short="save"),
    Action("logs.project", "All of its project or pod, or it alone", ("p",), Scope.LOGS, footer=13, short="project"),
    Action("detail.next", "Next section (or its number)", ("tab",), Scope.DETAIL, footer=1, short="section"),
    Action("detail.previous", "Section before", ("shift+tab",), Scope.DETAIL),
    Action("detail.reload", "Read again", ("r",), Scope.DETAIL, footer=2, short="again"),
    Action("detail.secrets", "Show or hide what looks secret", ("x",), Scope.DETAIL, footer=3, short="secrets"),
    Action("detail.search", "Search the inspect JSON", ("slash",), Scope.DETAIL, footer=4, short="search"),
    Action("detail.next_found", "Next one found", ("n",), Scope.DETAIL),
    Action("detail.previous_found", "One found before", ("N",), Scope.DETAIL),
    Action("detail.logs", "Its log", ("L",), Scope.DETAIL, footer=5, short="log"),
    Action("detail.links", "Its links", ("b",), Scope.DETAIL, footer=6, short="links"),
)

EVENT_ACTIONS: tuple[Action, ...] = (
    Action("events.follow", "Stand still or go on", ("space",), Scope.EVENTS, footer=1, short="pause/follow"),
    Action("events.filter", "Filter events (regular expression)", ("slash",), Scope.EVENTS, footer=2, short="filter"),
)

LINK_ACTIONS: tuple[Action, ...] = (
    Action("links.open", "Open in a browser, or copy", ("enter",), Scope.LINKS, footer=1, short="open"),
    Action("links.copy", "Copy the address, with its token", ("y",), Scope.LINKS, footer=2, short="copy"),
    Action("links.tunnel", "Copy the ssh line that reaches it", ("t",), Scope.LINKS, footer=3, short="ssh line"),
    Action("links.tokens", "Show or hide tokens", ("x",), Scope.LINKS, footer=4, short="tokens"),
    Action("links.attach", "Copy the line that attaches VS Code", ("v",), Scope.LINKS, footer=5, short="VS Code"),
    Action("links.reload", "Look again", ("r",), Scope.LINKS, footer=6, short="again"),
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
    Action(
        "migrate.parts",
        "Each volume and each port by itself",
        ("o",),
        Scope.MIGRATE,
        changes=True,
        footer=4,
        short="each",
    ),
    Action(
        "migrate.project",
        "With all of its project or pod, or alone",
        ("P",),
        Scope.MIGRATE,
        changes=True,
        footer=5,
        short="project",
    ),
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
    Action(
        "migrate.resume",
        "Finish a move that was cut off (asks first)",
        ("r",),
        Scope.MIGRATE,
        changes=True,
        footer=4,
        short="finish it",
    ),
    Action(
        "migrate.verify",
        "Compare copy and source once more",
        ("V",),
        Scope.MIGRATE,
        changes=True,
        footer=6,
        short="compare",
    ),
    Action("migrate.copy_report", "Copy where the report lies", ("y",), Scope.MIGRATE),
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
