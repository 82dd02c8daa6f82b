"""A bench for recipes: containers of the command line and of our own, all removed again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from backends.engines.podman import PodmanEngine
from backends.model.workload import WorkloadSpec
from tests import real

Fresh = Callable[[str], str]
IMAGE = "docker.io/test/busybox:1"


def swapped(value: Any, names: Mapping[str, str]) -> Any:
    """With the real names of the test's own things."""
    if isinstance(value, str):
        for word, name in names.items():
            value = value.replace(word, name)
        return value
    if is_dataclass(value) and not isinstance(value, type):
        changed = {field.name: swapped(getattr(value, field.name), names) for field in fields(value)}
        return replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(swapped(one, names) for one in value)
    return value


def plain(value: Any) -> Any:
    """For comparing: mappings as dicts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return tuple(plain(one) for one in value) if isinstance(value, tuple) else value


class Bench:
    """Things that containers of the command line are made with, and the command line itself."""

    def __init__(self, engine: PodmanEngine, engines: real.RealEngines, label: Mapping[str, str], fresh: Fresh) -> None:
        self.engine = engine
        self._cli = engines.cli
        self._label = [word for key, value in label.items() for word in ("--label", f"{key}={value}")]
        self.names = {"VOLUME": fresh("vol"), "NETWORK": fresh("net"), "PARTNER": fresh("partner")}
        self._made: list[str] = []
        self.fresh = fresh
        self.label = dict(label)

    def run(self, *words: str) -> str:
        """`podman …`, as root or not."""
        return self._cli("podman" if self.engine.id.name == "podman" else "podman-rootless", *words)

    async def setup(self, options: str) -> None:
        """Make what the options name."""
        if "VOLUME" in options:
            await asyncio.to_thread(self.run, "volume", "create", *self._label, self.names["VOLUME"])
        if "NETWORK" in options:
            await asyncio.to_thread(self.run, "network", "create", *self._label, self.names["NETWORK"])
        if "PARTNER" in options:
            partner = self.names["PARTNER"]
            self._made.append(partner)
            options_ = ("--name", partner, "--ipc", "shareable", *self._label)
            await asyncio.to_thread(self.run, "run", "-d", *options_, IMAGE, "sleep", "600")

    async def create(self, options: str) -> WorkloadSpec:
        """`podman create` with these options; its recipe, without the run's label."""
        await self.setup(options)
        name = self.fresh("cli")
        self._made.append(name)
        words = [str(swapped(word, self.names)) for word in options.split()]
        await asyncio.to_thread(self.run, "create", "--name", name, *self._label, *words, IMAGE)
        spec = await self.engine.workload_spec(name)
        assert {key: spec.labels.get(key) for key in self.label} == self.label
        return replace(spec, labels={key: value for key, value in spec.labels.items() if key not in self.label})

    async def again(self, spec: WorkloadSpec) -> WorkloadSpec:
        """The recipe of a container that is made from a recipe; of the same name, without the run's label."""
        name = self.fresh("again")
        self._made.append(name)
        await self.engine.create_container(replace(spec, name=name, labels={**spec.labels, **self.label}))
        back = await self.engine.workload_spec(name)
        labels = {key: value for key, value in back.labels.items() if key not in self.label}
        return replace(back, name=spec.name, labels=labels)

    async def clean(self) -> None:
        """Remove all that was made, the partner last."""
        for name in reversed(self._made):
            await asyncio.to_thread(self.run, "rm", "-f", "-i", "-v", "-t", "0", name)
        await asyncio.to_thread(self.run, "volume", "rm", "-f", self.names["VOLUME"])
        await asyncio.to_thread(self.run, "network", "rm", "-f", self.names["NETWORK"])
