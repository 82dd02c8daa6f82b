"""`tranship gpus`: the GPUs of this machine, who uses them and how much. Changes nothing."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backends.model.container import ContainerState
from backends.model.events import Link
from backends.model.fleet import FleetView
from backends.model.gpu import GpuSnapshot
from tui.cli import gpus_table, schema_gpus
from tui.cli.exits import Exit
from tui.cli.gpus_table import Block
from tui.cli.gpus_usage import BY, parse_since, show_usage
from tui.cli.options import common
from tui.cli.output import answer, answer_line, complain, data, may_style, say, terminal_width
from tui.cli.pick import not_connected, view_where
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.users import user_names

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

GPU_TIMEOUT_S = 5.0
"""The driver may take seconds to wake up a GPU that nobody uses."""

ENGINES_TIMEOUT_S = 3.0
"""An engine that hangs is not waited for longer: the GPUs are read all the same."""

GIVEN_TIMEOUT_S = 2.0
"""Docker tells only container by container what each was given."""

IDLE_LOOK_S = 3.0
"""How long it is looked whether containers compute, where nobody watched before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be shown, and how. output: the file for metrics, None = stdout."""

    watch: bool = False
    idle: bool = False
    metrics: bool = False
    output: Path | None = None
    json: bool = False


@click.command()
@click.option("--watch", "-w", is_flag=True, help="Again at each reading, in place on a terminal; q or Ctrl+C ends it.")
@click.option("--idle", is_flag=True, help="Only containers that hold GPU memory and compute nothing.")
@click.option("--usage", is_flag=True, help="GPU-hours and memory-hours of containers, from what was written down.")
@click.option("--by", type=click.Choice(BY), help="With --usage: what it is added up by (default: container).")
@click.option("--since", metavar="TIME", help="With --usage: only the last 24h, 7d, 2w.")
@click.option("--metrics", is_flag=True, help="In Prometheus' text format.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="With --metrics: into a file."
)
@click.option("--listen", metavar="[ADDRESS:]PORT", help="Serve metrics by HTTP at /metrics, to this machine only.")
@common
@pass_invocation
def gpus(
    invocation: Invocation,
    watch: bool,
    idle: bool,
    usage: bool,
    by: str | None,
    since: str | None,
    metrics: bool,
    output: Path | None,
    listen: str | None,
) -> None:
    """List the GPUs of this machine with their processes and containers, or say why none is seen."""
    modes = {"--usage": usage, "--idle": idle, "--metrics": metrics, "--listen": listen is not None}
    _check(modes, watch=watch, by=by, since=since, output=output, as_json=invocation.json)
    if usage:
        show_usage(invocation, by or BY[0], parse_since(since) if since else None)
    if listen is not None:
        _listen(invocation, listen)
    asked = Asked(watch, idle, metrics, output, invocation.json)
    run(invocation, lambda fleet: _body(fleet, asked), sampling=True, recording=watch)


async def sampled_gpus(fleet: Fleet) -> FleetView:
    """The view once GPUs were looked for."""
    return await view_where(fleet.store, lambda view: bool(view.gpus.readings or view.gpus.absent), GPU_TIMEOUT_S)


def show(snapshot: GpuSnapshot) -> None:
    """The table of GPUs, or the sentence why there is none."""
    if not snapshot.readings:
        data(absence(snapshot))
    for line in _lines(gpus_table.devices(snapshot)):
        data(line)


def absence(snapshot: GpuSnapshot) -> str:
    """Why there is no reading, and what to do."""
    return gpus_table.absence(snapshot, GPU_TIMEOUT_S)


def _check(
    modes: dict[str, bool], *, watch: bool, by: str | None, since: str | None, output: Path | None, as_json: bool
) -> None:
    """Raises click.UsageError for options that say nothing together."""
    chosen = [name for name, given in modes.items() if given]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} are different answers: choose one")
    if (by or since) and not modes["--usage"]:
        raise click.UsageError("--by and --since go with --usage")
    if output is not None and not modes["--metrics"]:
        raise click.UsageError("--output goes with --metrics")
    if watch and (modes["--usage"] or modes["--listen"]):
        raise click.UsageError(f"--watch does not go with {chosen[0]}")
    if as_json and (modes["--metrics"] or modes["--listen"]):
        raise click.UsageError(f"{chosen[0]} has a format of its own: leave --json out")


def _listen(invocation: Invocation, text: str) -> None:
    from tui.cli.gpus_serve import parse_listen, serve

    where = parse_listen(text)

    async def body(fleet: Fleet) -> Exit:
        await sampled_gpus(fleet)
        return await serve(fleet.store, where, time.monotonic, asyncio.Event())

    run(invocation, body, sampling=True, recording=True)


async def _body(fleet: Fleet, asked: Asked) -> Exit:
    await fleet.ready(ENGINES_TIMEOUT_S)
    await sampled_gpus(fleet)
    view = await view_where(fleet.store, _all_inspected, GIVEN_TIMEOUT_S)
    for engine in view.engines.values():
        if engine.connection.link not in {Link.CONNECTED, Link.ABSENT}:
            complain(not_connected(engine))
    if asked.watch:
        return await _watch(fleet, asked)
    if asked.idle and view.gpus.readings:
        # A demo knows its past; elsewhere nobody does.
        view = await view_where(fleet.store, lambda seen: seen.gpus.demo, IDLE_LOOK_S)
    return await _shown(asked, view, _print)


async def _watch(fleet: Fleet, asked: Asked) -> Exit:
    from tui.cli import gpus_watch

    ended = asyncio.Event()
    in_place = gpus_watch.repaints() and not (asked.json or asked.metrics)
    code = Exit.DONE

    async def show_view(view: FleetView) -> None:
        nonlocal code
        try:
            code = await _shown(asked, view, gpus_watch.paint if in_place else _print_apart)
        except OSError:
            if not in_place:
                raise
            code = Exit.FAILED  # the terminal went away
        if code is not Exit.DONE:
            ended.set()

    with gpus_watch.screen(ended) if in_place else nullcontext():
        await gpus_watch.each_view(fleet.store, show_view, ended)
    return code


async def _shown(asked: Asked, view: FleetView, paint: Callable[[list[str]], None]) -> Exit:
    """Show a view as it was asked for. FAILED where the file cannot be written."""
    now = time.monotonic()
    if asked.metrics:
        return await _tell_metrics(view, now, asked.output)
    holders = gpus_table.idle(view) if asked.idle else gpus_table.holders(view)
    if asked.json:
        (answer_line if asked.watch else answer)(**schema_gpus.watched(view, holders, now))
        return Exit.DONE
    if asked.idle and view.gpus.readings:
        paint(
            _lines(gpus_table.containers(view.gpus, holders, now))
            or ["No container holds GPU memory and computes nothing."]
        )
        return Exit.DONE
    ids = {one.user_id for reading in view.gpus.readings for one in reading.processes if one.user_id is not None}
    users = await asyncio.to_thread(user_names, ids)
    paint(_lines(_blocks(view, users, now)))
    return Exit.DONE


def _blocks(view: FleetView, users: dict[int, str], now: float) -> Iterator[Block]:
    if not view.gpus.readings:
        yield Block((), [(absence(view.gpus),)])
    yield from gpus_table.devices(view.gpus)
    yield from gpus_table.processes(view, users)
    yield from gpus_table.containers(view.gpus, gpus_table.holders(view), now)


async def _tell_metrics(view: FleetView, now: float, output: Path | None) -> Exit:
    from tui.cli.gpus_metrics import metrics_text, write_metrics

    if output is None:
        click.echo(metrics_text(view, now), nl=False)
        return Exit.DONE
    try:
        await asyncio.to_thread(write_metrics, view, now, output)
    except OSError as error:
        say(f"tranship: {output} cannot be written: {error.strerror or error}. Next: check its folder and its mode")
        return Exit.FAILED
    return Exit.DONE


def _lines(blocks: Iterator[Block]) -> list[str]:
    """Blocks with an empty line between them, as wide as the terminal."""
    width, bold = terminal_width(sys.stdout), may_style(sys.stdout)
    lines: list[str] = []
    for block in blocks:
        lines += [""] if lines else []
        lines += block.lines(width, bold)
    return lines


def _print(lines: list[str]) -> None:
    for line in lines:
        data(line)


def _print_apart(lines: list[str]) -> None:
    _print([*lines, ""])


def _all_inspected(view: FleetView) -> bool:
    """Whether every running container of a connected engine was looked at by itself: lists tell no GPUs."""
    running = [row for row in view.containers.values() if row.state is ContainerState.RUNNING]
    return all(row.started_at is not None or view.engines[row.key.engine].stale for row in running)
