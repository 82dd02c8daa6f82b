"""The connection to one context of a kubeconfig: hello, paths, and answers that are not understood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from backends.engines.kubernetes_lacking import LACKING
from backends.engines.kubernetes_sdk import CALL_TIMEOUT_S, KubernetesSdk
from backends.engines.kubernetes_translate import NOT_UNDERSTOOD, Place, engine_info, place_of
from backends.links.reach import OF_NAMESPACE, SCHEME
from backends.model.capabilities import Capability, EngineInfo
from backends.model.errors import BackendError, Denied, NotFound, Protocol
from backends.model.ids import EngineId

METRICS = "/apis/metrics.k8s.io/v1beta1"
EVERY = "*"
"""The namespace that means all of them."""
_HELLO_S = 10.0


class KubernetesBase:
    """One context. namespace: whose Pods are seen, EVERY for all, "" = the one that the context names.

    kubeconfig: as $KUBECONFIG has it, "" = the usual place. Nothing is read or connected before `connect`.
    """

    def __init__(self, id: EngineId, context: str, namespace: str = "", *, kubeconfig: str = "") -> None:
        self._id = id
        self._context = context
        self._asked = namespace
        self._namespace = "" if namespace == EVERY else namespace
        self._sdk = KubernetesSdk(id, context, kubeconfig=kubeconfig)
        self._known: EngineInfo | None = None
        self._heard = "0"  # the newest resourceVersion that the server told of Pods

    @property
    def id(self) -> EngineId:
        """Who it is."""
        return self._id

    @property
    def endpoint(self) -> str:
        """Where it is, for people: the context and the namespace."""
        return f"{SCHEME}{self._context}" + (f"{OF_NAMESPACE}{self._asked}" if self._asked else "")

    @property
    def _everywhere(self) -> bool:
        return self._asked == EVERY

    async def connect(self) -> EngineInfo:
        """Read the kubeconfig anew, GET /version and whether the metrics API is served."""
        namespace = await self._sdk.open()
        self._heard = "0"  # the cluster may have been made anew
        if not self._asked:
            self._namespace = namespace
        _, version = await self._sdk.json("GET", "/version", timeout_s=_HELLO_S)
        lacking = dict(LACKING)
        if why := await self._no_metrics():
            lacking[Capability.STATS_API] = why
        with self._understood():
            self._known = engine_info(version, lacking)
        return self._known

    async def _no_metrics(self) -> str:
        """Why there are no stats, "" where there are."""
        try:
            await self._sdk.json("GET", METRICS, timeout_s=_HELLO_S)
        except NotFound:
            return "the cluster serves no metrics.k8s.io (metrics-server is not installed)"
        except Denied:
            return "your account may not read metrics.k8s.io"
        except BackendError as error:  # the API is registered, and what serves it does not answer
            return f"metrics.k8s.io does not answer ({error.title})"
        return ""

    async def close(self) -> None:
        """Close every connection."""
        await self._sdk.close()

    async def _connected(self) -> EngineInfo:
        """What the API server said when connected; connects where that was not done yet."""
        return self._known or await self.connect()

    async def _get(
        self, path: str, query: Mapping[str, str] | None = None, *, timeout_s: float = CALL_TIMEOUT_S
    ) -> Any:
        await self._connected()
        return (await self._sdk.json("GET", path, query or {}, timeout_s=timeout_s))[1]

    async def _pods(self, prefix: str = "/api/v1") -> str:
        """The path of the Pods that are seen; only once connected it is known of which namespace."""
        await self._connected()
        where = "" if self._everywhere else f"/namespaces/{quote(self._namespace, safe='')}"
        return f"{prefix}{where}/pods"

    async def _place(self, container: str) -> Place:
        """The place that an id or a name means. Raises NotFound where it can be none."""
        await self._connected()
        place = place_of(container, self._namespace)
        if place is None:
            raise self._nobody(container)
        return place

    def _nobody(self, container: str) -> NotFound:
        return NotFound(f"There is no container {container}", hint="`tranship ps` lists all.", engine=self._id)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """An answer of another shape than the API's is said, not a crash."""
        try:
            yield
        except NOT_UNDERSTOOD as error:
            detail = f"{type(error).__name__}: {error}"
            raise Protocol(
                "The cluster's answer does not follow Kubernetes' API", detail=detail, engine=self._id
            ) from error


def pod_path(place: Place) -> str:
    """The path of one Pod."""
    return f"/api/v1/namespaces/{quote(place.namespace, safe='')}/pods/{quote(place.pod, safe='')}"


__all__ = ["EVERY", "METRICS", "KubernetesBase", "pod_path"]
