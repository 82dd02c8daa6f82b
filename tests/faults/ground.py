"""A container worth moving on one real engine, and all that both engines hold of it. Holds no test, moves nothing."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from backends.engine import Engine
from backends.engines.docker import DockerEngine
from backends.engines.podman import PodmanEngine
from backends.model.ids import EngineId, EngineKind
from backends.wire.endpoint import Endpoint
from tests.real import RealEngines

BASE = "test/busybox:1"
FILL = r"""
set -e; cd /data
i=0; while [ $i -lt 40 ]; do echo "content $i" > "f$i"; i=$((i+1)); done
chown 1000:50 f1; chmod 4755 f3; mkdir -p deep/er "with space"; chown 12:34 deep
ln f7 "with space/hard"; ln -s f8 soft; touch -d "2001-02-03 04:05:06" f9 deep/er
echo kept > /kept; chown 7:8 .; chmod 750 .
"""
"""Fills /data with what an archive may get wrong, and changes one file outside it."""

LOOK = r"""
cd /data
find . -exec stat -c '%n|%F|%a|%u|%g|%h' {} + | sort
find . -type f -exec stat -c '%n|%s|%Y' {} + | sort
find . -type l -exec stat -c '%N' {} + | sort
find . -type f -exec sha256sum {} + | sort
cat /kept
"""
"""All that can be told from inside of /data and of the file that was changed outside it."""

Ask = Callable[..., str]
"""An engine's own command line, run with these words; returns stdout."""


@dataclass(frozen=True)
class Side:
    """One engine: how Tranship finds it, and how it is asked itself."""

    kind: EngineKind
    url: str
    ask: Ask

    def engine(self) -> Engine:
        """Tranship's own; not connected."""
        adapter = DockerEngine if self.kind is EngineKind.DOCKER else PodmanEngine
        return adapter(EngineId(self.kind, self.kind.value), Endpoint.parse(self.url))

    def says_yes(self, *argv: str) -> bool:
        """Whether it answers that without an error."""
        try:
            self.ask(*argv)
        except subprocess.CalledProcessError:
            return False
        return True


def shared(real: RealEngines, kind: EngineKind) -> Side:
    """One of the engines that all tests share."""

    def ask(*argv: str) -> str:
        return real.cli(kind.value, *argv)

    return Side(kind, real.docker if kind is EngineKind.DOCKER else real.podman, ask)


@dataclass
class Ground:
    """run: the common, unique part of all names; it is the container's name too."""

    source: Side
    target: Side
    labels: Mapping[str, str]
    run: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:8]}")
    image_id: str = ""
    _first: dict[str, object] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """The name of this ground's own image, in full."""
        return f"docker.io/test/{self.run}:1"

    @property
    def volume(self) -> str:
        """The volume's name."""
        return f"{self.run}-data"

    @property
    def marks(self) -> list[str]:
        """Options that label what is made."""
        return [part for key, value in self.labels.items() for part in ("--label", f"{key}={value}")]

    # -- making ----------------------------------------------------------------------------------
    def build(self, *, image_mb: int = 0) -> None:
        """An image that no other engine has, with so much that cannot be compressed; it ends at once when stopped."""
        ask = self.source.ask
        fill = f"dd if=/dev/urandom of=/ballast bs=1M count={image_mb} 2>/dev/null"
        made = ask("run", "-d", "--network", "none", *self.marks, BASE, "sh", "-c", fill).strip()
        ask("wait", made)
        ask("commit", "-c", "STOPSIGNAL SIGKILL", "-c", f"ENV RUN={self.run}", made, self.image)
        ask("rm", made)
        self.image_id = self.source.ask("image", "inspect", "-f", "{{.Id}}", self.image).strip().removeprefix("sha256:")

    def furnish(self, *options: str, network: bool = True, volume_mb: int = 1) -> None:
        """The container, running: a filled volume, a restart policy, a health check, perhaps a network of its own."""
        ask = self.source.ask
        joined = "none"
        if network:
            joined = f"{self.run}-net"
            ask("network", "create", *self.marks, joined)
        ask("volume", "create", *self.marks, self.volume)
        health = ["--health-cmd", "test -e /data/f9", "--health-interval", "1s", "--health-retries", "30"]
        given = ["--name", self.run, "--network", joined, "-v", f"{self.volume}:/data", "--restart", "on-failure:3"]
        ask("run", "-d", *given, *health, *options, *self.marks, self.image, "sleep", "9999")
        ask("exec", self.run, "sh", "-c", FILL)
        ask("exec", self.run, "dd", "if=/dev/urandom", "of=/data/big", "bs=1M", f"count={volume_mb}")

    # -- looking ---------------------------------------------------------------------------------
    def inspect(self, side: Side) -> dict[str, Any]:
        """The container as that engine tells it."""
        found: list[dict[str, Any]] = json.loads(side.ask("container", "inspect", self.run))
        return found[0]

    def files(self, side: Side) -> str:
        """All that the container sees of its files there."""
        return side.ask("exec", self.run, "sh", "-c", LOOK)

    def of_source(self) -> dict[str, object]:
        """Everything of the source that a move may change."""
        seen = self.inspect(self.source)
        return {
            "id": seen["Id"],
            "state": seen["State"]["Status"],
            "restart": seen["HostConfig"]["RestartPolicy"],
            "image": seen["Image"],
            "networks": sorted(seen["NetworkSettings"]["Networks"]),
            "mounts": [(mount["Name"], mount["Destination"]) for mount in seen["Mounts"]],
            "files": self.files(self.source),
            "objects": self.objects(self.source),
        }

    def first_picture(self) -> dict[str, object]:
        """The source as it was the first time that this was asked: each fault must leave it like that."""
        self._first = self._first or self.of_source()
        return self._first

    def objects(self, side: Side) -> dict[str, list[str]]:
        """Containers (helpers that mount its volume too), volumes, networks and images of this ground on that side."""
        mounting = side.ask("ps", "-a", "--filter", f"volume={self.volume}", "--format", "{{.Names}}").splitlines()
        return {
            "containers": sorted({*mounting, *self._named(side, "ps", "-a", "--format", "{{.Names}}")}),
            "volumes": self._named(side, "volume", "ls", "--format", "{{.Name}}"),
            "networks": self._named(side, "network", "ls", "--format", "{{.Name}}"),
            "tags": self._named(side, "images", "-a", "--format", "{{.Repository}}:{{.Tag}}"),
            "images": [self.image_id] if side.says_yes("image", "inspect", self.image_id) else [],
        }

    def _named(self, side: Side, *argv: str) -> list[str]:
        return sorted(name.removeprefix("docker.io/") for name in side.ask(*argv).splitlines() if self.run in name)

    def assert_target_clean(self) -> None:
        """The target has nothing of this ground."""
        left = {kind: names for kind, names in self.objects(self.target).items() if names}
        assert not left, f"left on the target: {left}"

    @asynccontextmanager
    async def engines(self) -> AsyncIterator[tuple[Engine, Engine]]:
        """Tranship's source and target."""
        source, target = self.source.engine(), self.target.engine()
        try:
            yield source, target
        finally:
            await source.close()
            await target.close()

    # -- clearing --------------------------------------------------------------------------------
    def clear(self) -> None:
        """Remove everything of this ground from both sides."""
        for side in (self.source, self.target):
            seen = self.objects(side)
            now = [] if side.kind is EngineKind.DOCKER else ["-t", "0", "--depend"]
            if seen["containers"]:
                side.ask("rm", "-f", "-v", *now, *seen["containers"])
            for kind in ("volume", "network"):
                if names := self._named(side, kind, "ls", "--format", "{{.Name}}"):
                    side.ask(kind, "rm", "-f", *names)
            if side.says_yes("image", "inspect", self.image_id):
                side.ask("rmi", "-f", self.image_id)
