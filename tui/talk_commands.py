"""Shells, attached processes and commands in containers, in workers of `tui.commands`. May not draw.

A shell or an attached process takes the terminal from the screen while it goes on; the fleet is looked at meanwhile.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.worker import Worker

from backends.model.container import Container, LogLine, LogStream
from backends.model.errors import BackendError
from backends.model.secrets import masked_command
from backends.model.session import ExecSpec
from tui.messages import ProgramEnded, ProgramSaid
from tui.workers import Reply, Work
from widgets.sgr import LONGEST
from widgets.text import inert

if TYPE_CHECKING:
    from backends.engine import Session
    from backends.services.fleet import Fleet
    from backends.services.shells import Shells

_SAY_EVERY_S = 0.1
_SAID_LINES = 500  # handed on at once


class TalkCommands:
    """Starts workers on behalf of the screens. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet], app: App[Any]) -> None:
        self._work = work
        self._fleet = fleet
        self._app = app
        self._shells: Shells | None = None

    def shell(self, row: Container) -> None:
        """Leave the screen for a shell in the container, until it ends or is left."""
        self._work(partial(self._shell, row), name=f"shell in {row.key.short}", group="terminal", exclusive=True)

    async def _shell(self, row: Container) -> None:
        from backends.services.shells import Shells
        from tui.console import terminal_size

        fleet = self._fleet()
        engine = fleet.engine(row.key.engine)
        self._shells = self._shells or Shells()
        with fleet.operations.beside("container.shell", row.key, row.name):
            shell = await self._shells.shell_of(engine, row)
            spec = ExecSpec((shell,), tty=True, size=terminal_size(1))
            async with engine.open_exec(row.key.id, spec) as session:
                await self._joined(row, f"{shell} in", session, quiet=True)

    def attach(self, row: Container) -> None:
        """Leave the screen for the container's first process, until that ends or is left."""
        self._work(partial(self._attach, row), name=f"attach to {row.key.short}", group="terminal", exclusive=True)

    async def _attach(self, row: Container) -> None:
        from tui.console import terminal_size

        fleet = self._fleet()
        with fleet.operations.beside("container.attach", row.key, row.name):
            context = fleet.engine(row.key.engine).open_attach(row.key.id, size=terminal_size(1))
            async with context as session:
                await self._joined(row, "attached to", session)

    async def _joined(self, row: Container, what: str, session: Session, *, quiet: bool = False) -> None:
        """Lend the terminal until the program ends or is left. quiet: an end without an error needs no word."""
        from tui.terminal import lend

        way = "Ctrl-P Ctrl-Q leaves it, and it runs on" if session.tty else "Ctrl-C leaves it, and it runs on"
        title = f"-- {what} {inert(row.name)} on {inert(row.key.engine.name)}: {way} --"
        code = await lend(self._app, partial(_on_terminal, title, session))
        if code != 0 or not quiet:
            how = "left; it runs on" if code is None else f"ended with exit code {code}"
            self._app.notify(f"{row.name}: {how}", timeout=4, markup=False)

    # -- one command -----------------------------------------------------------------------------
    def run(self, row: Container, command: str, reply: Reply) -> Worker[None]:
        """Run a command line in the container: ProgramSaid as it says something, ProgramEnded at its end.

        Cancelling the worker stops listening; the program itself goes on.
        """
        return self._work(partial(self._run, row, command, reply), name=f"run in {row.key.short}", group="exec")

    async def _run(self, row: Container, command: str, reply: Reply) -> None:
        from backends.services.programs import heard

        said = SaidLines(lambda lines: reply(ProgramSaid(lines)))
        try:
            fleet = self._fleet()
            spec = ExecSpec(tuple(shlex.split(command)), stdin=False)
            plan = {"command": masked_command(spec.argv)}
            with fleet.operations.beside("container.exec", row.key, row.name, plan=plan):
                async with fleet.engine(row.key.engine).open_exec(row.key.id, spec) as session:
                    done = await heard(session, said.take)
        except BackendError as error:
            said.end()
            reply(ProgramEnded(error=error))
        else:
            said.end()
            reply(ProgramEnded(exit_code=done.exit_code))
        finally:
            said.stop()


class SaidLines:
    """Pieces of output become lines, handed on in batches."""

    def __init__(self, hand_on: Callable[[tuple[LogLine, ...]], object]) -> None:
        self._hand_on = hand_on
        self._decoders = {one: getincrementaldecoder("utf-8")("replace") for one in LogStream}
        self._open = dict.fromkeys(LogStream, "")
        self._waiting: list[LogLine] = []
        self._timer: asyncio.TimerHandle | None = None

    def take(self, stream: LogStream, piece: bytes) -> None:
        """More of a stream."""
        *whole, rest = (self._open[stream] + self._decoders[stream].decode(piece)).split("\n")
        if len(rest) > LONGEST:  # no more of a line is ever drawn: it waits for no newline, which may never come
            whole, rest = [*whole, rest], ""
        self._open[stream] = rest
        self._waiting += [LogLine(stream, text.removesuffix("\r")) for text in whole]
        if len(self._waiting) >= _SAID_LINES:
            self._flush()
        elif self._waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SAY_EVERY_S, self._flush)

    def end(self) -> None:
        """No more comes: what has no newline is a line too."""
        self._waiting += [LogLine(stream, text) for stream, text in self._open.items() if text]
        self._flush()

    def stop(self) -> None:
        """Hand nothing on any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        self.stop()
        if self._waiting:
            self._hand_on(tuple(self._waiting))
            self._waiting.clear()


async def _on_terminal(title: str, session: Session) -> int | None:
    """The session on the terminal that the screen has left."""
    from tui.console import converse

    sys.stdout.write(f"{title}\n")
    sys.stdout.flush()
    talking = asyncio.create_task(converse(session), name="session")
    try:
        with _interrupt(talking.cancel):
            await asyncio.wait([talking])
        return None if talking.cancelled() else talking.result()
    finally:
        talking.cancel()  # the app is left meanwhile: the terminal is put back before that
        await asyncio.wait([talking])


@contextmanager
def _interrupt(leave: Callable[[], object]) -> Iterator[None]:
    """Within, Ctrl-C on a terminal that is not in raw mode leaves the session, not the program."""
    before = signal.getsignal(signal.SIGINT)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, leave)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


__all__ = ["SaidLines", "TalkCommands"]
