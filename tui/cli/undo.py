"""`tranship migrate CONTAINER --undo`: takes back a move that was cut off, from its journal. Moves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backends.model.errors import Conflict, NotFound
from backends.model.plan import Undone
from tui.cli.exits import Exit
from tui.cli.output import answer, data
from tui.cli.pick import first_view
from widgets.text import inert

if TYPE_CHECKING:
    from backends.migration.journal import Record
    from backends.services.fleet import Fleet


async def the_move(state_dir: Path, name: str) -> Record:
    """The newest unfinished move of the container of that name, or of that journal id.

    Raises Conflict where it is still under way, NotFound where there is none.
    """
    from backends.migration.journal import Status, list_journals
    from backends.migration.unfinished import is_at_work, select

    records = [record for record in await list_journals(state_dir) if name in {record.container_name, record.id}]
    left = select(records, is_at_work)
    if left:
        return left[-1]
    busy = [record for record in records if record.status is Status.RUNNING]
    if busy:
        raise Conflict(f"{name} is being moved by process {busy[-1].pid}", hint="stop it with Ctrl+C: it undoes itself")
    raise NotFound(
        f"no move of {name} was cut off", hint="tranship doctor names those that were", detail=f"looked in {state_dir}"
    )


async def undo_move(fleet: Fleet, state_dir: Path, name: str, *, as_json: bool) -> Exit:
    """Take it back and say what was done."""
    from backends.migration.rollback import undo

    record = await the_move(state_dir, name)
    view = await first_view(fleet)
    engines = {engine.name: fleet.engine(engine) for engine in view.engines}
    undone = await undo(state_dir, record.id, engines)
    if as_json:
        answer(journal=record.id, undone=list(undone.done), left=list(undone.left))
    else:
        for line in lines(record, undone):
            data(inert(line))
    return Exit.FAILED if undone.left else Exit.DONE


def lines(record: Record, undone: Undone) -> list[str]:
    """What was done, and how things are now."""
    said = [*(f"undone: {thing}" for thing in undone.done), *(f"left: {thing}" for thing in undone.left)]
    if undone.left:
        return [*said, f"once that is out of the way: tranship migrate {record.container_name} --undo"]
    return [*said, f"{record.container_name} on {record.source} is as it was before the move"]
