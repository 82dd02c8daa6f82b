"""One command from its options to its exit code: opens the fleet, runs the command's body, undoes it on a signal.

The only place of the command line where an event loop is started and where failures become exit codes.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from backends.model.errors import BackendError
from tui.cli.exits import Exit, exit_of
from tui.cli.output import complain, say
from tui.config import ConfigError, Settings, load
from tui.signals import SIGNAL_BASE, handled

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

READY_TIMEOUT_S = 15.0
"""How long a command waits for engines to answer; each call has its own, shorter time limit."""


@dataclass
class Invocation:
    """The options that every command shares, collected while click reads the command line."""

    config: Path | None = None
    demo: bool = False
    readonly: bool = False
    json: bool = False
    kube: tuple[str, ...] = ()

    def settings(self) -> Settings:
        """The settings file with the options laid over it. Exits with 2 where the file cannot be used."""
        try:
            settings = load(self.config)
        except ConfigError as error:
            say(f"tranship: {error.title}" + (f" ({error.hint})" if error.hint else ""))
            sys.exit(Exit.USAGE)
        contexts = (*settings.kubernetes, *self.kube)
        return replace(settings, demo=self.demo, readonly=self.readonly or settings.readonly, kubernetes=contexts)


Body = Callable[["Fleet"], Awaitable[int]]
"""Returns the exit code: an Exit, or that of a program that was run."""


def run(
    invocation: Invocation,
    body: Body,
    *,
    only: Collection[str] = (),
    demo_if_none: bool = False,
    sampling: bool = False,
    recording: bool = False,
) -> NoReturn:
    """Open the fleet, run the body, exit with its code.

    only: names of the engines that the command is about; the others are not even connected to. Empty = all.
    demo_if_none: where no engine is found, take the demo fleet; else such a command exits with 3.
    sampling: the body looks at usage or GPUs. recording: it does so for long, and GPU usage is written down.
    An engine's error is one line on stderr. SIGINT, SIGTERM and SIGHUP cancel the body and wait for what it undoes.
    """
    from tui.bootstrap import open_fleet

    settings = invocation.settings()
    signals: list[signal.Signals] = []
    try:
        opener = partial(
            open_fleet, settings, only=only, demo_if_none=demo_if_none, sampling=sampling, recording=recording
        )
        code = asyncio.run(_main(opener, body, signals))
    except ConfigError as error:
        say(f"tranship: {error.title}" + (f" ({error.hint})" if error.hint else ""))
        code = Exit.USAGE
    except BackendError as error:
        complain(error, as_json=invocation.json)
        code = exit_of(error)
    except asyncio.CancelledError as cut:
        if not signals:
            raise
        if isinstance(left := getattr(cut, "error", None), BackendError):  # what could not be undone
            complain(left)
        say(f"tranship: stopped by {signals[0].name}")
        sys.exit(SIGNAL_BASE + signals[0])
    sys.exit(code)


async def _main(opener: Callable[[], Awaitable[Fleet]], body: Body, signals: list[signal.Signals]) -> int:
    """signals: where those that came are noted. The first cancels the body; later ones only say to wait."""
    task = asyncio.current_task()

    def stop(number: signal.Signals) -> None:
        signals.append(number)
        if len(signals) > 1:
            say("tranship: stopping already; undoing what was begun")
        elif task is not None:
            task.cancel()

    with handled((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), stop):
        fleet = await opener()
        try:
            await fleet.start()
            return await body(fleet)
        finally:
            await fleet.close()
            if fleet.audit_problem is not None:
                complain(fleet.audit_problem)


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)
