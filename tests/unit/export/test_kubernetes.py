"""Kubernetes manifests: valid by the schemas whatever a recipe holds, secrets apart, what is lost is told."""

from __future__ import annotations

import re
import sys
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from backends.export.exported import Exported, Member
from backends.export.kubernetes import FILE, SECRETS, Workload, kubernetes, kubernetes_with_ledger
from backends.export.kubernetes_check import check_manifests
from backends.export.kubernetes_container import NEVER, NEVER_IN_A_CLUSTER
from backends.export.names import Names
from backends.export.unsaid import PLAIN, field_of
from backends.model.ids import EngineKind
from backends.model.plan import Severity
from backends.model.secrets import is_secret_name
from backends.model.settings import NamespaceSpec, NetworkAttachment, NetworkingSpec, ResourceSpec, SecuritySpec
from backends.model.workload import GpuRequest, RestartName, RestartPolicy
from tests.unit.export.members import TEXTS, members, trainer

_DNS = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def _load(out: Exported, name: str = FILE) -> dict[str, Any]:
    """Documents by kind; the last of a kind."""
    text = next((file.text for file in out.files if file.name == name), "")
    return {document["kind"]: document for document in yaml.safe_load_all(text) if document}


def _pod(out: Exported) -> Any:
    found = _load(out)
    return found["Pod"] if "Pod" in found else (found.get("Deployment") or found["Job"])["spec"]["template"]


def _expanded(text: str) -> str:
    """As a kubelet expands a text in which no variable is named. Source: third_party/forked/golang/expansion."""
    assert not re.search(r"(?<!\$)(?:\$\$)*\$\(", text), "nothing is looked up"
    return text.replace("$$", "$") if "$$" in text else text


@settings(max_examples=15)
@given(members())
def test_every_manifest_is_valid_and_says_what_it_was_given(member: Member) -> None:
    workload = list(Workload)[len(member.spec.env) % 3]
    out, ledger = kubernetes_with_ledger([member], workload=workload)
    for file in out.files:
        if file.name.endswith(".yaml"):
            found = check_manifests(file.text)
            assert [one.severity for one in found] == [Severity.NOTE], found
    pod = _pod(out)
    (container,) = pod["spec"]["containers"]
    secret = _load(out, SECRETS).get("Secret", {})
    secrets = secret.get("stringData", {}) | {
        key: b64decode(value).decode() for key, value in secret.get("data", {}).items()
    }
    plain = {one["name"]: _expanded(one["value"]) for one in container.get("env", []) if "value" in one}
    assert plain | secrets == member.spec.env
    assert secrets.keys() == {name for name in member.spec.env if is_secret_name(name)}
    if member.spec.entrypoint is None and member.spec.command:
        assert [_expanded(word) for word in container["args"]] == list(member.spec.command)
    assert _DNS.fullmatch(container["name"])
    assert all(_LABEL.fullmatch(value) for value in pod["metadata"]["labels"].values())
    rows = [row.path for row in (*NEVER, *NEVER_IN_A_CLUSTER)]
    lost = {path for path in rows if field_of(member.spec, path) != field_of(PLAIN, path)}
    assert lost <= {entry.path for entry in ledger.entries}


@settings(max_examples=100)
@given(TEXTS, TEXTS)
def test_names_are_fit_and_no_two_alike(one: str, other: str) -> None:
    names = Names(dns=True)
    first, second = names.of(one), names.of(other)
    assert _DNS.fullmatch(first)
    assert _DNS.fullmatch(second)
    assert (first == second) == (one == other)
    assert names.of(one) == first


def test_a_deployment_with_all_that_it_needs() -> None:
    out = kubernetes([trainer()])
    found = _load(out)
    assert list(found) == ["PersistentVolumeClaim", "Service", "Deployment"]
    assert found["PersistentVolumeClaim"]["metadata"]["name"] == "my-data"
    assert [port["port"] for port in found["Service"]["spec"]["ports"]] == [9, 8000]
    (container,) = _pod(out)["spec"]["containers"]
    assert container["args"][-1] == "print('$$HOME $$(date) $$$$')"
    assert container["resources"]["limits"] == {"cpu": "1500m", "memory": "2Gi", "nvidia.com/gpu": 2}
    context = container["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (1000, 1000)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}, "a cluster's own is none"
    assert container["readinessProbe"]["periodSeconds"] == 8, "rounded up"
    assert container["livenessProbe"]["initialDelaySeconds"] == 10
    secret = next(file for file in out.files if file.name == SECRETS)
    assert (secret.mode, _load(out, SECRETS)["Secret"]["stringData"]) == (0o600, {"HF_TOKEN": "hf_$1'2\"\\"})
    assert "hf_$" not in out.files[0].text
    assert out.commands == (f"kubectl apply -f {SECRETS} -f {FILE}",)


def test_podman_reads_other_words() -> None:
    out = kubernetes([trainer(security=SecuritySpec(seccomp="unconfined"))], workload=Workload.POD, podman=True)
    pod = _pod(out)
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu=1"] == 1
    assert container["ports"][0] == {"containerPort": 8000, "protocol": "TCP", "hostPort": 18000}
    assert container["args"][-1] == "print('$$HOME $$(date) $$$$')", "it expands in commands"
    assert "readinessProbe" not in container
    assert pod["metadata"]["annotations"]["io.podman.annotations.seccomp/train"] == "unconfined"
    assert out.commands[-1] == f"podman kube play --network net:ip=10.9.0.7,alias=trainer {FILE}"


@pytest.mark.parametrize(
    ("name", "workload", "policy"),
    [
        (RestartName.NO, Workload.DEPLOYMENT, "Always"),
        (RestartName.NO, Workload.POD, "Never"),
        (RestartName.UNLESS_STOPPED, Workload.POD, "Always"),
        (RestartName.ALWAYS, Workload.JOB, "OnFailure"),
        (RestartName.ON_FAILURE, Workload.JOB, "OnFailure"),
    ],
)
def test_restart_policies(name: RestartName, workload: Workload, policy: str) -> None:
    out = kubernetes([trainer(restart=RestartPolicy(name))], workload=workload)
    assert _pod(out)["spec"]["restartPolicy"] == policy
    probed = "livenessProbe" in _pod(out)["spec"]["containers"][0]
    assert probed == (policy != "Never"), "a probe would end what is not started again"


def test_a_job_is_tried_as_often_as_it_was() -> None:
    policy = RestartPolicy(RestartName.ON_FAILURE, 4)
    job = _load(kubernetes([trainer(restart=policy)], workload=Workload.JOB))["Job"]
    assert job["spec"]["backoffLimit"] == 4
    once = _load(kubernetes([trainer()], workload=Workload.JOB))["Job"]
    assert once["spec"]["backoffLimit"] == 0


def test_who_shares_a_network_lives_in_one_pod() -> None:
    side = trainer("side", network=NetworkingSpec("container:train"), namespaces=NamespaceSpec(pid="container:train"))
    other = trainer("other")
    out = kubernetes([trainer(), side, other])
    documents = list(yaml.safe_load_all(out.files[0].text))
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in documents if one["kind"] == "Deployment"
    }
    assert {name: [one["name"] for one in pod["containers"]] for name, pod in pods.items()} == {
        "train": ["train", "side"],
        "other": ["other"],
    }
    assert pods["train"]["shareProcessNamespace"] is True
    assert {one["metadata"]["name"] for one in documents if one["kind"] == "Service"} == {"train", "trainer", "other"}
    claim = next(one for one in documents if one["kind"] == "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"], "two workloads have it"


def test_two_of_one_name_are_two() -> None:
    out = kubernetes([trainer("web"), replace(trainer("web"), kind=EngineKind.PODMAN), trainer("web-2")])
    made = [one["metadata"]["name"] for one in yaml.safe_load_all(out.files[0].text) if one["kind"] == "Deployment"]
    assert made == ["web", "web-3", "web-2"]
    assert any("this one is called web-3" in finding.title for finding in out.findings)


def test_a_pod_stays_one() -> None:
    pair = [replace(trainer(name, health=None), pod="My_Pod") for name in ("one", "two")]
    deployment = _load(kubernetes(pair))["Deployment"]
    assert deployment["metadata"]["name"] == "my-pod"
    assert [one["name"] for one in deployment["spec"]["template"]["spec"]["containers"]] == ["one", "two"]


def test_names_of_the_network_are_services() -> None:
    db = trainer("my_db", ports=(), network=NetworkingSpec("bridge", (NetworkAttachment("net", ("db",)),)))
    out = kubernetes([db, trainer("web")])
    made = [one for one in yaml.safe_load_all(out.files[0].text) if one["kind"] == "Service"]
    headless = {one["metadata"]["name"] for one in made if one["spec"].get("clusterIP") == "None"}
    assert headless == {"my-db", "db"}
    assert any("finds it as my-db" in finding.title for finding in out.findings)


def test_all_gpus_are_a_question() -> None:
    out = kubernetes([trainer(gpu=GpuRequest(count=-1))])
    assert _pod(out)["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert any(one.severity is Severity.WARN and "all GPUs" in one.title for one in out.findings)


@pytest.mark.parametrize(
    ("image", "push"),
    [
        ("localhost/mine:1", "podman push localhost/mine:1 REGISTRY/mine:1"),
        ("docker.io/library/busybox:1", ""),
        ("sha256:" + "a" * 64, f"podman push sha256:{'a' * 64} REGISTRY/train:1"),
    ],
)
def test_an_image_of_this_engine_is_pushed_first(image: str, push: str) -> None:
    member = replace(trainer(image=image), kind=EngineKind.PODMAN)
    remedies = [one.remedy for one in kubernetes([member]).findings if "this engine alone" in one.title]
    assert remedies == ([f"Push it first ({push}) and name it so here."] if push else [])


def test_requests_never_exceed_limits() -> None:
    out = kubernetes([trainer(cpus_nano=500_000_000, resources=ResourceSpec(cpu_shares=1024))])
    resources = _pod(out)["spec"]["containers"][0]["resources"]
    assert (resources["limits"]["cpu"], resources["requests"]["cpu"]) == ("500m", "500m")


def test_shm_is_memory() -> None:
    out = kubernetes([trainer(namespaces=NamespaceSpec(shm_bytes=8 << 30))])
    (shm,) = (one for one in _pod(out)["spec"]["volumes"] if one["name"] == "train-shm")
    assert shm["emptyDir"] == {"medium": "Memory", "sizeLimit": "8Gi"}


def test_a_wrong_manifest_is_found_and_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    text = kubernetes([trainer()]).files[0].text
    (wrong,) = check_manifests(text.replace("restartPolicy: Always", "restartPolicies: Always"))
    assert wrong.severity is Severity.WARN
    assert "restartPolicies" in wrong.detail
    monkeypatch.setitem(sys.modules, "kubernetes_validate", None)
    (note,) = check_manifests(text)
    assert "not installed" in note.detail
    assert "pip install" in note.remedy
