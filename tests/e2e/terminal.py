"""A real terminal for tests: tmux runs the program, keys go in, the screen comes back as text or as a picture."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.text import Text

POLL_S = 0.1
DEFAULT_DEADLINE_S = 20.0
ENDED = "program-ended:"


class Terminal:
    """One tmux server with one session of its own; the server ends with the context."""

    def __init__(
        self, argv: Sequence[str], *, columns: int, rows: int, cwd: Path, environ: Mapping[str, str], socket: Path
    ) -> None:
        self._argv, self._columns, self._rows, self._cwd = list(argv), columns, rows, cwd
        self._environ, self._socket = dict(environ), socket

    def _tmux(self, *argv: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), "-f", "/dev/null", *argv],
            env=self._environ, capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
        return done.stdout

    def __enter__(self) -> Terminal:
        size = ("-x", str(self._columns), "-y", str(self._rows))
        # What comes after the program shows how it ended, and keeps the pane: a crash leaves its last words to be read.
        after = '"$@"; printf "\\n%s %s\\n" "$0" $?; exec sleep 3600'
        command = shlex.join(["sh", "-c", after, ENDED, *self._argv])
        options = (
            "set-option",
            "-g",
            "status",
            "off",
            ";",
            "set-option",
            "-g",
            "default-terminal",
            "tmux-256color",
            ";",
        )
        self._tmux("start-server", ";", *options, "new-session", "-d", "-s", "t", *size, "-c", str(self._cwd), command)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False, timeout=20)

    def keys(self, *keys: str) -> None:
        """Press keys by tmux's names ("Down", "Enter", "C-c", "m")."""
        self._tmux("send-keys", "-t", "t", *keys)

    def type(self, text: str) -> None:
        """Type text literally."""
        self._tmux("send-keys", "-t", "t", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, as dragging its window does."""
        self._tmux("resize-window", "-t", "t", "-x", str(columns), "-y", str(rows))

    def pid(self) -> int:
        """The process that runs the program, which is its child."""
        return int(self._tmux("list-panes", "-t", "t", "-F", "#{pane_pid}"))

    def screen(self) -> str:
        """What is on the screen, plain."""
        return self._tmux("capture-pane", "-p", "-t", "t")

    def wait(self, what: str | Callable[[str], bool], deadline_s: float = DEFAULT_DEADLINE_S) -> str:
        """Wait until the screen shows it: a regular expression, or a question of the screen. Returns the screen."""
        shown: Callable[[str], bool] = what if callable(what) else lambda text: re.search(what, text) is not None
        end = time.monotonic() + deadline_s
        while True:
            text = self.screen()
            if shown(text):
                return text
            if time.monotonic() > end:
                raise AssertionError(f"not on the screen within {deadline_s} s: {what}\n{text}")
            time.sleep(POLL_S)

    def exit_status(self, deadline_s: float = DEFAULT_DEADLINE_S) -> int:
        """Wait for the program's end; its exit status as the shell has it (128 and more: ended by a signal)."""
        ended = re.search(rf"{ENDED} (\d+)", self.wait(rf"{ENDED} \d+", deadline_s))
        assert ended is not None
        return int(ended[1])

    def ansi(self) -> str:
        """What is on the screen, colours and all."""
        return self._tmux("capture-pane", "-p", "-e", "-N", "-t", "t")  # -N: a background reaches the right edge

    def picture(self, path: Path, title: str) -> None:
        """Write the screen, colours and all, as an SVG."""
        ansi = self.ansi()
        console = Console(width=self._columns, record=True, file=open("/dev/null", "w"), force_terminal=True)  # noqa: SIM115 - closed below
        try:
            console.print(Text.from_ansi(ansi, no_wrap=True, end=""), overflow="crop", crop=True)
            svg = console.export_svg(title=title, unique_id=path.stem)
            # Without it some viewers (librsvg) drop the space at either end of each coloured word.
            path.write_text(svg.replace("<svg ", '<svg xml:space="preserve" ', 1))
        finally:
            console.file.close()
