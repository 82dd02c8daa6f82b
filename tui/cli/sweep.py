"""`tranship sweep IMAGE`: one image over a grid or a file of commands, so many at a time, results as JSON lines."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backends.model.errors import Refused
from backends.model.sweep import MOST_GPUS_EACH, MOST_JOBS, MOST_RETRIES, SweepRow, SweepRun
from backends.model.sweep_board import SweepBoard
from backends.model.wish import NONE, GpuWish, WishKind
from tui.cli.exits import Exit
from tui.cli.here import absolute
from tui.cli.options import common
from tui.cli.output import answer, data, say
from tui.cli.pick import gpus_for, one_engine
from tui.cli.schema_sweep import result_row
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.sweep_table import SweepTable
from tui.signals import SIGNAL_BASE, handled
from widgets.sweep_lines import summary
from widgets.text import inert

if TYPE_CHECKING:
    from backends.model.ids import EngineId
    from backends.model.workload import WorkloadSpec
    from backends.services.fleet import Fleet
    from backends.services.sweeps import Sweep
    from backends.sweep.results import ResultFile


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--grid", "axes", multiple=True, metavar="NAME=VALUES", help="lr=0.1,0.01 or seed=1..10[..STEP].")
@click.option("--commands", type=click.Path(dir_okay=False, path_type=Path), help="A command on each line.")
@click.option("--on", "engine", metavar="ENGINE", help="Where; needed where several engines answer.")
@click.option("--jobs", "-j", type=click.IntRange(1, MOST_JOBS), default=1, show_default=True, help="Runs at a time.")
@click.option(
    "--gpus-each", type=click.IntRange(0, MOST_GPUS_EACH), default=0, help="GPUs that each run has for itself."
)
@click.option("--retries", type=click.IntRange(0, MOST_RETRIES), default=0, help="Of a run that fails.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("sweep.jsonl"),
    show_default=True,
    help="Results, appended; what is done in it is not run again.",
)
@click.option("--volume", "-v", "mounts", multiple=True, metavar="MOUNT", help="SOURCE:/INSIDE[:ro]; volume or path.")
@click.option("--env", "-e", multiple=True, metavar="VAR", help="NAME=VALUE, or NAME for your own value.")
@click.option("--memory", "-m", metavar="SIZE", help="Limit of each run, as 16g.")
@click.option("--shm-size", metavar="SIZE", help="Size of /dev/shm, as 8g.")
@common
@click.argument("image", metavar="IMAGE")
@click.argument("command", metavar="[COMMAND]...", nargs=-1)
@pass_invocation
def sweep(
    invocation: Invocation,
    /,
    axes: tuple[str, ...],
    commands: Path | None,
    engine: str | None,
    jobs: int,
    gpus_each: int,
    retries: int,
    out: Path,
    image: str,
    command: tuple[str, ...],
    **options: Any,
) -> None:
    """Run an image over many commands, so many at a time.

    Options stand before the image. With --grid the command has {NAME} where a value belongs. Ctrl+C begins no further
    run and waits for those that run; the second one ends them. The same line again goes on where it was.
    """
    runs = _runs(image, axes, commands, command)
    path = absolute(out)

    async def body(fleet: Fleet) -> int:
        from backends.sweep.results import ResultFile

        if fleet.read_only:
            raise Refused("read-only mode", hint="start tranship without --readonly to change things")
        chosen = await one_engine(fleet, engine, option="--on")
        spec = await _spec(fleet, chosen, image, options)
        results = await asyncio.to_thread(ResultFile, path)
        try:
            return await _sweep(fleet, chosen, spec, runs, results, (jobs, gpus_each, retries), as_json=invocation.json)
        finally:
            results.close()

    run(invocation, body, only=frozenset({engine}) if engine else frozenset(), sampling=gpus_each > 0)


def _runs(image: str, axes: Sequence[str], commands: Path | None, command: Sequence[str]) -> list[SweepRun]:
    from backends.sweep.commands import from_grid, from_lines, read_axis

    if (commands is None) == (not axes):
        raise click.UsageError("say --grid NAME=VALUES and a command, or --commands FILE")
    try:
        if commands is not None:
            if command:
                raise click.UsageError("with --commands no further command is taken")
            return from_lines(image, commands.read_text("utf-8").splitlines())
        return from_grid(image, [read_axis(axis) for axis in axes], command)
    except (ValueError, OSError) as error:
        raise click.UsageError(inert(str(error))) from error


async def _spec(fleet: Fleet, engine: EngineId, image: str, options: dict[str, Any]) -> WorkloadSpec:
    """What each run is made of, read and checked as `tranship run` does."""
    from backends.draft.draft import draft_of
    from backends.services.launch import proposed
    from backends.services.sweep_setting import recipe_of
    from tui.cli.run import judged_for

    said = draft_of(image=image, **{key: value for key, value in options.items() if value})
    draft = proposed(fleet.store.view, engine, said, said, "sweep")
    return recipe_of(await judged_for(fleet, fleet.store.view.engines[engine], draft, None))


async def _sweep(
    fleet: Fleet,
    engine: EngineId,
    spec: WorkloadSpec,
    runs: list[SweepRun],
    results: ResultFile,
    numbers: tuple[int, int, int],
    *,
    as_json: bool,
) -> int:
    from backends.services.sweep_setting import gpu_pool
    from backends.services.sweeps import Sweep

    jobs, each, retries = numbers
    left = [one for one in runs if one.id not in results.done]
    board = SweepBoard(runs, results.done)
    table = SweepTable(board)
    gpus = await gpus_for(fleet, GpuWish(WishKind.ALL) if each else NONE)
    pool, with_gpus = gpu_pool(fleet, engine, gpus)

    async def write(row: SweepRow) -> None:
        await asyncio.to_thread(results.append, result_row(row, spec.image, engine))

    made = Sweep(
        fleet,
        engine,
        spec,
        left,
        jobs=jobs,
        retries=retries,
        pool=pool,
        gpus_each=each,
        with_gpus=with_gpus,
        write=write,
        on_row=table.take,
    )
    asked = _Stopping(made)
    with handled((signal.SIGINT,), asked), table:
        await made.run()
        await asked.settled()
    if as_json:
        rows = (board.rows[number] for number in sorted(board.rows))
        answer(sweep=[result_row(row, spec.image, engine) for row in rows], error=None)
    else:
        data(summary(board))
    if asked.times:
        return SIGNAL_BASE + signal.SIGINT
    return Exit.FAILED if board.bad else Exit.DONE


class _Stopping:
    """Ctrl+C: first no further run begins, then those that run are ended."""

    def __init__(self, made: Sweep) -> None:
        self._made = made
        self._killing: asyncio.Task[None] | None = None
        self.times = 0

    def __call__(self, _number: signal.Signals) -> None:
        self.times += 1
        if self.times == 1:
            say("tranship: no further run begins; Ctrl+C again ends those that run")
            self._made.stop()
        elif self._killing is None:
            self._killing = asyncio.create_task(self._made.kill(), name="end the runs")

    async def settled(self) -> None:
        """What it began is over."""
        if self._killing is not None:
            await self._killing
