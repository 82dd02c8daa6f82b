"""A trail for pictures and tests of the screen: some days of work, always the same. Holds no test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from backends.services.audit_file import AuditFiles

_WHO = {"user": "ann", "uid": 1000, "ssh_from": None, "sudo_user": None}
_FAR = {"user": "root", "uid": 0, "ssh_from": "10.20.0.7", "sudo_user": "ben"}
_WEB, _TRAIN, _IMAGE = "4f1c" * 16, "9be2" * 16, "c0de" * 16
_DIGEST = f"docker.io/vllm/vllm-openai@sha256:{'d1ce' * 16}"
_PLAN = {
    "from": "docker",
    "to": "podman",
    "name": "web",
    "image": {"action": "ship", "way": "registry", "name": "docker.io/library/nginx:1.27"},
    "volumes": ["web-data as web-data: copy"],
    "steps": ["bring the image", "copy web-data", "stop web on docker", "create web", "start web", "verify"],
    "findings": ["warn: the port 80 needs root on podman-rootless"],
}
_ENGINES = {"docker": ("29.1.2", "unix:///run/docker.sock"), "podman": ("5.7.0", "unix:///run/podman/podman.sock")}


def _line(at: str, action: str, engine: str, subject: str, outcome: str = "done", **more: Any) -> dict[str, Any]:
    version, address = _ENGINES[engine]
    facts = {"engine_kind": engine, "engine_version": version, "engine_address": address, "pid": 4711, "operation": 1}
    base = {"at": f"2026-11-{at}.000+00:00", "who": _WHO, "host": "gpu01", "tranship": "0.1.0", **facts}
    return {**base, "action": action, "engine": engine, "subject": subject, "outcome": outcome, **more}


def write_trail(path: Path, *, times: int = 1, change: Callable[[Any], Any] = lambda line: line) -> None:
    """Write the lines, so many times, into the trail at `path`. change: made to each line."""
    ran = {"engine": "docker", "id": _TRAIN, "name": "vllm", "image": "vllm/vllm-openai:v0.7.0", "image_id": _IMAGE}
    moved = {
        "engine": "podman",
        "id": _WEB,
        "name": "web",
        "image": "nginx:1.27",
        "image_id": _IMAGE,
        "state": "running",
    }
    oom = {"error": "Conflict", "title": "the port 8000 is taken on the host"}
    lines = [
        _line("20T08:12:40", "image.pull", "docker", "docker.io/vllm/vllm-openai:v0.7.0", object={"digest": _DIGEST}),
        _line("20T08:14:02", "container.run", "docker", "vllm", "failed", **oom),
        _line(
            "20T08:15:31", "container.run", "docker", "vllm", container=_TRAIN, result="vllm runs on docker",
            plan={"image": "vllm:v0.7.0", "command": "serve --api-key •••• --port 8001", "env": ["HF_TOKEN"]},
            deployed={**ran, "digests": [_DIGEST], "state": "running"},
        ),
        _line("23T17:40:09", "container.exec", "docker", "vllm", "started", plan={"command": "nvidia-smi"}, who=_FAR),
        _line("23T17:40:10", "container.exec", "docker", "vllm", plan={"command": "nvidia-smi"}, who=_FAR),
        _line("26T06:00:00", "container.backup", "docker", "web", result="web is in /srv/web.backup"),
        _line(
            "27T09:30:12", "container.migrate", "docker", "web", container=_WEB, result="web is on podman as web",
            plan=_PLAN, report={"equal": True, "checks": 41, "moved_bytes": 48_120_331, "downtime_s": 1.204},
            deployed={**moved, "digests": []},
        ),
        _line("27T09:41:55", "registry.login", "podman", "ghcr.io", who=_FAR),
        _line("28T07:02:18", "container.stop", "docker", "web", "cancelled"),
    ]  # fmt: skip
    files = AuditFiles(path)
    for _ in range(times):
        for one in lines:
            files.append(change(one))
