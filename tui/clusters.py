"""From what a person names ("prod", "prod=vision", "prod=*") to the engine of a cluster. Opens no connection."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from backends.model.ids import EngineId, EngineKind
from tui.config import ConfigError

if TYPE_CHECKING:
    from backends.model.manifest import AppliedObject

CONTEXTS_VARIABLE = "TRANSHIP_KUBE"
"""Contexts with commas between them, besides those of the settings and of --kube."""


class Cluster(NamedTuple):
    """A context of the kubeconfig. namespace: "" = the context's own, "*" = all."""

    id: EngineId
    context: str
    namespace: str


def cluster_of(text: str) -> Cluster:
    """The engine is called k8s-CONTEXT, and k8s-CONTEXT-NAMESPACE where that is said too."""
    context, _, namespace = text.rpartition("=") if "=" in text else (text, "", "")
    words = ["k8s", context, *([{"*": "all"}.get(namespace, namespace)] if namespace else [])]
    return Cluster(EngineId(EngineKind.KUBERNETES, "-".join(words)), context, namespace)


def clusters_of(named: Iterable[str], environ: Mapping[str, str]) -> list[Cluster]:
    """Each that was named, once. Raises ConfigError where one has no name, or two would be called the same."""
    more = (word.strip() for word in environ.get(CONTEXTS_VARIABLE, "").split(","))
    found: dict[EngineId, Cluster] = {}
    for text in (*named, *more):
        cluster = cluster_of(text)
        if text and not cluster.context:
            raise ConfigError(f"“{text}” names no context", hint="as `kubectl config get-contexts` lists them")
        if text and found.setdefault(cluster.id, cluster) != cluster:
            raise ConfigError(f"two contexts would both be called {cluster.id.name}", hint=f"leave “{text}” out")
    return list(found.values())


def context_names(environ: Mapping[str, str]) -> list[str]:
    """The contexts of the kubeconfig, sorted, without the client, which takes a second to load. Blocks on files.

    What cannot be read offers none: who connects is told why.
    """
    import yaml

    names: set[str] = set()
    for place in (environ.get("KUBECONFIG") or "~/.kube/config").split(os.pathsep):
        try:
            config = yaml.safe_load(Path(os.path.expanduser(place)).read_text(encoding="utf-8")) if place else None
            names |= {str(one["name"]) for one in config["contexts"]} if config else set()
        except (OSError, ValueError, TypeError, KeyError, RecursionError, yaml.YAMLError):
            continue
    return sorted(names)


def apply_words(found: Sequence[AppliedObject]) -> str:
    """What an apply does, as its check told: "Make secret/api-env and change deployment/api in vision"."""
    new = ", ".join(str(one) for one in found if one.created)
    old = ", ".join(str(one) for one in found if not one.created)
    parts = [*([f"make {new}"] if new else []), *([f"change {old}"] if old else [])]
    places = sorted({one.namespace for one in found if one.namespace})
    words = " and ".join(parts) + (f" in {', '.join(places)}" if places else "")
    return words[:1].upper() + words[1:]


__all__ = ["CONTEXTS_VARIABLE", "Cluster", "apply_words", "cluster_of", "clusters_of", "context_names"]
