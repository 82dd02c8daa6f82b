"""The one interface behind which every engine stands. Nothing above it knows which engine it talks to.

Every method may raise the errors of backends.model.errors, always with `engine` set, and nothing else
(besides asyncio.CancelledError). Streams are async context managers that yield an async iterator: on entry the
engine has accepted the request; the iterator raises Unreachable where the stream breaks and ends only where
the engine ended it; leaving the context closes the connection at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias

from backends.model.capabilities import EngineInfo
from backends.model.container import Container, LogLine, StatsReading
from backends.model.events import EngineEvent
from backends.model.ids import EngineId
from backends.model.image import Image, ImageFacts, LayerReport
from backends.model.workload import Volume, VolumeSpec, WorkloadSpec

EventStream: TypeAlias = AbstractAsyncContextManager[AsyncIterator[EngineEvent]]
LogLines: TypeAlias = AbstractAsyncContextManager[AsyncIterator[LogLine]]
StatsStream: TypeAlias = AbstractAsyncContextManager[AsyncIterator[Sequence[StatsReading]]]
ByteStream: TypeAlias = AbstractAsyncContextManager[AsyncIterator[bytes]]


class Engine(Protocol):
    """One container engine. Instances are cheap; no connection is made before `connect`."""

    @property
    def id(self) -> EngineId:
        """Who it is."""

    @property
    def endpoint(self) -> str:
        """Where it is, for people ("unix:///run/docker.sock")."""

    async def connect(self) -> EngineInfo:
        """Reach the engine and ask what it is. May be called again after the link was lost."""

    async def close(self) -> None:
        """Close every connection; safe to call twice and when never connected."""

    # -- looking ---------------------------------------------------------------------------------
    async def list_containers(self) -> list[Container]:
        """All containers, whatever their state, in one call."""

    async def inspect_container(self, container: str) -> Container:
        """One container by id or name, freshly read."""

    async def inspect_raw(self, container: str) -> dict[str, object]:
        """The engine's own inspect JSON of one container, for showing and for proofs."""

    def subscribe(self) -> EventStream:
        """Events from now on; on entry the subscription stands."""

    def logs(
        self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False
    ) -> LogLines:
        """Log lines, oldest first; tail: only that many last ones; timestamps: fill LogLine.at."""

    def stats(self, containers: Sequence[str], *, interval_s: float = 1.0) -> StatsStream:
        """Readings over the engine's API, for engines whose cgroups cannot be read here.

        containers: full ids of those wanted. Each item is a batch of readings. Unsupported where the API has none.
        """

    # -- acting on containers --------------------------------------------------------------------
    async def create_container(self, spec: WorkloadSpec) -> str:
        """Create, not start; returns the full id. Conflict where the name is taken. spec.unmapped is ignored."""

    async def start(self, container: str) -> None:
        """Start it; starting a running one is no error."""

    async def stop(self, container: str, *, timeout_s: int | None = None) -> None:
        """Stop it; None = its own stop timeout. Stopping a stopped one is no error."""

    async def restart(self, container: str) -> None:
        """Stop where it runs, and start."""

    async def pause(self, container: str) -> None:
        """Freeze its processes; Unsupported where the engine cannot."""

    async def unpause(self, container: str) -> None:
        """Thaw its processes."""

    async def kill(self, container: str, *, signal: str = "KILL") -> None:
        """Send a signal to its first process; Conflict where it does not run."""

    async def remove(self, container: str, *, force: bool = False, volumes: bool = False) -> None:
        """Remove it; force: also where it runs; volumes: its anonymous volumes too."""

    async def rename(self, container: str, name: str) -> None:
        """Give it another name; Conflict where that is taken."""

    async def wait_exit(self, container: str) -> int:
        """Wait until it does not run; returns the exit code."""

    # -- recipe ----------------------------------------------------------------------------------
    async def workload_spec(self, container: str) -> WorkloadSpec:
        """The recipe that would make this container again, image defaults subtracted, the rest in `unmapped`."""

    # -- images ----------------------------------------------------------------------------------
    async def list_images(self) -> list[Image]:
        """All images that have a name or are used."""

    async def image_facts(self, reference: str) -> ImageFacts:
        """What identifies an image (id, or reference); NotFound where it is not in the store."""

    async def image_layers(self, reference: str) -> LayerReport:
        """History joined with diff-IDs, base first."""

    def export_image(self, reference: str) -> ByteStream:
        """A docker-archive tar of the image as the engine's `save` gives it."""

    async def import_image(self, archive: AsyncIterator[bytes]) -> tuple[str, ...]:
        """Load such a tar; returns the references or ids that the engine says it loaded."""

    async def tag_image(self, reference: str, target: str) -> None:
        """Give the image one more full reference."""

    async def remove_image(self, reference: str) -> None:
        """Remove a tag, or an image by id; Conflict where a container uses it."""

    # -- volumes ---------------------------------------------------------------------------------
    async def list_volumes(self) -> list[Volume]:
        """All volumes."""

    async def inspect_volume(self, name: str) -> Volume:
        """One volume; NotFound where there is none of this name."""

    async def create_volume(self, spec: VolumeSpec) -> None:
        """Create it; Conflict where it exists already (also on engines whose API would not mind)."""

    async def remove_volume(self, name: str) -> None:
        """Remove it; Conflict where a container uses it."""

    def export_volume(self, name: str, *, via_image: str) -> ByteStream:
        """The volume's content as a tar whose entries are relative to its root ("./a", owners numeric, root first).

        via_image: an image in this engine's store, for the helper container (created, never started, removed on exit).
        """

    async def import_volume(self, name: str, archive: AsyncIterator[bytes], *, via_image: str) -> None:
        """Unpack such a tar into the volume, owners and modes (the root's too) as in the tar."""
