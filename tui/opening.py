"""The screen, from settings to the exit code: imports, signals, terminal. Knows nothing of command lines.

Nothing of Textual is imported before the screen is wanted, and no click at all: `tranship` alone starts without it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

from tui.config import ConfigError, Settings
from tui.served import is_served, watched_pipe
from tui.signals import SIGNAL_BASE, handled

if TYPE_CHECKING:
    from tui.app import TranshipApp


COMPLETE = "_TRANSHIP_COMPLETE"
"""Set by the shell that wants words to offer, and no screen; click's name for it."""


def has_screen() -> bool:
    """Whether there is a terminal to draw on, or a browser that shows one."""
    on_terminal = sys.stdout.isatty() and sys.stdin.isatty() and os.environ.get("TERM") != "dumb"
    return on_terminal or is_served(os.environ)


def show_screen(settings: Settings) -> int:
    """Run the UI until the user leaves it; returns the exit code. Raises ConfigError for keys that cannot be meant."""
    gc.disable()  # nothing that is imported is garbage: its rounds would cost a twentieth of the start
    from tui.app import TranshipApp
    from tui.bootstrap import open_fleet
    from tui.surroundings import plain_borders

    if settings.keys:
        from tui.chosen_keys import fault_of_keys

        if fault := fault_of_keys(settings.keys):
            raise ConfigError(fault)
    app = TranshipApp(partial(open_fleet, settings), settings, plain=plain_borders(os.environ))
    return asyncio.run(_shown(app))


async def _shown(app: TranshipApp) -> int:
    """Run the app; returns the exit code.

    SIGTERM, SIGINT (Ctrl+C is a key here), and SIGHUP where its terminal goes away leave it as a person would:
    migrations are undone first.
    """

    from tui.terminal import give_size, watched

    def leave(number: signal.Signals) -> None:
        app.exit(return_code=SIGNAL_BASE + number)

    # What was imported lives as long as the program: left out of the garbage collector's full rounds, which else hold
    # every key up for some 50 ms while a log of 100,000 lines grows.
    gc.freeze()
    gc.enable()
    if is_served(os.environ):
        there = watched_pipe(lambda: leave(signal.SIGHUP))
    else:
        terminal = sys.stdin.fileno()
        give_size(terminal)
        there = watched(terminal, app, lambda: leave(signal.SIGHUP))
    with handled((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), leave), there, app.tidied():
        await app.run_async()
    return app.return_code or 0


__all__ = ["COMPLETE", "has_screen", "show_screen"]
