"""A made-up fleet for the widgets' pictures: every state once, long and wide names, hostile text. Knows no engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from backends.model.capabilities import EngineInfo
from backends.model.container import Container, ContainerState, Health, LogLine, LogStream, Port, StatsReading
from backends.model.errors import Unreachable
from backends.model.events import ConnectionState, Link, OperationUpdate, Phase
from backends.model.fleet import EngineView, FleetView
from backends.model.gpu import GpuDevice, GpuProcess, GpuReading, GpuSnapshot, GpuUse
from backends.model.ids import ContainerKey, EngineId, EngineKind, ImageKey
from backends.model.image import Layer, LayerReport
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
from backends.model.values import Missing
from backends.model.workload import WorkloadSpec

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MIB, GIB = 2**20, 2**30
DOCKER = EngineId(EngineKind.DOCKER, "docker")
PODMAN = EngineId(EngineKind.PODMAN, "podman")
ROOTLESS = EngineId(EngineKind.PODMAN, "podman-rootless")
RUN, EXIT = ContainerState.RUNNING, ContainerState.EXITED


def key_of(engine: EngineId, number: int) -> ContainerKey:
    """A key of 64 digits."""
    return ContainerKey(engine, f"{number:064x}")


def _container(number: int, engine: EngineId, name: str, image: str, **more: object) -> Container:
    base = Container(
        key=key_of(engine, number),
        name=name,
        image=image,
        image_id="ab" * 32,
        state=RUN,
        created_at=NOW - timedelta(hours=number * 7 + 1),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # fields of Container by name


PROJECT = {"com.docker.compose.project": "vision"}
CONTAINERS = (
    _container(
        1,
        DOCKER,
        "llama-finetune-70b-rank-64-seed-1337",
        "nvcr.io/nvidia/pytorch:25.09-py3",
        health=Health.HEALTHY,
        gpus_given=("nvidia.com/gpu=0", "nvidia.com/gpu=1"),
        labels=PROJECT,
    ),
    _container(
        2,
        DOCKER,
        "triton",
        "nvcr.io/nvidia/tritonserver:25.08-py3",
        health=Health.UNHEALTHY,
        gpus_given=("nvidia.com/gpu=1",),
        ports=(Port(8000, "tcp", "0.0.0.0", 8000), Port(8001, "tcp", "0.0.0.0", 8001), Port(8000, "tcp", "::", 8000)),
        labels=PROJECT,
    ),
    _container(3, DOCKER, "postgres", "docker.io/library/postgres:17", ports=(Port(5432, "tcp", "127.0.0.1", 5432),)),
    _container(4, DOCKER, "eval-batch-0007", "localhost/eval:1", state=EXIT, exit_code=1),
    _container(5, DOCKER, "warmup", "docker.io/library/busybox:1", state=EXIT, exit_code=0),
    _container(6, PODMAN, "jupyter", "quay.io/jupyter/pytorch-notebook:cuda12", ports=(Port(8888, "tcp", "", 8888),)),
    _container(7, PODMAN, "データ前処理-パイプライン", "registry.example.org/team/preprocess:2026.11"),
    _container(8, PODMAN, "cache", "docker.io/library/redis:8", state=ContainerState.PAUSED),
    _container(9, PODMAN, "retry-me", "localhost/flaky:dev", state=ContainerState.RESTARTING),
    _container(10, PODMAN, "fresh", "docker.io/library/python:3.13", state=ContainerState.CREATED),
    _container(11, ROOTLESS, "notebook-of-ana", "docker.io/jupyter/base-notebook:latest", health=Health.STARTING),
    _container(12, ROOTLESS, "evil\x1b[2J\u202egnp.exe[red]", "docker.io/x/y@sha256:" + "0" * 64),
    _container(13, ROOTLESS, "broken", "docker.io/library/alpine:3", state=ContainerState.DEAD),
)
_USE = {1: (812.4, 41.2, 64.0), 2: (96.0, 5.9, 6.0), 3: (0.4, 0.21, 0.0), 6: (7.4, 1.7, 8.0), 7: (388.0, 11.3, 12.0)}


def _stats(container: Container) -> StatsReading:
    number = int(container.key.id, 16)
    cpu, used, limit = _USE.get(number, (0.0, 0.002 * number, 0.0))
    return StatsReading(
        key=container.key,
        sampled_at=100.0,
        cpu_percent=cpu,
        memory_bytes=int(used * GIB),
        memory_limit_bytes=int(limit * GIB) if limit else Missing("no limit"),
    )


def engine_view(engine: EngineId, link: Link = Link.CONNECTED, *, rootless: bool = False) -> EngineView:
    """An engine in a state of its link."""
    version = "26.1.5" if engine.kind is EngineKind.DOCKER else "5.4.2"
    error = None if link is Link.CONNECTED else Unreachable("connection refused", engine=engine)
    retry_at = 104.0 if link is Link.LOST else None
    info = None if link is Link.ABSENT else EngineInfo(version, "1.45", rootless, True)
    return EngineView(engine, ConnectionState(link, error, retry_at), info, f"unix:///run/{engine.name}.sock")


def fleet(*, docker: Link = Link.CONNECTED) -> FleetView:
    """Three engines with thirteen containers, one of them being stopped."""
    stopping = key_of(PODMAN, 6)
    return FleetView(
        version=1,
        engines={
            DOCKER: engine_view(DOCKER, docker),
            PODMAN: engine_view(PODMAN),
            ROOTLESS: engine_view(ROOTLESS, rootless=True),
        },
        containers={container.key: container for container in CONTAINERS},
        stats={container.key: _stats(container) for container in CONTAINERS},
        gpu_use={
            key_of(DOCKER, 1): GpuUse(71 * GIB, 187.0, (0, 1)),
            key_of(DOCKER, 2): GpuUse(9 * GIB, 12.0, (1,)),
        },
        gpus=gpus(2),
        operations={stopping: OperationUpdate(1, "container.stop", stopping, "jupyter", Phase.STARTED)},
    )


def gpus(count: int) -> GpuSnapshot:
    """So many H200s, the last with a driver that refuses to tell its power."""
    readings = []
    for index in range(count):
        device = GpuDevice(index, f"GPU-{index}", "NVIDIA H200", "nvidia", memory_total_bytes=141 * GIB)
        last = index == count - 1
        readings.append(
            GpuReading(
                device=device,
                sampled_at=100.0,
                gpu_percent=(97.0, 12.0, 0.0, 54.0)[index % 4],
                memory_used_bytes=int((118.2, 9.4, 0.6, 136.0)[index % 4] * GIB),
                temperature_c=(71.0, 42.0, 35.0, 88.0)[index % 4],
                power_w=Missing("driver refuses") if last else (612.0, 118.0, 76.0, 688.0)[index % 4],
                power_limit_w=700.0,
                processes=tuple(GpuProcess(4000 + n, device.uuid, GIB, 10.0) for n in range((2, 1, 0, 3)[index % 4])),
            )
        )
    return GpuSnapshot(readings=tuple(readings), driver_version="580.82.07")


NO_GPU = GpuSnapshot(
    absent="no NVIDIA driver on this machine",
    hint="With a GPU here, install its driver; `tranship doctor` says what is missing.",
)


def layers() -> LayerReport:
    """An image of a base, a big wheel layer and steps that made no layer."""
    steps = (
        ("/bin/sh -c #(nop) ADD file:4b5e in / ", 78 * MIB, 40),
        ('/bin/sh -c #(nop)  CMD ["bash"]', 0, 40),
        ("RUN /bin/sh -c apt-get update && apt-get install -y python3 python3-pip git # buildkit", 412 * MIB, 12),
        ("RUN /bin/sh -c pip install torch==2.9.0 --index-url https://download.pytorch.org # buildkit", 5 * GIB, 12),
        ("ENV CUDA_VISIBLE_DEVICES=0", 0, 3),
        ("COPY . /app # buildkit", 3 * MIB, 1),
        ('ENTRYPOINT ["python" "-m" "train"]', 0, 1),
    )
    made = tuple(
        Layer(command, f"sha256:{number:064x}" if size else "", size or None, NOW - timedelta(days=days))
        for number, (command, size, days) in enumerate(steps)
    )
    return LayerReport(ImageKey(DOCKER, "ab" * 32), "docker.io/acme/train:2026.11", made, "amd64")


def plan(*, blocked: bool = True) -> Plan:
    """A move from Docker to Podman with something of everything."""
    block = (
        Finding(
            Severity.BLOCK,
            "Port 8080 is taken on the target",
            "podman: container web publishes 0.0.0.0:8080",
            "stop web, or choose another port",
        ),
    )
    return Plan(
        source=key_of(DOCKER, 1),
        source_name="trainer",
        source_running=True,
        target=PODMAN,
        spec=WorkloadSpec(name="trainer-2", image="docker.io/acme/train:2026.11"),
        volumes=(),
        fields=(
            FieldPlan("health check", Verdict.DROPPED, "curl -f http://localhost", "", "Podman needs a timer for it"),
            FieldPlan(
                "gpus", Verdict.CONVERTED, "--gpus all", "nvidia.com/gpu=all", "CDI names; both engines read them"
            ),
            FieldPlan("restart", Verdict.SAME, "unless-stopped", "unless-stopped"),
            FieldPlan("env", Verdict.SAME, "12 variables", "12 variables"),
            FieldPlan("memory limit", Verdict.SAME, "64 GiB", "64 GiB"),
        ),
        findings=(
            Finding(Severity.NOTE, "The image's base layers are on the target already", "4 of 9 layers, 2.1 GiB"),
            Finding(Severity.WARN, "The volume `scratch` is written while it runs", "it is copied after the stop"),
            *(block if blocked else ()),
        ),
        steps=(
            Step(StepKind.IMAGE, "Ship the image acme/train:2026.11", total_bytes=int(3.4 * GIB)),
            Step(StepKind.STOP_SOURCE, "Stop trainer on docker"),
            Step(StepKind.VOLUME, "Copy the volume scratch", total_bytes=812 * MIB),
            Step(StepKind.VOLUME, "Copy the volume models", skip="it is on the target already"),
            Step(StepKind.CREATE, "Create trainer-2 on podman"),
            Step(StepKind.START, "Start trainer-2"),
            Step(StepKind.VERIFY, "Compare the copy with its source"),
        ),
    )


def progress() -> OperationUpdate:
    """The third step, half way."""
    return OperationUpdate(
        1,
        "container.migrate",
        key_of(DOCKER, 1),
        "trainer",
        Phase.PROGRESS,
        step="copying files",
        step_index=2,
        done_bytes=430 * MIB,
        total_bytes=812 * MIB,
        bytes_per_s=96.0 * MIB,
        eta_s=4.0,
    )


def step_progress() -> StepProgress:
    """The same, as a run says it."""
    return StepProgress(2, 7, plan().steps[2], Phase.PROGRESS, "copying files", 430 * MIB, 812 * MIB, 96.0 * MIB, 4.0)


def report() -> MigrationReport:
    """A move that is done, with something of every kind of comparison."""
    return MigrationReport(
        plan=plan(blocked=False),
        target_id="c" * 64,
        checks=(
            Check("image configuration", True, f"sha256:{'4f' * 32}", f"sha256:{'4f' * 32}"),
            Check("image layers", True, "9 layers, top sha256:00032e7ee42f", "9 layers, top sha256:00032e7ee42f"),
            Check("volume scratch", True, "4182 files, 812 MiB", "4182 files, 812 MiB"),
            Check("restart", True, "unless-stopped", "unless-stopped"),
            Check("sysctls", True, "-", "-"),
            Check("GPU nodes inside", True, "all", "-", skipped="the image has no program ls"),
        ),
        moved_bytes=4294967296,
        duration_s=61.4,
        downtime_s=3.2,
        notes=("trainer is still on docker, stopped; it is never removed unless you say so",),
        journal="20261123-120000-9f2c",
        healthy_s=8.4,
    )


def log_lines(count: int = 40) -> list[LogLine]:
    """Training output: colours, stderr, a hostile line, a progress bar written over itself, a wide line."""
    lines = [
        LogLine(
            LogStream.STDOUT, f"\x1b[2m12:{n:02}\x1b[0m \x1b[32mINFO\x1b[0m  step {n * 50}  loss {2.9 - n / 20:.3f}"
        )
        for n in range(count - 5)
    ]
    lines.append(LogLine(LogStream.STDERR, "\x1b[33mWARNING\x1b[0m NCCL: retrying on socket eth0"))
    lines.append(LogLine(LogStream.STDOUT, "epoch 1   3%|▎   | 3/100\repoch 1  42%|████▏     | 42/100"))
    lines.append(LogLine(LogStream.STDOUT, "title \x1b]0;owned\x07and \x1b[2Jclear [b]not markup[/b]"))
    lines.append(
        LogLine(LogStream.STDERR, "\x1b[1;31mRuntimeError\x1b[0m: CUDA out of memory. Tried to allocate 2.00 GiB")
    )
    lines.append(LogLine(LogStream.STDOUT, "学習を再開します … チェックポイント 1200"))
    return lines
