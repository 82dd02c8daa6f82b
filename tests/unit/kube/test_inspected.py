"""What a Pod's JSON tells of a container, as the container's screen shows it; secrets wherever they stand."""

from __future__ import annotations

import json

from backends.inspected_pod import hides, pod_addresses, pod_environment, pod_probes, secret_values
from backends.links.reach import forward_line
from backends.model.secrets import MASK
from tests.cluster.store import Json
from tests.unit.kube.pods import container, pod

_SECRET = "s3cret-of-the-test"


def _pod() -> Json:
    env = [
        {"name": "MODE", "value": "fast"},
        {"name": "API_TOKEN", "value": _SECRET},
        {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "pw"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ]
    probe = {"httpGet": {"port": 8080, "path": "/health"}, "periodSeconds": 5}
    own = container(env=env, envFrom=[{"configMapRef": {"name": "common"}}], readinessProbe=probe)
    applied = json.dumps({"spec": {"containers": [{"env": env}]}})
    where = {"podIPs": [{"ip": "10.1.2.3"}, {"ip": "fd00::3"}], "hostIP": "10.0.0.4"}
    meta = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}}
    return pod(
        own, container("tb", livenessProbe={"tcpSocket": {"port": 6006}}), nodeName="gpu-1", status=where, meta=meta
    )


def test_environment_says_where_values_come_from() -> None:
    assert pod_environment(_pod(), "app") == (
        ("*", "← all of config map common"),
        ("API_TOKEN", _SECRET),
        ("DB", "← secret db, key pw"),
        ("MODE", "fast"),
        ("NODE", "← spec.nodeName"),
    )
    assert pod_environment(_pod(), "tb") == pod_environment(_pod(), "nobody") == ()


def test_secrets_are_hidden_in_every_text_of_the_json() -> None:
    values = secret_values(_pod())
    assert values == (_SECRET,)
    assert hides(values, _SECRET, MASK) == MASK
    applied = _pod()["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert _SECRET in applied
    assert _SECRET not in hides(values, applied, MASK)
    assert hides(("x",), "extra", MASK) == "extra"


def test_addresses_and_probes() -> None:
    assert pod_addresses(_pod()) == (("node", "gpu-1"), ("address", "10.1.2.3, fd00::3"), ("node's", "10.0.0.4"))
    assert pod_probes(_pod(), "app") == (("ready", "GET :8080/health, each 5 s, 3 failures count"),)
    assert pod_probes(_pod(), "tb") == (("alive", "TCP :6006, each 10 s, 3 failures count"),)
    assert pod_addresses({"kind": "Pod", "spec": {}, "status": "?"}) == ()


def test_a_pods_port_is_brought_here_by_kubectl() -> None:
    line = forward_line(6006, "vision/train-0/app", "kubernetes://prod=eu?namespace=*")
    assert line == "kubectl --context prod=eu -n vision port-forward pod/train-0 6006"
