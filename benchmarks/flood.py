"""`python -m benchmarks.flood`: key to screen while a container floods its log (`yes`), in a real pty.

Wants DOCKER_HOST and a `docker` in the path, or --docker; the container's log is kept small.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from benchmarks.first_frame import open_pty

PRESSES = 60
PAUSE_S = 0.2
IMAGE = "test/busybox:1"
STANDS, FOLLOWS = b"standing still", b"following"


class Words(threading.Thread):
    """Reads all that is drawn, and notes when a word last appeared."""

    def __init__(self, ours: int) -> None:
        super().__init__(daemon=True)
        self._ours, self._tail = ours, b""
        self.wanted, self.at = b"", 0.0
        self.seen = threading.Event()
        self.drawn_bytes = 0

    def expect(self, word: bytes) -> None:
        """Wait for this one from now on."""
        self.seen.clear()
        self.wanted = word

    def run(self) -> None:
        """Until the program's end of the terminal closes."""
        while True:
            try:
                chunk = os.read(self._ours, 65536)
            except OSError:
                return
            self.drawn_bytes += len(chunk)
            text = self._tail + chunk
            if self.wanted and self.wanted in text and not self.seen.is_set():
                self.at = time.perf_counter()
                self.seen.set()
            self._tail = chunk[-32:]


def lines_per_s(docker: str, name: str) -> float:
    """How fast the container's log grows, by counting two seconds of it as Docker gives it."""
    command = f"timeout 2 {docker} logs -f --tail 0 {name} | wc -l"
    return int(subprocess.check_output(["sh", "-c", command], text=True)) / 2


def measure(name: str, environ: dict[str, str]) -> list[float]:
    """Milliseconds from each key to the title that says what it did."""
    program = os.path.join(os.path.dirname(sys.executable), "tranship")
    with tempfile.TemporaryDirectory() as home:
        environ = {**environ, "TERM": "xterm-256color", "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
        ours, child = open_pty([program], environ, size=(50, 160))
        screen = Words(ours)
        screen.start()
        took: list[float] = []
        try:
            screen.expect(name[:12].encode())
            assert screen.seen.wait(20), "the container never came on the screen"
            os.write(ours, b"/" + name.encode() + b"\r")
            time.sleep(1.0)
            screen.expect(b"Log of")
            os.write(ours, b"l")
            assert screen.seen.wait(20), "the log never opened"
            time.sleep(4.0)  # it is in full flood
            before_s, began = _cpu_s(child.pid), time.perf_counter()
            for number in range(PRESSES):
                screen.expect(STANDS if number % 2 == 0 else FOLLOWS)
                begin = time.perf_counter()
                os.write(ours, b" ")
                assert screen.seen.wait(5), f"nothing was drawn within 5 s of key {number}"
                took.append(1000 * (screen.at - begin))
                time.sleep(PAUSE_S)
            share = (_cpu_s(child.pid) - before_s) / (time.perf_counter() - began)
            sys.stdout.write(f"CPU {100 * share:.0f} % of one core; memory {_memory_mib(child.pid):.0f} MiB\n")
        finally:
            child.kill()
            child.wait()
            os.close(ours)
    return took


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def main() -> int:
    """Start the container, measure, remove it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flood", description=__doc__)
    parser.add_argument("--docker", default="docker", help="the docker program")
    parser.add_argument("--calm", action="store_true", help="a container that says nothing, to compare with")
    parser.add_argument("--cpus", default="0.5", help="cores that the container may take")
    chosen = parser.parse_args()
    name = f"flood{uuid.uuid4().hex[:8]}"
    command = ["sh", "-c", "echo calm; sleep 600"] if chosen.calm else ["yes"]
    limits = ["--log-opt", "max-size=50m", "--log-opt", "max-file=2", "--cpus", chosen.cpus]
    run = [chosen.docker, "run", "-d", "--name", name, *limits, IMAGE, *command]
    subprocess.run(run, check=True, capture_output=True)
    try:
        rate = lines_per_s(chosen.docker, name)
        took = measure(name, dict(os.environ))
    finally:
        subprocess.run([chosen.docker, "rm", "-f", name], check=True, capture_output=True)
    cuts = statistics.quantiles(took, n=20)
    sys.stdout.write(
        f"{rate:,.0f} lines/s; key to screen: p50 {statistics.median(took):.0f} ms, p95 {cuts[18]:.0f} ms, "
        f"worst {max(took):.0f} ms of {len(took)} keys\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
