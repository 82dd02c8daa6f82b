"""What a Pod's JSON tells of one of its containers: environment, addresses, probes, secrets. Pure; asks no engine.

Source: Kubernetes API reference v1.34, Container and PodStatus v1 core.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backends.model.secrets import is_secret_name

_LISTS = ("containers", "initContainers", "ephemeralContainers")
_PROBES = {"startupProbe": "started", "readinessProbe": "ready", "livenessProbe": "alive"}
_SHORTEST_SECRET = 4
"""Letters: a shorter one is hidden where its name stands, not wherever these letters are."""
Raw = Mapping[str, object]


def is_pod(raw: Raw) -> bool:
    """Whether this is a Pod, and no engine's inspect JSON."""
    return raw.get("kind") == "Pod" and isinstance(raw.get("spec"), Mapping)


def container_of(raw: Raw, name: str) -> Mapping[str, Any]:
    """The container's part of the spec; empty where the Pod has none of this name."""
    return next((one for one in _containers(raw) if one.get("name") == name), {})


def _containers(raw: Raw) -> Iterator[Mapping[str, Any]]:
    spec = _map(raw.get("spec"))
    for key in _LISTS:
        yield from _maps(spec.get(key))


def pod_environment(raw: Raw, name: str) -> tuple[tuple[str, str], ...]:
    """(name, value) as the manifest says them; of a value from elsewhere, its place: "← secret db, key pw"."""
    own = container_of(raw, name)
    pairs = [(str(one.get("name") or ""), _value(one)) for one in _maps(own.get("env"))]
    for one in _maps(own.get("envFrom")):
        for key, word in (("secretRef", "secret"), ("configMapRef", "config map")):
            if held := _map(one.get(key)).get("name"):
                pairs.append((f"{one.get('prefix') or ''}*", f"← all of {word} {held}"))
    return tuple(sorted(pairs))


def _value(one: Mapping[str, Any]) -> str:
    source = _map(one.get("valueFrom"))
    for key, word in (("secretKeyRef", "secret"), ("configMapKeyRef", "config map")):
        if held := _map(source.get(key)):
            return f"← {word} {held.get('name')}, key {held.get('key')}"
    for key in ("fieldRef", "resourceFieldRef"):
        if held := _map(source.get(key)):
            return f"← {held.get('fieldPath') or held.get('resource')}"
    return str(one.get("value") or "")


def secret_values(raw: Raw) -> tuple[str, ...]:
    """Values of variables whose names look secret, the longest first: they stand in annotations too."""
    values = {
        str(pair.get("value") or "")
        for one in _containers(raw)
        for pair in _maps(one.get("env"))
        if is_secret_name(str(pair.get("name") or ""))
    }
    return tuple(sorted((value for value in values if value), key=len, reverse=True))


def hides(values: tuple[str, ...], text: str, mask: str) -> str:
    """A text with these values hidden."""
    for value in values:
        if text == value:
            return mask
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, mask)
    return text


def pod_addresses(raw: Raw) -> tuple[tuple[str, str], ...]:
    """(label, value): where the Pod is."""
    spec, status = _map(raw.get("spec")), _map(raw.get("status"))
    told = [
        ("node", spec.get("nodeName")),
        ("address", ", ".join(str(one.get("ip")) for one in _maps(status.get("podIPs"))) or status.get("podIP")),
        ("node's", status.get("hostIP")),
        ("network", "the node's own" if spec.get("hostNetwork") else ""),
        ("host name", spec.get("hostname")),
        ("account", spec.get("serviceAccountName")),
    ]
    return tuple((label, str(value)) for label, value in told if value)


def pod_probes(raw: Raw, name: str) -> tuple[tuple[str, str], ...]:
    """(what it tells, how): "ready", "GET :8080/health, each 10 s"."""
    own = container_of(raw, name)
    return tuple((word, _probe(_map(own.get(key)))) for key, word in _PROBES.items() if own.get(key))


def _probe(probe: Mapping[str, Any]) -> str:
    http, tcp, grpc = (_map(probe.get(key)) for key in ("httpGet", "tcpSocket", "grpc"))
    words = _map(probe.get("exec")).get("command")
    if http:
        how = f"GET :{http.get('port')}{http.get('path') or '/'}"
    elif tcp:
        how = f"TCP :{tcp.get('port')}"
    elif grpc:
        how = f"gRPC :{grpc.get('port')}"
    else:
        how = " ".join(map(str, words)) if isinstance(words, list) else "?"
    return f"{how}, each {probe.get('periodSeconds') or 10} s, {probe.get('failureThreshold') or 3} failures count"


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


__all__ = ["container_of", "hides", "is_pod", "pod_addresses", "pod_environment", "pod_probes", "secret_values"]
