"""`tranship restore FILE --to ENGINE`: check the file, plan, ask, create, prove. Creates nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backends.model.plan import Choices, Plan
from tui.cli import schema
from tui.cli.ask import agreed
from tui.cli.carrying import carry_out, show
from tui.cli.choices import gpu_option, read
from tui.cli.exits import Exit
from tui.cli.here import absolute
from tui.cli.options import common, yes_option
from tui.cli.output import answer, can_ask, say
from tui.cli.pick import first_view, gpus_for, the_engine
from tui.cli.plan_text import plan_lines
from tui.cli.session import Invocation, pass_invocation, run
from tui.crash import state_dir
from widgets.text import inert

if TYPE_CHECKING:
    from backends.migration.backup_contents import Backup
    from backends.services.fleet import Fleet


_AS_STORED = {
    "layer": "discard",
    "volumes": "copy",
    "single": (),
    "keep_running": True,
    "live_copy": "off",
    "image_way": "archive",
}
"""The options of a move that a restore does not have."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """The command line, read."""

    path: Path
    target: str
    choices: Choices
    plan_only: bool
    yes: bool
    as_json: bool


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "target", metavar="ENGINE", required=True, help="The engine that is to have it.")
@click.option("--name", "new_name", metavar="NEW", help="Its name there; default: the one it had.")
@click.option("--random-ports", is_flag=True, help="The engine chooses the host's ports.")
@click.option("--port", "port_pairs", multiple=True, metavar="OLD:NEW", help="Another host port. May be given again.")
@click.option("--native-defaults", is_flag=True, help="Where the engines' defaults differ, take the target's.")
@gpu_option
@click.option("--plan", "plan_only", is_flag=True, help="Check the file, show what would be done, and do nothing.")
@yes_option
@common
@pass_invocation
def restore(
    invocation: Invocation,
    file: Path,
    target: str,
    new_name: str | None,
    random_ports: bool,
    port_pairs: tuple[str, ...],
    native_defaults: bool,
    gpu_wish: str,
    plan_only: bool,
    yes: bool,
) -> None:
    """Make the container of a backup on an engine: image, networks, volumes with their data, configuration.

    The whole file is checked first; nothing is created from one that is damaged or cut short. Then the plan is shown.
    If a step fails, all is undone.
    """
    if not (plan_only or yes or can_ask()):
        raise click.UsageError("there is no terminal to ask on: say --yes to restore, or --plan to look")
    wanted = {"random_ports": random_ports, "port_pairs": port_pairs, "native_defaults": native_defaults}
    choices = read(new_name, _AS_STORED | wanted | {"gpu_wish": gpu_wish})
    wish = _Wish(absolute(file), target, choices, plan_only, yes, invocation.json)

    async def body(fleet: Fleet) -> Exit:
        from backends.migration.restore import opened

        async with opened(wish.path) as archive:
            return await _restore(fleet, archive, wish)

    run(invocation, body, only=frozenset({target}), sampling=not choices.gpus.keeps)


async def _restore(fleet: Fleet, archive: Backup, wish: _Wish) -> Exit:
    from backends.migration.restore import plan_restore

    view = await first_view(fleet)
    target = fleet.engine(the_engine(view, wish.target).id)
    seen = await gpus_for(fleet, wish.choices.gpus)
    plan = await plan_restore(archive, target, choices=wish.choices, seen=seen)
    if wish.plan_only or plan.blocked:
        _show_plan(plan, archive, wish, as_data=True)
        return Exit.BLOCKED if plan.blocked else Exit.DONE
    _show_plan(plan, archive, wish, as_data=False)
    if not wish.yes and not await agreed(f"Make {plan.spec.name} on {wish.target}?"):
        say("nothing was created")
        return Exit.FAILED
    return await _run(fleet, archive, plan, wish)


def _show_plan(plan: Plan, archive: Backup, wish: _Wish, *, as_data: bool) -> None:
    if not wish.as_json:
        show(lambda width: _plan_lines(plan, archive, width), as_data=as_data)
    elif as_data:
        answer(plan=schema.plan(plan), report=None, error=None)


def _plan_lines(plan: Plan, archive: Backup, width: int | None) -> Iterator[str]:
    stored = archive.contents
    yield inert(f"Restore {plan.source_name} from {archive.path} to {plan.target} as {plan.spec.name}")
    yield inert(f"Made from {stored.engine} on {schema.time_text(stored.created_at)}; the file is whole.")
    yield from dropwhile(bool, plan_lines(plan, width))  # from the first empty line on


async def _run(fleet: Fleet, archive: Backup, plan: Plan, wish: _Wish) -> Exit:
    from backends.services import archives

    ended, _ = await carry_out(
        plan,
        lambda lines: archives.restore(fleet, plan, archive, on_update=lines, state_dir=state_dir()),
        as_json=wish.as_json,
    )
    return ended
