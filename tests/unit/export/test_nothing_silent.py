"""Every field that somebody has set is in the export, or is told: without it the file is another, or it is a remark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from backends.export.compose import compose_with_ledger
from backends.export.compose_service import NEVER as COMPOSE_NEVER
from backends.export.document import markdown
from backends.export.exported import Exported, Member
from backends.export.kubernetes import kubernetes_with_ledger
from backends.export.kubernetes_container import NEVER, NEVER_IN_A_CLUSTER
from backends.export.unsaid import PLAIN, Ledger, field_of
from backends.migration.rows import TABLE
from backends.model.ids import EngineKind
from backends.model.settings import HealthSpec, NamespaceSpec, NetworkingSpec, ProcessSpec, SecuritySpec
from backends.model.workload import WorkloadSpec
from tests.unit.export.members import members, trainer

Export = Callable[[Member], tuple[Exported, Ledger]]
EXPORTS: dict[str, Export] = {
    "compose": lambda member: compose_with_ledger([member]),
    "cluster": lambda member: kubernetes_with_ledger([member]),
    "podman": lambda member: kubernetes_with_ledger([member], podman=True),
}
IDENTITY = {"name", "image", "image_id", "health.test", "health.startup_successes", "unmapped"}
"""What a recipe, or a check, is not without; unmapped fields are no fields of the recipe."""

PODMANS = WorkloadSpec(
    "own",
    "docker.io/test/own:1",
    process=ProcessSpec(http_proxy=False, systemd="always", timezone="Europe/Berlin", umask="0027"),
    network=NetworkingSpec(mode="pasta", base_hosts="none", no_hosts=True, no_resolv=True, links=("db:base",)),
    namespaces=NamespaceSpec(user="keep-id", cgroup="host", ipc="none", pid="container:other"),
    security=SecuritySpec(read_only_rootfs=True, read_write_tmpfs=False),
    health=HealthSpec(("CMD", "true"), on_failure="none", startup=HealthSpec(("CMD", "true")), startup_successes=3),
)
"""What Docker does not have, and so no random recipe."""


def _set_fields(spec: WorkloadSpec) -> Iterator[str]:
    for row in TABLE:
        implied = row.path == "network.mode" and spec.network.networks
        if row.path not in IDENTITY and not implied and field_of(spec, row.path) != field_of(PLAIN, row.path):
            yield row.path


def _without(spec: WorkloadSpec, path: str) -> WorkloadSpec:
    group, _, name = path.partition(".")
    value = field_of(PLAIN, path)
    return replace(spec, **{group: replace(getattr(spec, group), **{name: value}) if name else value})


def _files(out: Exported) -> dict[str, str]:
    """Texts, without what is told in comments."""
    return {
        file.name: "\n".join(line for line in file.text.split("\n") if not line.startswith("# ")) for file in out.files
    }


def _silent(member: Member, export: Export) -> list[str]:
    """Fields that are neither said nor told: without them nothing is another, not a file, a command or a remark."""
    out, ledger = export(member)
    told = {entry.path for entry in ledger.entries}
    lost = []
    for path in _set_fields(member.spec):
        if path not in told:
            other, remarks = export(replace(member, spec=_without(member.spec, path)))
            if (_files(other), other.commands, remarks.entries) == (_files(out), out.commands, ledger.entries):
                lost.append(path)
    return lost


@pytest.mark.parametrize("name", EXPORTS)
@settings(max_examples=8, report_multiple_bugs=False)
@given(member=members())
def test_no_field_is_lost_in_silence(name: str, member: Member) -> None:
    assert not _silent(member, EXPORTS[name])


@pytest.mark.parametrize("name", EXPORTS)
def test_nor_one_that_only_podman_has(name: str) -> None:
    assert not _silent(Member(PODMANS, EngineKind.PODMAN), EXPORTS[name])


def test_the_tables_name_fields_of_the_recipe() -> None:
    paths = {row.path for row in TABLE}
    assert {row.path for row in (*COMPOSE_NEVER, *NEVER, *NEVER_IN_A_CLUSTER)} <= paths


def test_the_document_is_of_this_code() -> None:
    document = Path(__file__).parents[3] / "docs" / "export.md"
    assert document.read_text() == markdown(), "make docs"


def test_a_loss_is_noticed() -> None:
    """The proof itself: an export that forgets a field is found."""

    def forgetful(member: Member) -> tuple[Exported, Ledger]:
        return compose_with_ledger([replace(member, spec=replace(member.spec, memory_bytes=0))])

    assert _silent(trainer(), forgetful) == ["memory_bytes"]
