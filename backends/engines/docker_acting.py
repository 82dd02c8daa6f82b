"""Acting on Docker's containers that exist: start, stop, remove, programs inside. Makes none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

from backends.engines.docker_defaults import DEFAULT_STOP_S
from backends.engines.docker_looking import DockerLooking
from backends.engines.docker_sdk import CALL_TIMEOUT_S
from backends.engines.executed import exit_code, said
from backends.model.container import ExecResult, Health
from backends.model.errors import Protocol, TimedOut, Unsupported
from backends.model.workload import RestartPolicy

_NOT_STARTED = b"OCI runtime exec failed"  # moby daemon/exec.go; it comes as the program's own output


class DockerActing(DockerLooking):
    """Actions on the containers of one Docker daemon."""

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
        with self._understood():
            return DEFAULT_STOP_S if own is None else int(own)

    async def set_restart(self, container: str, policy: RestartPolicy) -> None:
        """POST /containers/{id}/update with the policy alone: what is left out stays."""
        body = {"RestartPolicy": {"Name": policy.name.value, "MaximumRetryCount": policy.max_retries}}
        await self._post(f"/containers/{quote(container, safe='')}/update", body)

    async def execute(self, container: str, argv: Sequence[str]) -> ExecResult:
        """POST /containers/{id}/exec and its start; however long it takes."""
        asked = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(argv)}
        answer = await self._post(f"/containers/{quote(container, safe='')}/exec", asked)
        with self._understood():
            place = f"/exec/{answer['Id']}"
        path, body = await self._path(f"{place}/start"), {"Detach": False, "Tty": False}
        async with self._wire.stream("POST", path, body=body, open_timeout_s=CALL_TIMEOUT_S) as chunks:
            out, err = await said(chunks, self._id)
        code = await exit_code(partial(self._exec_ended, place))
        if code is None:
            raise TimedOut(f"Docker does not tell how {argv[0]} ended", engine=self._id)
        if code in {126, 127} and out.startswith(_NOT_STARTED):
            title = f"There is no program {argv[0]} in the container"
            raise Unsupported(title, detail=out.decode("utf-8", "replace").strip(), engine=self._id)
        return ExecResult(code, out, err)

    async def check_health(self, container: str) -> Health:
        """As the daemon says: it checks by itself."""
        return (await self.inspect_container(container)).health


__all__ = ["DockerActing"]
