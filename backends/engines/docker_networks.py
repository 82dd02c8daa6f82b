"""Docker's networks: seen, made, taken away. Joins no container to one."""

from __future__ import annotations

import json
from urllib.parse import quote

from backends.engines import docker_translate_stores
from backends.engines.docker_base import LIST_TIMEOUT_S, DockerBase
from backends.engines.docker_create_networks import network_body
from backends.engines.docker_rows import listed_containers, listed_networks
from backends.engines.ending import to_its_end
from backends.model.errors import Conflict, Unsupported
from backends.model.network import Network, NetworkSpec

_CHANGE_TIMEOUT_S = 60.0  # of bridges and their firewall rules


class DockerNetworks(DockerBase):
    """The networks of one Docker daemon."""

    async def list_networks(self) -> list[Network]:
        """GET /networks."""
        items = await self._get("/networks", timeout_s=LIST_TIMEOUT_S)
        with self._understood():
            return listed_networks(items)

    async def inspect_network(self, name: str) -> Network:
        """GET /networks/{name}."""
        item = await self._get(_path(name))
        with self._understood():
            return docker_translate_stores.network(item)

    async def create_network(self, spec: NetworkSpec) -> None:
        """POST /networks/create."""
        try:
            body = network_body(spec)
        except Unsupported as error:
            error.engine = self._id
            raise
        await to_its_end(self._post("/networks/create", body, timeout_s=_CHANGE_TIMEOUT_S))

    async def remove_network(self, name: str) -> None:
        """DELETE /networks/{name}. Docker itself minds running containers only, and leaves the others unstartable."""
        network = await self.inspect_network(name)
        if network.default:
            raise Conflict(f"{name} is Docker's own network, and stays", engine=self._id)
        on_it = json.dumps({"network": [network.spec.name, network.id]})  # what never ran has no id there
        items = await self._get("/containers/json", {"all": True, "filters": on_it}, timeout_s=LIST_TIMEOUT_S)
        with self._understood():
            names = [row.name for row in listed_containers(self._id, items)]
        if names:
            hint = "Disconnect or remove these containers first."
            raise Conflict(f"Network {name} is in use", detail=", ".join(names), hint=hint, engine=self._id)
        await self._wire.call("DELETE", await self._path(_path(network.id)), timeout_s=_CHANGE_TIMEOUT_S)


def _path(name: str) -> str:
    return f"/networks/{quote(name, safe='')}"


__all__ = ["DockerNetworks"]
