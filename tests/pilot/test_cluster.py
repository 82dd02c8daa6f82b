"""Pods in the fleet beside containers: what is switched off, what removing means, an export applied by keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.engine import Engine
from backends.engines.kubernetes import kubernetes_engine
from backends.model.ids import EngineId, EngineKind
from tests.cluster.fixture import cluster as cluster
from tests.cluster.server import FakeCluster
from tests.cluster.store import KINDS, PODS
from tests.pilot.stage import Stage, stage
from widgets.line import plain
from widgets.lines_pane import LinesPane

_LAB = EngineId(EngineKind.KUBERNETES, "k8s-lab")
_CONTAINERS = [
    {"name": name, "image": "ghcr.io/lab/train:3", "command": ["sh", "-c", "echo from the pod; sleep 60"],
     "env": [{"name": "API_TOKEN", "value": "s3cret"}], "resources": {"limits": {"nvidia.com/gpu": 2}}}
    for name in ("app", "proxy")
]  # fmt: skip
_POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod-0"}, "spec": {"containers": _CONTAINERS}}

_REFUSED = {
    "s": "Kubernetes itself starts",
    "m": "made by its manifest",
    "f": "no files",
    "S": "runs nothing inside",
    "X": "made by its manifest",
    "H": "made by its manifest",
}
"""What is pressed on a Pod, and what is said."""


@pytest.fixture
def lab(cluster: FakeCluster, tmp_path: Path) -> Engine:
    return kubernetes_engine(_LAB, "lab", kubeconfig=cluster.kubeconfig(tmp_path / "kubeconfig"))


def _dialog(play: Stage) -> str:
    return "\n".join(str(one.render()) for one in play.app.screen.query("Static"))


def _text(play: Stage, pane: str = "#export") -> str:
    return "\n".join(map(plain, play.app.screen.query_one(pane, LinesPane).lines))


async def test_a_pod_is_followed_not_stopped_and_goes_whole(cluster: FakeCluster, lab: Engine, tmp_path: Path) -> None:
    await lab.apply_manifests([_POD])
    async with stage(tmp_path, beside=[lab]) as play:
        await play.until(lambda: "pod-0/app" in play.shown(), "the Pod")
        await play.select("pod-0/app")
        for key, word in _REFUSED.items():
            await play.press(key)
            await play.until(lambda word=word: word in play.toasts(), word)  # type: ignore[misc]
            assert play.on_top() == "FleetScreen"
        await play.press("enter", "4")
        await play.until(lambda: "API_TOKEN" in _text(play, "#detail"), "its environment")
        assert "s3cret" not in _text(play, "#detail")
        await play.press("escape", "b")
        await play.until(lambda: play.on_top() == "LinkScreen", "its links")
        await play.press("escape", "l")
        await play.until(lambda: play.on_top() == "LogScreen", "its log")
        await play.press("escape", "d")
        await play.until(lambda: "Remove pod-0/app" in _dialog(play), "the question")
        assert "The Pod pod-0 goes with all its 2 containers" in _dialog(play)
        await play.press("y")
        await play.until(lambda: "pod-0/app" not in play.shown() and "pod-0/proxy" not in play.shown(), "gone")
    assert cluster.store.listed(PODS, "") == []


async def test_an_export_is_applied_after_the_cluster_has_looked(
    cluster: FakeCluster, lab: Engine, tmp_path: Path
) -> None:
    async with stage(tmp_path, beside=[lab]) as play:
        await play.select("train-llama3-8b")
        await play.press("X")
        await play.until(lambda: play.on_top() == "ExportScreen", "the export")
        await play.press("A")
        await play.until(lambda: "press 4 first" in play.toasts(), "not the line")
        await play.press("4")
        await play.until(lambda: "kind: Deployment" in _text(play), "manifests")
        await play.press("U")
        await play.type("ghcr.io/team")
        await play.press("enter")
        await play.until(lambda: "ghcr.io/team/pytorch@sha256:" in _text(play), "named by digest")
        await play.press("A")
        await play.until(lambda: "Apply to k8s-lab?" in _dialog(play), "the question")
        assert "deployment/train-llama3-8b in default  new" in _dialog(play)
        assert cluster.store.listed(KINDS[5], "") == []
        await play.press("y")
        await play.until(lambda: "k8s-lab: applied" in play.toasts(), "applied")
    (made,) = cluster.store.listed(KINDS[5], "default")
    assert made["spec"]["template"]["spec"]["containers"][0]["image"].startswith("ghcr.io/team/pytorch@sha256:")


async def test_without_a_cluster_there_is_nothing_to_apply_to(tmp_path: Path) -> None:
    async with stage(tmp_path) as play:
        await play.select("train-llama3-8b")
        await play.press("X", "4")
        await play.until(lambda: play.on_top() == "ExportScreen", "the export")
        await play.until(lambda: "kind: Deployment" in _text(play), "manifests")
        await play.press("A")
        await play.until(lambda: "start tranship with --kube" in play.toasts(), "refused")
