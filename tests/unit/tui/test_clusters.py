"""Contexts that a person names, and what is said before a Pod goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.model.ids import ContainerKey, EngineId, EngineKind
from tests.unit.services.fleet_facts import row
from tui.clusters import CONTEXTS_VARIABLE, cluster_of, clusters_of
from tui.config import ConfigError
from tui.pods import pods_that_go


def test_a_context_with_and_without_a_namespace() -> None:
    arn = "arn:aws:eks:eu-west-1:1:cluster/prod"
    assert cluster_of("lab")[1:] == ("lab", "")
    assert cluster_of(f"{arn}=vision")[1:] == (arn, "vision")
    assert [cluster_of(text).id.name for text in ("lab", "lab=vision", "lab=*")] == [
        "k8s-lab",
        "k8s-lab-vision",
        "k8s-lab-all",
    ]


def test_each_is_opened_once_whoever_names_it() -> None:
    found = clusters_of(("lab", "lab=*"), {CONTEXTS_VARIABLE: "prod, lab,"})
    assert [one.id.name for one in found] == ["k8s-lab", "k8s-lab-all", "k8s-prod"]
    assert clusters_of((), {}) == []


@pytest.mark.parametrize(
    ("named", "why"),
    [(("=vision",), "names no context"), (("lab=*", "lab=all"), "k8s-lab-all"), (("a-b", "a=b"), "k8s-a-b")],
)
def test_contexts_without_a_name_or_with_the_same_one(named: tuple[str, ...], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        clusters_of((), {CONTEXTS_VARIABLE: ",".join(named)})


def test_a_pod_goes_with_all_its_containers() -> None:
    lab = EngineId(EngineKind.KUBERNETES, "k8s-lab")
    plain = row(1)
    app, proxy = (replace(plain, key=ContainerKey(lab, f"default/web/{one}"), pod="web") for one in ("app", "proxy"))
    every = {one.key: one for one in (plain, app, proxy)}
    assert pods_that_go(every, [plain]) == []
    (sentence,) = pods_that_go(every, [app, proxy])
    assert sentence.startswith("The Pod web goes with all its 2 containers;")
