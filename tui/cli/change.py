"""`tranship change CONTAINER`: make it again with other settings; the one before is kept. Changes nothing unasked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from backends.draft.draft import Draft, draft_from, laid_over
from tui.cli import schema
from tui.cli.ask import agreed
from tui.cli.exits import Exit
from tui.cli.options import common, only, yes_option
from tui.cli.output import answer, can_ask, data, say
from tui.cli.pick import first_view, the_container, the_engine
from tui.cli.run import judged_for
from tui.cli.run_options import draft_options, said
from tui.cli.run_text import remark_lines, schema_judged
from tui.cli.session import Invocation, pass_invocation, run
from tui.crash import state_dir
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.recreate import Before


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--engine", metavar="NAME", help="Only this engine, as `tranship engines` names it.")
@draft_options
@click.option("--print", "draws", is_flag=True, help="Print the line of docker run or podman run; change nothing.")
@yes_option
@click.argument("container")
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@common
@pass_invocation
def change(
    invocation: Invocation,
    /,
    container: str,
    words: Sequence[str],
    engine: str | None,
    draws: bool,
    yes: bool,
    **options: Any,
) -> None:
    """Make a container again with other settings. Options stand before its name; what follows is a new command.

    The one before is stopped, renamed and kept; where the new one cannot be made, or ends at once by an error, all is
    put back.
    """
    if not (draws or yes or can_ask()):
        raise click.UsageError("there is no terminal to ask on: say --yes to change, or --print to look")
    above = said(options, words)
    if not above.texts:
        raise click.UsageError("say what is to change, as options before the name")

    async def body(fleet: Fleet) -> Exit:
        return await _change(fleet, (container, engine), above, draws=draws, yes=yes, as_json=invocation.json)

    run(invocation, body, only=only(engine), sampling=True)


async def _change(
    fleet: Fleet, named: tuple[str, str | None], above: Draft, *, draws: bool, yes: bool, as_json: bool
) -> Exit:
    from backends.services.recreate import read_before, recreate, unchanged

    view = await first_view(fleet)
    row = the_container(view, *named)
    before = await read_before(fleet, row)
    draft = laid_over(draft_from(before.spec), above)
    judged = await judged_for(fleet, the_engine(view, row.key.engine.name), draft, before.spec, replaced=row.key)
    if not as_json:
        for text in remark_lines(judged):
            say(text)
    if draws or judged.blocked:
        if as_json:
            answer(**schema_judged(judged, None), container=None, kept=None)
        elif draws:
            data(judged.command.lines)
        return Exit.BLOCKED if judged.blocked and not draws else Exit.DONE
    if unchanged(before, judged.spec):
        say(f"{row.name} is so already; nothing was changed")
        return Exit.DONE
    if not yes:
        for text in before_lines(before):
            say(text)
        if not await agreed(f"Make {row.name} on {row.key.engine} again?"):
            say("nothing was changed")
            return Exit.FAILED
    launched = await recreate(fleet, before, judged.spec, state_dir=state_dir())
    made = fleet.store.view.containers.get(launched.key)
    if as_json:
        plain = schema.container(made) if made else None
        answer(**schema_judged(judged, None), container=plain, kept=before.kept_name)
    else:
        state = made.state.value if made else "made"
        data(inert(f"{launched.name} on {row.key.engine}: {state}; the one before is kept as {before.kept_name}"))
    return Exit.DONE


def before_lines(before: Before) -> list[str]:
    """What becomes of the one before, and what the new one does not get of it."""
    from backends.services.recreate_words import before_words

    return [inert(text) for text in before_words(before)]


__all__ = ["change"]
