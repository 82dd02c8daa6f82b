"""Views of the fleet again and again, painted in place on a terminal as `watch` does, or line after line elsewhere."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import termios
import tty
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

import click

from backends.model.fleet import FleetView

if TYPE_CHECKING:
    from backends.services.store import Store

_ENTER = "\x1b[?1049h\x1b[?25l"  # the other screen, without a cursor (xterm's control sequences)
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_QUIT = frozenset(b"qQ")
_KEYS_BYTES = 1024


async def each_view(store: Store, show: Callable[[FleetView], Awaitable[None]], ended: asyncio.Event) -> None:
    """Show the present view, and each one with newer readings of GPUs, until it is ended."""
    changed = asyncio.Event()
    unsubscribe = store.subscribe(lambda _: changed.set())
    shown: object = None
    try:
        while not ended.is_set():
            changed.clear()
            if store.view.gpus is not shown:
                shown = store.view.gpus
                await show(store.view)
            else:
                await _first_of(changed, ended)
    finally:
        unsubscribe()


def repaints() -> bool:
    """Whether stdout is a terminal that can be painted in place."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def paint(lines: Sequence[str]) -> None:
    """Paint these lines over what is there; what does not fit below is left out, and that is said.

    May raise OSError where the terminal went away.
    """
    height = shutil.get_terminal_size().lines
    lines = [f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}  q ends", "", *lines]
    if len(lines) > height:
        lines = [*lines[: height - 1], f"… {len(lines) - height + 1} more lines: the terminal is too small"]
    click.echo(_HOME + "\n".join(line + _REST_OF_LINE for line in lines) + _REST_OF_SCREEN, nl=False)


@contextmanager
def screen(ended: asyncio.Event) -> Iterator[None]:
    """The terminal's other screen, and keys at once: `q` sets `ended`. All is put back at the end.

    Where stdin is no terminal, there are no keys. A terminal that goes away ends it, too.
    """
    keys = sys.stdin.fileno() if sys.stdin.isatty() else None
    before = None if keys is None else termios.tcgetattr(keys)
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            typed = os.read(sys.stdin.fileno(), _KEYS_BYTES)
        except OSError:
            typed = b""  # the terminal went away
        if not typed or _QUIT & set(typed):
            ended.set()

    click.echo(_ENTER, nl=False)
    try:
        if keys is not None:
            tty.setcbreak(keys)  # Ctrl+C stays a signal
            loop.add_reader(keys, read)
        yield
    finally:
        if keys is not None:
            loop.remove_reader(keys)
        with suppress(OSError, termios.error):  # a terminal that went away cannot be put back
            if keys is not None and before is not None:
                termios.tcsetattr(keys, termios.TCSADRAIN, before)
            click.echo(_LEAVE, nl=False)


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
