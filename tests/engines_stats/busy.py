"""Containers on real engines that are at work, for tests that measure them."""

from __future__ import annotations

from backends.model.ids import ContainerKey, EngineId, EngineKind
from tests.real import RealEngines

IMAGE = "test/busybox:1"
KINDS = {"docker": EngineKind.DOCKER, "podman": EngineKind.PODMAN, "podman-rootless": EngineKind.PODMAN}
# Busy until it is stopped, on the network too: the gateway refuses each connection, a packet out and one back.
# (ping will not do: Podman's default capabilities lack NET_RAW.)
BUSY = (
    "while :; do wget -q -T 1 -O - http://$(ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p'):9/ 2>/dev/null; done"
)


class Containers:
    """Makes containers on the real engines; all are removed at the end."""

    def __init__(self, engines: RealEngines, label: dict[str, str]) -> None:
        self.engines = engines
        self._labels = [word for name, value in label.items() for word in ("--label", f"{name}={value}")]
        self._made: list[ContainerKey] = []

    def run(self, engine: str, *argv: str, command: str = "sleep 600") -> ContainerKey:
        text = self.engines.cli(engine, "run", "-d", "--init", *self._labels, *argv, IMAGE, "sh", "-c", command)
        key = ContainerKey(EngineId(KINDS[engine], engine), text.split()[-1])
        self._made.append(key)
        return key

    def cli(self, key: ContainerKey, *argv: str) -> str:
        return self.engines.cli(key.engine.name, *argv, key.id)

    def remove(self, key: ContainerKey) -> None:
        self._made.remove(key)
        self.cli(key, "rm", "-f")

    def remove_all(self) -> None:
        for key in list(self._made):
            self.remove(key)
