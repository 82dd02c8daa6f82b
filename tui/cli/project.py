"""`tranship migrate NAME --project`: all containers of a Compose project or pod, planned, moved and proved together."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from backends.model.errors import BackendError
from backends.model.plan import Choices, MigrationReport, Plan, StepProgress
from tui.cli import schema
from tui.cli.aftermath import engines_of, say_all, say_checks
from tui.cli.ask import agreed
from tui.cli.exits import Exit, exit_of
from tui.cli.output import answer, can_ask, complain, data, may_style, say, terminal_width
from tui.cli.pick import first_view, the_engine
from tui.cli.plan_text import plan_lines, report_lines, undone_lines
from tui.cli.progress import ProgressLines
from tui.crash import state_dir
from widgets.text import inert

if TYPE_CHECKING:
    from backends.migration.journal import Record
    from backends.migration.together import OnMember
    from backends.services.fleet import Fleet


async def move_project(
    fleet: Fleet,
    name: str,
    ways: tuple[str, str],
    choices: Choices,
    plan_only: bool,
    yes: bool,
    *,
    as_json: bool,
) -> Exit:
    """Plan, ask, move. ways: names of the source's and the target's engine."""
    from backends.migration.project import plan_project

    view = await first_view(fleet)
    source, target = (fleet.engine(the_engine(view, engine).id) for engine in ways)
    plans = await plan_project(source, name, target, choices=choices)
    blocked = any(plan.blocked for plan in plans)
    if plan_only or blocked:
        _show(plans, as_json=as_json, as_data=True)
        return Exit.BLOCKED if blocked else Exit.DONE
    _show(plans, as_json=as_json, as_data=False)
    names = ", ".join(plan.source_name for plan in plans)
    if not yes and not await agreed(f"Move {names} from {ways[0]} to {ways[1]}?"):
        say("nothing was moved")
        return Exit.FAILED
    return await _run(fleet, plans, name, as_json=as_json)


def _show(plans: tuple[Plan, ...], *, as_json: bool, as_data: bool) -> None:
    """as_data: the plans are the answer; else they are words before the deed, which has its own answer."""
    if as_json:
        if as_data:
            answer(plans=[schema.plan(plan) for plan in plans], reports=None, error=None)
        return
    write, stream = (data, sys.stdout) if as_data else (say, sys.stderr)
    for number, plan in enumerate(plans):
        for line in (*([""] if number else []), *plan_lines(plan, terminal_width(stream))):
            write(line)


@contextmanager
def _lines() -> Iterator[OnMember]:
    """Progress of several, each under its name where another goes on."""
    lines = ProgressLines(sys.stderr, living=may_style(sys.stderr))
    last = ""

    def follow(plan: Plan, progress: StepProgress) -> None:
        nonlocal last
        if plan.source_name != last:
            last = plan.source_name
            lines.close()
            say(inert(f"{last}:"))
        lines(progress)

    try:
        yield follow
    finally:
        lines.close()


async def _run(fleet: Fleet, plans: tuple[Plan, ...], project: str, *, as_json: bool) -> Exit:
    from backends.services.moves import move_together

    try:
        with _lines() as follow:
            reports = await move_together(fleet, plans, project, on_update=follow, state_dir=state_dir())
    except BackendError as error:
        if as_json:
            answer(plans=[schema.plan(plan) for plan in plans], reports=None, error=schema.error(error))
        complain(error)
        for line in undone_lines(error):
            say(line)
        return exit_of(error)
    return _tell(reports, as_json=as_json)


def _tell(reports: tuple[MigrationReport, ...], *, as_json: bool) -> Exit:
    if as_json:
        answer(
            plans=[schema.plan(report.plan) for report in reports],
            reports=[schema.report(report) for report in reports],
            error=None,
        )
    else:
        for report in reports:
            say_all(report_lines(report))
    return Exit.DONE if all(report.equal for report in reports) else Exit.FAILED


async def resume_project(fleet: Fleet, project: str, *, as_json: bool) -> Exit:
    """Finish a project's move that was cut off."""
    from backends.migration.together import resume_together

    with _lines() as follow:
        reports = await resume_together(state_dir(), project, await engines_of(fleet), on_update=follow)
    return _tell(reports, as_json=as_json)


async def undo_project(fleet: Fleet, project: str, *, as_json: bool, yes: bool) -> Exit:
    """Take a project's move back; a finished one only where that is agreed to."""
    from backends.migration.journal import Status
    from backends.migration.together import newest, undo_together

    records = await newest(state_dir(), project)
    finished = all(record.status is Status.DONE for record in records)
    if finished and not yes:
        question = f"What was written into the copies of {project} since the move is lost. Remove them?"
        if not can_ask():
            say(f"the move of {project} was finished: --undo --yes removes the copies all the same")
            return Exit.FAILED
        if not await agreed(question):
            say("nothing was undone")
            return Exit.FAILED
    undone = await undo_together(state_dir(), project, await engines_of(fleet), finished=finished)
    if as_json:
        answer(project=project, undone=list(undone.done), left=list(undone.left))
    else:
        say_all((*(f"undone: {thing}" for thing in undone.done), *(f"left: {thing}" for thing in undone.left)))
        if not undone.left:
            data(inert(f"all containers of {project} are as they were before the move"))
    return Exit.FAILED if undone.left else Exit.DONE


async def confirm_project(fleet: Fleet, project: str, *, remove_source: bool, as_json: bool) -> Exit:
    """Accept a project's finished move; sources go who needs others first."""
    from backends.migration.confirm import confirm

    records: list[Record] = await _waiting(project)
    engines, done = await engines_of(fleet), list[str]()
    for record in reversed(records):
        done += await confirm(state_dir(), record.id, engines, remove_source=remove_source)
    if as_json:
        answer(project=project, done=done)
    else:
        say_all(done)
    return Exit.DONE


async def verify_project(fleet: Fleet, project: str, *, as_json: bool) -> Exit:
    """Compare each copy with its source once more."""
    from backends.migration.again import verify_again

    engines, ends = await engines_of(fleet), []
    for record in await _waiting(project):
        checks = await verify_again(state_dir(), record.id, engines)
        if not as_json:
            data(inert(f"{record.container_name}:"))
        ends.append(say_checks(record.id, checks, as_json=as_json))
    return max(ends)


async def _waiting(project: str) -> list[Record]:
    from backends.migration.together import waiting

    return await waiting(state_dir(), project)
