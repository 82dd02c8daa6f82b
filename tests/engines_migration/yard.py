"""Containers on the real engines for tests of moves: made and asked by the engines' own command lines."""

from __future__ import annotations

import io
import subprocess
import tarfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.migration import plan_migration, run_migration
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import Choices, MigrationReport, StepProgress
from backends.wire.endpoint import Endpoint
from tests.real import RealEngines

WATCH_S = 0.2
"""A copy of these tests that ends at once is seen by what is asked of it afterwards."""

FILL = r"""
set -e; cd /data
i=0; while [ $i -lt 1000 ]; do echo "content $i" > "f$i"; i=$((i+1)); done
chown 1000:50 f1; chown 65534:65534 f2; chmod 4755 f3; chmod 2750 f4; chmod 0 f5
mkdir -p deep/er/still "with space" sticky; chmod 1777 sticky; chown 12:34 deep
echo x > "with space/a
newline"; echo y > "ünïcödé-名"; echo z > "-dash"; echo q > 'quo"te'; : > empty
ln f7 "with space/hard"; ln f7 ahard; ln -s f8 soft; ln -s /nowhere/at/all dangling; ln -s . loop
n=$(printf 'long%.0s' $(seq 1 50)); mkdir -p "$n/$n"; echo long > "$n/$n/$n"
dd if=/dev/urandom of=random bs=1024 count=3000 2>/dev/null
mkfifo pipe; touch -d "2001-02-03 04:05:06" f9 deep/er; chown 7:8 .; chmod 750 .
"""
"""Fills /data with 1,000 files and everything that an archive may get wrong."""

LOOK = r"""
cd /data
find . -exec stat -c '%n|%F|%a|%u|%g|%h' {} + | sort
find . -type f -exec stat -c '%n|%s|%Y' {} + | sort
find . -type l -exec stat -c '%N' {} + | sort
find . -type f -exec sha256sum {} + | sort
[ f7 -ef ahard ] && [ f7 -ef "with space/hard" ] && echo one-file
"""
"""All that can be told of /data from inside a container: names, kinds, modes, owners, sizes, times, links, content."""


@dataclass
class Yard:
    """One test's objects. run: their common, unique name part."""

    real: RealEngines
    labels: dict[str, str]
    state_dir: Path
    run: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:8]}")
    engines: dict[str, Engine] = field(default_factory=dict)

    def engine(self, name: str) -> Engine:
        """Our engine for "docker", "podman" or "podman-rootless"."""
        if name not in self.engines:
            if name == "docker":
                self.engines[name] = DockerEngine(EngineId(EngineKind.DOCKER, name), Endpoint.parse(self.real.docker))
            else:
                url = self.real.podman if name == "podman" else self.real.rootless
                self.engines[name] = PodmanEngine(EngineId(EngineKind.PODMAN, name), Endpoint.parse(url))
        return self.engines[name]

    def cli(self, engine: str, *argv: str) -> str:
        """Ask an engine itself."""
        return self.real.cli(engine, *argv)

    def answers(self, engine: str, *argv: str) -> bool:
        """Whether an engine's command line says yes."""
        try:
            self.cli(engine, *argv)
        except subprocess.CalledProcessError:
            return False
        return True

    @property
    def image(self) -> str:
        """The name of this test's own image, in full."""
        return f"docker.io/test/{self.run}:1"

    @property
    def marks(self) -> list[str]:
        """Options that label what is made."""
        return [part for key, value in self.labels.items() for part in ("--label", f"{key}={value}")]

    def let_docker_know(self, image: str) -> None:
        """Docker asks for layers only by digests that it knows: of what was pulled or pushed once."""
        known = f"{self.real.registry}/test/{self.run}-base:1"
        self.cli("docker", "tag", image, known)
        self.cli("docker", "push", known)
        self.cli("docker", "rmi", known)

    def build(self, engine: str, word: str = "one") -> str:
        """An image that no other engine has; returns its id. It ends at once when it is stopped.

        Docker's has a health check.
        """
        made = self.cli(engine, "create", *self.marks, "test/busybox:1", "true").strip()
        changes = ["-c", "STOPSIGNAL SIGKILL", "-c", f"ENV WORD={word} RUN={self.run}", "-c", "LABEL from=image"]
        if engine == "docker":  # Podman makes images in OCI form, which have no check
            changes += ["-c", "HEALTHCHECK --interval=1s CMD test -d /"]
        self.cli(engine, "commit", *changes, made, self.image)
        self.cli(engine, "rm", made)
        return self.image_id(engine)

    def build_bare(self, engine: str) -> None:
        """An image that has nothing but `/sleep`: no shell, no tar; its layer is in no other image."""
        made = self.cli(engine, "create", *self.marks, "test/busybox:1", "true").strip()
        copied = self.state_dir / "program.tar"
        self.cli(engine, "cp", "-L", f"{made}:/bin/busybox", str(self.state_dir / "sleep"))
        self.cli(engine, "rm", made)
        with tarfile.open(copied, "w") as archive:
            archive.add(self.state_dir / "sleep", "sleep")
            own = tarfile.TarInfo("own")
            own.size = len(self.run)
            archive.addfile(own, io.BytesIO(self.run.encode()))
        changes = ["-c", "STOPSIGNAL SIGKILL", "-c", f"ENV RUN={self.run}"]
        self.real.cli(engine, "import", *changes, "-", self.image, stdin=copied.read_bytes())

    def image_id(self, engine: str) -> str:
        """The id of this test's image, "" where the engine has none."""
        try:
            return self.cli(engine, "image", "inspect", "-f", "{{.Id}}", self.image).strip().removeprefix("sha256:")
        except subprocess.CalledProcessError:
            return ""

    def run_web(self, engine: str, port: int) -> str:
        """A web server with env, a label, a port, a limit and a filled volume; returns its name."""
        volume = f"{self.run}-data"
        self.cli(engine, "volume", "create", *self.marks, volume)
        options = ["--name", self.run, "-e", "COLOR=blue", "-e", "API_TOKEN=hunter2 with space", "-e", "EMPTY="]
        options += ["-p", f"{port}:80", "-v", f"{volume}:/data", "-m", "64m", "--label", "team=vision"]
        self.cli(engine, "run", "-d", *options, *self.marks, self.image, "httpd", "-f", "-p", "80", "-h", "/data")
        self.cli(engine, "exec", self.run, "sh", "-c", FILL)
        return self.run

    def look(self, engine: str, container: str) -> str:
        """All that a container sees of /data."""
        return self.cli(engine, "exec", container, "sh", "-c", LOOK)

    def env(self, engine: str, container: str) -> set[str]:
        """The environment of a process in the container, without what each engine adds by itself."""
        lines = self.cli(engine, "exec", container, "env").splitlines()
        return {line for line in lines if line.partition("=")[0] not in {"HOSTNAME", "HOME", "TERM", "container"}}

    def ask(self, engine: str, container: str, template: str) -> str:
        """The engine's own inspect."""
        return self.cli(engine, "inspect", "-f", template, container).strip()

    def has(self, engine: str, kind: str, name: str) -> bool:
        """Whether the engine has that object; kind: "container", "volume", "image"."""
        return self.answers(engine, kind, "inspect", name)

    def helpers(self, engine: str) -> str:
        """Helper containers that still mount a volume of this test."""
        return self.cli(engine, "ps", "-aq", "--filter", "label=tranship.helper", "--filter", f"volume={self.run}-data")

    async def move(
        self,
        source: str,
        target: str,
        container: str,
        *,
        choices: Choices = Choices(),
        on_update: Callable[[StepProgress], None] = lambda _update: None,
    ) -> MigrationReport:
        """Plan and run."""
        here, there = self.engine(source), self.engine(target)
        plan = await plan_migration(here, container, there, choices=choices)
        return await run_migration(plan, here, there, on_update=on_update, state_dir=self.state_dir, watch_s=WATCH_S)

    async def clear(self) -> None:
        """Remove everything of this test from every engine."""
        for ours in self.engines.values():
            await ours.close()
        for engine in ("docker", "podman", "podman-rootless"):
            end = "rm -f -v" if engine == "docker" else "rm -f -v -t 0 --depend"
            for kind, remove in (("ps -a", end), ("volume ls", "volume rm -f"), ("network ls", "network rm")):
                column = "{{.Names}}" if kind == "ps -a" else "{{.Name}}"
                listing = [*kind.split(), "--format", column]
                names = [name for name in self.cli(engine, *listing).splitlines() if self.run in name]
                if names and not self.answers(engine, *remove.split(), *names):
                    left = [name for name in self.cli(engine, *listing).splitlines() if self.run in name]
                    if left:  # what was in the way of another may be gone now
                        self.cli(engine, *remove.split(), *left)
            if self.image_id(engine):
                self.cli(engine, "rmi", "-f", self.image_id(engine))
