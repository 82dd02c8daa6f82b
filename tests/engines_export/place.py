"""One engine with ten containers that are exported and made again there; what is made has the run's name. No test."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.export.exported import Exported, Member
from backends.migration.table import Side
from backends.migration.verify import compare_specs
from backends.model.ids import EngineId, EngineKind
from backends.model.workload import WorkloadSpec
from backends.wire.endpoint import Endpoint
from tests.export_recipes import Ten
from tests.real import RealEngines

PROGRAM_TIMEOUT_S = 120


@dataclass
class Place:
    """name: of the engine. folder: for the files of an export; the engines see it under the same name."""

    real: RealEngines
    name: str
    engine: Engine
    run: str
    ten: Ten
    side: Side
    folder: Path

    def cli(self, *argv: str) -> str:
        """The engine's own command line; returns stdout."""
        return self.real.cli(self.name, *argv)

    async def members(self) -> list[Member]:
        """What the engine says of the ten; afterwards nothing of them is there."""
        for network in self.ten.networks:
            await self.engine.create_network(network)
        for volume in self.ten.volumes:
            await self.engine.create_volume(volume)
        seen = [await self.engine.workload_spec(await self.engine.create_container(one)) for one in self.ten.specs]
        self.clear()
        return [Member(spec, self.engine.id.kind, self.ten.volumes, self.ten.networks) for spec in seen]

    def clear(self) -> None:
        """Remove all that has the run's name."""
        named = ("--filter", f"name={self.run}")
        if self.name == "podman":
            if pods := self.cli("pod", "ps", "-q", *named).split():
                self.cli("pod", "rm", "-f", "-t", "0", *pods)
            if secrets := self.cli("secret", "ls", "-q", *named).split():
                self.cli("secret", "rm", *secrets)
        if containers := self.cli("ps", "-aq", *named).split():
            self.cli("rm", "-f", "-v", *containers)
        for kind in ("volume", "network"):
            if found := self.cli(kind, "ls", "-q", *named).split():
                self.cli(kind, "rm", *found)

    def write(self, out: Exported) -> None:
        """The files, as a user has them."""
        for file in out.files:
            (self.folder / file.name).write_text(file.text)

    def program(self, *argv: str) -> str:
        """Run a program among the files; returns stdout."""
        environ = {**os.environ, "PATH": f"{self.real.bin}:{os.environ['PATH']}", "DOCKER_HOST": self.real.docker}
        done = subprocess.run(
            argv, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=PROGRAM_TIMEOUT_S
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    async def recipe(self, name: str) -> WorkloadSpec:
        """Of a container by its name."""
        return await self.engine.workload_spec((await self.engine.inspect_container(name)).key.id)

    def unequal(self, wanted: WorkloadSpec, seen: WorkloadSpec) -> dict[str, str]:
        """Fields that are not the same, with both values."""
        checks = compare_specs(wanted, seen, self.side)
        return {one.subject: f"{wanted.name}: {one.source} | {one.target}" for one in checks if not one.equal}


@asynccontextmanager
async def open_place(real: RealEngines, name: str, labels: Mapping[str, str], folder: Path) -> AsyncIterator[Place]:
    """By the engine's name ("docker", "podman"); cleared whatever happened."""
    adapter, kind = (DockerEngine, EngineKind.DOCKER) if name == "docker" else (PodmanEngine, EngineKind.PODMAN)
    engine = adapter(EngineId(kind, name), Endpoint.parse(getattr(real, name)))
    run = f"exp-{uuid.uuid4().hex[:8]}"
    made = Place(real, name, engine, run, Ten(run, labels), Side(engine.id, await engine.connect()), folder)
    try:
        yield made
    finally:
        made.clear()
        await engine.close()


__all__ = ["Place", "open_place"]
