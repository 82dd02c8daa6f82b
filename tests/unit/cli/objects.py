"""Model objects for the command line's tests. Holds no test."""

from __future__ import annotations

from datetime import UTC, datetime

from backends.model.container import Container, ContainerState, Health, Port
from backends.model.errors import Unreachable
from backends.model.events import ConnectionState, Link, Phase
from backends.model.fleet import EngineView, FleetView
from backends.model.ids import ContainerKey, EngineId, EngineKind
from backends.model.plan import (
    Check,
    FieldPlan,
    Finding,
    MigrationReport,
    Plan,
    Severity,
    Step,
    StepKind,
    StepProgress,
    Verdict,
)
from backends.model.workload import WorkloadSpec

DOCKER = EngineId(EngineKind.DOCKER, "docker")
PODMAN = EngineId(EngineKind.PODMAN, "podman")
EVIL = "\x1b[31mred\x1b]0;title\x07\r\nsecond\x00"
"""A text that would colour, rename and overwrite a terminal."""


def container(
    name: str,
    engine: EngineId = DOCKER,
    digits: str = "a",
    *,
    state: ContainerState = ContainerState.RUNNING,
    health: Health = Health.NONE,
    exit_code: int | None = None,
    ports: tuple[Port, ...] = (),
) -> Container:
    """A container whose id is the digits again and again."""
    return Container(
        key=ContainerKey(engine, (digits * 64)[:64]),
        name=name,
        image="docker.io/test/web:1",
        image_id="f" * 64,
        state=state,
        created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        health=health,
        exit_code=exit_code,
        ports=ports,
    )


def view(*containers: Container, lost: tuple[EngineId, ...] = (), absent: tuple[EngineId, ...] = ()) -> FleetView:
    """A fleet of docker and podman with these containers."""
    engines = {}
    for engine in {DOCKER, PODMAN, *lost, *absent}:
        link = Link.LOST if engine in lost else Link.ABSENT if engine in absent else Link.CONNECTED
        error = Unreachable("does not answer", hint="start it", engine=engine) if link is not Link.CONNECTED else None
        engines[engine] = EngineView(engine, ConnectionState(link, error), endpoint=f"unix:///{engine}.sock")
    return FleetView(engines=engines, containers={row.key: row for row in containers})


SHIP = Step(StepKind.IMAGE, "ship the image", "docker.io/test/web:1", total_bytes=1000)


def plan(*, blocked: bool = False) -> Plan:
    """A plan with one field of each verdict."""
    severity = Severity.BLOCK if blocked else Severity.WARN
    return Plan(
        source=ContainerKey(DOCKER, "a" * 64),
        source_name="web",
        source_running=True,
        target=PODMAN,
        spec=WorkloadSpec(name="web2", image="docker.io/test/web:1", env={"TOKEN": "secret-value"}),
        volumes=(),
        fields=(
            FieldPlan("hostname", Verdict.SAME, "web", "web"),
            FieldPlan("ports", Verdict.CONVERTED, "8080", "8081", "taken"),
            FieldPlan("HostConfig.CapAdd", Verdict.DROPPED, '["SYS_ADMIN"]', "", "not carried yet"),
        ),
        findings=(Finding(severity, "the port is taken", EVIL, "choose another"),),
        steps=(SHIP, Step(StepKind.VERIFY, "compare", skip="nothing to compare")),
    )


def report() -> MigrationReport:
    """A report with one comparison that failed."""
    checks = (Check("image", True, "a", "a"), Check("env", False, "A=1", "A=2"))
    return MigrationReport(plan(), "b" * 64, checks, 2048, 3.0, 1.25, notes=("remember the label",))


def progress(phase: Phase, *, done_bytes: int | None = None, undoing: bool = False) -> StepProgress:
    """Progress of the step SHIP, which estimates 1000 bytes."""
    known = done_bytes is not None
    return StepProgress(
        0,
        6,
        SHIP,
        phase,
        done_bytes=done_bytes,
        total_bytes=1000 if known else None,
        bytes_per_s=100.0 if known else None,
        eta_s=9.0 if known else None,
        undoing=undoing,
    )
