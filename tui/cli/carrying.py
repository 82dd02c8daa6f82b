"""A plan shown, carried out, and what came of it told: the same for a move and for a restore. Decides nothing."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager

from backends.model.errors import BackendError
from backends.model.plan import MigrationReport, Plan, StepProgress
from tui.cli import schema
from tui.cli.exits import Exit, exit_of
from tui.cli.output import answer, complain, data, may_style, say, terminal_width
from tui.cli.plan_text import report_lines, undone_lines
from tui.cli.progress import ProgressLines

Work = Callable[[Callable[[StepProgress], None]], Awaitable[MigrationReport]]
"""Carries a plan out; told where its progress goes."""


def show(lines_of: Callable[[int | None], Iterable[str]], *, as_data: bool) -> None:
    """Lines made for a width. as_data: they are the answer; else words before the deed, which has its own answer."""
    write, stream = (data, sys.stdout) if as_data else (say, sys.stderr)
    for line in lines_of(terminal_width(stream)):
        write(line)


@contextmanager
def progress_lines() -> Iterator[ProgressLines]:
    """Progress on stderr; the living line is taken away at the end."""
    lines = ProgressLines(sys.stderr, living=may_style(sys.stderr))
    try:
        yield lines
    finally:
        lines.close()


async def carry_out(plan: Plan, work: Work, *, as_json: bool) -> tuple[Exit, MigrationReport | None]:
    """Do it and tell what came of it; the report, None where it failed and was undone."""
    try:
        with progress_lines() as lines:
            report = await work(lines)
    except BackendError as error:
        if as_json:
            answer(plan=schema.plan(plan), report=None, error=schema.error(error))
        return complain_undone(error), None
    tell_report(plan, report, as_json=as_json)
    return (Exit.DONE if report.equal else Exit.FAILED), report


def tell_report(plan: Plan, report: MigrationReport, *, as_json: bool) -> None:
    """What was done and proved."""
    if as_json:
        answer(plan=schema.plan(plan), report=schema.report(report), error=None)
        return
    for line in report_lines(report):
        data(line)


def complain_undone(error: BackendError) -> Exit:
    """What went wrong, and what was taken back; the exit code for it."""
    complain(error)
    for line in undone_lines(error):
        say(line)
    return exit_of(error)
