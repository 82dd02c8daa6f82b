"""The official Kubernetes client, kept off the event loop and behind the error tree. Its objects end in this module.

Of the client this takes what is hard: kubeconfigs with their login programs, tokens that are renewed, certificates,
proxies, and how each request proves who asks. Answers are read as plain JSON: the client's models refuse values that
a newer server has.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from backends.engines.daemon_threads import Worker, in_thread
from backends.engines.kubernetes_errors import from_answer, late, tls_failed, unreachable
from backends.model.errors import BackendError, Denied, NotFound, Protocol, Unsupported
from backends.model.ids import EngineId

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

T = TypeVar("T")

CALL_TIMEOUT_S = 20.0
_CONNECT_S = 8.0
_AT_ONCE = 8
_PIECE_BYTES = 64 * 1024
_BODY_BYTES = 256 << 20
"""The most that is read of one answer: a list of 30,000 Pods takes about half of it."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
JSON = "application/json"


class KubernetesSdk:
    """One context of the kubeconfig. kubeconfig: as $KUBECONFIG has it, "" = the usual place.

    host: the API server's address, known once it was opened.
    """

    def __init__(self, engine: EngineId, context: str, *, kubeconfig: str = "") -> None:
        self._engine = engine
        self._context = context
        self._kubeconfig = kubeconfig
        self._api: ApiClient | None = None
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self.host = f"the cluster of context {context}"

    async def open(self) -> str:
        """Read the kubeconfig (again); returns the context's namespace, "default" where it names none.

        Raises Unsupported where the client is not installed, NotFound where there is no such context, Denied where
        its login program gives nothing.
        """
        api, namespace = await self._run(self._made)
        stale, self._api = self._api, api
        if stale is not None:
            await self._run(stale.close)
        return namespace

    async def json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] = _NOTHING,
        *,
        body: object = None,
        content_type: str = JSON,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> tuple[int, Any]:
        """The status (2xx) and the JSON of an answer. Raises errors of our tree only."""

        def ask() -> tuple[int, Any]:
            told = self._asked(method, path, query, body, content_type, (_CONNECT_S, timeout_s))
            content = told.read(_BODY_BYTES)
            told.release_conn()
            try:
                return told.status, json.loads(content)
            except (ValueError, RecursionError) as error:
                title = "The cluster's answer is not JSON"
                raise Protocol(title, detail=f"{path}: {error}", engine=self._engine) from error

        try:
            async with asyncio.timeout(timeout_s):
                return await self._run(ask)
        except TimeoutError as error:
            raise late(self.host, self._engine, timeout_s) from error

    @asynccontextmanager
    async def stream(self, path: str, query: Mapping[str, str] = _NOTHING) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of an answer that goes on, as they come. Leaving closes its connection, whoever waits for it."""
        worker, opened = Worker(f"stream-{self._engine}"), list[Any]()

        def open_it() -> None:
            told = self._asked("GET", path, query, None, JSON, (_CONNECT_S, CALL_TIMEOUT_S))
            opened.append(told)
            socket = getattr(told.connection, "sock", None)
            if socket is not None:  # it is the answer's alone where the server closes after it
                socket.settimeout(None)  # from here on silence is no fault

        def close_it() -> None:
            for told in opened:
                told.close()

        try:
            try:
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    await worker.run(lambda: self._guarded(open_it))
            except TimeoutError as error:
                raise late(self.host, self._engine, CALL_TIMEOUT_S) from error
            yield self._pieces(worker, opened[0])
        finally:
            for told in opened:
                _shut(told)
            worker.end(close_it)

    async def _pieces(self, worker: Worker, told: Any) -> AsyncIterator[bytes]:
        while piece := await worker.run(lambda: self._guarded(lambda: told.read1(_PIECE_BYTES))):
            yield cast(bytes, piece)

    async def close(self) -> None:
        """Close the client's connections; safe to call twice."""
        api, self._api = self._api, None
        if api is not None:
            await self._run(api.close)

    async def _run(self, act: Callable[[], T]) -> T:
        """In a thread of its own: calls are few, and one that hangs is in nobody's way."""
        async with self._turns:
            return await in_thread(f"call-{self._engine}", lambda: self._guarded(act))

    # -- in the thread ---------------------------------------------------------------------------
    def _asked(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: object,
        content_type: str,
        timeouts_s: tuple[float, float | None],
    ) -> Any:
        """urllib3's answer of status 2xx, its content unread."""
        api = self._api
        assert api is not None, "open() comes first"
        headers = {"Accept": "application/json, */*"} | ({"Content-Type": content_type} if body is not None else {})
        asked = api.param_serialize(
            method, path, query_params=list(query.items()), header_params=headers, body=body,
            auth_settings=["BearerToken"],
        )  # fmt: skip
        told = api.call_api(*asked, _request_timeout=timeouts_s).response
        if not 200 <= told.status <= 299:
            words = told.read(_PIECE_BYTES)
            told.release_conn()
            raise from_answer(told.status, words, self._engine, self._context)
        return told

    def _made(self) -> tuple[ApiClient, str]:
        try:
            from kubernetes import client, config
            from kubernetes.config import exec_provider, kube_config
            from yaml import YAMLError
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "kubernetes":
                raise
            hint = "Install it: pip install 'tranship[kubernetes]' (or: uv tool install 'tranship[kubernetes]')."
            raise Unsupported("The Kubernetes client is not installed", hint=hint, engine=self._engine) from error
        # Login programs are asked without the terminal, which is the screen's.
        exec_provider.sys = SimpleNamespace(stdout=None, stderr=None, stdin=None, platform=sys.platform)
        place = self._kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
        try:
            merged = kube_config.KubeConfigMerger(place).config
            known = {str(one["name"]): one.get("context") or {} for one in _listed(merged, "contexts")}
            if self._context not in known:
                raise self._no_context(place, sorted(known))
            settings = client.Configuration()
            settings.retries = False
            api = config.new_client_from_config(place, self._context, client_configuration=settings)
        except (config.ConfigException, YAMLError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
            hint = "Look at it with `kubectl config view`."
            raise Protocol(f"{place} cannot be used", detail=str(error), hint=hint, engine=self._engine) from error
        self.host = settings.host
        user = next((one for one in _listed(merged, "users") if one["name"] == known[self._context].get("user")), {})
        program = ((user.get("user") or {}).get("exec") or {}).get("command")
        if program and not settings.api_key and not settings.cert_file:
            hint = f"See what it says: kubectl --context {self._context} get pods. Tranship tries again by itself."
            raise Denied(f"The login program {program} gave no credentials", hint=hint, engine=self._engine)
        return api, str(known[self._context].get("namespace") or "default")

    def _no_context(self, place: str, known: list[str]) -> NotFound:
        hint = f"There are: {', '.join(known)}." if known else "Set KUBECONFIG, or log in to a cluster first."
        return NotFound(f"{place} has no context “{self._context}”", hint=hint, engine=self._engine)

    def _guarded(self, act: Callable[[], T]) -> T:
        """The client's, urllib3's and the system's exceptions become ours."""
        try:
            return act()
        except BackendError:
            raise
        except Exception as error:
            raise self._ours(error) from error

    def _ours(self, error: Exception) -> BaseException:
        from kubernetes.client import ApiException
        from urllib3 import exceptions

        words = str(error)
        if isinstance(error, ApiException) and not error.status:
            return tls_failed(str(error.reason), self.host, self._engine)
        if isinstance(error, ApiException):
            return Protocol("The call to Kubernetes failed", detail=words, engine=self._engine)
        if isinstance(error, (exceptions.SSLError, exceptions.ProxyError)) and "SSL" in words:
            return tls_failed(words, self.host, self._engine)
        timed_out = (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError)
        if isinstance(error, timed_out) and not isinstance(error, exceptions.NewConnectionError):
            return late(self.host, self._engine)
        if isinstance(error, (exceptions.HTTPError, OSError)):
            return unreachable(words, self.host, self._engine)
        return error


def _listed(merged: Any, key: str) -> list[dict[str, Any]]:
    """The named entries of a merged kubeconfig: contexts, users. merged: None where there is no file."""
    entries = merged.value[key] if merged is not None else []
    return [one.value for one in entries if "name" in one.value]


def _shut(told: Any) -> None:
    """End a read that another thread is in."""
    with suppress(ValueError, RuntimeError, OSError):  # it has ended by itself
        told.shutdown()


__all__ = ["CALL_TIMEOUT_S", "JSON", "KubernetesSdk"]
