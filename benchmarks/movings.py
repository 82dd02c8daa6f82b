"""Ways to move an image or a volume between two real engines, each with its time, memory and temporary disk.

Tranship's against what a user has besides: `save` into `load`, skopeo, `tar` into `tar`. Every way runs from the
engines' own namespaces; what it costs to enter them is for the caller to take off.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.footprint import Footprint
from benchmarks.layered import LayeredImage
from benchmarks.own_engines import IMAGE, STORE
from tests import loopback, real

LABEL = "tranship.bench=1"
_LIMIT_S = 900.0
_UP_S = 20.0
_REGISTRY_PORT = 5097


@dataclass(frozen=True)
class Taken:
    """What one way took once. moved_bytes: where it is told. told: what Tranship says of its own move."""

    seconds: float
    memory_bytes: int
    disk_bytes: Mapping[str, int] = field(default_factory=dict)
    moved_bytes: int | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


class Movings:
    """engines: a benchmark's own (benchmarks.own_engines). folder: for what is made, at the same path for them."""

    def __init__(self, engines: real.RealEngines, folder: Path) -> None:
        self.engines = engines
        self.folder = folder
        self._urls = {"docker": engines.docker, "podman": engines.podman}
        self._environ = {k: v for k, v in os.environ.items() if k not in {"CONTAINER_HOST", "DOCKER_CONTEXT"}}
        self._environ["DOCKER_HOST"] = engines.docker
        own = folder / "own"
        own.mkdir(exist_ok=True)
        self._folders = {
            "ours": own,
            "Docker's": engines.dir / "docker" / "tmp",
            "Podman's": engines.dir / "tmp",
        }

    def cli(self, engine: str, *argv: str) -> str:
        """Ask an engine itself."""
        return self.engines.cli(engine, *argv)

    def load(self, engine: str, image: LayeredImage) -> None:
        """The engine has this image now, with its name, as after a build."""
        with subprocess.Popen(
            self._argv(engine, "load", "-q"), env=self._environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as child:
            assert child.stdin is not None
            image.write(child.stdin)
        if child.returncode:
            raise RuntimeError(f"{engine} could not load {image.name}")

    @contextmanager
    def holding(self, engine: str, image: LayeredImage) -> Iterator[str]:
        """A container of an image that the engine has meanwhile; its name."""
        self.load(engine, image)
        try:
            name = f"bench-{image.word}"
            self.cli(engine, "create", "--name", name, "--label", LABEL, image.name)
            try:
                yield name
            finally:
                self.cli(engine, "rm", name)
        finally:
            self.forget(engine, image)

    def forget(self, engine: str, image: LayeredImage) -> None:
        """The engine has this image no more."""
        self.cli(engine, "rmi", "-f", image.id)

    def has(self, engine: str, image: LayeredImage) -> bool:
        """Whether the engine has an image with this id."""
        ids = self.cli(engine, "images", "-aq", "--no-trunc").split()
        return any(told.removeprefix("sha256:") == image.id for told in ids)

    def versions(self) -> dict[str, str]:
        """Of what is measured besides, by name."""
        return {"skopeo": self.cli("engines-exec", "skopeo", "--version").split()[-1]}

    def pull_both(self, source: str, target: str, image: LayeredImage) -> None:
        """Both engines have pulled the image from one registry, a real one that serves only for this."""
        with self._registry() as address:
            there = f"{address}/{image.word}:1"
            tls = {"docker": (), "podman": ("--tls-verify=false",)}
            self.cli(source, "tag", image.name, there)
            self.cli(source, "push", *tls[source], there)
            self.cli(source, "rmi", there)
            for engine in (source, target):
                self.cli(engine, "pull", *tls[engine], there)

    @contextmanager
    def _registry(self) -> Iterator[str]:
        """The address of a new, empty registry beside the engines."""
        folder = self.folder / "registry"
        folder.mkdir()
        address = f"127.0.0.1:{_REGISTRY_PORT}"
        settings = f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}}}}}\nhttp: {{addr: '{address}'}}\n"
        (folder / "settings.yml").write_text(settings)
        argv = self._argv("engines-exec", "env", "OTEL_TRACES_EXPORTER=none", "docker-registry", "serve")
        with subprocess.Popen(
            [*argv, str(folder / "settings.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as child:
            try:
                self._answers(address)
                yield address
            finally:
                for process in psutil.Process(child.pid).children(recursive=True):
                    process.terminate()
        shutil.rmtree(folder)

    def _answers(self, address: str) -> None:
        end = time.monotonic() + _UP_S
        while True:
            try:
                self.cli("engines-exec", "curl", "-sf", f"http://{address}/v2/")
            except subprocess.CalledProcessError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return

    # -- images ----------------------------------------------------------------------------------
    def tranship_image(self, source: str, target: str, container: str, way: str) -> Taken:
        """By Tranship: a container's image, the way as given, or as the plan decides ("auto")."""
        more = ["--way", way, "--folder", str(self._folders["ours"])]
        return self._by_tranship("image", source, target, container, more)

    def planned_way(self, source: str, target: str, container: str) -> tuple[str, str]:
        """The way that the plan decides, and why."""
        told = self._by_tranship("image", source, target, container, []).told
        return str(told["way"]), str(told["why"])

    def save_load(self, source: str, target: str, image: LayeredImage) -> Taken:
        """`docker save NAME | podman load`, or the reverse."""
        archive = [] if source == "docker" else ["--format", "docker-archive"]
        save = self._argv(source, "save", *archive, image.name)
        return self._piped(save, self._argv(target, "load", "-q"))

    def skopeo(self, source: str, target: str, image: LayeredImage) -> Taken:
        """`skopeo copy` from store to store."""
        place = {"docker": "docker-daemon:", "podman": STORE.format(self.engines.dir)}
        host = "--src-daemon-host" if source == "docker" else "--dest-daemon-host"
        sides = (place[source] + image.name, place[target] + image.name)
        return self._piped(self._argv("engines-exec", "skopeo", "copy", "-q", host, self.engines.docker, *sides))

    # -- volumes ---------------------------------------------------------------------------------
    def tranship_volume(self, source: str, target: str, volume: str) -> Taken:
        """By Tranship, with its proof."""
        return self._by_tranship("volume", source, target, volume, ["--images", IMAGE[source], IMAGE[target]])

    def tar_tar(self, source: str, target: str, volume: str) -> Taken:
        """`tar` in a helper container of one engine into `tar` in one of the other; proves nothing."""
        read = self._helper(source, volume, "tar", "-C", "/v", "-cf", "-", ".", mode=":ro")
        return self._piped(read, self._helper(target, volume, "tar", "-C", "/v", "-xf", "-"))

    def fill(self, engine: str, volume: str, files: int, file_bytes: int) -> None:
        """A volume with so many files of random bytes, a hundred in each folder."""
        self.cli(engine, "volume", "create", "--label", LABEL, volume)
        script = (
            f"cd /v; i=0; while [ $i -lt {files} ]; do [ $((i % 100)) = 0 ] && {{ d=d$((i / 100)); mkdir $d; }}; "
            f"head -c {file_bytes} /dev/urandom > $d/f$i; i=$((i + 1)); done"
        )
        subprocess.run(
            self._helper(engine, volume, "sh", "-c", script), env=self._environ, check=True, timeout=_LIMIT_S
        )

    def _helper(self, engine: str, volume: str, *argv: str, mode: str = "") -> list[str]:
        given = (
            "run",
            "--rm",
            "-i",
            "--network",
            "none",
            "--label",
            LABEL,
            "-v",
            f"{volume}:/v{mode}",
            IMAGE[engine],
            *argv,
        )
        return self._argv(engine, *given)

    # -- how it runs -----------------------------------------------------------------------------
    def entering_s(self) -> float:
        """Seconds that one command takes to enter the engines' namespaces."""
        begun = time.perf_counter()
        subprocess.run(self._argv("engines-exec", "true"), check=True, timeout=_LIMIT_S)
        return time.perf_counter() - begun

    def _argv(self, program: str, *argv: str) -> list[str]:
        return [str(self.engines.bin / program), *argv]

    def _by_tranship(self, what: str, source: str, target: str, subject: str, more: Sequence[str]) -> Taken:
        sides = [f"{name}={self._urls[name]}" for name in (source, target)]
        enter = ["nsenter", "-t", str(loopback.engines_pid(self.engines.dir)), "-n"]
        argv = [*enter, sys.executable, "-m", "benchmarks.mover", what, *sides, subject, *more]
        os.sync()
        with Footprint(self._folders) as seen:
            done = subprocess.run(argv, capture_output=True, text=True, env=self._environ, timeout=_LIMIT_S)
        if done.returncode:
            raise RuntimeError(f"Tranship's move of {subject} failed: {done.stderr[-2000:]}")
        if done.stderr:
            sys.stderr.write(done.stderr)
        told = json.loads(done.stdout)
        taken = (float(told.get("s", 0)), int(told["memory_bytes"]), dict(seen.disk_bytes), told.get("moved_bytes"))
        return Taken(*taken, told)

    def _piped(self, *commands: list[str]) -> Taken:
        """Run these as a shell's pipe."""
        os.sync()
        with Footprint(self._folders) as seen, ExitStack() as stack:
            begun = time.perf_counter()
            children: list[subprocess.Popen[bytes]] = []
            for argv in commands:
                stdin = children[-1].stdout if children else subprocess.DEVNULL
                stdout = subprocess.DEVNULL if argv is commands[-1] else subprocess.PIPE
                child = subprocess.Popen(argv, env=self._environ, stdin=stdin, stdout=stdout)
                children.append(stack.enter_context(child))
                if children[:-1] and children[-2].stdout is not None:
                    children[-2].stdout.close()  # the one that writes is to notice when the reader ends
                seen.pids.append(child.pid)
            codes = [child.wait(timeout=_LIMIT_S) for child in children]
            took = time.perf_counter() - begun
        if any(codes):
            raise RuntimeError(f"{' | '.join(map(shlex.join, commands))} ended with {codes}")
        return Taken(took, seen.memory_bytes, dict(seen.disk_bytes))
