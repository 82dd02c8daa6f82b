"""What an engine that is no cluster says to Kubernetes' manifests. Shared by all of them; does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from backends.model.errors import Unsupported
from backends.model.ids import EngineId
from backends.model.manifest import AppliedObject, Manifest


class _Engine(Protocol):
    @property
    def id(self) -> EngineId: ...


class NoCluster:
    """An engine that makes containers one by one."""

    async def apply_manifests(
        self: _Engine,
        manifests: Sequence[Manifest],  # noqa: ARG002 - the Protocol's signature
        *,
        namespace: str = "",  # noqa: ARG002
        dry_run: bool = False,  # noqa: ARG002
        force: bool = False,  # noqa: ARG002
    ) -> tuple[AppliedObject, ...]:
        """Unsupported."""
        hint = "Name a context of your kubeconfig (--context); Podman plays a file: podman kube play."
        raise Unsupported("Manifests are applied to a Kubernetes cluster only", hint=hint, engine=self.id)


__all__ = ["NoCluster"]
