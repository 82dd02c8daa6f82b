"""`tranship migrate CONTAINER --from ENGINE --to ENGINE`: plan, ask, move, prove. Moves nothing itself."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from backends.model.errors import BackendError
from backends.model.plan import MigrationFailed, Plan
from tui.cli import schema
from tui.cli.ask import agreed
from tui.cli.exits import Exit, exit_of
from tui.cli.options import common, container_argument
from tui.cli.output import answer, can_ask, complain, data, may_style, say, terminal_width
from tui.cli.pick import first_view, the_container, the_engine
from tui.cli.plan_text import plan_lines, report_lines
from tui.cli.progress import ProgressLines
from tui.cli.session import Invocation, pass_invocation, run
from tui.crash import state_dir

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@dataclass(frozen=True, slots=True)
class _Wish:
    """The command line, read."""

    name: str
    source: str
    target: str
    new_name: str | None
    plan_only: bool
    yes: bool
    as_json: bool


@click.command()
@container_argument
@click.option("--from", "source", metavar="ENGINE", help="The engine that has it.")
@click.option("--to", "target", metavar="ENGINE", help="The engine that is to have it.")
@click.option("--name", "new_name", metavar="NEW", help="Its name on the target; default: the same.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask; needed where there is no terminal to ask on.")
@click.option("--undo", "undoing", is_flag=True, help="Take back a move of it that was cut off; alone.")
@common
@pass_invocation
def migrate(
    invocation: Invocation,
    name: str,
    source: str | None,
    target: str | None,
    new_name: str | None,
    plan_only: bool,
    yes: bool,
    undoing: bool,
) -> None:
    """Move a container to another engine: image, volumes with their data, and its configuration.

    The plan is shown first. The source is stopped and never removed; if a step fails, all is undone.
    """
    if undoing:
        if source or target or new_name or plan_only:
            raise click.UsageError("--undo goes without other options: the journal of the move knows them")
        _undo(invocation, name)
        return
    if not source or not target:
        raise click.UsageError("say where it is and where it goes: --from ENGINE --to ENGINE")
    if source == target:
        raise click.UsageError("--from and --to name the same engine")
    if not (plan_only or yes or can_ask()):
        raise click.UsageError("there is no terminal to ask on: say --yes to move, or --plan to look")
    wish = _Wish(name, source, target, new_name, plan_only, yes, invocation.json)

    async def body(fleet: Fleet) -> Exit:
        return await _migrate(fleet, wish)

    run(invocation, body, only=frozenset({source, target}))


def _undo(invocation: Invocation, name: str) -> None:
    async def body(fleet: Fleet) -> Exit:
        from tui.cli.undo import undo_move

        return await undo_move(fleet, state_dir(), name, as_json=invocation.json)

    run(invocation, body)


async def _migrate(fleet: Fleet, wish: _Wish) -> Exit:
    from backends.migration.planning import plan_migration

    view = await first_view(fleet)
    source = fleet.engine(the_engine(view, wish.source).id)
    target = fleet.engine(the_engine(view, wish.target).id)
    container = the_container(view, wish.name, wish.source)
    plan = await plan_migration(source, container.key.id, target, name=wish.new_name)
    if wish.plan_only or plan.blocked:
        _show_plan(plan, wish, as_data=True)
        return Exit.BLOCKED if plan.blocked else Exit.DONE
    _show_plan(plan, wish, as_data=False)
    if not wish.yes and not await agreed(f"Move {plan.source_name} from {wish.source} to {wish.target}?"):
        say("nothing was moved")
        return Exit.FAILED
    return await _move(fleet, plan, wish)


def _show_plan(plan: Plan, wish: _Wish, *, as_data: bool) -> None:
    """as_data: the plan is the answer; else it is words before the deed, which has its own answer."""
    if wish.as_json:
        if as_data:
            answer(plan=schema.plan(plan), report=None, error=None)
        return
    write, stream = (data, sys.stdout) if as_data else (say, sys.stderr)
    for line in plan_lines(plan, terminal_width(stream)):
        write(line)


async def _move(fleet: Fleet, plan: Plan, wish: _Wish) -> Exit:
    from backends.services.moves import move

    lines = ProgressLines(sys.stderr, living=may_style(sys.stderr))
    try:
        report = await move(fleet, plan, on_update=lines, state_dir=state_dir())
    except BackendError as error:
        lines.close()
        if wish.as_json:
            answer(plan=schema.plan(plan), report=None, error=schema.error(error))
        _complain(error)
        return exit_of(error)
    finally:
        lines.close()
    if wish.as_json:
        answer(plan=schema.plan(plan), report=schema.report(report), error=None)
    else:
        for line in report_lines(report):
            data(line)
    return Exit.DONE if report.equal else Exit.FAILED


def _complain(error: BackendError) -> None:
    complain(error)
    if not isinstance(error, MigrationFailed):
        return
    for thing in error.undone.done:
        say(f"  undone: {thing}")
    for thing in error.undone.left:
        say(f"  left: {thing}")
    if not error.undone.left:
        say("  nothing was lost: the source is as it was before")
