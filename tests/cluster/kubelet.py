"""A node without containers: what a Pod says to run is run as a process of this machine. No test.

It writes status as the kubelet does: waiting, running, terminated, restarts with a back-off. An image that begins with
"missing/" cannot be pulled; a container without a command sleeps.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from tests.cluster.store import Json, Name, Store, now_text

_BACKOFF_S = 0.2
_GRACE_S = 5.0


class Log:
    """The lines of one container: the time of each and its bytes. over: it has ended."""

    def __init__(self) -> None:
        self.lines: list[tuple[datetime, bytes]] = []
        self.over = False
        self._more = asyncio.Condition()

    async def add(self, line: bytes) -> None:
        async with self._more:
            self.lines.append((datetime.now(UTC), line))
            self._more.notify_all()

    async def end(self) -> None:
        async with self._more:
            self.over = True
            self._more.notify_all()

    async def after(self, start: int) -> AsyncIterator[tuple[datetime, bytes]]:
        """Lines from a number on, to the end."""
        at = start
        while True:
            while at < len(self.lines):
                yield self.lines[at]
                at += 1
            if self.over:
                return
            async with self._more:
                while len(self.lines) == at and not self.over:
                    await self._more.wait()


class Kubelet:
    """Runs the Pods of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.logs: dict[tuple[str, str, str], Log] = {}
        self._tasks: dict[Name, asyncio.Task[None]] = {}
        self._leaving: dict[Name, asyncio.Event] = {}

    def run(self, name: Name) -> None:
        """Begin with a Pod that was made."""
        self._leaving[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._pod(name), name=f"kubelet {name.name}")

    def end(self, name: Name) -> None:
        """Its Pod is to go."""
        if name in self._leaving:
            self._leaving[name].set()

    async def close(self) -> None:
        """End all."""
        for event in self._leaving.values():
            event.set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _pod(self, name: Name) -> None:
        spec = self._store.objects[name]["spec"]
        await asyncio.gather(*(self._container(name, one, spec) for one in spec["containers"]))
        await self._leaving[name].wait()
        await self._store.drop(name)

    async def _container(self, name: Name, spec: Json, pod: Json) -> None:
        if spec["image"].startswith("missing/"):
            words = f'Back-off pulling image "{spec["image"]}"'
            await self._say(name, spec, {"waiting": {"reason": "ImagePullBackOff", "message": words}})
            return
        policy, count, last = pod.get("restartPolicy") or "Always", 0, None
        while True:
            log = self.logs[(name.namespace, name.name, spec["name"])] = Log()
            ended = await self._once(name, spec, log, count, last)
            leaving = self._leaving[name].is_set()
            again = policy == "Always" or (policy == "OnFailure" and ended["exitCode"] != 0)
            await self._say(name, spec, {"terminated": ended}, count=count, last=last)
            if leaving or not again:
                return
            count, last = count + 1, {"terminated": ended}
            waiting = {"reason": "CrashLoopBackOff", "message": f"back-off restarting failed container={spec['name']}"}
            await self._say(name, spec, {"waiting": waiting}, count=count, last=last)
            with suppress(TimeoutError):
                async with asyncio.timeout(_BACKOFF_S):
                    await self._leaving[name].wait()
                    return

    async def _once(self, name: Name, spec: Json, log: Log, count: int, last: Json | None) -> Json:
        await self._say(name, spec, {"waiting": {"reason": "ContainerCreating"}}, count=count, last=last)
        argv = [*spec.get("command", []), *spec.get("args", [])] or ["sleep", "3600"]
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        started = now_text()
        await self._say(name, spec, {"running": {"startedAt": started}}, count=count, last=last)
        reading = asyncio.create_task(_read(process, log))
        leaving = asyncio.create_task(self._leaving[name].wait())
        ended = asyncio.create_task(process.wait())
        await asyncio.wait({leaving, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            os.killpg(process.pid, signal.SIGTERM)
            await asyncio.wait({ended}, timeout=_GRACE_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it left behind
        code = await ended
        leaving.cancel()
        await reading
        await log.end()
        code = 128 - code if code < 0 else code
        reason = "Completed" if code == 0 else "Error"
        return {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now_text()}

    async def _say(self, name: Name, spec: Json, state: Json, *, count: int = 0, last: Json | None = None) -> None:
        body = self._store.objects.get(name)
        if body is None:
            return
        status: dict[str, Any] = dict(body.get("status") or {})
        told = {one["name"]: one for one in status.get("containerStatuses", [])}
        image = hashlib.sha256(spec["image"].encode()).hexdigest()
        told[spec["name"]] = {
            "name": spec["name"],
            "image": spec["image"],
            "imageID": f"{spec['image'].partition(':')[0]}@sha256:{image}" if "running" in state or last else "",
            "ready": "running" in state,
            "started": "running" in state,
            "restartCount": count,
            "state": state,
            **({"lastState": last} if last else {}),
        }
        status["containerStatuses"] = [told[one["name"]] for one in body["spec"]["containers"] if one["name"] in told]
        status["phase"] = _phase(status["containerStatuses"], len(body["spec"]["containers"]))
        await self._store.put(name, body | {"status": status})


async def _read(process: asyncio.subprocess.Process, log: Log) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        await log.add(line)


def _phase(told: list[Json], count: int) -> str:
    """As the kubelet sums it up, for Pods that are not started again."""
    ends = [one["state"].get("terminated") for one in told]
    if len(told) == count and all(ends):
        return "Succeeded" if all(end["exitCode"] == 0 for end in ends if end) else "Failed"
    return "Running" if any("running" in one["state"] or one["restartCount"] for one in told) else "Pending"
