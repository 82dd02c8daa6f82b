"""The console script `tranship`, and `python -m tui`. Starts the command line and ends it well; does nothing else.

Ctrl+C and bugs come out here alike for every command: an exit code and at most one line, never a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from io import TextIOWrapper
from types import TracebackType


def main() -> None:
    """Read the command line, do what it says, exit.

    An exception that nothing handled is a bug: its trace goes to a crash log, whose path is said; exit code 1.
    """
    try:
        sys.excepthook = tell_bug
        from tui.crash import state_dir
        from tui.log import keep_log

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper) and stream.encoding.lower() not in {"utf-8", "utf8"}:
                from tui.plain import HANDLER

                stream.reconfigure(errors=HANDLER)  # a Latin-1 terminal has no ✓
        keep_log(state_dir())
        code = _plain_start() if len(sys.argv) == 1 else None
        if code is None:
            from tui.cli.root import run_command_line

            code = run_command_line()
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    sys.exit(code)


def _plain_start() -> int | None:
    """`tranship` and no more, on a terminal: the screen, without what reads command lines. None where it is not to be.

    What is amiss with the settings is the command line's to tell.
    """
    from tui.config import ConfigError, load
    from tui.opening import COMPLETE, has_screen, show_screen

    if COMPLETE in os.environ or not has_screen():
        return None
    try:
        return show_screen(load())
    except ConfigError:
        return None


def tell_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """As `sys.excepthook`: one line on stderr that names the bug and its crash log."""
    from backends.model.secrets import masked_prose
    from tui.cli.output import say
    from tui.crash import state_dir, write_crash_log

    path = write_crash_log(error.with_traceback(trace), state_dir())
    say(f"tranship: this is a bug in Tranship: {kind.__name__}: {masked_prose(str(error))}. The crash log is {path}")


if __name__ == "__main__":
    main()
