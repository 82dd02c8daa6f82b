"""The Docker engine: docker-py acts, one HTTP client looks and streams. Knows nothing of any other engine.

Why two ways: docker-py knows contexts, TLS and the shape of every action; its lists inspect each container (242 ms for
200 against 17 ms) and its streams hold a thread each (DECISIONS 4).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from backends.engine import ByteStream, EventStream, LogLines, StatsStream
from backends.engines import docker_stats, docker_translate, docker_volumes
from backends.engines.docker_cdi import cdi_devices
from backends.engines.docker_create import create_body
from backends.engines.docker_defaults import HostDefaults
from backends.engines.docker_errors import explain
from backends.engines.docker_history import layer_report
from backends.engines.docker_recipe import workload_spec
from backends.engines.docker_sdk import CALL_TIMEOUT_S, DockerSdk
from backends.model.capabilities import Capability, EngineInfo
from backends.model.container import Container, LogLine, StatsReading
from backends.model.errors import BackendError, Conflict, NotFound, Protocol, Unsupported
from backends.model.events import EngineEvent
from backends.model.ids import ContainerKey, EngineId
from backends.model.image import Image, ImageFacts, LayerReport
from backends.model.reference import parse_reference
from backends.model.workload import Volume, VolumeSpec, WorkloadSpec
from backends.wire.client import WireClient
from backends.wire.endpoint import Endpoint
from backends.wire.failures import NO_ENGINE
from backends.wire.frames import json_lines, log_lines

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")

_HELLO_TIMEOUT_S = 5.0
_LIST_TIMEOUT_S = 20.0
_DEFAULT_STOP_S = 10  # moby: defaultStopTimeout
_EVENTS = json.dumps({"type": ["container", "image", "volume", "network"], "event": docker_translate.EVENT_ACTIONS})


class DockerEngine:
    """One Docker daemon. Implements backends.engine.Engine; connects on the first call."""

    def __init__(self, id: EngineId, endpoint: Endpoint) -> None:
        self._id = id
        self._endpoint = endpoint
        self._names: dict[str, str] = {}
        self._wire = WireClient(endpoint, id, explain=self._explain)
        self._streams = WireClient(endpoint, id, explain=self._explain)  # stats: never in the way of other calls
        self._sdk = DockerSdk(id, self._wire, self._name_of)
        self._api = ""
        self._defaults = HostDefaults()
        self._lacking_pause = ""
        self._containerd_store = False

    @property
    def id(self) -> EngineId:
        """Who it is."""
        return self._id

    @property
    def endpoint(self) -> str:
        """Where it is, for people."""
        return str(self._endpoint)

    async def connect(self) -> EngineInfo:
        """GET /version and /info. Raises Unsupported where the daemon is older than API 1.40."""
        title = f"What answers at {self._endpoint} is not Docker"
        try:
            version = await self._wire.json("GET", "/version", timeout_s=_HELLO_TIMEOUT_S)
        except (NotFound, Protocol) as error:
            detail = f"{error.title}: {error.detail}" if error.detail else error.title
            raise Protocol(title, detail=detail, hint=NO_ENGINE, engine=self._id) from error
        if not isinstance(version, dict) or not version.get("ApiVersion"):
            raise Protocol(title, hint=NO_ENGINE, engine=self._id)
        api = docker_translate.negotiated(self._id, version)
        info = await self._wire.json("GET", f"/v{api}/info", timeout_s=_LIST_TIMEOUT_S)
        with self._understood():
            told = docker_translate.engine_info(version, info, api_version=api, local=self._endpoint.local)
        if not told.cdi_devices and told.local:
            told = await asyncio.to_thread(cdi_devices, told, tuple(info.get("CDISpecDirs") or ()))
        self._api = api
        self._lacking_pause = told.capabilities.why_not(Capability.PAUSE)
        self._defaults = HostDefaults(
            told.cgroup_version, info.get("DefaultRuntime") or "runc", info.get("LoggingDriver") or "json-file"
        )
        self._containerd_store = "io.containerd.snapshotter" in json.dumps(info.get("DriverStatus") or [])
        return told

    async def close(self) -> None:
        """Close every connection."""
        await self._sdk.close()
        await self._streams.close()
        await self._wire.close()

    # -- looking ---------------------------------------------------------------------------------
    async def list_containers(self) -> list[Container]:
        """One GET /containers/json?all=1; gpus_given and start times are filled by inspect_container only."""
        items = await self._get("/containers/json", {"all": True}, timeout_s=_LIST_TIMEOUT_S)
        with self._understood():
            containers = [docker_translate.container_from_list(self._id, item) for item in items or ()]
        self._names = {container.key.id: container.name for container in containers}
        return containers

    async def inspect_container(self, container: str) -> Container:
        """One container."""
        item = await self.inspect_raw(container)
        with self._understood():
            found = docker_translate.container_from_inspect(self._id, item)
        self._names[found.key.id] = found.name
        return found

    async def inspect_raw(self, container: str) -> dict[str, object]:
        """GET /containers/{id}/json."""
        item = await self._get(f"/containers/{quote(container, safe='')}/json")
        if not isinstance(item, dict) or "Id" not in item:
            raise Protocol("Docker described no container", engine=self._id)
        return item

    def subscribe(self) -> EventStream:
        """GET /events, without the noise of exec and mounts."""
        return self._events()

    @asynccontextmanager
    async def _events(self) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        path = await self._path("/events")
        async with self._wire.stream("GET", path, params={"filters": _EVENTS}) as chunks:
            yield (self._event(item) async for item in json_lines(chunks, engine=self._id))

    def _event(self, item: Any) -> EngineEvent:
        with self._understood():
            return docker_translate.event(self._id, item)

    def logs(
        self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False
    ) -> LogLines:
        """GET /containers/{id}/logs; raw where the container has a TTY, else framed."""
        return self._logs(container, follow, tail, timestamps)

    @asynccontextmanager
    async def _logs(
        self, container: str, follow: bool, tail: int | None, timestamps: bool
    ) -> AsyncIterator[AsyncIterator[LogLine]]:
        config = (await self.inspect_raw(container)).get("Config")
        tty = isinstance(config, dict) and bool(config.get("Tty"))
        params = {"stdout": True, "stderr": True, "follow": follow, "timestamps": timestamps}
        path = await self._path(f"/containers/{quote(container, safe='')}/logs")
        last = "all" if tail is None else str(max(0, tail))
        async with self._wire.stream("GET", path, params={**params, "tail": last}) as chunks:
            yield log_lines(chunks, tty=tty, timestamps=timestamps, engine=self._id)

    def stats(self, containers: Sequence[str], *, interval_s: float = 1.0) -> StatsStream:
        """A stream of GET /containers/{id}/stats for each, merged."""
        return self._stats(containers, interval_s)

    @asynccontextmanager
    async def _stats(
        self, containers: Sequence[str], interval_s: float
    ) -> AsyncIterator[AsyncIterator[Sequence[StatsReading]]]:
        prefix = await self._path("/containers")
        keys = [ContainerKey(self._id, container) for container in containers]

        def open_stream(container: str) -> ByteStream:
            path = f"{prefix}/{quote(container, safe='')}/stats"
            return self._streams.stream("GET", path, params={"stream": True}, open_timeout_s=CALL_TIMEOUT_S)

        async with docker_stats.merged(keys, open_stream, interval_s) as batches:
            yield batches

    # -- acting on containers --------------------------------------------------------------------
    async def create_container(self, spec: WorkloadSpec) -> str:
        """POST /containers/create."""
        try:
            body = create_body(spec)
        except Unsupported as error:
            error.engine = self._id
            raise
        answer = await self._act(lambda api: api.create_container_from_config(body, spec.name or None), timeout_s=120)
        self._names[str(answer["Id"])] = spec.name
        return str(answer["Id"])

    async def start(self, container: str) -> None:
        """Start it; GPU runtimes take their time."""
        await self._act(lambda api: api.start(container), timeout_s=120)

    async def stop(self, container: str, *, timeout_s: int | None = None) -> None:
        """Stop it."""
        wait_s = await self._stop_seconds(container) if timeout_s is None else timeout_s
        await self._act(lambda api: api.stop(container, timeout=wait_s), timeout_s=wait_s + CALL_TIMEOUT_S)

    async def restart(self, container: str) -> None:
        """Stop and start."""
        wait_s = await self._stop_seconds(container)
        await self._act(lambda api: api.restart(container, timeout=wait_s), timeout_s=wait_s + 120)

    async def pause(self, container: str) -> None:
        """Freeze it."""
        if self._lacking_pause:
            raise Unsupported("This Docker cannot pause containers", detail=self._lacking_pause, engine=self._id)
        await self._act(lambda api: api.pause(container))

    async def unpause(self, container: str) -> None:
        """Thaw it."""
        await self._act(lambda api: api.unpause(container))

    async def kill(self, container: str, *, signal: str = "KILL") -> None:
        """Send a signal."""
        await self._act(lambda api: api.kill(container, signal=signal))

    async def remove(self, container: str, *, force: bool = False, volumes: bool = False) -> None:
        """Remove it."""
        await self._act(lambda api: api.remove_container(container, v=volumes, force=force), timeout_s=60)

    async def rename(self, container: str, name: str) -> None:
        """Give it another name."""
        await self._act(lambda api: api.rename(container, name))

    async def wait_exit(self, container: str) -> int:
        """POST /containers/{id}/wait, however long it takes."""
        path = await self._path(f"/containers/{quote(container, safe='')}/wait")
        answer = await self._wire.json("POST", path, timeout_s=None)
        with self._understood():
            trouble = (answer.get("Error") or {}).get("Message")
            if trouble:
                raise Protocol("Docker could not wait for the container", detail=str(trouble), engine=self._id)
            return int(answer["StatusCode"])

    async def _stop_seconds(self, container: str) -> int:
        config = (await self.inspect_raw(container)).get("Config")
        own = config.get("StopTimeout") if isinstance(config, dict) else None
        return _DEFAULT_STOP_S if own is None else int(own)

    # -- recipe ----------------------------------------------------------------------------------
    async def workload_spec(self, container: str) -> WorkloadSpec:
        """From the inspect of the container and of the image that it runs."""
        item: dict[str, Any] = await self.inspect_raw(container)
        try:
            image = await self._get(f"/images/{item.get('Image')}/json")
        except NotFound:
            image = None
        with self._understood():
            return workload_spec(item, image, self._defaults)

    # -- images ----------------------------------------------------------------------------------
    async def list_images(self) -> list[Image]:
        """GET /images/json, without nameless images that no container uses."""
        items = await self._get("/images/json", timeout_s=_LIST_TIMEOUT_S)
        with self._understood():
            images = [docker_translate.image_from_list(self._id, item) for item in items or ()]
        if all(image.tags for image in images):
            return images
        used = {container.image_id for container in await self.list_containers()}
        return [image for image in images if image.tags or image.digests or image.key.id in used]

    async def image_facts(self, reference: str) -> ImageFacts:
        """GET /images/{name}/json."""
        item = await self._image(reference)
        with self._understood():
            return docker_translate.image_facts(self._id, item, id_is_config=not self._containerd_store)

    async def image_layers(self, reference: str) -> LayerReport:
        """GET /images/{name}/history joined with RootFS.Layers."""
        item = await self._image(reference)
        history = await self._get(f"/images/{item['Id']}/history")
        with self._understood():
            facts = docker_translate.image_facts(self._id, item, id_is_config=False)
            return layer_report(facts.key, reference, item, history or ())

    async def _image(self, reference: str) -> dict[str, Any]:
        item = await self._get(f"/images/{quote(reference, safe='/:@')}/json")
        if not isinstance(item, dict) or "Id" not in item:
            raise Protocol("Docker described no image", engine=self._id)
        return item

    def export_image(self, reference: str) -> ByteStream:
        """GET /images/get; Docker reads every layer before its first byte."""
        return self._export_image(reference)

    @asynccontextmanager
    async def _export_image(self, reference: str) -> AsyncIterator[AsyncIterator[bytes]]:
        path = await self._path("/images/get")
        async with self._wire.stream("GET", path, params={"names": reference}, open_timeout_s=None) as chunks:
            yield chunks

    async def import_image(self, archive: AsyncIterator[bytes]) -> tuple[str, ...]:
        """POST /images/load; the names are read from its messages."""
        path = await self._path("/images/load")
        headers = {"Content-Type": "application/x-tar"}
        answer = await self._wire.call(
            "POST", path, params={"quiet": True}, data=archive, headers=headers, timeout_s=None
        )
        return docker_translate.loaded_images(self._id, answer)

    async def tag_image(self, reference: str, target: str) -> None:
        """One more name."""
        try:
            name = parse_reference(target)
        except ValueError as error:
            raise Conflict("That is no image name", detail=str(error), engine=self._id) from error
        await self._act(lambda api: api.tag(reference, name.name, name.tag or None))

    async def remove_image(self, reference: str) -> None:
        """Remove a tag, or an image by id."""
        await self._act(lambda api: api.remove_image(reference), timeout_s=120)

    # -- volumes ---------------------------------------------------------------------------------
    async def list_volumes(self) -> list[Volume]:
        """GET /volumes."""
        answer = await self._get("/volumes", timeout_s=_LIST_TIMEOUT_S)
        with self._understood():
            return [docker_translate.volume(item) for item in (answer or {}).get("Volumes") or ()]

    async def inspect_volume(self, name: str) -> Volume:
        """GET /volumes/{name}."""
        item = await self._get(f"/volumes/{quote(name, safe='')}")
        with self._understood():
            return docker_translate.volume(item)

    async def create_volume(self, spec: VolumeSpec) -> None:
        """Docker's own call does not mind an existing volume: looked for first."""
        try:
            await self.inspect_volume(spec.name)
        except NotFound:
            options, labels = dict(spec.driver_options), dict(spec.labels)
            await self._act(lambda api: api.create_volume(spec.name, "local", options, labels))
            return
        hint = "Choose another name, or remove the volume."
        raise Conflict(f"Volume {spec.name} exists already", hint=hint, engine=self._id)

    async def remove_volume(self, name: str) -> None:
        """Remove it."""
        await self._act(lambda api: api.remove_volume(name))

    def export_volume(self, name: str, *, via_image: str) -> ByteStream:
        """GET /containers/{helper}/archive."""
        return self._export_volume(name, via_image)

    @asynccontextmanager
    async def _export_volume(self, name: str, via_image: str) -> AsyncIterator[AsyncIterator[bytes]]:
        async with docker_volumes.exported(self._wire, await self._path(""), name, via_image) as chunks:
            yield chunks

    def run_in_volume(
        self, name: str, argv: Sequence[str], *, via_image: str, read_only: bool = True, stdin: bytes = b""
    ) -> ByteStream:
        """A program of an image, in a helper container."""
        prefix = self._path("")
        return docker_volumes.ran(self._wire, prefix, name, argv, via_image, read_only=read_only, stdin=stdin)

    async def import_volume(self, name: str, archive: AsyncIterator[bytes], *, via_image: str) -> None:
        """PUT /containers/{helper}/archive."""
        await docker_volumes.imported(self._wire, await self._path(""), name, archive, via_image)

    # -- how -------------------------------------------------------------------------------------
    async def _path(self, path: str) -> str:
        """With the negotiated version in front; connects where that was not done yet."""
        if not self._api:
            await self.connect()
        return f"/v{self._api}{path}"

    async def _get(self, path: str, params: dict[str, str | bool] | None = None, *, timeout_s: float = 10.0) -> Any:
        return await self._wire.json("GET", await self._path(path), params=params, timeout_s=timeout_s)

    async def _act(self, act: Callable[[APIClient], T], *, timeout_s: float = CALL_TIMEOUT_S) -> T:
        if not self._api:
            await self.connect()
        return await self._sdk.call(self._api, act, timeout_s=timeout_s)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """An answer of another shape than the API's is said, not a crash."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            detail = f"{type(error).__name__}: {error}"
            raise Protocol("Docker's answer does not follow its API", detail=detail, engine=self._id) from error

    def _name_of(self, container: str) -> str:
        """The name of a container as last seen, else its short id, else what came in."""
        if container in self._names:
            return self._names[container]
        if len(container) == 12:
            return next((name for id, name in self._names.items() if id.startswith(container)), container)
        return container[:12] if len(container) == 64 else container

    def _explain(self, _status: int, message: str) -> BackendError | None:
        return explain(message, self._id, self._name_of)


__all__ = ["DockerEngine"]
