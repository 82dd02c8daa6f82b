"""A Kubernetes cluster as an engine: Pods seen and removed, manifests applied. Knows nothing of any other engine.

What an engine does and a cluster does not is refused by one table (kubernetes_lacking.py).
"""

from __future__ import annotations

from typing import Any, cast

from backends.engine import Engine
from backends.engines.kubernetes_apply import KubernetesApply
from backends.engines.kubernetes_base import pod_path
from backends.engines.kubernetes_lacking import METHODS, refusing
from backends.model.errors import Conflict
from backends.model.ids import EngineId


class KubernetesEngine(KubernetesApply):
    """One context of a kubeconfig. As a backends.engine.Engine: made by `kubernetes_engine`."""

    async def remove(self, container: str, *, force: bool = False, volumes: bool = False) -> None:  # noqa: ARG002 - claims stay
        """Remove its Pod, with all containers of it, in the time that the Pod itself allows for its end.

        What made the Pod (a Deployment, a Job) makes another. Conflict where it runs, unless force.
        """
        row = await self.inspect_container(container)
        place = await self._place(row.key.id)
        if row.state.alive and not force:
            raise Conflict(f"{row.name} is {row.state.value}", hint="Remove it by force.", engine=self._id)
        await self._sdk.json("DELETE", pod_path(place))

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            return refusing(self._id, name)
        raise AttributeError(name)


def kubernetes_engine(id: EngineId, context: str, namespace: str = "", *, kubeconfig: str = "") -> Engine:
    """The engine of a context; see KubernetesBase."""
    return cast(Engine, KubernetesEngine(id, context, namespace, kubeconfig=kubeconfig))


__all__ = ["KubernetesEngine", "kubernetes_engine"]
