"""`make recording`: a film of the program itself on the demo fleet, as an SVG that moves: screenshots/tranship.svg.

What is shown is what the terminal showed, at the times at which it did; long waits are cut short.
"""

from __future__ import annotations

import html
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.e2e.shots import FLEET, FOLDER, READY, ROOT, TRANSHIP
from tests.e2e.terminal import Terminal

COLUMNS, ROWS = 120, 34
LOOK_S = 0.15
LONGEST_S, LAST_S = 2.5, 4.0
CELL, LINE, FONT = 8.4, 17, 14
MARGIN = 12
INK, GROUND = "#d6dee6", "#0f151c"

# Keys, what the screen then shows, and how long a reader looks at it.
SCENES: tuple[tuple[tuple[str, ...], str, float], ...] = (
    ((), FLEET, 2.5),
    (("Down",), "", 0.3),
    (("Down",), "", 0.3),
    (("Down",), "", 1.0),
    (("/",), "", 0.4),
    (("t",), "", 0.15),
    (("r",), "", 0.15),
    (("a",), "", 0.15),
    (("i",), "", 0.5),
    (("Enter",), "", 0.8),
    (("Enter",), r"1 Facts", 2.0),
    (("2",), r"(?s)CPU.*GPU memory", 2.5),
    (("Escape",), "NAME▲", 0.5),
    (("w",), r"MADE BY", 2.0),
    (("Escape",), "NAME▲", 0.3),
    (("Escape",), r"rag-redis", 0.5),
    (("z",), r"GPU use", 2.5),
    (("Escape",), "NAME▲", 0.5),
    (("/",), "", 0.2),
    (("r",), "", 0.15),
    (("a",), "", 0.15),
    (("g",), "", 0.15),
    (("Enter",), "", 0.4),
    (("Down",), "", 0.5),
    (("m",), r"Nothing stands in the way", 3.0),
    (("Enter",), r"Migrate \(y\)", 2.0),
    (("y",), r"The copy equals its source", 4.0),
)


@dataclass
class Film:
    """Screens with the seconds at which they were first seen."""

    frames: list[tuple[float, list[str]]] = field(default_factory=list)

    def take(self, ansi: str, at: float) -> None:
        """Note a screen that is another than the one before."""
        lines = ansi.rstrip("\n").split("\n")
        if not self.frames or self.frames[-1][1] != lines:
            self.frames.append((at, lines))


def shoot() -> Film:
    """Run the demo and press the keys; a thread looks on."""
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    film, ended = Film(), threading.Event()
    with (
        tempfile.TemporaryDirectory() as private,
        Terminal(
            [TRANSHIP, "--demo"], columns=COLUMNS, rows=ROWS, cwd=ROOT,
            environ={**environ, "XDG_STATE_HOME": private}, socket=Path(private) / "tmux",
        ) as terminal,
    ):  # fmt: skip
        terminal.wait(READY)
        terminal.wait(FLEET)
        begin = time.monotonic()

        def look() -> None:
            while not ended.wait(LOOK_S):
                film.take(terminal.ansi(), time.monotonic() - begin)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            for keys, shows, look_s in SCENES:
                if keys:
                    terminal.keys(*keys)
                if shows:
                    terminal.wait(shows)
                time.sleep(look_s)
        finally:
            ended.set()
            thread.join()
    return film


def svg(film: Film) -> str:
    """One element for each line that was ever shown in a row, visible while it was there."""
    starts = _times([at for at, _ in film.frames])
    whole_s = starts[-1] + LAST_S
    shown: dict[tuple[int, str], list[int]] = {}
    for number, (_, lines) in enumerate(film.frames):
        for row, line in enumerate(lines[:ROWS]):
            shown.setdefault((row, line), []).append(number)
    width, height = COLUMNS * CELL + 2 * MARGIN, ROWS * LINE + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'font-size="{FONT}" font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace">',
        "<title>Tranship: the demo fleet, a container, GPUs, a move</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
    ]
    for (row, line), numbers in shown.items():
        drawn = "".join(_line(row, line))
        if drawn:
            out.append(_during(drawn, numbers, starts, whole_s))
    return "\n".join([*out, "</g>", "</svg>"]) + "\n"


def _times(seen: Sequence[float]) -> list[float]:
    """When each frame begins, without waits that are longer than anybody looks."""
    times = [0.0]
    for before, after in pairwise(seen):
        times.append(times[-1] + min(after - before, LONGEST_S))
    return times


def _during(drawn: str, numbers: list[int], starts: list[float], whole_s: float) -> str:
    if len(numbers) == len(starts):
        return f"<g>{drawn}</g>"
    changes: list[tuple[float, str]] = []
    for number in range(len(starts)):
        state = "visible" if number in numbers else "hidden"
        if not changes or changes[-1][1] != state:
            changes.append((starts[number] / whole_s, state))
    values, times = ";".join(state for _, state in changes), ";".join(f"{at:.4f}".rstrip("0") for at, _ in changes)
    return (
        f'<g visibility="{changes[0][1]}"><animate attributeName="visibility" calcMode="discrete" dur="{whole_s:.2f}s" '
        f'repeatCount="indefinite" values="{values}" keyTimes="{times}"/>{drawn}</g>'
    )


def _line(row: int, ansi: str) -> Iterator[str]:
    console = Console(width=COLUMNS, force_terminal=True, color_system="truecolor", legacy_windows=False)
    segments = console.render(Text.from_ansi(ansi, no_wrap=True, end=""))
    texts: list[str] = []
    column = 0
    for segment in segments:
        style = segment.style or Style()
        ink, ground = _colour(style.color), _colour(style.bgcolor)
        if style.reverse:
            ink, ground = ground or GROUND, ink or INK
        cells = segment.cell_length
        if ground:
            place = f'x="{column * CELL:.1f}" y="{row * LINE}" width="{cells * CELL:.1f}" height="{LINE}"'
            yield f'<rect {place} fill="{ground}"/>'
        if segment.text.strip():
            look = "".join(
                (
                    f' fill="{ink or INK}"',
                    ' font-weight="bold"' if style.bold else "",
                    ' opacity=".6"' if style.dim else "",
                    ' font-style="italic"' if style.italic else "",
                )
            )
            lead = len(segment.text) - len(segment.text.lstrip(" "))
            words = segment.text.strip(" ").replace(" ", "\N{NO-BREAK SPACE}")  # an SVG folds others
            length = (cells - (len(segment.text) - len(words))) * CELL
            at = f'x="{(column + lead) * CELL:.1f}" y="{row * LINE + FONT}" textLength="{length:.1f}"'
            texts.append(f"<text {at}{look}>{html.escape(words, quote=False)}</text>")
        column += cells
    yield from texts


def _colour(colour: Color | None) -> str:
    return "" if colour is None or colour.is_default else colour.get_truecolor().hex


def main() -> int:
    """Write the film; its size and length on stderr."""
    film = shoot()
    path = FOLDER / "tranship.svg"
    path.write_text(svg(film), encoding="utf-8")
    sys.stderr.write(f"{path}: {len(film.frames)} frames, {path.stat().st_size // 1024} KiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
