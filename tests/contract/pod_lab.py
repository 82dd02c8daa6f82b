"""A place for experiments on a cluster: what it runs are Pods, made by the export and applied as people do."""

from __future__ import annotations

from dataclasses import replace

import yaml

from backends.export.exported import Member
from backends.export.kubernetes import Workload, kubernetes
from backends.model.container import ContainerState
from backends.model.errors import BackendError
from backends.model.ids import EngineKind
from backends.model.workload import WorkloadSpec
from tests.contract.lab import SERVE, Lab, eventually


class PodLab(Lab):
    """Makes Pods of one container, which always run: a cluster has none that was made and not started."""

    async def make(self, spec: WorkloadSpec | None = None) -> str:
        """A Pod that runs, or has ended by now; its container's id."""
        wanted = spec or self.spec()
        wanted = replace(wanted, labels={**self.label, **wanted.labels})
        made = kubernetes([Member(wanted, EngineKind.DOCKER)], workload=Workload.POD)
        await self.engine.apply_manifests([one for one in yaml.safe_load_all(made.files[0].text) if one])
        id = f"default/{wanted.name}/{wanted.name}"
        self.owns(id)

        async def begun() -> bool:
            return await self.state(id) is not ContainerState.CREATED

        await eventually(begun)
        return id

    async def run(self, command: tuple[str, ...] = SERVE, spec: WorkloadSpec | None = None) -> str:
        """A Pod that runs; its container's id."""
        return await self.make(spec or self.spec(command))

    async def clean(self) -> None:
        """Remove all; waits for no end."""
        for container in self._containers:
            try:
                await self.engine.remove(container, force=True)
            except BackendError:
                continue  # it is gone
