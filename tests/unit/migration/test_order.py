"""The order of a project's containers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.migration.order import DEPENDS_ON, in_order, needs
from backends.model.errors import Conflict
from backends.model.settings import NamespaceSpec, NetworkingSpec
from backends.model.workload import WorkloadSpec


def spec(
    name: str, *, service: str = "", depends: str = "", network: str = "", links: tuple[str, ...] = ()
) -> WorkloadSpec:
    labels = {"com.docker.compose.service": service} if service else {}
    if depends:
        labels[DEPENDS_ON] = depends
    return WorkloadSpec(name, "x:1", labels=labels, network=NetworkingSpec(mode=network, links=links))


def named(*specs: WorkloadSpec) -> dict[str, WorkloadSpec]:
    return {one.name: one for one in specs}


def test_services_that_compose_names_come_first() -> None:
    web = spec("p-web-1", service="web", depends="db:service_healthy:true,cache:service_started:false")
    rest = [spec("p-db-1", service="db"), spec("p-db-2", service="db"), spec("p-cache-1", service="cache")]
    order = in_order(named(web, *rest))
    assert order[-1] == "p-web-1"
    assert needs(named(web, *rest))["p-web-1"] == {"p-db-1", "p-db-2", "p-cache-1"}


def test_joined_namespaces_and_links_come_first() -> None:
    sidecar = WorkloadSpec("a", "x:1", namespaces=NamespaceSpec(ipc="container:m"), network=NetworkingSpec())
    assert in_order(named(sidecar, spec("m", network="container:z"), spec("z"))) == ("z", "m", "a")
    assert in_order(named(spec("a", links=("/b:db",)), spec("b"))) == ("b", "a")


def test_what_is_outside_the_project_does_not_count() -> None:
    assert needs(named(spec("a", network="container:elsewhere", depends="gone:service_started:true"))) == {
        "a": frozenset()
    }


def test_a_ring_is_refused_by_name() -> None:
    with pytest.raises(Conflict, match="ring") as caught:
        in_order(named(spec("a", network="container:b"), spec("b", network="container:a")))
    assert "a" in caught.value.detail
    assert "b" in caught.value.detail


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh")), max_size=8))
def test_every_container_stands_once_and_after_what_it_needs(graph: dict[str, set[str]]) -> None:
    specs = named(*(spec(name, links=tuple(sorted(n for n in wanted if n < name))) for name, wanted in graph.items()))
    order = in_order(specs)
    assert sorted(order) == sorted(specs)
    for name, needed in needs(specs).items():
        assert all(order.index(other) < order.index(name) for other in needed)
