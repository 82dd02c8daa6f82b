"""Looking at the Pods of a cluster: lists, inspects, watches, logs, the end of one. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from backends.engine import EventStream, LogLines
from backends.engines.kubernetes_base import KubernetesBase, pod_path
from backends.engines.kubernetes_errors import from_status
from backends.engines.kubernetes_translate import Place, events_of, listed, rows_of
from backends.model.container import Container, ContainerState, Health, LogLine
from backends.model.errors import Protocol
from backends.model.events import EngineEvent
from backends.wire.frames import json_lines, log_lines

_LIST_S = 20.0
_AGAIN_S = 1.0
"""Between two watches where the server ends them at once."""
_EXPIRED = 410


class KubernetesLooking(KubernetesBase):
    """The Pods of one context as they are."""

    async def list_containers(self) -> list[Container]:
        """One list of Pods, from the server's cache, which costs a cluster little; never older than what was heard."""
        answer = await self._get(await self._pods(), {"resourceVersion": self._heard}, timeout_s=_LIST_S)
        with self._understood():
            return [row for pod in listed(answer) for row in self._rows(pod)]

    async def inspect_container(self, container: str) -> Container:
        """One container of a Pod."""
        place = await self._place(container)
        pod = await self._pod(place)
        with self._understood():
            rows = self._rows(pod)
            wanted = [row for row in rows if row.key.id == str(place)] if place.container else rows
            if not place.container and len(wanted) > 1:
                wanted = [row for row in wanted if row.key.id == str(_main(place, pod))]
        if not wanted:
            raise self._nobody(container)
        return wanted[0]

    async def inspect_raw(self, container: str) -> dict[str, object]:
        """The Pod, as the API server has it."""
        return await self._pod(await self._place(container))

    async def check_health(self, container: str) -> Health:
        """What its probes came to, by the node's own timer."""
        return (await self.inspect_container(container)).health

    async def _pod(self, place: Place) -> dict[str, object]:
        pod = await self._get(pod_path(place))
        if not isinstance(pod, dict) or "spec" not in pod:
            raise Protocol("The cluster described no Pod", engine=self._id)
        return pod

    def _rows(self, pod: Mapping[str, Any]) -> list[Container]:
        return rows_of(self._id, pod, with_namespace=self._everywhere)

    # -- events ----------------------------------------------------------------------------------
    def subscribe(self) -> EventStream:
        """Watches of the Pods, one after the other: the server ends each after some minutes."""
        return self._events()

    @asynccontextmanager
    async def _events(self) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        version = await self._now()
        async with AsyncExitStack() as stack:
            yield self._followed(stack, await self._watched(stack, version), version)

    async def _now(self) -> str:
        """The version of what is there now: what comes later is news."""
        answer = await self._get(await self._pods(), {"limit": "1"}, timeout_s=_LIST_S)
        with self._understood():
            self._heard = str(answer["metadata"]["resourceVersion"])
        return self._heard

    async def _watched(self, stack: AsyncExitStack, version: str, pod: str = "") -> AsyncIterator[Any]:
        query = {"watch": "true", "allowWatchBookmarks": "true"} | ({"resourceVersion": version} if version else {})
        chunks = await stack.enter_async_context(self._sdk.stream(await self._pods(), query | _of(pod)))
        return json_lines(chunks, engine=self._id)

    async def _followed(
        self, stack: AsyncExitStack, items: AsyncIterator[Any], version: str
    ) -> AsyncIterator[EngineEvent]:
        while True:
            async for item in items:
                with self._understood():
                    if item["type"] == "ERROR":
                        self._raise_unless_forgotten(item["object"])
                        version = ""  # from here all that is there comes as if it were new
                        break
                    version = self._heard = str(item["object"]["metadata"].get("resourceVersion") or version)
                    events = events_of(self._id, item)
                for event in events:
                    yield event
            await stack.aclose()
            await asyncio.sleep(_AGAIN_S)
            items = await self._watched(stack, version)

    def _raise_unless_forgotten(self, status: Mapping[str, Any]) -> None:
        """What the server said, unless it is that the version is too old to go on from."""
        if status.get("code") != _EXPIRED:
            raise from_status(int(status.get("code") or 500), status, self._id, self._context)

    # -- logs ------------------------------------------------------------------------------------
    def logs(
        self,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        timestamps: bool = False,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> LogLines:
        """GET …/pods/POD/log. stdout and stderr are one there, as with a terminal."""
        return self._logs(container, follow, tail, timestamps, since, until)

    @asynccontextmanager
    async def _logs(
        self,
        container: str,
        follow: bool,
        tail: int | None,
        timestamps: bool,
        since: datetime | None,
        until: datetime | None,
    ) -> AsyncIterator[AsyncIterator[LogLine]]:
        place = await self._place(container)
        if not place.container:
            pod = await self._pod(place)
            with self._understood():
                place = _main(place, pod)
        bounded = since is not None or until is not None
        query = {"container": place.container, "follow": "true" if follow else "false"}
        if timestamps or bounded:
            query["timestamps"] = "true"
        if tail is not None:
            query["tailLines"] = str(max(0, tail))
        elif since is not None:  # with a tail it would be counted after, not before: that is done here
            query["sinceTime"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        async with self._sdk.stream(f"{pod_path(place)}/log", query) as chunks:
            lines = log_lines(chunks, tty=True, timestamps=timestamps or bounded, engine=self._id)
            yield _between(lines, since, until, timestamps) if bounded else lines

    # -- the end ---------------------------------------------------------------------------------
    async def wait_exit(self, container: str) -> int:
        """Watch its Pod until it has ended for good; NotFound where it is removed meanwhile."""
        place = await self._place(container)
        while True:
            version = await self._now()
            if (code := _ended(await self.inspect_container(container))) is not None:
                return code
            changed = False
            async with AsyncExitStack() as stack:
                async for item in await self._watched(stack, version, place.pod):
                    with self._understood():
                        changed = item["type"] in {"MODIFIED", "DELETED"}
                        if changed or item["type"] == "ERROR":
                            break
            if not changed:  # the server ended the watch
                await asyncio.sleep(_AGAIN_S)


def _of(pod: str) -> dict[str, str]:
    return {"fieldSelector": f"metadata.name={pod}"} if pod else {}


def _main(place: Place, pod: Mapping[str, Any]) -> Place:
    """What is meant where only the Pod was named, as kubectl chooses: the container that it names, else its first."""
    named = str((pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container"))
    names = [str(one["name"]) for one in pod["spec"]["containers"]]
    return Place(place.namespace, place.pod, named if named in names else names[0])


def _ended(row: Container) -> int | None:
    if row.state in {ContainerState.EXITED, ContainerState.DEAD, ContainerState.REMOVING}:
        return row.exit_code if row.exit_code is not None else 137
    return None


async def _between(
    lines: AsyncIterator[LogLine], since: datetime | None, until: datetime | None, timestamps: bool
) -> AsyncIterator[LogLine]:
    """Those from and up to these moments, both included; the server itself only counts whole seconds."""
    async for line in lines:
        if line.at is not None and since is not None and line.at < since:
            continue
        if line.at is not None and until is not None and line.at > until:
            return
        yield line if timestamps else LogLine(line.stream, line.text)


__all__ = ["KubernetesLooking"]
