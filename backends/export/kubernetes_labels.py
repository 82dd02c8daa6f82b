"""Labels and annotations of a Pod from a recipe's labels. Pure; used by `kubernetes_pod`.

Source: Kubernetes, "Labels and Selectors", "Annotations"; podman, libpod/define/annotations.go (5.4).
"""

from __future__ import annotations

import re

from backends.export.compose_service import COMPOSE_LABELS
from backends.export.kubernetes_parts import Body, Place
from backends.model.workload import WorkloadSpec

NAME_LABEL = "app.kubernetes.io/name"
"""By which Services and workloads find their Pods."""

_PODMAN = "io.podman.annotations."
_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_DNS = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
_KEY = re.compile(rf"(?:(?P<prefix>{_DNS})/)?{_WORD}")
_VALUE = re.compile(rf"(?:{_WORD})?")


def fit_key(key: str) -> bool:
    """Whether Kubernetes takes it as a label's or an annotation's."""
    match = _KEY.fullmatch(key)
    return match is not None and len(match["prefix"] or "") <= 253


def labels(spec: WorkloadSpec, place: Place) -> tuple[Body, Body]:
    """Those that are labels there too, and those that can only be annotations."""
    as_labels: Body = {}
    as_annotations: Body = {}
    for key, value in spec.labels.items():
        if key.startswith(COMPOSE_LABELS):
            continue
        if (not fit_key(key) and not place.podman) or key == NAME_LABEL:
            place.ledger.cannot(place.who, "labels", f"the label {key}, whose name Kubernetes does not take")
        elif place.podman or _VALUE.fullmatch(value):
            as_labels[key] = value
        else:
            as_annotations[key] = value
            place.ledger.differs(
                place.who, "labels", f"the label {key} is an annotation, since its value is no label's"
            )
    return as_labels, as_annotations


def notes(spec: WorkloadSpec, name: str, place: Place) -> Body:
    """The recipe's own, and for Podman what only Podman reads. name: of the container in its Pod."""
    made: Body = {}
    for key, value in spec.process.annotations.items():
        if place.podman or fit_key(key):
            made[key] = value
        else:
            place.ledger.cannot(place.who, "process.annotations", f"the annotation {key}")
    if not place.podman:
        return made
    if spec.process.init:
        made[f"{_PODMAN}init/{name}"] = "TRUE"
    if spec.process.auto_remove:
        made[f"{_PODMAN}autoremove/{name}"] = "TRUE"
    if spec.security.seccomp == "unconfined":
        made[f"{_SECCOMP}{name}"] = made[f"{_PODMAN}seccomp/{name}"] = "unconfined"
    if "disable" in spec.security.selinux:
        made[f"{_PODMAN}label/{name}"] = "disable"
    if spec.namespaces.user:
        made[f"{_PODMAN}userns"] = spec.namespaces.user
    if spec.resources.ulimits:
        made[f"{_PODMAN}ulimit"] = ",".join(f"{one.name}={one.soft}:{one.hard}" for one in spec.resources.ulimits)
    return made


__all__ = ["NAME_LABEL", "fit_key", "labels", "notes"]
