"""A backup that is made again and again: what is written for systemd or cron, word for word. Pure; runs nothing.

Names, paths and values come from outside: whatever is in them, systemd and cron take them as they are.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from backends.systemd_text import literal, quoted

PREFIX = "tranship-backup-"
MARK = "[X-Tranship]"
CRON_MARK = "# tranship-schedule "
CRON_WORDS = {
    "hourly": "0 * * * *",
    "daily": "0 3 * * *",
    "weekly": "0 3 * * 0",
    "monthly": "0 3 1 * *",
}
"""Words that both take; cron's own @daily would come at midnight, when all others do."""
_CALENDAR = {
    "hourly": "hourly",
    "daily": "*-*-* 03:00:00",
    "weekly": "Sun *-*-* 03:00:00",
    "monthly": "*-*-01 03:00:00",
}
_CRON = re.compile(r"(@(?:hourly|daily|weekly|monthly|yearly|reboot))|(?:[\d*,/A-Za-z-]+[ \t]+){4}[\d*,/A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A backup of `name` on `engine`, `every` so often, into the folder `to`; the newest `keep` good ones stay."""

    name: str
    engine: str
    every: str
    to: str
    keep: int

    def terms(self, by: str) -> dict[str, object]:
        """What the audit trail says of it. by: "systemd" or "cron"."""
        return {"every": self.every, "to": self.to, "keep": self.keep, "by": by}

    @property
    def unit(self) -> str:
        """Name of its units, without the end; what may not stand in one is written as systemd-escape does."""
        engine = escaped(self.engine).replace("-", "\\x2d")  # so that the next dash is where the name begins
        return f"{PREFIX}{engine}-{escaped(self.name)}"


@dataclass(frozen=True, slots=True)
class Units:
    """The texts of both units."""

    service: str
    timer: str


def escaped(text: str) -> str:
    r"""As a part of a unit's name: what may not stand there is "\x2f", by its bytes."""
    return "".join(
        char if re.fullmatch(r"[A-Za-z0-9_.-]", char) else "".join(f"\\x{byte:02x}" for byte in char.encode())
        for char in text
    )


def calendar(every: str) -> str:
    """The words as an OnCalendar expression of systemd."""
    return _CALENDAR.get(every, every)


def units(schedule: Schedule, command: Sequence[str], environ: Mapping[str, str]) -> Units:
    """What systemd gets. command: what is run, its program first; environ: what it needs besides."""
    about = _described(f"Tranship: backup of {schedule.name} on {schedule.engine}")
    if re.search(r"[\"'\\\x00-\x1f\x7f]", command[0]):  # which systemd takes in arguments, but in no program's name
        command = ["/usr/bin/env", *command]
    program, *rest = command
    words = " ".join([quoted(program, variables=False), *map(quoted, rest)])
    kept = json.dumps(asdict(schedule), ensure_ascii=True)
    service = [
        "# Made by `tranship schedule`; `tranship schedule --remove` takes it away.",
        "[Unit]",
        f"Description={about}",
        "",
        "[Service]",
        "Type=oneshot",
        *(f"Environment={quoted(f'{name}={value}', variables=False)}" for name, value in sorted(environ.items())),
        f"ExecStart={words}",
        "Nice=10",
        "IOSchedulingClass=idle",
    ]
    timer = [
        "# Made by `tranship schedule`; `tranship schedule --remove` takes it away.",
        "[Unit]",
        f"Description={about}",
        "",
        "[Timer]",
        f"OnCalendar={calendar(schedule.every)}",
        "Persistent=true",
        "RandomizedDelaySec=300",
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
        MARK,
        f"Schedule={kept}",
    ]
    return Units("\n".join(service) + "\n", "\n".join(timer) + "\n")


def _described(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in literal(text, variables=False)).rstrip("\\")


def cron_lines(schedule: Schedule, command: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str]:
    """What cron gets: a line that says whose the next is, and that. Raises ValueError for what cron cannot say."""
    when = CRON_WORDS.get(schedule.every, schedule.every)
    if not _CRON.fullmatch(when):
        words = ", ".join(CRON_WORDS)
        raise ValueError(f"“{schedule.every}” is no time of cron; write {words}, or five fields: 30 2 * * 1-5")
    passed = [f"{name}={value}" for name, value in sorted(environ.items())]
    line = shlex.join(["env", *passed, *command])
    if "\n" in line or "\0" in line:
        raise ValueError("cron takes no line breaks in names and paths")
    return CRON_MARK + json.dumps(asdict(schedule), ensure_ascii=True), f"{when} {line}".replace("%", "\\%")


def read_mark(line: str) -> Schedule | None:
    """The schedule of a mark's line, None where it is none."""
    text = line.strip()
    for before in ("Schedule=", CRON_MARK):
        if text.startswith(before):
            try:
                return Schedule(**json.loads(text.removeprefix(before)))
            except (ValueError, TypeError, RecursionError):
                return None
    return None


def without(crontab: str, schedule_unit: str) -> str:
    """The crontab without the lines of this schedule; all else as it was."""
    kept: list[str] = []
    skip = False
    for line in crontab.splitlines(keepends=True):
        found = read_mark(line) if line.startswith(CRON_MARK) else None
        if skip:
            skip = False
            continue
        skip = found is not None and found.unit == schedule_unit
        if not skip:
            kept.append(line)
    return "".join(kept)


__all__ = [
    "CRON_WORDS",
    "Schedule",
    "Units",
    "calendar",
    "cron_lines",
    "escaped",
    "quoted",
    "read_mark",
    "units",
    "without",
]
