"""Compose files: they load as they were meant, nothing is expanded, secrets are apart, what is lost is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from backends.export.compose import FILE, compose, compose_with_ledger
from backends.export.compose_service import NEVER
from backends.export.exported import Exported, Member
from backends.export.unsaid import PLAIN, field_of
from backends.model.ids import EngineKind
from backends.model.secrets import is_secret_name
from backends.model.settings import NamespaceSpec, NetworkingSpec, ProcessSpec, SecuritySpec
from backends.model.workload import GpuRequest, RestartName, RestartPolicy
from tests.unit.export.members import members, trainer


def _load(out: Exported) -> Any:
    return yaml.safe_load(next(file.text for file in out.files if file.name == FILE))


@settings(max_examples=25)
@given(members())
def test_texts_load_as_they_were(member: Member) -> None:
    out = compose([member])
    document = _load(out)
    (service,) = document["services"].values()
    undoubled = {key: value.replace("$$", "$") for key, value in service.get("environment", {}).items()}
    assert undoubled == {key: value for key, value in member.spec.env.items() if key in undoubled}
    podman = member.kind is EngineKind.PODMAN
    unfit = {key for key, text in member.spec.env.items() if podman and ("${" in text or "\r" in text)}
    apart = {key for key in member.spec.env if is_secret_name(key)} - unfit
    assert undoubled.keys() == member.spec.env.keys() - apart
    assert bool(apart) == any(file.name.endswith(".env") and file.mode == 0o600 for file in out.files)
    if member.spec.command is not None:
        assert [word.replace("$$", "$") for word in service["command"]] == list(member.spec.command)
    assert {key: value.replace("$$", "$") for key, value in service.get("labels", {}).items()} == member.spec.labels


@settings(max_examples=25)
@given(members())
def test_every_loss_is_a_finding_and_a_comment(member: Member) -> None:
    out, ledger = compose_with_ledger([member])
    lost = {row.path for row in NEVER if field_of(member.spec, row.path) != field_of(PLAIN, row.path)}
    assert lost <= {entry.path for entry in ledger.entries}
    head = [line for line in out.files[0].text.split("\n") if line.startswith("# ")]
    assert len(head) == len(out.findings) + 1, "a comment each, on a line each"


def test_a_whole_service() -> None:
    document = _load(compose([trainer()]))
    service = document["services"]["train"]
    assert service["env_file"] == ["./train.env"]
    assert service["environment"] == {"EPOCHS": "3"}
    assert service["networks"] == {"net": {"aliases": ["trainer"], "ipv4_address": "10.9.0.7"}}
    assert service["ports"] == [{"target": 8000, "published": "18000", "protocol": "tcp"}]
    assert (service["expose"], service["mem_limit"], service["cpus"]) == (["9/tcp"], "2g", "1.5")
    assert service["healthcheck"]["interval"] == "7500ms"
    devices = service["deploy"]["resources"]["reservations"]["devices"]
    assert devices == [
        {"driver": "cdi", "device_ids": ["nvidia.com/gpu=0", "nvidia.com/gpu=1"], "capabilities": ["gpu"]}
    ]
    assert document["volumes"] == {"My_Data": {"name": "My_Data"}}
    assert document["networks"]["net"]["ipam"] == {"config": [{"subnet": "10.9.0.0/24"}]}
    external = _load(compose([trainer()], external=True))
    assert external["networks"] == {"net": {"name": "net", "external": True}}
    assert external["volumes"] == {"My_Data": {"name": "My_Data", "external": True}}


@pytest.mark.parametrize(
    ("gpu", "said"),
    [
        (GpuRequest(count=-1, capabilities=(("gpu",),)), {"count": "all", "capabilities": ["gpu"]}),
        (GpuRequest(count=2, driver="nvidia"), {"driver": "nvidia", "count": 2, "capabilities": ["gpu"]}),
        (GpuRequest(device_ids=("0", "2")), {"device_ids": ["0", "2"], "capabilities": ["gpu"]}),
    ],
)
def test_gpus_are_reserved(gpu: GpuRequest, said: dict[str, object]) -> None:
    service = _load(compose([trainer(gpu=gpu)]))["services"]["train"]
    assert service["deploy"]["resources"]["reservations"]["devices"] == [said]
    podman = replace(trainer(gpu=gpu), kind=EngineKind.PODMAN)
    assert _load(compose([podman]))["services"]["train"]["devices"] == list(gpu.cdi_names())


def test_a_project_knows_its_own() -> None:
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "db",
        "com.docker.compose.oneoff": "False",
    }
    base = replace(trainer("shop-db-1", labels=labels), project="shop")
    joined = trainer(
        "side",
        network=NetworkingSpec("container:shop-db-1"),
        namespaces=NamespaceSpec(pid="container:shop-db-1", ipc="container:other"),
        labels={"com.docker.compose.depends_on": "db:service_healthy:false,gone:service_started:true"},
    )
    document = _load(compose([base, joined]))
    assert document["name"] == "shop"
    assert list(document["services"]) == ["db", "side"]
    side = document["services"]["side"]
    assert (side["network_mode"], side["pid"], side["ipc"]) == ("service:db", "service:db", "container:other")
    assert side["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert "labels" not in document["services"]["db"], "Compose gives its own again"


def test_no_service_takes_another_ones_place() -> None:
    labels = {"com.docker.compose.service": "web"}
    scaled = [trainer("shop-web-1", labels=labels), trainer("shop-web-2", labels=labels), trainer("web")]
    document = _load(compose([*scaled, replace(trainer("web"), kind=EngineKind.PODMAN)]))
    named = {key: service["container_name"] for key, service in document["services"].items()}
    assert len(named) == 4
    assert sorted(named.values()) == ["shop-web-1", "shop-web-2", "web", "web-2"]


def test_a_seccomp_profile_lies_beside() -> None:
    out = compose([trainer(security=SecuritySpec(seccomp='{"defaultAction": "SCMP_ACT_ALLOW"}', unmask=("ALL",)))])
    options = _load(out)["services"]["train"]["security_opt"]
    assert options == ["seccomp:./train.seccomp.json", "systempaths=unconfined"]
    assert [file.name for file in out.files] == [FILE, "train.env", "train.seccomp.json"]


def test_what_compose_has_no_word_for() -> None:
    process = ProcessSpec(stop_timeout_s=-1, unset_env=("A\n#b",), auto_remove=True)
    out = compose([trainer(process=process, restart=RestartPolicy(RestartName.ON_FAILURE, 3))])
    titles = [finding.title for finding in out.findings]
    assert any("waits for ever" in title for title in titles)
    assert any("is removed when it ends" in title for title in titles)
    assert _load(out)["services"]["train"]["restart"] == "on-failure:3"
