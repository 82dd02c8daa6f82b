"""A Podman whose service is our own: started when it is connected to, started again where it ended, ended on close."""

from __future__ import annotations

from backends.engines.discover_service import PodmanService
from backends.engines.podman import PodmanEngine
from backends.model.capabilities import EngineInfo
from backends.model.ids import EngineId


class ServedPodman(PodmanEngine):
    """Podman behind a PodmanService, which it owns from now on."""

    def __init__(self, engine_id: EngineId, service: PodmanService) -> None:
        super().__init__(engine_id, service.endpoint)
        self._service = service

    async def connect(self) -> EngineInfo:
        """Start the service where it does not run, then ask what it is."""
        await self._service.up()
        return await super().connect()

    async def close(self) -> None:
        """Close every connection and end the service; safe to call twice."""
        try:
            await super().close()
        finally:
            await self._service.stop()
