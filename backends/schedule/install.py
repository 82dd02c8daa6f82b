"""Schedules of this account: given to systemd or cron, listed, taken away. Blocks; asks no engine.

Of root they are the machine's own units, of others units of their own service manager.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backends.model.errors import BackendError, Denied, NotFound, Refused, Unsupported
from backends.schedule.plan import (
    CRON_MARK,
    PREFIX,
    Schedule,
    Units,
    calendar,
    cron_lines,
    read_mark,
    without,
)

_TIMEOUT_S = 30
_SYSTEM = Path("/etc/systemd/system")


@dataclass(frozen=True, slots=True)
class Installed:
    """A schedule that is there. how: "systemd" or "cron". next: when it comes, "" where nobody says."""

    schedule: Schedule
    how: str
    next: str = ""


def folder(environ: Mapping[str, str] = os.environ, uid: int | None = None) -> Path:
    """Where the units of this account lie."""
    if (os.getuid() if uid is None else uid) == 0:
        return _SYSTEM
    config = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "systemd" / "user"


def manager() -> list[str]:
    """systemd's own command for the units of this account."""
    return ["systemctl"] if os.getuid() == 0 else ["systemctl", "--user"]


def _run(command: Sequence[str], *, given: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except FileNotFoundError as error:
        raise Unsupported(f"there is no {command[0]} on this machine") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackendError(f"{command[0]} does not answer", detail=str(error)) from error


def check_calendar(every: str) -> tuple[bool, str]:
    """Whether systemd itself was asked, and what it says of the next time. Raises Refused for what it does not take."""
    if not every.isprintable() or "%" in every:
        raise Refused("a time has no such characters", detail=repr(every), hint="write for example: daily")
    if shutil.which("systemd-analyze") is None:
        return False, ""
    done = _run(["systemd-analyze", "calendar", "--", calendar(every)])
    if done.returncode:
        hint = "hourly, daily, weekly, monthly, or as `man systemd.time` has it: Mon..Fri 02:30"
        raise Refused(f"systemd does not take “{every}” as a time", detail=done.stderr.strip(), hint=hint)
    found = [line.partition(":")[2].strip() for line in done.stdout.splitlines() if "Next elapse" in line]
    return True, found[0] if found else ""


def install_units(schedule: Schedule, made: Units, where: Path) -> list[str]:
    """Write both units and start the timer; returns what should be known. What failed leaves nothing behind.

    Raises Denied where they cannot be written.
    """
    files = {where / f"{schedule.unit}.service": made.service, where / f"{schedule.unit}.timer": made.timer}
    before = {path: path.read_bytes() for path in files if path.exists()}
    try:
        try:
            where.mkdir(parents=True, exist_ok=True)
            for path, text in files.items():
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Denied("the units cannot be written", detail=str(error), hint=f"look at {where}") from error
        _manage("daemon-reload")
        _manage("enable", "--now", f"{schedule.unit}.timer")
    except BaseException:
        for path in files:
            with suppress(OSError):
                path.write_bytes(before[path]) if path in before else path.unlink(missing_ok=True)
        with suppress(BackendError):
            _manage("daemon-reload")
        raise
    return _notes()


def _manage(*words: str) -> str:
    done = _run([*manager(), *words])
    if done.returncode:
        hint = "systemd may not run here: --cron makes a line of cron instead; without --install the units are shown"
        said = (done.stderr or done.stdout).strip()
        raise Unsupported(f"systemd did not do “{words[0]}”", detail=said, hint=hint)
    return done.stdout


def _notes() -> list[str]:
    if os.getuid() == 0 or shutil.which("loginctl") is None:
        return []
    done = _run(["loginctl", "show-user", str(os.getuid()), "-p", "Linger", "--value"])
    if done.stdout.strip() == "yes":
        return []
    return ["it only comes while you are logged in; `loginctl enable-linger` lets it come always"]


def install_cron(schedule: Schedule, command: Sequence[str], environ: Mapping[str, str]) -> None:
    """Put its line into the account's crontab, in the place of an earlier one. Refused: cron cannot say it."""
    try:
        lines = cron_lines(schedule, command, environ)
    except ValueError as error:
        raise Refused(str(error)) from error
    kept = without(_crontab(), schedule.unit)
    _set_crontab(kept + ("" if not kept or kept.endswith("\n") else "\n") + "\n".join(lines) + "\n")


def _crontab() -> str:
    done = _run(["crontab", "-l"])
    if done.returncode and "no crontab" not in done.stderr.lower():
        raise BackendError("the crontab cannot be read", detail=done.stderr.strip())
    return done.stdout if not done.returncode else ""


def _set_crontab(text: str) -> None:
    done = _run(["crontab", "-"], given=text)
    if done.returncode:
        raise BackendError("cron did not take the crontab", detail=done.stderr.strip(), hint="it is as it was")


def installed(where: Path) -> list[Installed]:
    """All schedules of this account, by name."""
    found = [*_of_systemd(where), *_of_cron()]
    return sorted(found, key=lambda one: (one.schedule.name, one.schedule.engine, one.how))


def _of_systemd(where: Path) -> Iterator[Installed]:
    for path in sorted(where.glob(f"{PREFIX}*.timer")):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            if (schedule := read_mark(line)) is not None:
                yield Installed(schedule, "systemd", _next_of(schedule))


def _next_of(schedule: Schedule) -> str:
    show = ["show", "-p", "NextElapseUSecRealtime", "--value", f"{schedule.unit}.timer"]
    try:
        done = _run([*manager(), *show])
    except BackendError:
        return ""
    return done.stdout.strip() if not done.returncode else ""


def _of_cron() -> Iterator[Installed]:
    try:
        lines = _crontab().splitlines()
    except BackendError:  # there is no cron, and so none of its lines
        return
    for line in lines:
        if line.startswith(CRON_MARK) and (schedule := read_mark(line)) is not None:
            yield Installed(schedule, "cron")


def remove(name: str, engine: str, where: Path) -> list[Installed]:
    """Take a container's schedules away, of all engines where none is named; backups stay.

    Raises NotFound where there is none, Denied where a unit cannot be removed.
    """
    gone = [
        one for one in installed(where) if one.schedule.name == name and (not engine or one.schedule.engine == engine)
    ]
    if not gone:
        raise NotFound(f"no backup of {name} is scheduled", hint="tranship schedule --list names those that are")
    for one in gone:
        if one.how == "cron":
            _set_crontab(without(_crontab(), one.schedule.unit))
            continue
        with suppress(Unsupported):  # systemd does not run here: then there is nothing to stop
            _manage("disable", "--now", f"{one.schedule.unit}.timer")
        for end in ("timer", "service"):
            try:
                (where / f"{one.schedule.unit}.{end}").unlink(missing_ok=True)
            except OSError as error:
                raise Denied("the unit cannot be removed", detail=str(error), hint=f"look at {where}") from error
        with suppress(Unsupported):
            _manage("daemon-reload")
    return gone


__all__ = ["Installed", "check_calendar", "folder", "install_cron", "install_units", "installed", "manager", "remove"]
