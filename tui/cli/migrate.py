"""`tranship migrate CONTAINER [--from ENGINE] [--to ENGINE]`: plan, ask, move, prove. Moves nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from backends.model.capabilities import Capability
from backends.model.plan import Choices, Plan
from tui.cli import schema
from tui.cli.ask import agreed
from tui.cli.carrying import carry_out, show
from tui.cli.choices import choice_options, read
from tui.cli.exits import Exit
from tui.cli.options import common, container_argument, yes_option
from tui.cli.output import answer, can_ask, say
from tui.cli.pick import first_view, gpus_for, the_container, the_engine
from tui.cli.plan_text import plan_lines
from tui.cli.session import Invocation, pass_invocation, run
from tui.crash import state_dir
from widgets.text import inert

if TYPE_CHECKING:
    from backends.model.fleet import FleetView
    from backends.model.ids import EngineId
    from backends.services.fleet import Fleet


_VERBS = ("undoing", "resuming", "confirming", "verifying")
"""Options that are about a move that was begun before; each goes without the options of a new one."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """The command line, read. moving: the source is to be removed after the proof, and after a question of its own."""

    name: str
    source: str | None
    target: str | None
    choices: Choices
    plan_only: bool
    yes: bool
    moving: bool
    confirmed: bool
    as_json: bool


@click.command()
@container_argument
@click.option("--from", "source", metavar="ENGINE", help="The engine that has it; needed where several do.")
@click.option(
    "--to",
    "target",
    metavar="ENGINE",
    help="The engine that is to have it; needed where several could, and with --yes.",
)
@click.option("--name", "new_name", metavar="NEW", help="Its name on the target; default: the same.")
@choice_options
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be done, and do nothing.")
@yes_option
@click.option("--move", "moving", is_flag=True, help="Remove the source after the proof; asks again before it does.")
@click.option("--project", is_flag=True, help="All containers of the Compose project or pod of that name, together.")
@click.option("--resume", "resuming", is_flag=True, help="Finish a move of it that was cut off.")
@click.option("--undo", "undoing", is_flag=True, help="Take back a move that was cut off, or one not yet confirmed.")
@click.option("--confirm", "confirming", is_flag=True, help="Accept a finished move: it is not undone any more.")
@click.option("--verify", "verifying", is_flag=True, help="Compare the copy with its source once more.")
@common
@pass_invocation
def migrate(
    invocation: Invocation,
    /,
    name: str,
    source: str | None,
    target: str | None,
    new_name: str | None,
    plan_only: bool,
    yes: bool,
    moving: bool,
    project: bool,
    **options: Any,
) -> None:
    """Move a container to another engine: image, volumes with their data, networks and its configuration.

    The plan is shown first. The source is stopped and kept, its restart policy off, until the move is confirmed;
    if a step fails, all is undone.
    """
    verbs = [verb for verb in _VERBS if options.pop(verb)]
    choices = read(new_name, options)
    confirmed = moving and verbs == ["confirming"] and bool(source or target)
    if verbs and not confirmed:
        if len(verbs) > 1 or source or target or plan_only or choices != Choices():
            raise click.UsageError("--resume, --undo, --confirm and --verify go alone: the journal knows the rest")
        _go_on(invocation, name, verbs[0], project=project, remove_source=moving, yes=yes)
        return
    if project and not (source and target):
        raise click.UsageError("say where they are and where they go: --from ENGINE --to ENGINE")
    if yes and not target:
        raise click.UsageError("say where it goes: --to ENGINE; only who is asked first may leave that out")
    if source is not None and source == target:
        raise click.UsageError("--from and --to name the same engine")
    if not (plan_only or yes or can_ask()):
        raise click.UsageError("there is no terminal to ask on: say --yes to move, or --plan to look")
    if moving and not (plan_only or confirmed or can_ask()):
        raise click.UsageError("there is no terminal to ask on: --move removes the source only with --confirm as well")
    if project and (moving or new_name):
        raise click.UsageError("--project goes without --name, and without --move: confirm with --move afterwards")
    wish = _Wish(name, source, target, choices, plan_only, yes, moving, confirmed, invocation.json)

    async def body(fleet: Fleet) -> Exit:
        if project and source and target:
            from tui.cli.project import move_project

            return await move_project(fleet, name, (source, target), choices, plan_only, yes, as_json=invocation.json)
        return await _migrate(fleet, wish)

    only = {source, target} if source and target else ()
    run(invocation, body, only=only, sampling=not choices.gpus.keeps)


def _go_on(invocation: Invocation, name: str, verb: str, *, project: bool, remove_source: bool, yes: bool) -> None:
    async def body(fleet: Fleet) -> Exit:
        from tui.cli import aftermath
        from tui.cli import project as together

        folder, as_json = state_dir(), invocation.json
        match verb:
            case "undoing":
                undo = together.undo_project if project else aftermath.undo_move
                return await undo(fleet, folder, name, as_json=as_json, yes=yes)
            case "resuming":
                resume = together.resume_project if project else aftermath.resume_move
                return await resume(fleet, folder, name, as_json=as_json)
            case "confirming":
                confirm = together.confirm_project if project else aftermath.confirm_move
                return await confirm(fleet, folder, name, remove_source=remove_source, as_json=as_json)
            case _:
                verify = together.verify_project if project else aftermath.verify_move
                return await verify(fleet, folder, name, as_json=as_json)

    run(invocation, body)


async def _migrate(fleet: Fleet, wish: _Wish) -> Exit:
    from backends.migration.planning import plan_migration
    from backends.migration.unfinished import refuse_unfinished

    view = await first_view(fleet)
    container = the_container(view, wish.name, wish.source, option="--from")
    source = fleet.engine(container.key.engine)
    target = fleet.engine(the_engine(view, wish.target).id if wish.target else _only_target(view, source.id))
    if source.id == target.id:
        raise click.UsageError(f"{container.name} is on {source.id} already: say another engine by --to")
    if not wish.plan_only:  # what an earlier move has made there would block the plan, with a remedy that destroys it
        await refuse_unfinished(state_dir(), source.id.name, container.key.id)
    seen = await gpus_for(fleet, wish.choices.gpus)
    plan = await plan_migration(source, container.key.id, target, choices=wish.choices, seen=seen)
    if wish.plan_only or plan.blocked:
        _show_plan(plan, wish, as_data=True)
        return Exit.BLOCKED if plan.blocked else Exit.DONE
    _show_plan(plan, wish, as_data=False)
    if not wish.yes and not await agreed(f"Move {plan.source_name} from {source.id} to {target.id}?"):
        say("nothing was moved")
        return Exit.FAILED
    return await _move(fleet, plan, wish)


def _only_target(view: FleetView, source: EngineId) -> EngineId:
    """The one engine besides the source's that can take it; click.UsageError where there are several, or none."""
    able = sorted(one.id for one in view.engines.values() if one.id != source and one.offers(Capability.RECIPES))
    if len(able) != 1:
        names = ", ".join(map(str, able)) or "no other engine is connected"
        raise click.UsageError(inert(f"say where it goes: --to ENGINE ({names})"))
    return able[0]


def _show_plan(plan: Plan, wish: _Wish, *, as_data: bool) -> None:
    if not wish.as_json:
        show(lambda width: plan_lines(plan, width), as_data=as_data)
    elif as_data:
        answer(plan=schema.plan(plan), report=None, error=None)


async def _move(fleet: Fleet, plan: Plan, wish: _Wish) -> Exit:
    from backends.services.moves import move

    ended, report = await carry_out(
        plan, lambda lines: move(fleet, plan, on_update=lines, state_dir=state_dir()), as_json=wish.as_json
    )
    if report is not None and wish.moving:
        await _remove_source(fleet, plan, report.journal, wish)
    return ended


async def _remove_source(fleet: Fleet, plan: Plan, journal: str, wish: _Wish) -> None:
    """The last part of --move: only after the proof, and only where that was agreed to."""
    from tui.cli.aftermath import confirmed_move

    where = f"{plan.source_name} from {plan.source.engine}"
    if not wish.confirmed and not await agreed(
        f"The copy is proved equal. Remove {where}? Its volumes and image stay."
    ):
        say(f"kept: {where}; tranship migrate {plan.source_name} --confirm --move removes it later")
        return
    for line in await confirmed_move(fleet, state_dir(), journal, remove_source=True):
        say(inert(line))
