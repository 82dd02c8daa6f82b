"""Plans: nothing of the source is left unsaid, and what stands in the way is found before anything is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.migration.facts import SourceFacts, TargetFacts, same_image
from backends.migration.fields import MASK, SECRET
from backends.migration.plan import make_plan
from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.container import Container, ContainerState, MountKind, Port
from backends.model.ids import ContainerKey, EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts
from backends.model.plan import ImageAction, Plan, Severity, StepKind, Verdict
from backends.model.workload import (
    GpuRequest,
    MountSpec,
    RestartName,
    RestartPolicy,
    UnmappedField,
    Volume,
    WorkloadSpec,
)

DOCKER, PODMAN = EngineId(EngineKind.DOCKER, "docker"), EngineId(EngineKind.PODMAN, "podman")
INFO = EngineInfo(version="1", api_version="1", rootless=False, local=True, arch="amd64", os="Debian")
ROOTLESS = replace(
    INFO, rootless=True, capabilities=Capabilities(MappingProxyType({Capability.RESOURCE_LIMITS: "cgroup v1"}))
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ID, OTHER_ID = "ab" * 32, "cd" * 32
IMAGE = ImageFacts(ImageKey(DOCKER, ID), ("docker.io/a/b:1",), f"sha256:{ID}", ("sha256:1",), "amd64", "linux", 900)
OTHER = replace(IMAGE, key=ImageKey(PODMAN, OTHER_ID), config_digest=f"sha256:{OTHER_ID}", diff_ids=("sha256:2",))
SPEC = WorkloadSpec(name="web", image="docker.io/a/b:1", image_id=ID)


def container(name: str = "web", engine: EngineId = DOCKER, **changes: object) -> Container:
    seen = Container(ContainerKey(engine, "12" * 32), name, "docker.io/a/b:1", ID, ContainerState.RUNNING, NOW)
    for key, value in changes.items():
        seen = replace(seen, **{key: value})  # type: ignore[arg-type]  # keys are checked by replace itself
    return seen


def source(spec: WorkloadSpec = SPEC, state: ContainerState = ContainerState.RUNNING) -> SourceFacts:
    volumes = {m.source: Volume(m.source) for m in spec.mounts if m.kind is MountKind.VOLUME}
    seen = container(spec.name, state=state)
    return SourceFacts(DOCKER, INFO, seen, spec, IMAGE, ID, volumes=volumes)


def target(info: EngineInfo = INFO) -> TargetFacts:
    return TargetFacts(PODMAN, info)


def titles(plan: Plan, severity: Severity) -> list[str]:
    return [finding.title for finding in plan.findings if finding.severity is severity]


WORDS = st.text(min_size=1, max_size=12)
OPTIONAL = st.none() | WORDS
PORTS = st.builds(
    Port,
    st.integers(1, 65535),
    st.sampled_from(["tcp", "udp", "sctp"]),
    st.sampled_from(["", "127.0.0.1"]),
    st.none() | st.integers(0, 65535),
)
MOUNTS = st.builds(MountSpec, st.sampled_from(MountKind), WORDS, WORDS, st.booleans(), st.booleans())
GPUS = st.one_of(
    st.builds(GpuRequest, cdi_devices=st.tuples(WORDS)),
    st.builds(GpuRequest, count=st.integers(-1, 4).filter(bool), driver=st.sampled_from(["", "nvidia", "amd"])),
    st.builds(GpuRequest, device_ids=st.tuples(WORDS)),
)
SPECS = st.builds(
    WorkloadSpec,
    name=WORDS,
    image=st.sampled_from(["docker.io/a/b:1", "docker.io/a/b@sha256:" + ID, ID, "sha256:" + ID, ID[:12]]),
    image_id=st.just(ID),
    command=st.none() | st.lists(WORDS, max_size=3).map(tuple),
    entrypoint=st.none() | st.lists(WORDS, max_size=3).map(tuple),
    env=st.dictionaries(WORDS | st.sampled_from(["API_KEY", "DB_PASSWORD"]), WORDS, max_size=3),
    labels=st.dictionaries(WORDS | st.just("io.tranship.migration"), WORDS, max_size=3),
    user=OPTIONAL,
    workdir=OPTIONAL,
    hostname=OPTIONAL,
    tty=st.booleans(),
    stdin_open=st.booleans(),
    ports=st.lists(PORTS, max_size=3).map(tuple),
    mounts=st.lists(MOUNTS, max_size=4).map(tuple),
    restart=st.builds(RestartPolicy, st.sampled_from(RestartName), st.integers(0, 3)),
    memory_bytes=st.integers(0, 2**40),
    cpus_nano=st.integers(0, 2**36),
    gpu=st.none() | GPUS,
    unmapped=st.lists(st.builds(UnmappedField, WORDS, WORDS, WORDS), max_size=4).map(tuple),
)
INFOS = st.builds(
    EngineInfo,
    version=st.just("1"),
    api_version=st.just("1"),
    rootless=st.booleans(),
    local=st.booleans(),
    cdi_devices=st.sampled_from([(), ("nvidia.com/gpu=0",)]),
    capabilities=st.sets(st.sampled_from(Capability)).map(lambda lacking: Capabilities({c: "why" for c in lacking})),
)


@given(SPECS, INFOS, st.sampled_from(ContainerState), st.none() | WORDS)
def test_every_configured_field_is_in_the_plan_and_nothing_is_dropped_silently(
    spec: WorkloadSpec, info: EngineInfo, state: ContainerState, name: str | None
) -> None:
    plan = make_plan(source(spec, state), target(info), name)
    said = {field.field: field for field in plan.fields}

    wanted = {"name", "image"}
    wanted |= {f"env.{key}" for key in spec.env} | {f"labels.{key}" for key in spec.labels}
    wanted |= {f"ports.{port.container_port}/{port.protocol}" for port in spec.ports}
    wanted |= {f"mounts.{mount.destination}" for mount in spec.mounts}
    wanted |= {
        field for field in ("command", "entrypoint", "user", "workdir", "hostname") if getattr(spec, field) is not None
    }
    wanted |= {name for name, on in (("tty", spec.tty), ("stdin", spec.stdin_open)) if on}
    wanted |= {"restart"} if spec.restart != RestartPolicy() else set()
    wanted |= {"memory"} if spec.memory_bytes else set()
    wanted |= {"cpus"} if spec.cpus_nano else set()
    wanted |= {"gpu"} if spec.gpu else set()
    assert wanted <= said.keys()

    for entry in spec.unmapped:
        matching = [field for field in plan.fields if field.field == entry.path and field.reason == entry.reason]
        assert any(field.verdict is Verdict.DROPPED for field in matching)
    for field in plan.fields:
        assert (field.verdict is Verdict.SAME) == (field.reason == ""), field
        assert (field.verdict is Verdict.DROPPED) <= (field.target == ""), field

    # What is not said to be dropped is in the recipe.
    for key, value in spec.env.items():
        assert plan.spec.env[key] == value
        assert (said[f"env.{key}"].source == MASK) == bool(SECRET.search(key))
    for field_name in ("command", "entrypoint", "user", "workdir", "hostname", "tty", "stdin_open", "ports", "restart"):
        assert getattr(plan.spec, field_name) == getattr(spec, field_name)
    for key in spec.labels:
        assert (key in plan.spec.labels) == (said[f"labels.{key}"].verdict is not Verdict.DROPPED)
    kept = [mount.destination for mount in plan.spec.mounts]
    for mount in spec.mounts:
        dropped = any(f.field == f"mounts.{mount.destination}" and f.verdict is Verdict.DROPPED for f in plan.fields)
        assert dropped or mount.destination in kept
    if spec.memory_bytes:
        assert (plan.spec.memory_bytes == 0) == (said["memory"].verdict is Verdict.DROPPED)
    assert (plan.spec.gpu is not None) == ("gpu" in said and said["gpu"].verdict is not Verdict.DROPPED)
    assert plan.spec.unmapped == ()

    # Every volume that is mounted has a copy of its own, and each copy another name.
    names = [move.create.name for move in plan.volumes]
    assert len(names) == len(set(names)) == len({m.source for m in spec.mounts if m.kind is MountKind.VOLUME})
    assert [step.kind for step in plan.steps].count(StepKind.VOLUME) == len(names)
    assert make_plan(source(spec, state), target(info), name) == plan


def test_the_order_of_steps_stops_the_source_before_its_data_is_copied() -> None:
    plan = make_plan(source(replace(SPEC, mounts=(MountSpec(MountKind.VOLUME, "v", "/v"),))), target())
    kinds = [step.kind for step in plan.steps]
    assert kinds == list(StepKind)
    assert not plan.blocked
    assert all(not step.skip for step in plan.steps)


def test_an_image_that_is_there_is_not_shipped() -> None:
    there = replace(IMAGE, key=ImageKey(PODMAN, ID))
    kept = make_plan(source(), replace(target(), by_tag=there, by_id=there))
    named = make_plan(source(), replace(target(), by_id=there))
    assert kept.image is not None
    assert named.image is not None
    assert (kept.image.action, named.image.action) == (ImageAction.KEEP, ImageAction.TAG)
    assert "same configuration and layers" in kept.steps[0].skip


def test_a_name_that_another_image_has_is_left_to_it() -> None:
    plan = make_plan(source(), replace(target(), by_tag=OTHER))
    assert plan.image is not None
    assert (plan.image.action, plan.image.tag, plan.spec.image) == (ImageAction.SHIP, "", f"sha256:{ID}")
    assert titles(plan, Severity.WARN) == ["podman has another image named docker.io/a/b:1"]
    assert not plan.blocked


def test_images_are_the_same_by_layers_platform_and_configuration() -> None:
    assert same_image(IMAGE, replace(IMAGE, key=ImageKey(PODMAN, OTHER_ID)))
    assert same_image(IMAGE, replace(IMAGE, config_digest=""))
    assert not same_image(IMAGE, replace(IMAGE, config_digest=f"sha256:{OTHER_ID}"))
    assert not same_image(IMAGE, replace(IMAGE, architecture="arm64"))
    assert not same_image(replace(IMAGE, diff_ids=()), replace(IMAGE, diff_ids=()))


def test_a_moved_tag_is_told() -> None:
    plan = make_plan(replace(source(), tag_id=OTHER_ID), target())
    assert titles(plan, Severity.WARN) == ["docker.io/a/b:1 names another image by now"]


def test_a_digest_reference_becomes_its_tag_or_the_id() -> None:
    tagged = make_plan(source(replace(SPEC, image=f"docker.io/a/b:1@sha256:{ID}")), target())
    bare = make_plan(source(replace(SPEC, image=f"localhost:5000/a/b@sha256:{ID}")), target())
    assert (tagged.spec.image, bare.spec.image) == ("docker.io/a/b:1", f"sha256:{ID}")


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        (replace(target(), containers=(container("web", PODMAN),)), "podman already has a container named web"),
        (replace(target(), volumes=frozenset({"v"})), "podman already has a volume named v"),
        (replace(target(), info=replace(INFO, arch="aarch64")), "the image is for amd64, the target runs arm64"),
        (replace(target(), engine=DOCKER), "source and target are the same engine"),
        (
            replace(target(), containers=(container("x", PODMAN, ports=(Port(99, "tcp", "0.0.0.0", 80),)),)),
            "port 80/tcp is taken on podman",
        ),
    ],
)
def test_what_stands_in_the_way_blocks(facts: TargetFacts, title: str) -> None:
    spec = replace(SPEC, mounts=(MountSpec(MountKind.VOLUME, "v", "/v"),), ports=(Port(80, "tcp", "", 80),))
    plan = make_plan(source(spec), facts)
    assert title in titles(plan, Severity.BLOCK)
    assert plan.blocked
    assert plan.findings[0].severity is Severity.BLOCK
    assert not make_plan(source(spec), target()).blocked


def test_a_volume_whose_name_is_taken_gets_another_with_a_name_for_the_copy() -> None:
    spec = replace(SPEC, mounts=(MountSpec(MountKind.VOLUME, "v", "/v"), MountSpec(MountKind.VOLUME, "v", "/w")))
    plan = make_plan(source(spec), replace(target(), volumes=frozenset({"v", "v-new"})), "new")
    assert not plan.blocked
    assert {mount.source for mount in plan.spec.mounts} == {"v-new-2"}
    assert [(move.source_name, move.create.name) for move in plan.volumes] == [("v", "v-new-2")]


def test_a_source_that_would_vanish_when_stopped_blocks() -> None:
    spec = replace(SPEC, unmapped=(UnmappedField("HostConfig.AutoRemove", "true", "not carried"),))
    assert make_plan(source(spec), target()).blocked
    assert not make_plan(source(spec, ContainerState.CREATED), target()).blocked


@pytest.mark.parametrize("state", [ContainerState.REMOVING, ContainerState.STOPPING])
def test_a_source_on_its_way_out_blocks(state: ContainerState) -> None:
    assert make_plan(source(SPEC, state), target()).blocked


def test_a_stopped_source_is_neither_stopped_nor_is_its_copy_started() -> None:
    plan = make_plan(source(SPEC, ContainerState.EXITED), target())
    skipped = {step.kind for step in plan.steps if step.skip}
    assert skipped == {StepKind.STOP_SOURCE, StepKind.START}


def test_rootless_targets_are_warned_about() -> None:
    spec = replace(
        SPEC,
        ports=(Port(80, "tcp", "", 80),),
        memory_bytes=1,
        mounts=(MountSpec(MountKind.BIND, "/srv", "/srv"),),
        restart=RestartPolicy(RestartName.ALWAYS),
    )
    warnings = " ".join(titles(make_plan(source(spec), target(ROOTLESS)), Severity.WARN))
    for word in ("below 1024", "without memory", "other owners", "restart policy"):
        assert word in warnings


def test_binds_on_another_host_and_engine_sockets_are_warned_about() -> None:
    spec = replace(SPEC, mounts=(MountSpec(MountKind.BIND, "/var/run/docker.sock", "/s"),))
    warnings = titles(make_plan(source(spec), target(replace(INFO, local=False))), Severity.WARN)
    assert any("path of the source's host" in title for title in warnings)
    assert any("socket of an engine" in title for title in warnings)


def test_a_volume_that_others_write_to_is_warned_about() -> None:
    spec = replace(SPEC, mounts=(MountSpec(MountKind.VOLUME, "v", "/v"),))
    plan = make_plan(replace(source(spec), sharers={"v": ("db",)}), target())
    assert titles(plan, Severity.WARN) == ["volume v is also mounted by db, which keeps running"]


def test_a_volume_with_options_is_copied_into_a_plain_one_and_says_so() -> None:
    spec = replace(SPEC, mounts=(MountSpec(MountKind.VOLUME, "v", "/v"),))
    volume = Volume("v", "nfs", {"a": "b"}, {"o": "addr=1", "password": "x"})
    plan = make_plan(replace(source(spec), volumes={"v": volume}), target())
    said = {field.field: (field.verdict, field.source) for field in plan.fields}
    assert said["volumes.v.driver"] == (Verdict.DROPPED, "nfs")
    assert said["volumes.v.options.password"] == (Verdict.DROPPED, MASK)
    assert said["volumes.v.labels.a"] == (Verdict.SAME, "b")
    assert plan.volumes[0].create.driver_options == {}


def test_compose_labels_and_registry_digests_are_noted() -> None:
    spec = replace(SPEC, labels={"com.docker.compose.project": "p"}, env={"API_KEY": "x"})
    notes = " ".join(titles(make_plan(replace(source(spec), digests=("a@sha256:1",)), target()), Severity.NOTE))
    for word in ("Compose", "digest", "secrets"):
        assert word in notes


def test_ports_of_containers_that_do_not_run_are_not_taken() -> None:
    other = container("x", PODMAN, ports=(Port(99, "tcp", "", 80),), state=ContainerState.EXITED)
    spec = replace(SPEC, ports=(Port(80, "tcp", "", 80),))
    assert not make_plan(source(spec), replace(target(), containers=(other,))).blocked
    elsewhere = container("x", PODMAN, ports=(Port(99, "tcp", "10.0.0.1", 80),))
    local = replace(SPEC, ports=(Port(80, "tcp", "127.0.0.1", 80),))
    assert not make_plan(source(local), replace(target(), containers=(elsewhere,))).blocked
