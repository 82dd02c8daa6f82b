"""Answers of another shape than Kubernetes' API: a row of sound values, or an error that the adapter understands."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engine import Engine
from backends.engines.kubernetes_sdk import KubernetesSdk
from backends.engines.kubernetes_translate import containers_of, events_of
from backends.inspected_pod import pod_addresses, pod_environment, pod_probes, secret_values
from backends.model.container import ContainerState
from backends.model.errors import Protocol
from tests.cluster.server import FakeCluster
from tests.cluster.store import PODS, Json, Name
from tests.unit.kube.conftest import LAB
from tests.unit.kube.pods import ENDED, container, pod, status

_UNDERSTOOD = (KeyError, TypeError, ValueError, AttributeError)
"""What `_understood` turns into Protocol."""
_KEYS = st.sampled_from(["name", "state", "x"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=2) | st.dictionaries(_KEYS, parts, max_size=2),
    max_leaves=4,
)


def _pod() -> Json:
    spec = container(
        ports=[{"containerPort": 80, "hostPort": 8080}],
        env=[{"name": "API_TOKEN", "value": "s3cret"}],
        resources={"limits": {"nvidia.com/gpu": 1}},
        volumeMounts=[{"name": "data", "mountPath": "/data"}],
        readinessProbe={"httpGet": {"port": 80}},
    )
    told = status(state={"terminated": ENDED}, lastState={"terminated": ENDED}, restartCount=2)
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "x"}}]
    return pod(spec, volumes=volumes, status={"containerStatuses": [told]}, meta={"labels": {"a": "b"}})


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, part in parts for place in _places(part, (*at, key)))]


_PLACES = [place for place in _places(_pod()) if place]


@given(place=st.sampled_from(_PLACES), value=_VALUES)
def test_one_strange_value_makes_no_strange_row(place: tuple[Any, ...], value: object) -> None:
    strange = copy.deepcopy(_pod())
    held: Any = strange
    for key in place[:-1]:
        held = held[key]
    held[place[-1]] = value
    with suppress(*_UNDERSTOOD):
        for row in containers_of(LAB, strange, with_namespace=True):
            assert isinstance(row.state, ContainerState)
            assert all(isinstance(text, str) for text in (row.name, row.image, row.image_id, row.why, *row.gpus_given))
            assert all(number is None or isinstance(number, int) for number in (row.exit_code, row.restarts))
            assert all(isinstance(port.container_port, int) for port in row.ports)
    with suppress(*_UNDERSTOOD):
        events_of(LAB, {"type": "MODIFIED", "object": strange})
    for told in (pod_environment(strange, "app"), pod_addresses(strange), pod_probes(strange, "app")):
        assert all(isinstance(word, str) for pair in told for word in pair)
    assert all(isinstance(value, str) for value in secret_values(strange))


async def test_a_strange_pod_says_so_beside_the_others(cluster: FakeCluster, lab: Engine) -> None:
    await cluster.store.put(Name(PODS, "default", "fine"), {"spec": {"containers": [container()]}})
    await cluster.store.put(Name(PODS, "default", "odd"), {"spec": {"containers": "none"}})
    rows = {row.name: row for row in await lab.list_containers()}
    assert set(rows) == {"fine", "odd"}
    assert rows["fine"].why == ""
    assert rows["odd"].state is ContainerState.UNKNOWN
    assert rows["odd"].why.startswith("this Pod does not follow Kubernetes' API: TypeError")
    assert await lab.inspect_container(rows["odd"].key.id) == rows["odd"]
    heard = events_of(LAB, {"type": "MODIFIED", "object": await lab.inspect_raw(rows["odd"].key.id)})
    assert [event.id for event in heard] == [rows["odd"].key.id]


async def test_a_strange_list_is_said_not_a_crash(lab: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await lab.connect()

    async def nothing(*_: object, **__: object) -> tuple[int, Json]:
        return 200, {"items": [{"metadata": {"name": 3, "namespace": "default"}}]}

    monkeypatch.setattr(KubernetesSdk, "json", nothing)
    with pytest.raises(Protocol, match="does not follow Kubernetes' API") as caught:
        await lab.list_containers()
    assert caught.value.engine == LAB
