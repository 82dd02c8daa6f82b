"""`python -m benchmarks.key_costs` (root): what each commonly used key costs the screen's loop; writes keys.md.

Processor time of the program's main thread from writing the key until nothing more is drawn, in a real pty: unlike the
clock, it tells nearly the same on a busy machine. Beside it, a bare Textual app with a DataTable of as many rows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import empty, fill, on_both
from benchmarks.first_frame import open_pty
from benchmarks.flood import IMAGE
from benchmarks.own_engines import own_engines
from tests import real

SIZE = (50, 200)
SETTLE_S = 12.0
ROUNDS = 5
_LEAST_S, _QUIET_S, _LONGEST_S = 0.25, 0.15, 3.0
ESC, DOWN, PAGE_DOWN, PAGE_UP, ENTER, TAB, PALETTE = b"\x1b", b"\x1b[B", b"\x1b[6~", b"\x1b[5~", b"\r", b"\t", b"\x10"

Step = tuple[str, bytes]
WALK: tuple[Step, ...] = (
    ("row down", DOWN),
    ("page down", PAGE_DOWN),
    ("page up", PAGE_UP),
    ("sort by the next column", b"o"),
    ("reverse the sort", b"O"),
    *(("", b"o"),) * 11,
    ("group by engine", b"g"),
    ("", b"g"),
    ("", b"g"),
    ("mark a row", b" "),
    ("no more marks", ESC),
    ("open the filter", b"/"),
    ("a letter of the filter", b"0"),
    ("another letter", b"-"),
    ("leave the filter", ESC),
    ("next pane", TAB),
    ("back to the table", b"1"),
    ("open the help", b"?"),
    ("leave the help", ESC),
    ("open the palette", PALETTE),
    ("a letter in the palette", b"l"),
    ("leave the palette", ESC),
    ("choose columns", b"F"),
    ("leave that box", ESC),
    ("ask about removing", b"d"),
    ("leave that question", ESC),
    ("open a container", ENTER),
    ("its next section", TAB),
    ("leave the container", ESC),
    ("open all images", b"a"),
    ("leave the images", ESC),
    ("open the GPUs", b"z"),
    ("leave the GPUs", ESC),
    ("open all volumes", b"V"),
    ("leave the volumes", ESC),
    ("open the form of a new container", b"n"),
    ("leave the form", ESC),
    ("open a log", b"l"),
    ("log: stand still", b" "),
    ("log: follow", b" "),
    ("log: wrap", b"w"),
    ("log: cut again", b"w"),
    ("log: times", b"t"),
    ("log: page up", PAGE_UP),
    ("log: end", b"G"),
    ("log: open the search", b"/"),
    ("log: a letter of the search", b"1"),
    ("log: search", ENTER),
    ("log: leave the search", ESC),
    ("log: open the filter", b"f"),
    ("log: a letter of the filter", b"1"),
    ("log: leave the filter", ESC),
    ("log: next level", b"v"),
    *(("", b"v"),) * 4,
    ("leave the log", ESC),
)
"""What the key is called, "" = not measured, and what the terminal sends for it; in the end all is as it was."""

BARE = """
from textual.app import App
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Header, Input
class Table(DataTable):
    def on_mount(self):
        self.cursor_type = "row"
        self.add_columns(*(f"column {c}" for c in range(12)))
        self.add_rows([f"cell {r} {c}" for c in range(12)] for r in range(400))
class Second(Screen):
    BINDINGS = [("escape", "app.pop_screen", "Back")]
    def compose(self):
        yield Header()
        yield Table()
        yield Footer()
class Bare(App):
    BINDINGS = [("a", "push", "Open"), ("slash", "edit", "Filter"), ("x", "table", "Table")]
    def compose(self):
        yield Header()
        yield Input()
        yield Table()
        yield Footer()
    def on_mount(self):
        self.query_one(Table).focus()
    def action_push(self):
        self.push_screen(Second())
    def action_edit(self):
        self.query_one(Input).focus()
    def key_escape(self):
        self.query_one(Table).focus()
Bare().run()
"""
BARE_WALK: tuple[Step, ...] = (
    ("row down", DOWN),
    ("page down", PAGE_DOWN),
    ("page up", PAGE_UP),
    ("open the filter", b"/"),
    ("a letter of the filter", b"0"),
    ("leave the filter", ESC),
    ("open the palette", PALETTE),
    ("a letter in the palette", b"l"),
    ("leave the palette", ESC),
    ("open all images", b"a"),
    ("leave the images", ESC),
)
"""The same by Textual's own means: the images are a screen with a DataTable."""


@dataclass(frozen=True)
class Cost:
    """Milliseconds of the main thread's processor time. first: until something was drawn; whole: until all was."""

    first_ms: float
    whole_ms: float


class Drawn(threading.Thread):
    """Reads all that the program draws. first_s, last_s: the thread's time when bytes came since `expect`."""

    def __init__(self, ours: int, pid: int) -> None:
        super().__init__(daemon=True)
        self._ours, self._pid = ours, pid
        self.at = 0.0  # time.monotonic() of the newest bytes, 0 = none since `expect`
        self.first_s = self.last_s = 0.0

    def expect(self) -> float:
        """From now on; returns the thread's time so far, in seconds."""
        self.at = 0.0
        return main_thread_s(self._pid)

    def run(self) -> None:
        """Until the program's end of the terminal closes."""
        while True:
            try:
                os.read(self._ours, 65536)
            except OSError:
                return
            now_s = main_thread_s(self._pid)
            if not self.at:
                self.first_s = now_s
            self.last_s, self.at = now_s, time.monotonic()


def main_thread_s(pid: int) -> float:
    """Seconds that its main thread has been on a processor, to the microsecond."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def measure(
    argv: Sequence[str], walk: Sequence[Step], environ: dict[str, str], rounds: int = ROUNDS
) -> dict[str, list[Cost]]:
    """Press the keys of the walk, `rounds` times after one that is not counted; what draws nothing is said."""
    environ = {**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    ours, child = open_pty(argv, environ, size=SIZE)
    drawn = Drawn(ours, child.pid)
    drawn.start()
    found: dict[str, list[Cost]] = {}
    try:
        time.sleep(SETTLE_S)
        for number in range(rounds + 1):
            for name, key in walk:
                cost = _pressed(ours, drawn, name or "a key between", key)
                if name and number and cost is not None:
                    found.setdefault(name, []).append(cost)
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return found


def _pressed(ours: int, drawn: Drawn, name: str, key: bytes) -> Cost | None:
    begin = time.monotonic()
    before_s = drawn.expect()
    os.write(ours, key)
    while True:
        time.sleep(0.01)
        now = time.monotonic()
        if now - begin < _LEAST_S:
            continue  # Escape is waited for: it may be the beginning of another key
        if drawn.at and (now - drawn.at > _QUIET_S or now - begin > _LONGEST_S):
            return Cost(1000 * (drawn.first_s - before_s), 1000 * (drawn.last_s - before_s))
        if now - begin > _LONGEST_S:
            sys.stderr.write(f"nothing was drawn after: {name}\n")
            return None


@contextmanager
def talker(engines: real.RealEngines) -> Iterator[None]:
    """A container on Docker that is the first by its name, and has said two thousand long lines."""
    name = f"0-keys-{uuid.uuid4().hex[:8]}"
    talk = f"for i in $(seq 2000); do echo info line $i {'of many words ' * 20}; done; sleep 3600"
    engines.cli("docker", "run", "-d", "--name", name, "--network", "none", IMAGE, "sh", "-c", talk)
    try:
        yield
    finally:
        engines.cli("docker", "rm", "-f", name)


def table(ours: dict[str, list[Cost]], bare: dict[str, list[Cost]]) -> str:
    """The dearest first: medians, and those of the bare Textual app where it has such a key."""
    lines = [
        "| key | first drawn, ms | all drawn, ms | worst | bare Textual, all drawn | against it |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    whole = {name: statistics.median(cost.whole_ms for cost in costs) for name, costs in ours.items()}
    for name in sorted(whole, key=lambda one: -whole[one]):
        first = statistics.median(cost.first_ms for cost in ours[name])
        worst = max(cost.whole_ms for cost in ours[name])
        beside = "– | –"
        if name in bare:
            base = statistics.median(cost.whole_ms for cost in bare[name])
            beside = f"{base:.0f} | {whole[name] / base:.1f}×"
        lines.append(f"| {name} | {first:.0f} | {whole[name]:.0f} | {worst:.0f} | {beside} |")
    return "\n".join(lines) + "\n"


HEAD = """# What a key costs

`python -m benchmarks.key_costs`: milliseconds of the processor that the main thread takes from a key on; {many} live
containers on each engine, 200×50. *First drawn*: until the screen answers; *all drawn*: until nothing more comes, the
answers of engines included. Median and worst of {rounds} rounds; each screen was open once before. Beside it the same
by Textual's own means: a bare app with a DataTable of 400 rows, whose "images" are a screen with a second one.

"""


def main() -> int:
    """Measure both apps, on engines of our own, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.key_costs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--many", type=int, default=200, help="containers on each engine")
    parser.add_argument("--write", type=Path, default=Path(__file__).parent / "keys.md")
    chosen = parser.parse_args()
    if reason := real.why_not():
        sys.stderr.write(f"benchmarks: {reason}\n")
        return 2
    shared = real.bring_up()
    folder = Path(tempfile.mkdtemp(prefix="tb-", dir="/tmp"))  # the engines' sockets: short, and seen by them there
    with own_engines(shared, folder) as engines, tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "DOCKER_HOST": engines.docker, "CONTAINER_HOST": engines.podman}
        environ |= {"XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
        bare = measure([sys.executable, "-c", BARE], BARE_WALK, environ, chosen.rounds)
        try:
            on_both(lambda engine: fill(engines, engine, chosen.many))
            with talker(engines):
                program = os.path.join(os.path.dirname(sys.executable), "tranship")
                ours = measure([program], WALK, environ, chosen.rounds)
        finally:
            on_both(lambda engine: empty(engines, engine))
    text = HEAD.format(many=chosen.many, rounds=chosen.rounds) + table(ours, bare)
    chosen.write.write_text(text)
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
