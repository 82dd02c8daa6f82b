"""A small registry that behaves as badly as a test wants, reachable where the real engines are. No test.

The first part of a repository's name says what is wrong with it ("denied/box"); "box/…" is well.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import ssl
import tarfile
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.loopback import engines_pid, reachable
from tests.real import RealEngines, host_port

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
USER, SECRET = "ann", "s3cret-of-the-test"
AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
PIECE_BYTES = 64 * 1024

_REFUSALS = {
    "unauthorized": (401, "UNAUTHORIZED", "authentication required"),
    "denied": (403, "DENIED", "requested access to the resource is denied"),
    "busy": (429, "TOOMANYREQUESTS", "You have reached your pull rate limit"),
    "broken": (503, "UNAVAILABLE", "service unavailable"),
}


def digest_of(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


class FakeRegistry:
    """layers: of its one image, each of `layer_bytes` random bytes. held: blobs stop half-way until it is set.

    private: every repository wants USER and SECRET. address: "127.0.0.1:PORT", as the engines see it.
    """

    def __init__(self, *, layers: int = 2, layer_bytes: int = 2000, private: bool = False) -> None:
        self.address = ""
        self.private = private
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.pieces_s = 0.0
        self.open_blobs = 0
        self.asked: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        tars = [_layer(f"data/{at}", os.urandom(layer_bytes)) for at in range(layers)]
        self.layers = [digest_of(tar) for tar in tars]
        self.big = self.layers[-1]
        config = self._blob(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Cmd": ["true"]},
                "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in tars]},
            }
        )
        kind = "application/vnd.docker.image.rootfs.diff.tar"
        told = [{"mediaType": kind, "size": len(tar), "digest": digest_of(tar)} for tar in tars]
        self.blobs |= {digest_of(tar): tar for tar in tars}
        config["mediaType"] = "application/vnd.docker.container.image.v1+json"
        one = self._manifest(
            "1", MANIFEST, {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": told}
        )
        platforms = [
            {"os": "linux", "architecture": "amd64"},
            {"os": "linux", "architecture": "arm64", "variant": "v8"},
        ]
        listed = [{"mediaType": MANIFEST, **one, "platform": platform} for platform in platforms]
        self._manifest("many", INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed})

    def _blob(self, value: object) -> dict[str, object]:
        blob = json.dumps(value).encode()
        self.blobs[digest_of(blob)] = blob
        return {"size": len(blob), "digest": digest_of(blob)}

    def _manifest(self, tag: str, kind: str, value: object) -> dict[str, object]:
        blob = json.dumps(value).encode()
        self.manifests[tag] = self.manifests[digest_of(blob)] = (kind, blob)
        return {"size": len(blob), "digest": digest_of(blob)}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        name, _, what = request.match_info["rest"].rpartition(
            "/manifests/" if "/manifests/" in request.path else "/blobs/"
        )
        if self.private and request.headers.get("Authorization") != AUTHORIZATION:
            return _refused(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": 'Basic realm="test"'})
        if not name:
            return web.json_response({})
        refusal = _REFUSALS.get(name.partition("/")[0])
        if refusal is not None:
            more = {"WWW-Authenticate": 'Basic realm="test"'} if refusal[0] == 401 else {}
            return _refused(*refusal, {**more, **({"Retry-After": "0"} if refusal[0] == 429 else {})})
        if "/manifests/" in request.path:
            if name.startswith("absent/") or what not in self.manifests:
                return _refused(404, "MANIFEST_UNKNOWN", "manifest unknown", {})
            kind, blob = self.manifests[what]
            return web.Response(body=blob, headers={"Docker-Content-Digest": digest_of(blob)}, content_type=kind)
        if what not in self.blobs:
            return _refused(404, "BLOB_UNKNOWN", "blob unknown to registry", {})
        return await self._blob_out(request, what, wrong=name.startswith("wrong/"))

    async def _blob_out(self, request: web.Request, digest: str, *, wrong: bool) -> web.StreamResponse:
        blob = self.blobs[digest]
        if wrong:
            blob = bytes(len(blob))
        response = web.StreamResponse(headers={"Content-Length": str(len(blob))})
        await response.prepare(request)
        self.open_blobs += 1
        try:
            for start in range(0, len(blob), PIECE_BYTES):
                if start >= len(blob) // 2:
                    await self.flowing.wait()
                await response.write(blob[start : start + PIECE_BYTES])
                await asyncio.sleep(self.pieces_s)
        finally:
            self.open_blobs -= 1
        return response

    @asynccontextmanager
    async def served(
        self, engines: RealEngines, context: ssl.SSLContext | None = None, *, pid: int | None = None
    ) -> AsyncIterator[FakeRegistry]:
        """While the context stands, it answers at `address` in the engines' network namespace, or that of a process."""
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/v2/{rest:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        with tempfile.TemporaryDirectory(prefix="tr-", dir="/tmp") as folder:
            door = Path(folder) / "door"
            await web.UnixSite(runner, str(door), ssl_context=context).start()
            port = host_port()
            async with reachable(pid or engines_pid(engines.dir), port, door):
                self.address = f"127.0.0.1:{port}"
                yield self
            self.flowing.set()
            await runner.cleanup()


def _refused(status: int, code: str, words: str, headers: dict[str, str]) -> web.Response:
    return web.json_response({"errors": [{"code": code, "message": words}]}, status=status, headers=headers)


def _layer(name: str, content: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return made.getvalue()
