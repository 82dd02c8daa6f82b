"""Runs the console script as a shell would, on the real engines. Holds no test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.real import RealEngines
from tests.terminals import on_terminal

PROGRAM = str(Path(sys.executable).parent / "tranship")
TIMEOUT_S = 120


@dataclass(frozen=True)
class Ran:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Its answer; fails where that is not one JSON document of schema 1."""
        document = json.loads(self.out)
        assert document["schema"] == 1
        assert isinstance(document, dict)
        return document


@dataclass
class Cli:
    """The program with an environment in which it finds the real engines and nothing else of this machine."""

    engines: RealEngines
    run_label: Mapping[str, str]
    made: list[tuple[str, str]] = field(default_factory=list)
    volumes: list[tuple[str, str]] = field(default_factory=list)

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of one run; HOME is private to the test already."""
        return {
            **os.environ,
            "DOCKER_HOST": self.engines.docker,
            "CONTAINER_HOST": self.engines.podman,
            "XDG_RUNTIME_DIR": "/nonexistent",
            "COLUMNS": "200",
            **more,
        }

    def __call__(self, *argv: str, stdin: str = "", **more: str) -> Ran:
        """Run to the end; more: environment variables. No run may show a traceback."""
        done = subprocess.run(
            [PROGRAM, *argv], input=stdin, env=self.environ(**more), capture_output=True, text=True, timeout=TIMEOUT_S
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert "Traceback" not in done.stdout, done.stdout
        return Ran(done.returncode, done.stdout, done.stderr)

    def on_terminal(self, argv: list[str], *, until: str, typed: str) -> Ran:
        """Run on a terminal of its own; type when these words are on it. out: both streams, as a person sees them."""
        code, seen = on_terminal(
            [PROGRAM, *argv],
            env=self.environ(TERM="xterm", COLUMNS="100"),
            when=until,
            act=lambda terminal, _: os.write(terminal, typed.encode()),
        )
        return Ran(code, seen, "")

    @contextlib.contextmanager
    def running(self, *argv: str) -> Iterator[Running]:
        """Start it and go on; killed at the end where it still runs."""
        process = subprocess.Popen(
            [PROGRAM, *argv], env=self.environ(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        watchdog = threading.Timer(TIMEOUT_S, process.kill)
        watchdog.start()
        try:
            with process:
                yield Running(process)
                if process.poll() is None:
                    process.kill()
        finally:
            watchdog.cancel()

    def name(self, what: str) -> str:
        """A name that no other run uses."""
        return f"test-{what}-{uuid.uuid4().hex[:8]}"

    def make(
        self, engine: str, name: str, *options: str, image: str = "test/busybox:1", command: tuple[str, ...] = ()
    ) -> str:
        """A running container by the engine's own CLI. Returns its id; removed by `clean`.

        Its shell does not hear SIGTERM, and nobody is to wait the usual ten seconds for it.
        """
        label = [f"--label={key}={value}" for key, value in self.run_label.items()]
        self.made.append((engine, name))
        said = self.engines.cli(
            engine, "run", "-d", "--name", name, "--stop-timeout=1", *label, *options, image, *command
        )
        return said.strip().splitlines()[-1]

    def volume(self, engine: str, name: str) -> str:
        """A volume by the engine's own CLI; removed by `clean`."""
        label = [f"--label={key}={value}" for key, value in self.run_label.items()]
        self.volumes.append((engine, name))
        self.engines.cli(engine, "volume", "create", *label, name)
        return name

    def adopt(self, engine: str, name: str) -> None:
        """Remove this container too at the end: the program made it."""
        self.made.append((engine, name))

    def inspect(self, engine: str, name: str) -> dict[str, Any]:
        """A container as the engine itself tells it."""
        found: list[dict[str, Any]] = json.loads(self.engines.cli(engine, "container", "inspect", name))
        return found[0]

    def exists(self, engine: str, name: str) -> bool:
        """Whether the engine has a container of this name."""
        return name in self.engines.cli(engine, "ps", "-a", "--format", "{{.Names}}").split()

    def clean(self) -> None:
        """Remove what was made, whatever became of it."""
        for engine, name in self.made:
            with contextlib.suppress(subprocess.CalledProcessError):  # the test may have removed it
                self.engines.cli(engine, "rm", "-f", "-v", name)
        for engine, name in self.volumes:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.engines.cli(engine, "volume", "rm", "-f", name)


@dataclass(frozen=True)
class Running:
    """A run that has not ended."""

    process: subprocess.Popen[str]

    def line(self, containing: str) -> str:
        """The next line of stdout that holds these words; fails where it ends before."""
        assert self.process.stdout is not None
        return self._line(self.process.stdout, containing)

    def error_line(self, containing: str) -> str:
        """The next line of stderr that holds these words; fails where it ends before."""
        assert self.process.stderr is not None
        return self._line(self.process.stderr, containing)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=TIMEOUT_S)
        assert "Traceback" not in err, err
        return self.process.returncode

    def _line(self, stream: IO[str], containing: str) -> str:
        seen = []
        for line in stream:
            seen.append(line)
            if containing in line:
                return line
        rest = self.process.communicate(timeout=TIMEOUT_S)
        raise AssertionError(f"no line with {containing!r} in {seen}; code {self.process.returncode}, then {rest}")
