"""What comes after a move: finish, take back, accept or compare again, from its journal. Moves nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backends.engine import Engine
from backends.model.errors import BackendError, Conflict, NotFound, Refused
from backends.model.ids import ContainerKey
from backends.model.plan import Check, Undone
from tui.cli import schema
from tui.cli.ask import agreed
from tui.cli.carrying import progress_lines, tell_report
from tui.cli.exits import Exit
from tui.cli.output import answer, can_ask, data, say
from tui.cli.pick import first_view
from tui.cli.plan_text import check_lines
from widgets.text import inert

if TYPE_CHECKING:
    from backends.migration.journal import Record
    from backends.services.fleet import Fleet


async def _records(state_dir: Path, name: str) -> list[Record]:
    """All moves of the container of that name, or the one of that journal id; oldest first."""
    from backends.migration.journal import list_journals

    return [record for record in await list_journals(state_dir) if name in {record.container_name, record.id}]


async def cut_off(state_dir: Path, name: str) -> Record | None:
    """The newest unfinished move of it. Raises Conflict where one is still under way."""
    from backends.migration.journal import Status
    from backends.migration.unfinished import is_at_work, select

    records = await _records(state_dir, name)
    left = select(records, is_at_work)
    if left:
        return left[-1]
    busy = [record for record in records if record.status is Status.RUNNING]
    if busy:
        raise Conflict(f"{name} is being moved by process {busy[-1].pid}", hint="stop it with Ctrl+C: it undoes itself")
    return None


async def finished(state_dir: Path, name: str) -> Record | None:
    """The newest move of it that is done and not confirmed."""
    from backends.migration.journal import Status

    done = [record for record in await _records(state_dir, name) if record.status is Status.DONE]
    return done[-1] if done else None


def _none(name: str, what: str, state_dir: Path) -> NotFound:
    hint = "tranship doctor names those that were cut off or wait to be confirmed"
    return NotFound(f"no move of {name} {what}", hint=hint, detail=f"looked in {state_dir}")


async def engines_of(fleet: Fleet) -> dict[str, Engine]:
    view = await first_view(fleet)
    return {engine.name: fleet.engine(engine) for engine in view.engines}


@contextmanager
def written_down(fleet: Fleet, action: str, *records: Record) -> Iterator[list[BackendError]]:
    """What is done within is an operation of each move's container: one at a time, and lines of the audit trail.

    Raises Refused where an operation is in flight. An error that is put into what it yields is how they ended.
    """
    wrong: list[BackendError] = []
    ids = {engine.id.name: engine.id for engine in fleet.engines}
    with ExitStack() as open_ones:
        tracked = [
            (record, open_ones.enter_context(fleet.operations.track(action, key, record.container_name)))
            for record in records
            if (key := ContainerKey(ids[record.source], record.container_id) if record.source in ids else None)
        ]
        yield wrong
        for record, one in tracked:
            one.failed(wrong[0]) if wrong else one.done(
                f"the move of {record.container_name} to {record.target}, journal {record.id}"
            )


async def undo_move(fleet: Fleet, state_dir: Path, name: str, *, as_json: bool, yes: bool) -> Exit:
    """Take a move back and say what was done; a finished one only where that is agreed to (Refused else)."""
    from backends.migration.rollback import undo

    record, done = await cut_off(state_dir, name), None
    if record is None:
        record = done = await finished(state_dir, name)
    if record is None:
        raise _none(name, "can be undone", state_dir)
    if done is not None and not yes:
        if not can_ask():
            raise Refused(f"the move of {name} was finished", hint="--undo --yes removes the copy all the same")
        written = f"What was written into {done.copy_name} on {done.target} since the move is lost"
        if not await agreed(f"{written}. Remove it and start {done.container_name} on {done.source} again?"):
            say("nothing was undone")
            return Exit.FAILED
    engines = await engines_of(fleet)
    with written_down(fleet, "migrate.undo", record) as wrong:
        undone = await undo(state_dir, record.id, engines, finished=done is not None)
        if undone.left:
            wrong.append(Conflict("the move is not wholly undone", detail="; ".join(undone.left)))
    if as_json:
        answer(journal=record.id, undone=list(undone.done), left=list(undone.left))
    else:
        for line in lines(record, undone):
            data(inert(line))
    return Exit.FAILED if undone.left else Exit.DONE


async def resume_move(fleet: Fleet, state_dir: Path, name: str, *, as_json: bool) -> Exit:
    """Finish a move that was cut off."""
    from backends.migration.resume import resume

    record = await cut_off(state_dir, name)
    if record is None:
        raise _none(name, "was cut off", state_dir)
    engines = await engines_of(fleet)
    with progress_lines() as progress, written_down(fleet, "container.migrate", record):
        report = await resume(state_dir, record.id, engines, on_update=progress)
    tell_report(report.plan, report, as_json=as_json)
    return Exit.DONE if report.equal else Exit.FAILED


async def confirmed_move(fleet: Fleet, state_dir: Path, journal: str, *, remove_source: bool) -> list[str]:
    """Accept a finished move; what was done, for people."""
    from backends.migration.confirm import confirm
    from backends.migration.journal import load

    engines, record = await engines_of(fleet), (await load(state_dir, journal)).record
    with written_down(fleet, "migrate.accept", record):
        return list(await confirm(state_dir, journal, engines, remove_source=remove_source))


async def confirm_move(fleet: Fleet, state_dir: Path, name: str, *, remove_source: bool, as_json: bool) -> Exit:
    """Accept a finished move and say what that means."""
    record = await finished(state_dir, name)
    if record is None:
        raise _none(name, "waits to be confirmed", state_dir)
    done = await confirmed_move(fleet, state_dir, record.id, remove_source=remove_source)
    if as_json:
        answer(journal=record.id, done=done)
    else:
        say_all(done)
    return Exit.DONE


async def verify_move(fleet: Fleet, state_dir: Path, name: str, *, as_json: bool) -> Exit:
    """Compare the copy with its source once more."""
    from backends.migration.again import verify_again
    from backends.migration.journal import Status

    records = [
        r for r in await _records(state_dir, name) if r.status in {Status.DONE, Status.CONFIRMED} and not r.is_change
    ]
    if not records:
        raise _none(name, "was finished", state_dir)
    checks = await verify_again(state_dir, records[-1].id, await engines_of(fleet))
    if as_json:
        answer(journal=records[-1].id, checks=[schema.check(check) for check in checks])
    else:
        say_all(check_lines(checks, each=True))
    return checks_exit(checks)


def checks_exit(checks: Iterable[Check]) -> Exit:
    """How a command ends that made these comparisons."""
    return Exit.DONE if all(check.equal for check in checks) else Exit.FAILED


def say_all(texts: Iterable[str]) -> None:
    for text in texts:
        data(inert(text))


def lines(record: Record, undone: Undone) -> list[str]:
    """What was done, and how things are now."""
    said = [*(f"undone: {thing}" for thing in undone.done), *(f"left: {thing}" for thing in undone.left)]
    if undone.left:
        return [*said, f"once that is out of the way: tranship migrate {record.container_name} --undo"]
    return [*said, f"{record.container_name} on {record.source} is as it was before"]
