"""The screen where a browser shows it: pipes from a server stand in place of a terminal. Serves nothing itself."""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

_DRIVERS = frozenset({"WebDriver", "TabDriver"})
"""Textual's own, and ours (tui/web/driver.py)."""
_STDIN, _STDOUT = 0, 1


def is_served(environ: Mapping[str, str]) -> bool:
    """Whether Textual was told to speak to a server (`tranship web`, `textual serve`) rather than to a terminal."""
    return environ.get("TEXTUAL_DRIVER", "").rpartition(":")[2] in _DRIVERS


@contextmanager
def watched_pipe(gone: Callable[[], object]) -> Iterator[None]:
    """Within, a server that is no more (killed, too) calls `gone` in the running event loop.

    Textual's driver would run on without it for ever, and fail at the next thing that it draws: from then on that goes
    nowhere.
    """
    loop = asyncio.get_running_loop()
    awake, wake = os.pipe()

    def watch() -> None:
        ends = select.poll()
        ends.register(_STDIN, 0)  # no event is asked for: only that its writer has gone is told
        ends.register(awake, 0)
        if any(number == _STDIN for number, _ in ends.poll()):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STDOUT)
            os.close(nowhere)
            loop.call_soon_threadsafe(gone)

    thread = threading.Thread(target=watch, name="tranship-served", daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(wake)
        thread.join()
        os.close(awake)
