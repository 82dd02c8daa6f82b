"""From a container of Docker to a Pod, by the program alone: pushed, applied, followed, removed.

The registry is real; the cluster is that of tests/cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from pathlib import Path

import pytest

from tests.cluster.fixture import cluster as cluster
from tests.cluster.server import FakeCluster
from tests.cluster.store import PODS
from tests.e2e.cli import Cli, Ran
from tests.real import RealEngines
from tests.thorough import ON

pytestmark = [pytest.mark.engines, pytest.mark.e2e]


async def test_a_container_is_brought_to_a_cluster_and_looked_at_there(
    real_engines: RealEngines, run_label: dict[str, str], cluster: FakeCluster, tmp_path: Path
) -> None:
    cli = Cli(real_engines, run_label)
    config = cluster.kubeconfig(tmp_path / "kubeconfig", namespace="train")
    name, kube = cli.name("pod"), ("--kube", "lab", "--engine", "k8s-lab")
    pushed = f"{real_engines.registry}/{name}/busybox"

    async def run(*argv: str) -> Ran:
        return await asyncio.to_thread(cli, *argv, KUBECONFIG=config)

    try:
        await asyncio.to_thread(cli.make, "docker", name, command=("sh", "-c", "echo from the pod; sleep 60"))
        apply = ("export", name, "--engine", "docker", "--as", "kubernetes", "--workload", "pod", "--push",
                 f"{real_engines.registry}/{name}", "--apply", "--context", "lab", "--yes", "--json")  # fmt: skip
        ran = await run(*apply)
        assert ran.code == 0, ran.err
        assert ran.json["applied"]["objects"] == [{"kind": "Pod", "name": name, "namespace": "train", "created": True}]
        (pod,) = cluster.store.listed(PODS, "train")
        assert pod["spec"]["containers"][0]["image"].startswith(f"{pushed}@sha256:")
        if not ON:  # the pilot and the unit tests do the same in one process
            return
        logs = await run("logs", name, *kube)
        assert (logs.code, logs.out.strip()) == (0, "from the pod"), logs.err
        removed = await run("rm", name, *kube, "--force", "--yes")
        assert removed.code == 0, removed.err
    finally:
        cli.clean()
        with contextlib.suppress(subprocess.CalledProcessError):  # it may never have been named
            cli.engines.cli("docker", "rmi", f"{pushed}:1")
