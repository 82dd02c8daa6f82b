"""How to get from here to an engine's ports: which host, which `ssh -L` line, VS Code's address. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from backends.model.service_link import ServiceLink

SCHEME, OF_NAMESPACE = "kubernetes://", "?namespace="
"""Of a cluster's endpoint, which names a context of the kubeconfig and no host."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where one stands. engine_host: the engine's machine, "" = this one. ssh: what reaches it ("-p 2222 me@gpu01").

    browser_elsewhere: this terminal came over SSH, so the browser is on another machine. ssh_here: how that machine
    reaches this one ("me@gpu01").
    """

    engine_host: str = ""
    ssh: str = ""
    browser_elsewhere: bool = False
    ssh_here: str = ""


def ground_of(endpoint: str, env: Mapping[str, str], *, user: str, machine: str) -> Ground:
    """endpoint: the engine's, as people read it. user, machine: who is here, on which host."""
    elsewhere = bool(env.get("SSH_CONNECTION"))
    address = env.get("SSH_CONNECTION", "").split(" ")
    here = f"{user}@{address[2] if len(address) == 4 else machine}" if elsewhere else ""
    try:
        told = urlsplit(endpoint)
        host, port = told.hostname or "", told.port
    except ValueError:
        return Ground(browser_elsewhere=elsewhere, ssh_here=here)
    if told.scheme not in {"ssh", "tcp", "http", "https"} or not host or host in {"localhost", "127.0.0.1", "::1"}:
        return Ground(browser_elsewhere=elsewhere, ssh_here=here)
    way = shlex.quote(f"{told.username}@{host}" if told.username else host)
    if told.scheme == "ssh" and port is not None:
        way = f"-p {port} {way}"
    return Ground(host, way, elsewhere, here)


def tunnel_line(link: ServiceLink, ground: Ground) -> str:
    """The line, to be typed where the browser is, that brings the link's port there; "" where none is needed."""
    if link.port is None:
        return ""
    forward = f"-L {link.port}:127.0.0.1:{link.port}"
    if ground.engine_host:
        return f"ssh -N {forward} {ground.ssh}"
    return f"ssh -N {forward} {shlex.quote(ground.ssh_here)}" if ground.browser_elsewhere else ""


def forward_line(port: int, container: str, endpoint: str) -> str:
    """The line that brings a port of a Pod to this machine, for `endpoint` of its cluster and the container's id."""
    context = endpoint.removeprefix(SCHEME).partition(OF_NAMESPACE)[0]
    namespace, pod, *_ = container.split("/")
    where = f"--context {shlex.quote(context)} -n {shlex.quote(namespace)}"
    return f"kubectl {where} port-forward {shlex.quote(f'pod/{pod}')} {port}"


def attach_address(name: str, workdir: str, endpoint: str) -> str:
    """VS Code's address of a running container, for `code --folder-uri`.

    Source: the Dev Containers extension's attached-container authority: hex of JSON with the container's name.
    """
    where: dict[str, object] = {"containerName": f"/{name}"}
    if endpoint.startswith(("unix://", "ssh://", "tcp://")):
        where["settings"] = {"host": endpoint}
    authority = json.dumps(where, separators=(",", ":"), ensure_ascii=True).encode().hex()
    return f"vscode-remote://attached-container+{authority}{quote(workdir or '/')}"
