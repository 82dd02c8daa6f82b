"""Plans: nothing of the source is left unsaid, and what stands in the way is found before anything is done."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.migration.facts import SourceFacts, TargetFacts, VolumeFact, same_image
from backends.migration.fields import MASK
from backends.migration.places import look_over
from backends.migration.plan import make_plan
from backends.migration.rows import TABLE
from backends.migration.table import Row
from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.container import Container, ContainerState, Health, MountKind, Port
from backends.model.ids import ContainerKey, EngineId, EngineKind, ImageKey
from backends.model.image import ImageFacts
from backends.model.plan import Choices, FieldPlan, ImageAction, Plan, Severity, StepKind, Verdict, VolumeChoice
from backends.model.secrets import is_secret_name
from backends.model.workload import (
    MountSpec,
    RestartName,
    RestartPolicy,
    UnmappedField,
    Volume,
    WorkloadSpec,
)
from tests.unit.model.instances import instances

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
IMAGES = st.sampled_from(["docker.io/a/b:1", "docker.io/a/b@sha256:" + ID, ID, "sha256:" + ID, ID[:12]])
LEFT = st.lists(st.builds(UnmappedField, WORDS, WORDS, WORDS), max_size=4).map(tuple)
SPECS = st.builds(
    lambda spec, image, unmapped: replace(spec, image=image, image_id=ID, unmapped=unmapped),
    instances(WorkloadSpec),
    IMAGES,
    LEFT,
)
"""Recipes with anything in any field: what no engine would accept must be planned without a crash too."""

INFOS = st.builds(
    EngineInfo,
    version=st.just("1"),
    api_version=st.just("1"),
    rootless=st.booleans(),
    local=st.booleans(),
    cdi_devices=st.sampled_from([(), ("nvidia.com/gpu=0",)]),
    capabilities=st.sets(st.sampled_from(Capability)).map(lambda lacking: Capabilities({c: "why" for c in lacking})),
)


def entries(row: Row, spec: WorkloadSpec) -> dict[str, object]:
    """What the plan must speak of: field → value."""
    value = row.get(spec)
    parts = row.parts.split(value) if row.parts else [("", value)]
    return {f"{row.path}.{name}" if name else row.path: item for name, item in parts}


def same_set(one: object, other: object) -> bool:
    """Lists of words in which neither order nor repetition means anything (capabilities)."""
    return isinstance(one, tuple) and isinstance(other, tuple) and set(one) == set(other)


@given(SPECS, INFOS, st.sampled_from(ContainerState), st.none() | WORDS)
def test_every_configured_field_is_in_the_plan_and_nothing_is_dropped_silently(
    spec: WorkloadSpec, info: EngineInfo, state: ContainerState, name: str | None
) -> None:
    plan = make_plan(source(spec, state), target(info), Choices(name=name))
    said: dict[str, list[FieldPlan]] = {}
    for field in plan.fields:
        assert (field.verdict is Verdict.SAME) == (field.reason == ""), field
        assert (field.verdict is Verdict.DROPPED) <= (field.target == ""), field
        said.setdefault(field.field, []).append(field)

    for row in TABLE:
        if row.path in {"image_id", "unmapped"} or not row.configured(spec):
            continue
        kept = list(entries(row, plan.spec).values())
        for path, value in entries(row, spec).items():
            if path == "mounts" or f"{path}.options" in said:
                continue  # mounted nowhere, or its engine's own options are said beside it
            if isinstance(value, MountSpec) and value.kind is MountKind.VOLUME:
                value = replace(value, anonymous=False, no_copy=True)  # as a move makes each
            assert path in said, f"{path} is only absent"
            if all(field.verdict is Verdict.SAME for field in said[path]):
                assert value in kept or same_set(value, kept[0]), f"{path} is said to be the same"

    for entry in spec.unmapped:
        matching = [field for field in said[entry.path] if field.reason == entry.reason]
        assert any(field.verdict is Verdict.DROPPED for field in matching)
    assert plan.spec.unmapped == ()
    for key in filter(None, spec.env):
        assert (said[f"env.{key}"][0].source == MASK) == bool(is_secret_name(key) and spec.env[key])

    # Every volume that is mounted has a copy of its own, and each copy another name.
    names = [move.create.name for move in plan.volumes]
    assert len(names) == len(set(names)) == len({m.source for m in spec.mounts if m.kind is MountKind.VOLUME})
    assert [step.kind for step in plan.steps].count(StepKind.VOLUME) == len(names)
    assert make_plan(source(spec, state), target(info), Choices(name=name)) == plan


def test_the_order_of_steps_stops_the_source_before_its_data_is_copied() -> None:
    plan = make_plan(source(replace(SPEC, mounts=(MountSpec(MountKind.VOLUME, "v", "/v"),))), target())
    kinds = [step.kind for step in plan.steps]
    asked_for = {StepKind.NETWORK, StepKind.FILES, StepKind.HEALTH}
    assert kinds == [kind for kind in StepKind if kind not in asked_for]
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
    plan = make_plan(source(spec), replace(target(), volumes=frozenset({"v", "v-new"})), Choices(name="new"))
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


@pytest.mark.parametrize(
    ("health", "skip"), [(Health.HEALTHY, False), (Health.STARTING, False), (Health.UNHEALTHY, True)]
)
def test_nobody_waits_for_the_health_that_the_source_has_not(health: Health, skip: bool) -> None:
    facts = source()
    plan = make_plan(replace(facts, container=replace(facts.container, health=health)), target())
    [step] = [step for step in plan.steps if step.kind is StepKind.HEALTH]
    assert bool(step.skip) == skip
    assert ("web is unhealthy" in titles(plan, Severity.WARN)) == skip


def test_owners_that_a_rootless_target_does_not_have_block_before_anything_is_copied() -> None:
    spec = replace(SPEC, mounts=(MountSpec(MountKind.VOLUME, "v", "/v"),))
    there = target(replace(ROOTLESS, id_ranges=((0, 1), (1, 65536))))
    for ids, blocked in (({0, 1000, 65536}, False), ({0, 70_000}, True)):
        facts = replace(source(spec), held={"v": VolumeFact(1, frozenset(ids))})
        assert make_plan(facts, there).blocked == blocked, ids
        assert not make_plan(facts, target()).blocked
        assert not make_plan(replace(facts, info=replace(INFO, rootless=True)), there).blocked, (
            "they are mapped already"
        )
        skipped = Choices(volumes={"v": VolumeChoice.SKIP})
        assert not make_plan(facts, there, skipped).blocked


def test_a_volume_is_looked_over_where_its_folder_is_here(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "file").write_bytes(b"x" * 10_000)
    os.link(tmp_path / "v" / "file", tmp_path / "v" / "again")
    found = look_over([Volume("v", mountpoint=str(tmp_path / "v")), Volume("gone", mountpoint=str(tmp_path / "w"))])
    assert found.keys() == {"v"}
    assert 10_000 <= found["v"].disk_bytes < 20_000, "a hard link takes no room"
    assert found["v"].ids == {os.getuid(), os.getgid()}
    mapped = tmp_path / "1000.1000" / "v"
    mapped.mkdir(parents=True)
    assert look_over([Volume("m", mountpoint=f"{mapped}")])["m"].ids == frozenset()
