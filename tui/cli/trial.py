"""`tranship trial NAME|IMAGE`: one workload measured on several engines. What is measured is removed again."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backends.model.capabilities import Capability
from backends.model.errors import BackendError, NotFound
from backends.model.ids import ContainerKey, EngineId
from backends.model.trial import ReadyBy, TrialProgress, TrialReport, TrialRequest
from backends.model.trial_words import density_words
from tui.cli import schema, schema_trial
from tui.cli.exits import Exit
from tui.cli.here import absolute
from tui.cli.options import common
from tui.cli.output import answer, complain, data, may_style, rows, say
from tui.cli.pick import first_view, the_container, the_engine
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.line import plain
from widgets.text import inert
from widgets.trial_lines import plot_lines, progress_text, table_head, table_rows

if TYPE_CHECKING:
    from backends.model.fleet import FleetView
    from backends.services.fleet import Fleet

_PLOT_CELLS = 78


@click.command()
@click.argument("name", metavar="CONTAINER|IMAGE")
@click.option("--on", "engines", metavar="ENGINE,…", help="Engines, the one to compare with first. [default: all]")
@click.option("--from", "source", metavar="ENGINE", help="The engine that has the container; needed where several do.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=10, show_default=True, help="On each engine.")
@click.option(
    "--ready",
    metavar="SIGN",
    default="",
    help="health, port, log=PATTERN or running. [default: health where it has a check, else running]",
)
@click.option("--ready-limit", type=click.FloatRange(0.1), default=120.0, show_default=True, metavar="SECONDS")
@click.option("--exec", "command", metavar="COMMAND", default="", help="Run in it, and timed; no shell is added.")
@click.option("--runs", type=click.IntRange(1, 10_000), default=3, show_default=True, help="Of it, in each round.")
@click.option("--density", type=click.IntRange(0, 1000), default=0, help="Try so many idle copies at the utmost.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as Markdown.")
@common
@pass_invocation
def trial(
    invocation: Invocation,
    name: str,
    engines: str | None,
    source: str | None,
    rounds: int,
    ready: str,
    ready_limit: float,
    command: str,
    runs: int,
    density: int,
    report: Path | None,
) -> None:
    """Measure one workload on several engines, and say what differs and what is noise.

    Copies of the container (or containers of the image) are made under names of their own, with copied volumes and free
    ports, measured in alternating rounds, and removed. The original is left as it is.
    """
    by, pattern = read_sign(ready)
    words = tuple(_words(command))
    named = tuple(one for one in (engines or "").split(",") if one)
    path = absolute(report) if report else None

    async def body(fleet: Fleet) -> Exit:
        view = await first_view(fleet)
        ids = tuple(the_engine(view, one).id for one in named) or _connected(view)
        request = TrialRequest(ids, rounds, by, pattern, words, runs, density, ready_limit)
        return await _trial(fleet, name, _subject(view, name, source), request, path, as_json=invocation.json)

    only = frozenset((*named, source)) if named and source else frozenset()
    run(invocation, body, only=only, sampling=True)


def read_sign(text: str) -> tuple[ReadyBy | None, str]:
    """From --ready. Raises click.BadParameter."""
    if not text:
        return None, ""
    word, equals, pattern = text.partition("=")
    if word == ReadyBy.LOG.value and equals:
        from backends.trial.ready import wrong_pattern

        wrong = wrong_pattern(pattern)
        if wrong:
            raise click.BadParameter(inert(f"--ready log=PATTERN: {wrong}"))
        return ReadyBy.LOG, pattern
    if equals or word not in {sign.value for sign in ReadyBy if sign is not ReadyBy.LOG}:
        raise click.BadParameter(inert(f"--ready {text}: health, port, log=PATTERN or running"))
    return ReadyBy(word), ""


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise click.BadParameter(inert(f"--exec {command}: {error}")) from error


def _connected(view: FleetView) -> tuple[EngineId, ...]:
    found = tuple(view.offering(Capability.RECIPES))
    if not found:
        raise NotFound("no engine answers", hint="tranship engines says why")
    return found


def _subject(view: FleetView, name: str, source: str | None) -> ContainerKey | str:
    """The container of that name; an image where no engine has one."""
    try:
        return the_container(view, name, source).key
    except NotFound:
        if source is not None:
            raise
        return name


async def _trial(
    fleet: Fleet,
    name: str,
    subject: ContainerKey | str,
    request: TrialRequest,
    path: Path | None,
    *,
    as_json: bool,
) -> Exit:
    from backends.new_file import refuse_existing, write_new
    from backends.services.trials import run_trial
    from backends.trial.report import markdown

    if path is not None:
        await asyncio.to_thread(refuse_existing, path)
    lines = _Progress(request.rounds)
    try:
        made = await run_trial(fleet, subject, name, request, lines)
    finally:
        lines.close()
    lost: BackendError | None = None  # told at the end: what was measured for minutes is told in any case
    if path is not None:
        try:
            await asyncio.to_thread(write_new, path, "the report", (markdown(made),))
        except BackendError as error:
            lost = error
    if as_json:
        told = schema.error(lost) if lost is not None else None
        answer(trial=schema_trial.trial(made), report=str(path) if path and lost is None else None, error=told)
    else:
        show(made)
        if path is not None and lost is None:
            say(f"the report is in {path}")
    if lost is not None:
        complain(lost)
    return Exit.DONE if lost is None else Exit.FAILED


def show(report: TrialReport) -> None:
    """The report on stdout: table, plots, verdict, what is to be known."""
    head, body = table_head(report), table_rows(report)
    rows([Column(head[0]), *(Column(title, align="right") for title in head[1:])], body)
    data("")
    for one in plot_lines(report.rounds, report.request.engines, _PLOT_CELLS):
        data(plain(one))
    data("")
    for one_density in report.densities:
        data(inert(f"{one_density.engine.name}: {density_words(one_density)}"))
    for sentence in report.verdict:
        data(inert(sentence))
    for note in report.notes:
        data(inert(f"  · {note}"))
    from backends.trial.report import not_measured  # not needed for --help

    for text in not_measured(report):
        data(inert(f"  · not measured: {text}"))


class _Progress:
    """On stderr: one living line on a terminal, a line for each round elsewhere."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self._living = may_style(sys.stderr)
        self._done = -1

    def __call__(self, progress: TrialProgress) -> None:
        """Show where it is."""
        text = inert(f"{progress.done} of {progress.total}  {progress_text(progress, self._rounds)}")
        if self._living:
            self._put(f"\r\x1b[K{text}")
        elif progress.done != self._done:
            self._done = progress.done
            say(text)

    def close(self) -> None:
        """Take the living line away."""
        if self._living:
            self._put("\r\x1b[K")

    def _put(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            self._living = False  # its terminal went away: nobody is left to be told
