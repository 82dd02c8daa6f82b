"""A Kubernetes API server for tests: what Tranship asks of one, answered over HTTP as the API says. No test.

No real one can be had from the package registries, so this stands in its place behind the official client. What it
answers is checked against Kubernetes' own schemas (tests/unit/kube), and kubectl talks to it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from tests.cluster.kubelet import Kubelet
from tests.cluster.store import KINDS, PODS, Json, Kind, Name, Store, now_text

VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.1", "gitCommit": "0" * 40, "gitTreeState": "clean",
           "buildDate": "2025-09-09T00:00:00Z", "goVersion": "go1.24.6", "compiler": "gc",
           "platform": "linux/amd64"}  # fmt: skip
_METRICS = "/apis/metrics.k8s.io/v1beta1"


class FakeCluster:
    """One cluster. metrics: metrics.k8s.io is served. forbidden: "VERB RESOURCE" that nobody may ("list pods").

    tls: serve with it. token: what proves who asks; another one is refused.
    """

    def __init__(self, *, metrics: bool = True, tls: ssl.SSLContext | None = None) -> None:
        self.store = Store()
        self.kubelet = Kubelet(self.store)
        self.metrics = metrics
        self.forbidden: set[str] = set()
        self.token = secrets.token_hex(8)
        self.asked: list[str] = []
        self._tls = tls
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    # -- its life --------------------------------------------------------------------------------
    async def start(self) -> None:
        """Listen, on the port that it had before."""
        app = web.Application(middlewares=[self._guarded])
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]
        for name in ("default", "train"):
            await self.store.put(Name(KINDS[4], "", name), {"status": {"phase": "Active"}})

    async def kill(self) -> None:
        """Nobody listens any more; what the cluster keeps stays."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def freeze(self) -> None:
        """Accept connections and say nothing."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Go on."""
        self._flowing.set()

    async def close(self) -> None:
        """End it with all that it runs."""
        self.thaw()
        await self.kill()
        await self.kubelet.close()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def kubeconfig(
        self, path: Path, *, namespace: str = "", user: Mapping[str, Any] | None = None, ca: str = ""
    ) -> str:
        """Write one with the context "lab"; returns its path. user: instead of the token. ca: a file."""
        cluster = {"server": self.url} | ({"certificate-authority": ca} if ca else {})
        context = {"cluster": "lab", "user": "me"} | ({"namespace": namespace} if namespace else {})
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": "me", "user": dict(user) if user is not None else {"token": self.token}}],
            "contexts": [{"name": "lab", "context": context}],
        }
        path.write_text(yaml.safe_dump(config))
        return str(path)

    # -- answering -------------------------------------------------------------------------------
    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        await self._flowing.wait()
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized", "Unauthorized")
        told: web.StreamResponse = await handler(request)
        return told

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path == "/version":
            return web.json_response(VERSION)
        if path in {"/api", "/apis"} or path == _METRICS or any(path == _root(kind.version) for kind in KINDS):
            return self._discovery(path)
        if path.startswith(_METRICS):
            return self._pod_metrics(request) if self.metrics else _status(404, "NotFound", "page not found")
        for kind in KINDS:
            if path.startswith(_root(kind.version) + "/"):
                words = path.removeprefix(_root(kind.version) + "/").split("/")
                namespace = words[1] if words[0] == "namespaces" and len(words) > 2 else ""
                rest = words[2:] if namespace else words
                if rest[0] == kind.plural:
                    return await self._resource(request, kind, namespace, rest[1:])
        return _status(404, "NotFound", "the server could not find the requested resource")

    def _discovery(self, path: str) -> web.Response:
        if path == "/api":
            return web.json_response({"kind": "APIVersions", "versions": ["v1"]})
        if path == "/apis":
            groups = [
                {"name": group, "versions": [{"groupVersion": f"{group}/v1", "version": "v1"}],
                 "preferredVersion": {"groupVersion": f"{group}/v1", "version": "v1"}}
                for group in ("apps", "batch")
            ]  # fmt: skip
            return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        if path == _METRICS and not self.metrics:
            return _status(404, "NotFound", "the server could not find the requested resource")
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        found = [
            {"name": kind.plural, "singularName": kind.kind.lower(), "kind": kind.kind, "namespaced": kind.namespaced,
             "verbs": verbs}
            for kind in KINDS
            if _root(kind.version) == path
        ]  # fmt: skip
        version = path.removeprefix("/apis/").removeprefix("/api/")
        return web.json_response(
            {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}
        )

    async def _resource(self, request: web.Request, kind: Kind, namespace: str, rest: list[str]) -> web.StreamResponse:
        verb = {"GET": "get" if rest else "list", "PATCH": "patch", "DELETE": "delete"}.get(request.method, "")
        verb = "watch" if verb == "list" and request.query.get("watch") == "true" else verb
        what = f"{kind.plural}/{rest[1]}" if len(rest) > 1 else kind.plural
        if f"{verb} {what}" in self.forbidden:
            user = 'User "ann" cannot'
            words = (
                f'{what} is forbidden: {user} {verb} resource "{what}" in API group "" in the namespace "{namespace}"'
            )
            return _status(403, "Forbidden", words)
        if kind.namespaced and request.method == "PATCH" and Name(KINDS[4], "", namespace) not in self.store.objects:
            return _status(404, "NotFound", f'namespaces "{namespace}" not found')
        if verb == "watch":
            return await self._watch(request, kind, namespace)
        if verb == "list":
            items = self.store.listed(kind, namespace)
            meta = {"resourceVersion": str(self.store.version)}
            limit = int(request.query.get("limit") or 0)
            return web.json_response(
                {"kind": f"{kind.kind}List", "apiVersion": kind.version, "metadata": meta,
                 "items": items[:limit] if limit else items}
            )  # fmt: skip
        name = Name(kind, namespace, rest[0])
        if verb == "patch":
            return await self._apply(request, name)
        if name not in self.store.objects:
            return _status(404, "NotFound", f'{kind.plural} "{name.name}" not found')
        if what == "pods/log":
            return await self._log(request, name)
        if verb == "delete":
            return await self._delete(name)
        return web.json_response(self.store.objects[name])

    async def _watch(self, request: web.Request, kind: Kind, namespace: str) -> web.StreamResponse:
        version = int(request.query.get("resourceVersion") or 0) or self.store.version
        wanted = request.query.get("fieldSelector", "").removeprefix("metadata.name=")
        told = web.StreamResponse(headers={"Content-Type": "application/json"})
        await told.prepare(request)
        for body in [] if request.query.get("resourceVersion") else self.store.listed(kind, namespace):
            await told.write(json.dumps({"type": "ADDED", "object": body}).encode() + b"\n")
        async for event in self.store.since(version):
            fits = event.name.kind == kind and namespace in {"", event.name.namespace}
            if fits and wanted in {"", event.name.name}:
                await told.write(json.dumps({"type": event.type, "object": event.object}).encode() + b"\n")
        gone = json.loads(_status(410, "Expired", f"too old resource version: {version}").body)  # type: ignore[arg-type]
        await told.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
        return told

    async def _log(self, request: web.Request, name: Name) -> web.StreamResponse:
        query = request.query
        container = query.get("container") or self.store.objects[name]["spec"]["containers"][0]["name"]
        log = self.kubelet.logs.get((name.namespace, name.name, container))
        if log is None:
            words = f'container "{container}" in pod "{name.name}" is waiting to start: ContainerCreating'
            return _status(400, "BadRequest", words)
        told = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await told.prepare(request)
        tail = int(query["tailLines"]) if "tailLines" in query else len(log.lines)
        since = datetime.fromisoformat(query["sinceTime"]) if "sinceTime" in query else datetime.fromtimestamp(0, UTC)
        start, before = max(0, len(log.lines) - tail), len(log.lines)
        at = start
        async for moment, line in log.after(start):
            if at >= before and query.get("follow") != "true":
                break
            at += 1
            if moment >= since:
                head = f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z ".encode() if query.get("timestamps") == "true" else b""
                await told.write(head + line)
            if at >= before and query.get("follow") != "true":
                break
        return told

    async def _delete(self, name: Name) -> web.Response:
        body = self.store.objects[name]
        if name.kind != PODS:
            await self.store.drop(name)
            return web.json_response({"kind": "Status", "apiVersion": "v1", "status": "Success"})
        body = body | {
            "metadata": body["metadata"] | {"deletionTimestamp": now_text(), "deletionGracePeriodSeconds": 30}
        }
        body = await self.store.put(name, body)
        self.kubelet.end(name)
        return web.json_response(body)

    async def _apply(self, request: web.Request, name: Name) -> web.Response:
        """Server-side apply, of whole objects by one manager at a time."""
        body = yaml.safe_load(await request.text())
        manager = request.query.get("fieldManager", "")
        old = self.store.objects.get(name)
        owner = old["metadata"].get("managedFields", [{}])[0].get("manager", "") if old else ""
        if request.content_type != "application/apply-patch+yaml" or not manager:
            return _status(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        if body.get("kind") != name.kind.kind or body["metadata"]["name"] != name.name:
            return _status(400, "BadRequest", "the name of the object does not match the name on the URL")
        if owner not in {"", manager} and request.query.get("force") != "true":
            words = f'Apply failed with 1 conflict: conflict with "{owner}": .spec'
            cause = {"reason": "FieldManagerConflict", "message": f'conflict with "{owner}"', "field": ".spec"}
            return _status(409, "Conflict", words, causes=[cause])
        if name.kind == PODS and not body["spec"].get("containers"):
            cause = {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.containers"}
            return _status(
                422, "Invalid", f'Pod "{name.name}" is invalid: spec.containers: Required value', causes=[cause]
            )
        meta = body["metadata"] | {"managedFields": [{"manager": manager, "operation": "Apply"}]}
        made = body | {"metadata": meta} | ({"status": old["status"]} if old and "status" in old else {})
        if request.query.get("dryRun") != "All":
            made = await self.store.put(name, made)
            if old is None:
                await self._controlled(name, made)
        return web.json_response(made, status=200 if old else 201)

    async def _controlled(self, name: Name, made: Json) -> None:
        """What a controller or the scheduler does with a new object: a Deployment or a Job has one Pod."""
        if name.kind == PODS:
            self.kubelet.run(name)
        elif "template" in (made.get("spec") or {}):
            template = made["spec"]["template"]
            meta = dict(template.get("metadata") or {})
            pod = Name(PODS, name.namespace, f"{name.name}-{secrets.token_hex(3)}")
            owner = {"apiVersion": name.kind.version, "kind": name.kind.kind, "name": name.name,
                     "uid": made["metadata"]["uid"], "controller": True}  # fmt: skip
            await self.store.put(pod, {"metadata": meta | {"ownerReferences": [owner]}, "spec": template["spec"]})
            self.kubelet.run(pod)

    def _pod_metrics(self, request: web.Request) -> web.Response:
        words = request.path.removeprefix(_METRICS + "/").split("/")
        namespace = words[1] if words[0] == "namespaces" else ""
        items = [
            {
                "metadata": {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]},
                "timestamp": now_text(),
                "window": "15.0s",
                "containers": [
                    {"name": one["name"], "usage": {"cpu": "250m", "memory": "64Mi"}}
                    for one in pod["spec"]["containers"]
                ],
            }
            for pod in self.store.listed(PODS, namespace)
        ]
        return web.json_response({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "items": items})


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _status(code: int, reason: str, message: str, *, causes: list[Json] | None = None) -> web.Response:
    body: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                  "reason": reason, "code": code}  # fmt: skip
    return web.json_response(body | ({"details": {"causes": causes}} if causes else {}), status=code)
