"""What a cluster keeps: objects with versions, and what happened to them since. No test, no server, runs nothing.

As etcd and the API server's watch cache do it: each write gets the next resourceVersion; a watch goes on from one, or
is told 410 where that is forgotten.
"""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

Json = dict[str, Any]


class Kind(NamedTuple):
    """A resource: "v1" or "apps/v1", its plural, its kind, whether it lies in a namespace."""

    version: str
    plural: str
    kind: str
    namespaced: bool = True


KINDS = (
    Kind("v1", "pods", "Pod"),
    Kind("v1", "services", "Service"),
    Kind("v1", "secrets", "Secret"),
    Kind("v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    Kind("v1", "namespaces", "Namespace", namespaced=False),
    Kind("apps/v1", "deployments", "Deployment"),
    Kind("batch/v1", "jobs", "Job"),
)
PODS = KINDS[0]


class Name(NamedTuple):
    """What an object is called: its resource, namespace ("" where it has none) and name."""

    kind: Kind
    namespace: str
    name: str


class Event(NamedTuple):
    """One thing that happened."""

    version: int
    type: str
    name: Name
    object: Json


def now_text() -> str:
    """The time as Kubernetes writes it: whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Store:
    """Objects by name. forgotten: events up to this version are no longer told."""

    objects: dict[Name, Json] = field(default_factory=dict)
    version: int = 1000
    forgotten: int = 0
    _events: list[Event] = field(default_factory=list)
    _happened: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def put(self, name: Name, body: Mapping[str, Any]) -> Json:
        """Make or change an object; returns it as it is now."""
        old = self.objects.get(name)
        made = copy.deepcopy(dict(body))
        meta = made.setdefault("metadata", {})
        meta.setdefault("name", name.name)
        if name.namespace:
            meta["namespace"] = name.namespace
        meta.setdefault("uid", old["metadata"]["uid"] if old else str(uuid.uuid4()))
        meta.setdefault("creationTimestamp", old["metadata"]["creationTimestamp"] if old else now_text())
        made |= {"apiVersion": name.kind.version, "kind": name.kind.kind}
        await self._note("MODIFIED" if old else "ADDED", name, made)
        self.objects[name] = made
        return made

    async def drop(self, name: Name) -> None:
        """It is gone."""
        gone = self.objects.pop(name, None)
        if gone is not None:
            await self._note("DELETED", name, gone)

    async def _note(self, type: str, name: Name, body: Json) -> None:
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        async with self._happened:
            self._events.append(Event(self.version, type, name, copy.deepcopy(body)))
            self._happened.notify_all()

    async def forget(self) -> None:
        """What happened so far is told to nobody any more, and watches end."""
        self.version += 1
        self.forgotten = self.version
        async with self._happened:
            self._events.clear()
            self._happened.notify_all()

    async def since(self, version: int) -> AsyncIterator[Event]:
        """All that happens after a version; ends where that is forgotten meanwhile."""
        while True:
            if version < self.forgotten:
                return
            for event in [one for one in self._events if one.version > version]:
                version = event.version
                yield event
            async with self._happened:
                while self.version <= version and self.forgotten <= version:
                    await self._happened.wait()

    def listed(self, kind: Kind, namespace: str) -> list[Json]:
        """Objects of a resource; namespace "" = of all."""
        return [
            body
            for name, body in sorted(self.objects.items(), key=lambda one: one[0][1:])
            if name.kind == kind and namespace in {"", name.namespace}
        ]
