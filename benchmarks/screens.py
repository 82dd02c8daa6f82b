"""Terminal UIs with running containers in a real pty: how long until these, and a change, are shown; their memory."""

from __future__ import annotations

import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import psutil

from benchmarks import rivals
from benchmarks.bench import tree
from benchmarks.first_frame import open_pty
from tests import real

OURS = "tranship"
SIZE = (50, 200)
SHOWN = b"bench-000"
COMES_S = 20.0
SETTLE_S = 2.0
CHANGES = 5
STARTS = 3
# What a terminal answers: where the cursor is, what it is, its colours. Whoever asks may wait for it.
_ANSWERS = (
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\]11;\?(?:\x07|\x1b\\)"), b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
    (re.compile(rb"\x1b\[\?u"), b"\x1b[?0u"),
)
_DRAWN = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


@dataclass(frozen=True)
class Seen:
    """Milliseconds until the containers are on the screen (median) and until a new name is; MB of all its processes.

    late: changes that were not on the screen within the time given. why: "" or why there are no figures.
    """

    shown_ms: float = 0.0
    changes_ms: tuple[float, ...] = ()
    late: int = 0
    memory_mb: float = 0.0
    why: str = ""


class Screen(threading.Thread):
    """Reads all that a program draws, answers what it asks of its terminal, and waits for words."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        super().__init__(daemon=True)
        self.began = time.perf_counter()
        self._ours, self.child = open_pty(argv, dict(environ), SIZE)
        self._seen, self._mark, self._at = b"", b"", 0.0
        self._came = threading.Event()
        self._lock = threading.Lock()
        self.start()

    def run(self) -> None:
        """Until the program's end of the terminal closes."""
        with suppress(OSError):
            while piece := os.read(self._ours, 65536):
                now = time.perf_counter()
                for asked, answer in _ANSWERS:
                    if asked.search(piece):
                        os.write(self._ours, answer)
                with self._lock:
                    self._seen = (self._seen + piece)[-400_000:]
                    self._look(now)

    def _look(self, now: float) -> None:
        if self._mark and not self._came.is_set() and self._mark in _DRAWN.sub(b"", self._seen):
            self._at = now
            self._came.set()

    def until(self, mark: bytes, timeout_s: float) -> float | None:
        """The perf_counter at which the words had come, from now on; None where they did not."""
        with self._lock:
            self._mark = mark
            self._came.clear()
            self._look(time.perf_counter())
        return self._at if self._came.wait(timeout_s) else None

    def forget(self) -> None:
        """What was drawn so far is not looked at again."""
        with self._lock:
            self._seen = b""

    def close(self) -> None:
        """Kill the program and what it started."""
        with suppress(psutil.NoSuchProcess):  # it has ended by itself
            for process in tree(psutil.Process(self.child.pid)):
                process.kill()
        self.child.wait()
        os.close(self._ours)


def measure(engines: real.RealEngines, environ: Mapping[str, str]) -> dict[str, Seen]:
    """Each program in turn on the Docker of `engines`, which shows `SHOWN`; Tranship on Podman beside it too."""
    rivals.install()
    ours = os.path.join(os.path.dirname(sys.executable), OURS)
    programs = {OURS: [ours], **{name: [rivals.program(name)] for name in rivals.PACKAGES}}
    client = docker.DockerClient(base_url=engines.docker, version="1.45")
    try:
        return {name: _measure(argv, client, environ) for name, argv in programs.items()}
    finally:
        client.close()


def _measure(argv: Sequence[str], client: docker.DockerClient, environ: Mapping[str, str]) -> Seen:
    shown: list[float] = []
    for start in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="tranship-bench-") as home:
            screen = Screen(argv, _private(environ, Path(home)))
            try:
                at = screen.until(SHOWN, COMES_S)
                if at is None:
                    code = screen.child.poll()
                    how = f"ended with {code}" if code is not None else f"showed no container within {COMES_S:.0f} s"
                    return Seen(why=how)
                shown.append(1000 * (at - screen.began))
                if start == STARTS - 1:
                    time.sleep(SETTLE_S)
                    took, late = _changes(screen, client)
                    memory = sum(one.memory_info().rss for one in tree(psutil.Process(screen.child.pid)))
                    return Seen(statistics.median(shown), tuple(took), late, memory / 1e6)
            finally:
                screen.close()
    raise AssertionError("the last start returns")


def _changes(screen: Screen, client: docker.DockerClient) -> tuple[list[float], int]:
    """Rename one container again and again; from the engine's answer until its new name is drawn."""
    took: list[float] = []
    late = 0
    one = client.containers.get(SHOWN.decode())
    try:
        for number in range(CHANGES):
            name = f"bench-0{number}{number}x"
            screen.forget()
            one.rename(name)
            begin = time.perf_counter()
            at = screen.until(name.encode(), COMES_S / 4)
            if at is None:
                late += 1
            else:
                took.append(max(0.0, 1000 * (at - begin)))
            time.sleep(0.3)
    finally:
        one.rename(SHOWN.decode())
    return took, late


def _private(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Nobody's settings; the same for all."""
    folders = {name: str(home) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    kept = {key: value for key, value in environ.items() if key not in {"DOCKER_CONTEXT", "NO_COLOR"}}
    return {**kept, **folders, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
