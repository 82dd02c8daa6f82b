"""The Docker engine, put together of its parts: one for each thing it has. Knows nothing of any other engine."""

from __future__ import annotations

from backends.engines.docker_files import DockerFiles
from backends.engines.docker_networks import DockerNetworks
from backends.engines.docker_sessions import DockerSessions
from backends.engines.docker_stores import DockerStores
from backends.engines.docker_transfers import DockerTransfers
from backends.engines.docker_workloads import DockerWorkloads
from backends.engines.no_cluster import NoCluster


class DockerEngine(
    DockerWorkloads, DockerSessions, DockerFiles, DockerTransfers, DockerNetworks, DockerStores, NoCluster
):
    """One Docker daemon. Implements backends.engine.Engine; connects on the first call."""


__all__ = ["DockerEngine"]
