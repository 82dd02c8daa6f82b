"""What Tranship's start imports: how many modules, and what they cost, beside Textual alone. Opens no engine."""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 3
_COUNTED = (
    "import time,sys;b=len(sys.modules);t=time.process_time()\n{}\nprint(len(sys.modules)-b,time.process_time()-t)"
)
STATEMENTS = {
    "tranship --version (the command line)": "import tui.__main__, tui.cli.root",
    "tranship, until the first frame": "import tui.__main__, tui.crash, tui.log, tui.opening, tui.app, tui.bootstrap",
    "textual.app alone": "import textual.app",
}


def measure() -> dict[str, tuple[int, float]]:
    """By what is imported: modules, and median milliseconds of the processor."""
    found: dict[str, tuple[int, float]] = {}
    for name, statement in STATEMENTS.items():
        code = _COUNTED.format(statement)
        runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(ROUNDS)]
        told = [run.stdout.split() for run in runs]
        found[name] = (int(told[0][0]), statistics.median(1000 * float(seconds) for _, seconds in told))
    return found
