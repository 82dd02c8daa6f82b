"""The terminal that the screen is drawn on: that it has a size, and that it is still there. Draws nothing."""

from __future__ import annotations

import asyncio
import os
import queue
import termios
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from textual.app import App

from backends.model.errors import Refused

T = TypeVar("T")

_LOOK_S = 2.0
"""How often it is made sure that the terminal is there."""
_DISCARD_S = 0.05
_SIZE = (24, 80)
"""Rows and columns of a terminal that says nothing of its size: those of a VT100."""


def give_size(terminal: int) -> None:
    """Give a terminal of no size (a pty that nobody sized) the usual one.

    Textual and rich each assume another for 0×0, and the screen would be laid out for one and the other in turn.
    """
    if 0 in os.get_terminal_size(terminal):
        termios.tcsetwinsize(terminal, _SIZE)


@contextmanager
def watched(terminal: int, app: App[Any], gone: Callable[[], object]) -> Iterator[None]:
    """Within, a terminal that is no more calls `gone` in the running event loop, also where no SIGHUP tells it.

    That is so without a controlling terminal, and where SIGHUP is ignored. Textual's input thread would read the
    terminal's end over and over, a core of it; its output thread has ended at the first failed write, and whoever
    draws waits for it for ever: what is drawn from then on is thrown away, so that the screen can be left in order.
    """
    loop, ended = asyncio.get_running_loop(), threading.Event()

    def watch() -> None:
        while not ended.wait(_LOOK_S):
            if _is_gone(terminal):
                break
        else:
            return
        loop.call_soon_threadsafe(gone)
        while not ended.wait(_DISCARD_S):
            _discard(app)

    thread = threading.Thread(target=watch, name="tranship-terminal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        if _is_gone(terminal):
            _let_go(terminal)


async def lend(app: App[Any], talk: Callable[[], Awaitable[T]]) -> T:
    """Leave the terminal to somebody else while `talk` goes on; the app works on meanwhile, and draws nothing.

    Refused where the app's driver cannot do that (a web page, a test without a terminal).
    """
    if app._driver is None or not app._driver.can_suspend:
        hint = "run `tranship shell`, `attach` or `exec` in a terminal"
        raise Refused("this screen has no terminal to give away", hint=hint)
    with app.batch_update(), app.suspend():
        _silence(app)
        try:
            result = await talk()
        except Exception as error:  # noqa: BLE001 - raised below: suspend takes the screen back only where none passes it
            failure: Exception | None = error
        else:
            return result
    assert failure is not None
    raise failure


class _Nowhere:
    """In place of Textual's output thread, which suspending ends: whoever writes to that waits for ever."""

    def write(self, text: str) -> None:
        """Throw it away."""

    def flush(self) -> None:
        """Nothing is kept."""

    def stop(self) -> None:
        """Nothing runs."""


def _silence(app: App[Any]) -> None:
    """A bell or a clipboard's text meanwhile goes nowhere; Textual has no public way to say that."""
    driver: Any = app._driver
    if hasattr(driver, "_writer_thread"):
        driver._writer_thread = _Nowhere()


def _is_gone(terminal: int) -> bool:
    try:
        termios.tcgetattr(terminal)
    except termios.error:
        return True
    return False


def _let_go(terminal: int) -> None:
    """What is yet to be written goes nowhere: Python ends with 120 in place of our code where its last flush fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        if os.fstat(number).st_rdev == os.fstat(terminal).st_rdev:
            os.dup2(nowhere, number)
    os.close(nowhere)


def _discard(app: App[Any]) -> None:
    """Take what waits for Textual's output thread; it has no public way to tell that nobody reads any more."""
    waiting = getattr(getattr(app._driver, "_writer_thread", None), "_queue", None)
    while isinstance(waiting, queue.Queue):
        try:
            waiting.get_nowait()
        except queue.Empty:
            return
