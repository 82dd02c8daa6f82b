"""What is written for systemd and cron: odd names and paths stay what they are; systemd itself takes the units."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from backends.schedule.plan import (
    CRON_WORDS,
    Schedule,
    calendar,
    cron_lines,
    escaped,
    quoted,
    read_mark,
    units,
    without,
)

ODD = "a b%h$HOME \"q\" \\n 's' ü\ttab"
WISH = Schedule("web", "podman", "daily", "/srv/100% backups", 7)


def _unquoted(word: str) -> str:
    """systemd.syntax(7): quotes taken off, C escapes read, then specifiers and variables."""
    assert word[0] == word[-1] == '"'
    text = word[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")
    return text.replace("$$", "$").replace("%%", "%")


@pytest.mark.parametrize("text", ["plain", ODD, "", "%%$$", "line\nbreak\x1b[31m\x7f", "-x"])
def test_a_word_comes_out_of_systemd_as_it_went_in(text: str) -> None:
    word = quoted(text)
    assert word.isprintable() or "ü" in word
    assert _unquoted(word) == text


def test_the_units_name_program_folder_and_time() -> None:
    made = units(
        WISH, ["/opt/a b/tranship", "backup", "--keep", "7", "--", "web", WISH.to], {"DOCKER_HOST": "tcp://x%y"}
    )
    assert 'ExecStart="/opt/a b/tranship" "backup" "--keep" "7" "--" "web" "/srv/100%% backups"\n' in made.service
    assert 'Environment="DOCKER_HOST=tcp://x%%y"\n' in made.service
    assert "OnCalendar=*-*-* 03:00:00\n" in made.timer
    assert "Persistent=true\n" in made.timer
    assert [found for line in made.timer.splitlines() if (found := read_mark(line))] == [WISH]


def test_a_program_whose_name_systemd_does_not_take_is_run_by_another() -> None:
    made = units(WISH, ["/opt/it's/tranship", "backup"], {})
    assert """ExecStart="/usr/bin/env" "/opt/it's/tranship" "backup"\n""" in made.service


def test_names_of_units_are_unambiguous() -> None:
    assert WISH.unit == "tranship-backup-podman-web"
    one, other = Schedule("b", "a-c", "daily", "/", 1), Schedule("c-b", "a", "daily", "/", 1)
    assert one.unit != other.unit
    assert one.unit == r"tranship-backup-a\x2dc-b"
    assert escaped("a/b c") == r"a\x2fb\x20c"


def _verified(files: list[str]) -> tuple[int, str]:
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    odd = Schedule("web-1", "podman", "Mon..Fri 02:30", f"/srv/{ODD}", 3)
    program = tmp_path / "a b%h$HOME ü" / "tool"  # systemd looks whether it is there: so it reads our quotes
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    made = units(odd, [str(program), "--", odd.to], {"A": ODD})
    for end, text in (("service", made.service), ("timer", made.timer)):
        (tmp_path / f"{odd.unit}.{end}").write_text(text)
    files = [str(tmp_path / f"{odd.unit}.{end}") for end in ("service", "timer")]
    assert _verified(files) == (0, "")
    (tmp_path / f"{odd.unit}.timer").write_text(made.timer.replace("Mon..Fri", "Never"))
    program.unlink()
    assert "is not executable" in _verified(files[:1])[1]
    assert "Never" in _verified(files)[1]
    for words in CRON_WORDS:
        checked = subprocess.run(["systemd-analyze", "calendar", calendar(words)], capture_output=True, timeout=60)
        assert checked.returncode == 0


def test_crons_line_runs_the_same() -> None:
    mark, line = cron_lines(WISH, ["/opt/a b/tranship", "backup", ODD, WISH.to], {"DOCKER_HOST": "tcp://x%y"})
    assert read_mark(mark) == WISH
    assert line.startswith("0 3 * * * env ")
    command = line.removeprefix("0 3 * * * ").replace("\\%", "%")
    assert shlex.split(command) == ["env", "DOCKER_HOST=tcp://x%y", "/opt/a b/tranship", "backup", ODD, WISH.to]
    assert "%" not in line.replace("\\%", "")


@pytest.mark.parametrize("every", ["Mon..Fri 02:30", "30 2", "1 2 3 4 5\n* * * * * rm", "*-*-* 03:00:00"])
def test_what_cron_cannot_say_is_refused(every: str) -> None:
    with pytest.raises(ValueError, match="no time of cron"):
        cron_lines(Schedule("web", "podman", every, "/srv", 7), ["/bin/true"], {})


def test_line_breaks_never_reach_the_crontab() -> None:
    with pytest.raises(ValueError, match="line breaks"):
        cron_lines(WISH, ["/bin/true", "a\nb"], {})


def test_only_its_own_lines_are_taken_out() -> None:
    mine = "\n".join(cron_lines(WISH, ["/bin/true"], {})) + "\n"
    other = "\n".join(cron_lines(Schedule("api", "docker", "hourly", "/srv", 2), ["/bin/true"], {})) + "\n"
    theirs = "# a comment\n5 4 * * * backup web\n"
    assert without(theirs + mine + other + theirs, WISH.unit) == theirs + other + theirs
    assert read_mark("# tranship-schedule {") is None
    assert read_mark("Schedule=[]") is None
