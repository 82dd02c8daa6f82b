"""`tranship migrate NAME --project`: all containers of a Compose project or pod, planned, moved and proved together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backends.model.errors import BackendError, Conflict
from backends.model.plan import Choices, MigrationReport, Plan, StepProgress
from tui.cli import schema
from tui.cli.aftermath import checks_exit, engines_of, say_all, written_down
from tui.cli.ask import agreed
from tui.cli.carrying import complain_undone, progress_lines, show
from tui.cli.exits import Exit
from tui.cli.output import answer, can_ask, data, say
from tui.cli.pick import first_view, gpus_for, the_engine
from tui.cli.plan_text import check_lines, plan_lines, report_lines
from tui.crash import state_dir
from widgets.text import inert

if TYPE_CHECKING:
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
    from backends.migration.unfinished import refuse_unfinished

    view = await first_view(fleet)
    source, target = (fleet.engine(the_engine(view, engine).id) for engine in ways)
    seen = await gpus_for(fleet, choices.gpus)
    plans = await plan_project(source, name, target, choices=choices, seen=seen)
    for plan in (
        () if plan_only else plans
    ):  # what an earlier move has made there blocks, with a remedy that destroys it
        await refuse_unfinished(state_dir(), ways[0], plan.source.id)
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
    if not as_json:
        show(lambda width: _plans_lines(plans, width), as_data=as_data)
    elif as_data:
        answer(plans=[schema.plan(plan) for plan in plans], reports=None, error=None)


def _plans_lines(plans: tuple[Plan, ...], width: int | None) -> Iterator[str]:
    for number, plan in enumerate(plans):
        if number:
            yield ""
        yield from plan_lines(plan, width)


@contextmanager
def _lines() -> Iterator[OnMember]:
    """Progress of several, each under its name where another goes on."""
    last = ""
    with progress_lines() as lines:

        def follow(plan: Plan, progress: StepProgress) -> None:
            nonlocal last
            if plan.source_name != last:
                last = plan.source_name
                lines.close()
                say(inert(f"{last}:"))
            lines(progress)

        yield follow


async def _run(fleet: Fleet, plans: tuple[Plan, ...], project: str, *, as_json: bool) -> Exit:
    from backends.services.moves import move_together

    try:
        with _lines() as follow:
            reports = await move_together(fleet, plans, project, on_update=follow, state_dir=state_dir())
    except BackendError as error:
        if as_json:
            answer(plans=[schema.plan(plan) for plan in plans], reports=None, error=schema.error(error))
        return complain_undone(error)
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


async def resume_project(fleet: Fleet, folder: Path, project: str, *, as_json: bool) -> Exit:
    """Finish a project's move that was cut off."""
    from backends.migration.together import newest, resume_together

    engines, records = await engines_of(fleet), await newest(folder, project)
    with _lines() as follow, written_down(fleet, "container.migrate", *records):
        reports = await resume_together(folder, project, engines, on_update=follow)
    return _tell(reports, as_json=as_json)


async def undo_project(fleet: Fleet, folder: Path, project: str, *, as_json: bool, yes: bool) -> Exit:
    """Take a project's move back; a finished one only where that is agreed to."""
    from backends.migration.journal import Status
    from backends.migration.together import newest, undo_together

    records = await newest(folder, project)
    finished = all(record.status is Status.DONE for record in records)
    if finished and not yes:
        question = f"What was written into the copies of {project} since the move is lost. Remove them?"
        if not can_ask():
            say(f"the move of {project} was finished: --undo --yes removes the copies all the same")
            return Exit.FAILED
        if not await agreed(question):
            say("nothing was undone")
            return Exit.FAILED
    engines = await engines_of(fleet)
    with written_down(fleet, "migrate.undo", *records) as wrong:
        undone = await undo_together(folder, project, engines, finished=finished)
        if undone.left:
            wrong.append(Conflict("the move is not wholly undone", detail="; ".join(undone.left)))
    if as_json:
        answer(project=project, undone=list(undone.done), left=list(undone.left))
    else:
        say_all((*(f"undone: {thing}" for thing in undone.done), *(f"left: {thing}" for thing in undone.left)))
        if not undone.left:
            data(inert(f"all containers of {project} are as they were before the move"))
    return Exit.FAILED if undone.left else Exit.DONE


async def confirm_project(fleet: Fleet, folder: Path, project: str, *, remove_source: bool, as_json: bool) -> Exit:
    """Accept a project's finished move; sources go who needs others first."""
    from backends.migration.confirm import confirm
    from backends.migration.together import waiting

    records = await waiting(folder, project)
    engines, done = await engines_of(fleet), list[str]()
    with written_down(fleet, "migrate.accept", *records):
        for record in reversed(records):
            done += await confirm(folder, record.id, engines, remove_source=remove_source)
    if as_json:
        answer(project=project, done=done)
    else:
        say_all(done)
    return Exit.DONE


async def verify_project(fleet: Fleet, folder: Path, project: str, *, as_json: bool) -> Exit:
    """Compare each copy with its source once more."""
    from backends.migration.again import verify_again
    from backends.migration.together import waiting

    engines = await engines_of(fleet)
    found = {record: await verify_again(folder, record.id, engines) for record in await waiting(folder, project)}
    if as_json:
        answer(
            project=project,
            moves=[
                {"journal": record.id, "name": record.container_name, "checks": [schema.check(one) for one in checks]}
                for record, checks in found.items()
            ],
        )
    else:
        for record, checks in found.items():
            say_all((f"{record.container_name}:", *check_lines(checks, each=True)))
    return checks_exit(check for checks in found.values() for check in checks)
