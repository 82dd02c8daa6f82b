"""Pure: what the environment and the engines' own files say about where engines are. Opens nothing.

Sources: docker CLI (DOCKER_HOST, DOCKER_CONTEXT, config.json, contexts/meta/*/meta.json), docker-machine-style
DOCKER_TLS_VERIFY and DOCKER_CERT_PATH; containers.conf(5) and podman-system-connection(1) for Podman.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from backends.model.ids import EngineKind
from backends.wire.endpoint import REMOTE_DOCKER_SOCKET, Endpoint, Scheme, TlsFiles

ENGINES_VARIABLE = "TRANSHIP_ENGINES"
DOCKER_SOCKET = "/var/run/docker.sock"
PODMAN_SOCKET = "/run/podman/podman.sock"


@dataclass(frozen=True, slots=True)
class Texts:
    """Contents of the files that matter, "" where there is none. containers_conf: in order of rising precedence.

    docker_context_meta: of the current context; docker_contexts: of every one.
    """

    docker_config: str = ""
    docker_context_meta: str = ""
    podman_connections: str = ""
    containers_conf: tuple[str, ...] = ()
    docker_contexts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where an engine may be.

    source: who says so, for people. explicit: a person named it, so it is kept even where nothing answers now.
    problem: why it cannot be used at all ("" where it can); then endpoint is None, and hint is the next step.
    """

    kind: EngineKind
    name: str
    endpoint: Endpoint | None
    source: str
    explicit: bool = True
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the files are that Texts holds."""

    docker_config: str
    docker_contexts: str
    podman_connections: str
    containers_conf: tuple[str, ...] = field(default=())


def paths(environ: Mapping[str, str]) -> Paths:
    """The files that Docker's and Podman's own command lines read."""
    home = environ.get("HOME") or "/"
    docker = environ.get("DOCKER_CONFIG") or f"{home}/.docker"
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    override = environ.get("CONTAINERS_CONF")
    return Paths(
        f"{docker}/config.json",
        f"{docker}/contexts",
        environ.get("PODMAN_CONNECTIONS_CONF") or f"{config}/containers/podman-connections.json",
        (override,)
        if override
        else (
            "/usr/share/containers/containers.conf",
            "/etc/containers/containers.conf",
            f"{config}/containers/containers.conf",
        ),
    )


def docker_context(environ: Mapping[str, str], docker_config: str) -> str:
    """The name of Docker's current context, "" for the default one. DOCKER_HOST overrides it, as with `docker`."""
    if environ.get("DOCKER_HOST"):
        return ""
    name = environ.get("DOCKER_CONTEXT") or _json(docker_config).get("currentContext") or ""
    return "" if name == "default" else str(name)


def context_directory(name: str) -> str:
    """The directory below contexts/meta and contexts/tls (docker CLI: the SHA-256 of the name)."""
    return sha256(name.encode()).hexdigest()


def candidates(environ: Mapping[str, str], texts: Texts) -> list[Candidate]:
    """Every place to look at, those named by a person first."""
    return [
        *_extra(environ),
        *_docker(environ, texts),
        *_podman(environ, texts),
    ]


def _json(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _candidate(
    kind: EngineKind, name: str, url: str, source: str, *, tls: TlsFiles | None = None, identity: str = ""
) -> Candidate:
    far = REMOTE_DOCKER_SOCKET if kind is EngineKind.DOCKER else ""
    try:
        return Candidate(kind, name, Endpoint.parse(url, tls, identity=identity, far_socket=far), source)
    except ValueError as error:
        return Candidate(kind, name, None, source, problem=f"{source}: {error}", hint=f"Correct it: {source}.")


def _extra(environ: Mapping[str, str]) -> Iterator[Candidate]:
    """ "name=kind+url,…", e.g. "podman-rootless=podman+unix:///run/user/1000/podman/podman.sock"."""
    for item in environ.get(ENGINES_VARIABLE, "").split(","):
        text = item.strip()
        if not text:
            continue
        name, equals, rest = text.partition("=")
        word, plus, url = rest.partition("+")
        if not equals or not plus or word not in {EngineKind.DOCKER.value, EngineKind.PODMAN.value}:
            problem = f"{ENGINES_VARIABLE}: {text!r} is not name=docker+URL or name=podman+URL"
            hint = f"Correct {ENGINES_VARIABLE}."
            yield Candidate(
                EngineKind.DOCKER, name.strip() or "engine", None, ENGINES_VARIABLE, problem=problem, hint=hint
            )
            continue
        yield _candidate(EngineKind(word), name.strip(), url, ENGINES_VARIABLE)


def _docker(environ: Mapping[str, str], texts: Texts) -> Iterator[Candidate]:
    host = environ.get("DOCKER_HOST", "")
    if host:
        yield _candidate(EngineKind.DOCKER, "docker", host, "DOCKER_HOST", tls=_docker_tls(environ))
    context = docker_context(environ, texts.docker_config)
    if context:
        yield _from_context(context, texts.docker_context_meta, environ)
    for meta in texts.docker_contexts:
        name = _json(meta).get("Name")
        if isinstance(name, str) and name and name != context:
            other = _from_context(name, meta, environ, named=name)
            # Contexts that Docker Desktop and rootless Docker leave behind name sockets that are long gone.
            unix = other.endpoint is not None and other.endpoint.scheme is Scheme.UNIX
            yield replace(other, explicit=not unix)
    yield Candidate(EngineKind.DOCKER, "docker", Endpoint.parse(DOCKER_SOCKET), "the default socket", explicit=False)
    runtime = _runtime(environ)
    if runtime:
        endpoint = Endpoint.parse(f"{runtime}/docker.sock")
        yield Candidate(EngineKind.DOCKER, "docker-rootless", endpoint, "the rootless socket", explicit=False)


def _runtime(environ: Mapping[str, str]) -> str:
    """XDG_RUNTIME_DIR, "" where it is not absolute: the XDG base directory specification says to ignore that."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    return runtime if runtime.startswith("/") else ""


def _docker_tls(environ: Mapping[str, str]) -> TlsFiles | None:
    """As docker CLI: certificates are used where DOCKER_TLS_VERIFY or DOCKER_CERT_PATH is set."""
    folder = environ.get("DOCKER_CERT_PATH", "")
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not folder and not verify:
        return None
    folder = folder or str(PurePosixPath(paths(environ).docker_config).parent)
    return TlsFiles(f"{folder}/ca.pem", f"{folder}/cert.pem", f"{folder}/key.pem", verify)


def _from_context(name: str, meta: str, environ: Mapping[str, str], *, named: str = "docker") -> Candidate:
    """named: what the engine is called in the fleet; the current context is plain "docker"."""
    source = f"Docker context {name}"
    ends = _json(meta).get("Endpoints")
    docker = ends.get("docker") if isinstance(ends, dict) else None
    host = docker.get("Host") if isinstance(docker, dict) else None
    if not isinstance(docker, dict) or not isinstance(host, str) or not host:
        problem = f"The Docker context {name} has no readable endpoint"
        hint = "`docker context ls` shows what there is; choose by DOCKER_CONTEXT or `docker context use`."
        return Candidate(EngineKind.DOCKER, named, None, source, problem=problem, hint=hint)
    tls = None
    if not host.startswith(("unix:", "ssh:")):
        folder = f"{paths(environ).docker_contexts}/tls/{context_directory(name)}/docker"
        verify = not docker.get("SkipTLSVerify")
        if host.startswith("https:") or docker.get("TLS") or host.endswith(":2376"):
            tls = TlsFiles(f"{folder}/ca.pem", f"{folder}/cert.pem", f"{folder}/key.pem", verify)
    return _candidate(EngineKind.DOCKER, named, host, source, tls=tls)


def _podman(environ: Mapping[str, str], texts: Texts) -> Iterator[Candidate]:
    host = environ.get("CONTAINER_HOST", "")
    if host:
        identity = environ.get("CONTAINER_SSHKEY", "")
        yield _candidate(EngineKind.PODMAN, "podman", host, "CONTAINER_HOST", identity=identity)
    for name, (url, identity) in _connections(texts).items():
        yield _candidate(EngineKind.PODMAN, name, url, f"Podman connection {name}", identity=identity)
    yield Candidate(EngineKind.PODMAN, "podman", Endpoint.parse(PODMAN_SOCKET), "the default socket", explicit=False)
    runtime = _runtime(environ)
    if runtime:
        endpoint = Endpoint.parse(f"{runtime}/podman/podman.sock")
        yield Candidate(EngineKind.PODMAN, "podman-rootless", endpoint, "the rootless socket", explicit=False)


def _connections(texts: Texts) -> dict[str, tuple[str, str]]:
    """name → (URL, identity): containers.conf's service_destinations, overridden by podman-connections.json."""
    found: dict[str, tuple[str, str]] = {}
    for text in texts.containers_conf:
        try:
            engine = tomllib.loads(text).get("engine", {})
        except (tomllib.TOMLDecodeError, RecursionError):  # brackets may nest too deep
            continue  # Podman itself refuses to run with it and says where; it names no engine for us
        found |= _entries(engine.get("service_destinations") if isinstance(engine, dict) else None, "uri")
    connection = _json(texts.podman_connections).get("Connection")
    found |= _entries(connection.get("Connections") if isinstance(connection, dict) else None, "URI")
    return found


def _entries(table: object, key: str) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name, entry in (table if isinstance(table, dict) else {}).items():
        if isinstance(entry, dict) and isinstance(entry.get(key), str):
            identity = entry.get("identity" if key == "uri" else "Identity")
            found[str(name)] = (entry[key], identity if isinstance(identity, str) else "")
    return found
