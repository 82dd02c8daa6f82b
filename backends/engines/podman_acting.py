"""Acting on Podman's containers that exist: start, stop, remove, programs inside, health. Makes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from backends.engines.executed import exit_code, said
from backends.engines.podman_api import segment
from backends.engines.podman_looking import PodmanLooking
from backends.engines.podman_translate import check_timeout_s, health_of, inspected_container, restart_of
from backends.model.capabilities import Capability
from backends.model.container import Container, ContainerState, ExecResult, Health
from backends.model.errors import BackendError, Conflict, TimedOut, Unsupported
from backends.model.workload import RestartName, RestartPolicy

_STOP_TIMEOUT_S = 600.0  # a container's own stop timeout may be long
_ALLOWANCE_S = 30.0
_NOT_STARTED = (b"Error: ", b"OCI")
"""How Podman says, as the program's own complaint, that its runtime could not start it (libpod/define/errors.go)."""
_IS_INFRA = "is the infra container of pod"
"""libpod/runtime_ctr.go, removeContainer."""


class PodmanActing(PodmanLooking):
    """Actions on the containers of one Podman service."""

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
        """Freeze its processes. Conflict, before anything is done, where Podman has no room to write it down."""
        await self._expect(Capability.PAUSE)
        await self._expect_room_to_freeze()
        await self._act(container, "pause")

    async def unpause(self, container: str) -> None:
        """Thaw its processes."""
        await self._expect(Capability.PAUSE)
        await self._act(container, "unpause")

    async def kill(self, container: str, *, signal: str = "KILL") -> None:
        """Send a signal to its first process."""
        await self._act(container, "kill", {"signal": signal})

    async def remove(self, container: str, *, force: bool = False, volumes: bool = False) -> None:
        """Remove it; force: at once, also where it runs. A pod's infra container: the pod, once it is empty."""
        params: dict[str, str | int | bool] = {"force": force, "volumes": volumes}
        if force:
            params["timeout"] = 0
        try:
            answer = await self._api.change("DELETE", f"/containers/{segment(container)}", params, timeout_s=120.0)
        except BackendError as error:
            if _IS_INFRA not in str(error):
                raise
            await self._remove_pod(await self.inspect_container(container))
            return
        failed = [str(one["Err"]) for one in answer or () if isinstance(one, dict) and one.get("Err")]
        if failed:
            raise Conflict("The container could not be removed", detail="; ".join(failed), engine=self._id)

    async def _remove_pod(self, infra: Container) -> None:
        """Podman itself would remove the pod's other containers with it."""
        others = [one.name for one in await self.list_containers() if one.pod == infra.pod and not one.infra]
        if others:
            title = f"The pod {infra.pod} is not empty: {', '.join(sorted(others))}"
            raise Conflict(title, hint="remove its containers first, or the whole pod as a group", engine=self._id)
        await self._api.change("DELETE", f"/pods/{segment(infra.pod)}", {"force": True}, timeout_s=120.0)

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

    async def set_restart(self, container: str, policy: RestartPolicy) -> None:
        """POST /containers/{id}/update with the policy alone: an empty body changes no limit.

        Raises Unsupported where the service does not know the parameter, and so passes over it.
        """
        wanted = policy if policy.name is RestartName.ON_FAILURE else RestartPolicy(policy.name)
        params: dict[str, str | int | bool] = {"restartPolicy": wanted.name.value}
        if wanted.max_retries:
            params["restartRetries"] = wanted.max_retries
        await self._api.change("POST", f"/containers/{segment(container)}/update", params, body={})
        raw = await self.inspect_raw(container)
        with self._understood():
            now = restart_of(raw)
        if now != wanted:
            raise Unsupported(
                f"Podman {(await self._known()).version} cannot change a restart policy",
                detail=f"it is still {now.name}",
                hint="Podman 5.1 can.",
                engine=self._id,
            )

    async def execute(self, container: str, argv: Sequence[str]) -> ExecResult:
        """POST /containers/{id}/exec and its start; however long it takes."""
        asked = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(argv)}
        answer = await self._api.change("POST", f"/containers/{segment(container)}/exec", body=asked)
        with self._understood():
            place = f"/exec/{segment(str(answer['Id']))}"
        body = {"Detach": False, "Tty": False}
        async with self._api.stream("POST", f"{place}/start", body=body, open_timeout_s=_ALLOWANCE_S) as chunks:
            out, err = await said(chunks, self._id)
        code = await exit_code(partial(self._exec_ended, place))
        if code is None:
            raise TimedOut(f"Podman does not tell how {argv[0]} ended", engine=self._id)
        if code in {126, 127} and err.startswith(_NOT_STARTED[0]) and _NOT_STARTED[1] in err:
            title = f"There is no program {argv[0]} in the container"
            raise Unsupported(title, detail=err.decode("utf-8", "replace").strip(), engine=self._id)
        return ExecResult(code, out, err)

    async def check_health(self, container: str) -> Health:
        """Without systemd nothing runs the checks of a running container: one is run, and counts as any other."""
        raw = await self.inspect_raw(container)
        with self._understood():
            seen, timeout_s = inspected_container(raw, self._id), check_timeout_s(raw)
        by_itself = (await self._known()).capabilities.can(Capability.HEALTHCHECK)
        if timeout_s is None or seen.state is not ContainerState.RUNNING or by_itself:
            return seen.health
        answer = await self._api.get(
            f"/containers/{segment(container)}/healthcheck", timeout_s=timeout_s + _ALLOWANCE_S
        )
        with self._understood():
            return health_of(str(answer["Status"]))


__all__ = ["PodmanActing"]
