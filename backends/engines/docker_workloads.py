"""Recipes of Docker's containers, and containers from recipes. Maps nothing itself: docker_recipe, docker_create do."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from backends.engines.docker_acting import DockerActing
from backends.engines.docker_create import create_body
from backends.engines.docker_create_networks import later
from backends.engines.docker_recipe import partners, workload_spec
from backends.engines.ending import to_its_end
from backends.model.errors import NotFound, Unsupported
from backends.model.workload import WorkloadSpec


class DockerWorkloads(DockerActing):
    """Recipes of one Docker daemon."""

    async def create_container(self, spec: WorkloadSpec) -> str:
        """POST /containers/create; networks that it cannot take there are connected after it."""
        await self._known()
        try:
            body, rest = create_body(spec, self._version), later(spec.network, self._version)
        except Unsupported as error:
            error.engine = self._id
            raise
        making = self._act(lambda api: api.create_container_from_config(body, spec.name or None), timeout_s=120)
        answer = await to_its_end(making)
        made = str(answer["Id"])
        self._names[made] = spec.name
        try:
            for network, end in rest.items():
                path = f"/networks/{quote(network, safe='')}/connect"
                await self._post(path, {"Container": made, "EndpointConfig": end})
        except BaseException:
            await to_its_end(self.remove(made, force=True, volumes=True))
            raise
        return made

    async def workload_spec(self, container: str) -> WorkloadSpec:
        """From the inspect of the container and of the image that it runs."""
        item: dict[str, Any] = await self.inspect_raw(container)
        try:
            image = await self._get(f"/images/{item.get('Image')}/json")
        except NotFound:
            image = None
        with self._understood():
            shared = partners(item)
        names = {partner: await self._name(partner) for partner in shared}
        with self._understood():
            return workload_spec(item, image, self._defaults, names)

    async def _name(self, container: str) -> str:
        try:
            return (await self.inspect_container(container)).name
        except NotFound:
            return container  # the partner is gone: its id is all there is


__all__ = ["DockerWorkloads"]
