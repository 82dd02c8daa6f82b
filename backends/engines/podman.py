"""Podman behind the Engine interface, over the libpod API: never the compat one, which is slower and loses fields.

Calls only; what they mean is in podman_translate, podman_recipe, podman_spec, podman_images and podman_stats.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

from backends.engine import ByteStream, EventStream, LogLines, StatsStream
from backends.engines import podman_volumes
from backends.engines.podman_api import Params, PodmanApi, image_path, segment
from backends.engines.podman_defaults import HostDefaults
from backends.engines.podman_images import image_facts, layer_report, listed_image
from backends.engines.podman_logs import podman_log_lines
from backends.engines.podman_recipe import workload_spec
from backends.engines.podman_spec import create_body
from backends.engines.podman_stats import StatsMeter
from backends.engines.podman_translate import (
    engine_info,
    event_of,
    inspected_container,
    listed_container,
    strings,
    volume_of,
)
from backends.model.capabilities import Capability, EngineInfo
from backends.model.container import Container, LogLine, StatsReading
from backends.model.errors import Conflict, NotFound, Protocol, Refused, Unsupported
from backends.model.events import EngineEvent
from backends.model.ids import EngineId
from backends.model.image import Image, ImageFacts, LayerReport
from backends.model.reference import is_image_id, parse_reference
from backends.model.workload import Volume, VolumeSpec, WorkloadSpec
from backends.wire.endpoint import Endpoint
from backends.wire.failures import NO_ENGINE
from backends.wire.frames import json_lines

_STOP_TIMEOUT_S = 600.0  # a container's own stop timeout may be long
_ALLOWANCE_S = 30.0
_ROWS_AT_ONCE = 50  # 200 rows take 7 ms, and nothing may hold the event loop for 5
_CLOCK_TOLERANCE_S = 2.0  # HTTP dates have whole seconds


class PodmanEngine:
    """One Podman service, rootful or rootless. No connection is made before `connect`."""

    def __init__(self, engine_id: EngineId, endpoint: Endpoint, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._id = engine_id
        self._endpoint = endpoint
        self._clock = clock
        self._api = PodmanApi(endpoint, engine_id)
        self._info: EngineInfo | None = None
        self._host = HostDefaults()

    @property
    def id(self) -> EngineId:
        """Who it is."""
        return self._id

    @property
    def endpoint(self) -> str:
        """Where it is, for people."""
        return str(self._endpoint)

    async def connect(self) -> EngineInfo:
        """Ask what it is. Protocol where something else than Podman answers."""
        title = f"What answers at {self._endpoint} is no Podman service"
        try:
            headers = await self._api.ping()
        except (NotFound, Protocol) as error:
            detail = f"{error.title}: {error.detail}" if error.detail else error.title
            raise Protocol(title, detail=detail, hint=NO_ENGINE, engine=self._id) from error
        if "libpod-api-version" not in {name.lower() for name in headers}:
            raise Protocol(title, detail="no libpod API there", hint=NO_ENGINE, engine=self._id)
        info = await self._api.get("/info")
        if not isinstance(info, dict) or not isinstance(info.get("host"), dict):
            raise Protocol(title, detail="its libpod info has no host", hint=NO_ENGINE, engine=self._id)
        with self._understood():
            self._info = engine_info(info, local=self._endpoint.local)
            self._host = HostDefaults.of(info)
        return self._info

    async def close(self) -> None:
        """Close every connection; safe to call twice and when never connected."""
        await self._api.close()

    async def _known(self) -> EngineInfo:
        return self._info or await self.connect()

    async def list_containers(self) -> list[Container]:
        """All containers, whatever their state, in one call."""
        entries = await self._api.get("/containers/json", {"all": True})
        rows: list[Container] = []
        for entry in entries or ():
            with self._understood():
                rows.append(listed_container(entry, self._id))
            if len(rows) % _ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return rows

    async def inspect_container(self, container: str) -> Container:
        """One container by id or name, freshly read."""
        raw = await self.inspect_raw(container)
        with self._understood():
            return inspected_container(raw, self._id)

    async def inspect_raw(self, container: str) -> dict[str, object]:
        """Podman's own inspect JSON."""
        raw = await self._api.get(f"/containers/{segment(container)}/json")
        if not isinstance(raw, dict):
            raise Protocol("Podman's inspect answer is no JSON object", engine=self._id)
        return raw

    def subscribe(self) -> EventStream:
        """Events from now on."""
        return self._events()

    @asynccontextmanager
    async def _events(self) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        """Podman sends its headers with the first event only, so waiting for them would wait for an event. Instead the
        engine is pinged, and the events are asked for from that moment on: it keeps them in a log or the journal."""
        stream = self._events_since(self._moment(await self._api.ping()))
        try:
            yield stream
        finally:
            await stream.aclose()  # type: ignore[attr-defined]  # it is an async generator

    async def _events_since(self, since: float) -> AsyncIterator[EngineEvent]:
        params: Params = {"stream": True, "since": f"{since:.6f}"}
        async with self._api.stream("GET", "/events", params, open_timeout_s=None) as chunks:
            async for entry in json_lines(chunks, engine=self._id):
                with self._understood():
                    event = event_of(entry, self._id)
                yield event

    def _moment(self, headers: Mapping[str, str]) -> float:
        """Now, by the engine's clock: our own where the two agree, else the answer's date less its rounding."""
        now = time.time()
        try:
            there = parsedate_to_datetime(headers.get("Date", "")).timestamp()
        except ValueError:
            return now - 1.0
        return now if abs(now - there) <= _CLOCK_TOLERANCE_S else there - 1.0

    def logs(
        self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False
    ) -> LogLines:
        """Log lines, oldest first."""
        return self._logs(container, follow, tail, timestamps)

    @asynccontextmanager
    async def _logs(
        self, container: str, follow: bool, tail: int | None, timestamps: bool
    ) -> AsyncIterator[AsyncIterator[LogLine]]:
        raw = await self.inspect_raw(container)
        config = raw.get("Config")
        tty = bool(isinstance(config, dict) and config.get("Tty"))
        params: dict[str, str | int | bool] = {
            "stdout": True,
            "stderr": True,
            "follow": follow,
            "timestamps": timestamps,
        }
        if tail is not None:
            params["tail"] = tail
        path = f"/containers/{segment(container)}/logs"
        async with self._api.stream("GET", path, params) as chunks:
            yield podman_log_lines(chunks, tty=tty, timestamps=timestamps, engine=self._id)

    def stats(self, containers: Sequence[str], *, interval_s: float = 1.0) -> StatsStream:
        """One stream of all containers, reduced to those wanted."""
        return self._stats(containers, interval_s)

    @asynccontextmanager
    async def _stats(
        self, containers: Sequence[str], interval_s: float
    ) -> AsyncIterator[AsyncIterator[Sequence[StatsReading]]]:
        await self._expect(Capability.STATS_API)
        params = {"stream": True, "interval": max(1, round(interval_s))}
        async with self._api.stream("GET", "/containers/stats", params) as chunks:
            yield self._readings(chunks, StatsMeter(self._id, containers, self._clock))

    async def _readings(self, chunks: AsyncIterator[bytes], meter: StatsMeter) -> AsyncIterator[Sequence[StatsReading]]:
        async for batch in json_lines(chunks, engine=self._id):
            with self._understood():
                if batch.get("Error"):
                    raise Protocol("Podman's statistics broke off", detail=str(batch["Error"]), engine=self._id)
                readings = meter.readings(batch)
            yield readings

    async def create_container(self, spec: WorkloadSpec) -> str:
        """Create, not start; returns the full id."""
        info = await self._known()
        if spec.command == () and spec.entrypoint is None:
            # libpod can leave out the image's command only where the entrypoint is given.
            image = await self._image(spec.image)
            spec = replace(spec, entrypoint=strings((image.get("Config") or {}).get("Entrypoint")))
        try:
            body = create_body(spec, rootless=info.rootless)
        except Refused as error:
            error.engine = self._id
            raise
        answer = await self._api.change("POST", "/containers/create", body=body)
        with self._understood():
            return str(answer["Id"])

    async def start(self, container: str) -> None:
        """Start it; starting a running one is no error (304)."""
        await self._act(container, "start", timeout_s=120.0)

    async def stop(self, container: str, *, timeout_s: int | None = None) -> None:
        """Stop it; stopping a stopped one is no error (304)."""
        if timeout_s is None:
            await self._act(container, "stop", timeout_s=_STOP_TIMEOUT_S)
        else:
            await self._act(container, "stop", {"timeout": timeout_s}, timeout_s=timeout_s + _ALLOWANCE_S)

    async def restart(self, container: str) -> None:
        """Stop where it runs, and start."""
        await self._act(container, "restart", timeout_s=_STOP_TIMEOUT_S)

    async def pause(self, container: str) -> None:
        """Freeze its processes."""
        await self._expect(Capability.PAUSE)
        await self._act(container, "pause")

    async def unpause(self, container: str) -> None:
        """Thaw its processes."""
        await self._expect(Capability.PAUSE)
        await self._act(container, "unpause")

    async def kill(self, container: str, *, signal: str = "KILL") -> None:
        """Send a signal to its first process."""
        await self._act(container, "kill", {"signal": signal})

    async def remove(self, container: str, *, force: bool = False, volumes: bool = False) -> None:
        """Remove it; force: at once, also where it runs."""
        params: dict[str, str | int | bool] = {"force": force, "volumes": volumes}
        if force:
            params["timeout"] = 0
        answer = await self._api.change("DELETE", f"/containers/{segment(container)}", params, timeout_s=120.0)
        failed = [str(one["Err"]) for one in answer or () if isinstance(one, dict) and one.get("Err")]
        if failed:
            raise Conflict("The container could not be removed", detail="; ".join(failed), engine=self._id)

    async def rename(self, container: str, name: str) -> None:
        """Give it another name."""
        await self._act(container, "rename", {"name": name})

    async def wait_exit(self, container: str) -> int:
        """Wait until it does not run; a created one does not. Returns the exit code."""
        seen = await self.inspect_container(container)
        if not seen.state.alive:
            return seen.exit_code or 0
        answer = await self._api.send("POST", f"/containers/{segment(container)}/wait")
        with self._understood():
            return int(answer)

    async def _act(
        self,
        container: str,
        action: str,
        params: Mapping[str, str | int | bool] | None = None,
        *,
        timeout_s: float = _ALLOWANCE_S,
    ) -> None:
        path = f"/containers/{segment(container)}/{action}"
        await self._api.change("POST", path, params, timeout_s=timeout_s)

    async def _expect(self, capability: Capability) -> None:
        why = (await self._known()).capabilities.why_not(capability)
        if why:
            hint = "Use a rootful engine, or a host with cgroup v2."
            raise Unsupported(f"This engine cannot do that: {capability.value}", detail=why, hint=hint, engine=self._id)

    async def workload_spec(self, container: str) -> WorkloadSpec:
        """The recipe that would make this container again."""
        await self._known()
        raw = await self.inspect_raw(container)
        image = await self._image(str(raw.get("Image") or ""))
        with self._understood():
            return workload_spec(raw, image, self._host)

    async def _image(self, reference: str) -> dict[str, Any]:
        if not reference:
            raise NotFound("The container has no image", engine=self._id)
        image = await self._api.get(f"/images/{image_path(reference)}/json")
        if not isinstance(image, dict):
            raise Protocol("Podman's image answer is no JSON object", engine=self._id)
        return image

    async def list_images(self) -> list[Image]:
        """All images that have a name or are used."""
        entries = await self._api.get("/images/json", timeout_s=30.0)
        with self._understood():
            return [listed_image(entry, self._id) for entry in entries or ()]

    async def image_facts(self, reference: str) -> ImageFacts:
        """What identifies an image."""
        image = await self._image(reference)
        with self._understood():
            return image_facts(image, self._id)

    async def image_layers(self, reference: str) -> LayerReport:
        """History joined with diff-IDs, base first."""
        image = await self._image(reference)
        history = await self._api.get(f"/images/{image_path(reference)}/history")
        with self._understood():
            return layer_report(image, history or (), reference, self._id)

    def export_image(self, reference: str) -> ByteStream:
        """A docker-archive tar. Podman writes it to a file of its own first, so the answer may come late."""
        path = f"/images/{image_path(reference)}/get"
        return self._api.stream("GET", path, {"format": "docker-archive"}, open_timeout_s=None)

    async def import_image(self, archive: AsyncIterator[bytes]) -> tuple[str, ...]:
        """Load an image tar; returns the names that Podman loaded."""
        # Without this type Podman 5.4 answers 500.
        headers = {"Content-Type": "application/x-tar"}
        answer = await self._api.send("POST", "/images/load", data=archive, headers=headers)
        with self._understood():
            return strings(json.loads(answer)["Names"])

    async def tag_image(self, reference: str, target: str) -> None:
        """Give the image one more full reference."""
        try:
            name = parse_reference(target)
        except ValueError as error:
            raise Refused("No valid image name", detail=str(error), engine=self._id) from error
        params = {"repo": name.name, "tag": name.tag or "latest"}
        await self._api.change("POST", f"/images/{image_path(reference)}/tag", params)

    async def remove_image(self, reference: str) -> None:
        """Remove a tag, or an image by id."""
        name = reference.removeprefix("sha256:") if is_image_id(reference) else reference
        await self._api.change("DELETE", f"/images/{image_path(name)}", timeout_s=120.0)

    async def list_volumes(self) -> list[Volume]:
        """All volumes."""
        entries = await self._api.get("/volumes/json")
        with self._understood():
            return [volume_of(entry) for entry in entries or ()]

    async def inspect_volume(self, name: str) -> Volume:
        """One volume."""
        entry = await self._api.get(f"/volumes/{segment(name)}/json")
        with self._understood():
            return volume_of(entry)

    async def create_volume(self, spec: VolumeSpec) -> None:
        """Create it; libpod itself answers a conflict where it exists."""
        body = {"Name": spec.name, "Labels": dict(spec.labels), "Options": dict(spec.driver_options)}
        await self._api.change("POST", "/volumes/create", body=body)

    async def remove_volume(self, name: str) -> None:
        """Remove it."""
        await self._api.change("DELETE", f"/volumes/{segment(name)}")

    def export_volume(self, name: str, *, via_image: str) -> ByteStream:
        """The volume's content as a tar whose entries are relative to its root."""
        return podman_volumes.export_volume(self._api, name, via_image)

    def run_in_volume(
        self, name: str, argv: Sequence[str], *, via_image: str, read_only: bool = True, stdin: bytes = b""
    ) -> ByteStream:
        """A program of an image, in a helper container."""
        return podman_volumes.run_in_volume(self._api, name, argv, via_image, read_only=read_only, stdin=stdin)

    async def import_volume(self, name: str, archive: AsyncIterator[bytes], *, via_image: str) -> None:
        """Unpack such a tar into the volume."""
        await podman_volumes.import_volume(self._api, name, archive, via_image)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """An answer of another shape than libpod's is the engine's fault, not a crash of ours."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            words = f"{type(error).__name__}: {error}"
            raise Protocol("Podman's answer has an unknown shape", detail=words, engine=self._id) from error
