"""What goes on while keys are measured: engines with work, and a door to an engine that hangs. Measures nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.bench import CLIS
from tests import real

_PIECE = 65_536
_PAUSE_S = 0.2
_FIRST, _OF = 4, 16


@contextmanager
def churn(engines: real.RealEngines) -> Iterator[None]:
    """On each engine one container after the other is killed and started again, as fast as its own program does it."""
    ended = threading.Event()

    def work(engine: str) -> None:
        number = 0
        while not ended.wait(_PAUSE_S):
            name = f"bench-{_FIRST + number % _OF:03d}"
            engines.cli(engine, "kill", name)
            engines.cli(engine, "start", name)
            number += 1

    threads = [threading.Thread(target=work, args=(engine,)) for engine in CLIS]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


class Door:
    """A unix socket in front of an engine's own, which passes everything on until it hangs. url: as DOCKER_HOST."""

    def __init__(self, url: str, folder: Path) -> None:
        self._behind = url.removeprefix("unix://")
        self._goes = threading.Event()
        self._goes.set()
        path = folder / "door.sock"
        self.url = f"unix://{path}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                one, _ = self._listener.accept()
                other = socket.socket(socket.AF_UNIX)
                other.connect(self._behind)
                for source, sink in ((one, other), (other, one)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # either has gone
            while piece := source.recv(_PIECE):
                self._goes.wait()
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Within, nothing passes: connections are taken and nobody answers."""
        self._goes.clear()
        try:
            yield
        finally:
            self._goes.set()

    def close(self) -> None:
        """No more come in; those that are there end with their program."""
        self._listener.close()
