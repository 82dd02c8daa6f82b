"""A plan and a report as plain lines."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.cli.objects import plan, report
from tui.cli.plan_text import plan_lines, report_lines


def test_a_plan_says_all_of_it_what_is_dropped_first() -> None:
    lines = list(plan_lines(plan(), None))
    text = "\n".join(lines)
    assert lines[0] == "Move web from docker to podman as web2"
    assert text.index("dropped") < text.index("converted") < text.index("same")
    for part in ("SYS_ADMIN", "not carried yet", "8081", "1. ship the image (1000 B)", "! warning: the port is taken"):
        assert part in text
    assert "skipped: nothing to compare" in text
    assert "secret-value" not in text
    assert all(character.isprintable() for line in lines for character in line)


def test_a_blocked_plan_says_so() -> None:
    text = "\n".join(plan_lines(plan(blocked=True), None))
    assert "✕ blocks: the port is taken" in text
    assert "cannot run" in text


def test_a_plan_fits_a_terminal() -> None:
    table = [line for line in plan_lines(plan(), 60) if line.startswith(("FIELD", "HostConfig"))]
    assert len(table) == 2
    assert all(len(line) <= 60 for line in table)


def test_a_report_names_what_differs() -> None:
    lines = list(report_lines(report()))
    assert lines[0] == "web runs on podman as web2"
    assert "2.0 KiB moved in 3 seconds, 1.2 seconds without service" in lines
    assert "1 of 2 comparisons equal" in lines
    assert "  differs: env: A=1 / A=2" in lines
    assert "  remember the label" in lines


def test_a_long_move_is_told_in_minutes() -> None:
    long = replace(report(), duration_s=723.24, downtime_s=61.0)
    assert "2.0 KiB moved in 12 minutes and 3.2 seconds, 1 minute and 1 second without service" in report_lines(long)
