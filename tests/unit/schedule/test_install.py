"""Schedules given to systemd and cron, listed and taken away; programs that note what they are asked stand in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from backends.model.errors import Denied, NotFound, Refused, Unsupported
from backends.schedule import install
from backends.schedule.plan import Schedule, Units, units
from backends.services import audit, schedule_removal

WISH = Schedule("web", "podman", "daily", "/srv/backups", 7)
MADE: Units = units(WISH, ["/bin/true"], {})


def _program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of programs: a systemctl that notes its words, a crontab that is a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    _program(folder, "systemctl", f'echo "$@" >> {tmp_path}/asked')
    tab = tmp_path / "tab"
    told = f'cat {tab} 2>/dev/null || {{ echo "no crontab for me" >&2; exit 1; }}'
    _program(folder, "crontab", f'if [ "$1" = -l ]; then {told}; else cat > {tab}; fi')
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return folder


def _asked(tmp_path: Path) -> list[str]:
    return [line.removeprefix("--user ") for line in (tmp_path / "asked").read_text().splitlines()]


@pytest.mark.usefixtures("bin")
def test_units_are_written_started_listed_and_removed(tmp_path: Path) -> None:
    where = tmp_path / "units"
    install.install_units(WISH, MADE, where)
    assert (where / "tranship-backup-podman-web.service").read_text() == MADE.service
    assert _asked(tmp_path) == ["daemon-reload", "enable --now tranship-backup-podman-web.timer"]
    [found] = install.installed(where)
    assert (found.schedule, found.how) == (WISH, "systemd")
    with pytest.raises(NotFound):
        install.remove("web", "docker", where)
    install.remove("web", "", where)
    assert list(where.iterdir()) == []
    assert "disable --now tranship-backup-podman-web.timer" in _asked(tmp_path)
    assert install.installed(where) == []


def test_where_systemd_refuses_nothing_is_left(bin: Path, tmp_path: Path) -> None:
    _program(bin, "systemctl", '[ "$1" = --user ] && shift; [ "$1" = enable ] || exit 0; echo "not booted" >&2; exit 1')
    where = tmp_path / "units"
    with pytest.raises(Unsupported, match="did not do") as failed:
        install.install_units(WISH, MADE, where)
    assert "not booted" in failed.value.detail
    assert "--cron" in failed.value.hint
    assert list(where.iterdir()) == []
    where.joinpath(f"{WISH.unit}.timer").write_text("of before")
    with pytest.raises(Unsupported):
        install.install_units(WISH, MADE, where)
    assert [path.read_text() for path in where.iterdir()] == ["of before"]


@pytest.mark.usefixtures("bin")
def test_crons_lines_are_put_beside_others_and_taken_out_again(tmp_path: Path) -> None:
    tab = tmp_path / "tab"
    install.install_cron(WISH, ["/bin/true"], {})
    tab.write_text("1 2 3 4 5 theirs\n" + tab.read_text())
    install.install_cron(Schedule("web", "podman", "weekly", "/srv/backups", 3), ["/bin/true"], {})
    assert tab.read_text().count("/bin/true") == 1
    [found] = install.installed(tmp_path / "no-units")
    assert (found.how, found.schedule.every, found.schedule.keep) == ("cron", "weekly", 3)
    install.remove("web", "podman", tmp_path / "no-units")
    assert tab.read_text() == "1 2 3 4 5 theirs\n"


def test_a_machine_without_either_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unsupported, match="no systemctl"):
        install.install_units(WISH, MADE, tmp_path / "units")
    with pytest.raises(Unsupported, match="no crontab"):
        install.install_cron(WISH, ["/bin/true"], {})
    assert install.installed(tmp_path / "units") == []
    assert install.check_calendar("daily") == (False, "")


def test_a_time_that_is_none_is_refused(bin: Path) -> None:
    _program(
        bin, "systemd-analyze", 'case "$3" in *03:00*) echo "  Next elapse: tomorrow";; *) echo bad >&2; exit 1;; esac'
    )
    assert install.check_calendar("daily") == (True, "tomorrow")
    with pytest.raises(Refused, match="does not take"):
        install.check_calendar("whenever")
    with pytest.raises(Refused, match="no such characters"):
        install.check_calendar("daily\nExecStart=/bin/sh")


def test_units_of_users_lie_among_their_settings(tmp_path: Path) -> None:
    assert install.folder({"XDG_CONFIG_HOME": str(tmp_path)}, uid=1000) == tmp_path / "systemd" / "user"
    assert install.folder({}, uid=0) == Path("/etc/systemd/system")


@pytest.mark.usefixtures("bin")
async def test_what_is_taken_away_is_a_line_of_the_trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    where = tmp_path / "units"
    install.install_units(WISH, MADE, where)
    gone, amiss = await schedule_removal.remove("web", "", where)
    assert ([one.schedule for one in gone], amiss) == ([WISH], None)
    with pytest.raises(NotFound):
        await schedule_removal.remove("web", "", where)
    install.install_units(WISH, MADE, where)
    with pytest.raises(Denied):
        await _without_right(where)
    said = [json.loads(line) for line in audit.default_path().read_text().splitlines()]
    assert [(one["action"], one["subject"], one["outcome"]) for one in said] == [
        ("container.unschedule", "web", "done"),
        ("container.unschedule", "web", "failed"),
    ]
    assert (said[0]["engine"], said[0]["engine_kind"], said[0]["plan"]["to"]) == ("podman", None, "/srv/backups")


async def _without_right(where: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", _refused)
        await schedule_removal.remove("web", "", where)


def _refused(path: Path, missing_ok: bool = False) -> None:
    raise PermissionError(f"{path} {missing_ok}")
