"""Who plays in the demo fleet: images and containers, as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from backends.engines.demo_actions import Role
from backends.engines.demo_container import HealthCheck
from backends.engines.demo_images import BuildStep
from backends.model.container import MountKind, Port
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, WorkloadSpec

MIB, GIB = 1 << 20, 1 << 30
_HOUR = 3600.0
_DAY = 24 * _HOUR
_DEBIAN = BuildStep("ADD rootfs.tar.xz / # debian bookworm", 117 * MIB)
_UBUNTU = BuildStep("ADD file: / # ubuntu 22.04", 78 * MIB)
_CUDA = (
    _UBUNTU,
    BuildStep("ENV NVARCH=x86_64 CUDA_VERSION=12.4.1"),
    BuildStep("RUN apt-get install -y cuda-cudart-12-4 cuda-compat-12-4", 165 * MIB),
    BuildStep("RUN apt-get install -y cuda-libraries-12-4 libcublas-12-4 libnccl2", 2_340 * MIB),
)


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image of the demo, on the engines named by `on`, and what its program does."""

    reference: str
    steps: tuple[BuildStep, ...]
    settings: Mapping[str, Any]
    role: Role
    on: tuple[str, ...] = ("demo-docker", "demo-podman")


@dataclass(frozen=True, slots=True)
class Part:
    """A container of the demo. age_s: since it was created. ran_s: None = from then on; else it ended after that.

    exit_code: of an ended one. paused: it is frozen now. image: its reference.
    """

    engine: str
    spec: WorkloadSpec
    age_s: float
    ran_s: float | None = None
    exit_code: int = 0
    paused: bool = False
    files: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


def _image(reference: str, steps: tuple[BuildStep, ...], argv: list[str], role: Role, **more: Any) -> ImagePart:
    settings = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": argv, **more}
    steps = (*steps, BuildStep(f"CMD {json.dumps(argv)}"))
    return ImagePart(reference, steps, settings, role)


IMAGES: tuple[ImagePart, ...] = (
    _image(
        "docker.io/pytorch/pytorch:2.5.1-cuda12.4",
        (
            *_CUDA,
            BuildStep("RUN conda install pytorch torchvision torchaudio", 5_210 * MIB),
            BuildStep("WORKDIR /workspace"),
            BuildStep("RUN pip install accelerate datasets safetensors", 412 * MIB),
        ),
        ["python", "train.py"],
        Role("training", "training", 2.0),
        WorkingDir="/workspace",
    ),
    _image(
        "docker.io/vllm/vllm-openai:v0.6.4",
        (*_CUDA, BuildStep("RUN pip install vllm flashinfer", 6_870 * MIB), BuildStep("COPY examples /opt", 3 * MIB)),
        ["--model", "/models"],
        Role("serving", "serving", 1.0, HealthCheck(8.0)),
        Entrypoint=["python3", "-m", "vllm.entrypoints.openai.api_server"],
    ),
    _image(
        "quay.io/jupyter/pytorch-notebook:cuda12",
        (*_CUDA, BuildStep("RUN mamba install jupyterlab notebook", 1_480 * MIB), BuildStep("USER 1000")),
        ["start-notebook.py"],
        Role("notebook", "notebook", 20.0, HealthCheck(6.0)),
        User="1000",
    ),
    _image(
        "ghcr.io/mlflow/mlflow:v2.18.0",
        (_DEBIAN, BuildStep("RUN pip install mlflow psycopg2-binary boto3", 590 * MIB)),
        ["mlflow", "server", "--host", "0.0.0.0"],
        Role("web", "web", 3.0),
    ),
    _image(
        "docker.io/tensorflow/tensorflow:2.18.0",
        (_UBUNTU, BuildStep("RUN pip install tensorflow tensorboard", 1_640 * MIB)),
        ["tensorboard", "--logdir", "/runs", "--bind_all"],
        Role("web", "web", 7.0),
    ),
    _image(
        "docker.io/library/postgres:16",
        (_DEBIAN, BuildStep("RUN apt-get install -y postgresql-16", 290 * MIB), BuildStep("VOLUME /var/lib/pg")),
        ["postgres"],
        Role("database", "database", 30.0, HealthCheck(4.0)),
    ),
    _image(
        "docker.io/minio/minio:latest",
        (BuildStep("COPY /opt/bin/minio /usr/bin/minio", 158 * MIB),),
        ["minio", "server", "/data"],
        Role("web", "web", 11.0),
    ),
    _image(
        "docker.io/library/redis:7",
        (_DEBIAN, BuildStep("RUN make -C /usr/src/redis install", 41 * MIB)),
        ["redis-server"],
        Role("quiet", "idle", 15.0),
    ),
    _image(
        "localhost/team/embedder:0.9",
        (*_CUDA, BuildStep("RUN pip install sentence-transformers fastapi uvicorn", 3_120 * MIB)),
        ["uvicorn", "serve:app", "--port", "8080"],
        Role("trouble", "trouble", 4.0, HealthCheck(6.0, bad=True)),
    ),
    _image(
        "localhost/team/pipeline:3",
        (_DEBIAN, BuildStep("RUN pip install polars pyarrow s3fs", 655 * MIB), BuildStep("COPY jobs /jobs", 2 * MIB)),
        ["python", "-m", "jobs"],
        Role("quiet", "batch", 1.5),
    ),
)


def _gpus(*indexes: int) -> GpuRequest:
    return GpuRequest(cdi_devices=tuple(f"nvidia.com/gpu={index}" for index in indexes))


def _volume(name: str, at: str, *, read_only: bool = False) -> MountSpec:
    return MountSpec(MountKind.VOLUME, name, at, read_only)


def _bind(path: str, at: str, *, read_only: bool = False) -> MountSpec:
    return MountSpec(MountKind.BIND, path, at, read_only)


def _compose(project: str, service: str, *, podman: bool = False) -> Mapping[str, str]:
    prefix = "io.podman.compose" if podman else "com.docker.compose"
    return MappingProxyType({f"{prefix}.project": project, f"{prefix}.service": service})


_KEEP = RestartPolicy(RestartName.UNLESS_STOPPED)
_TORCH, _VLLM = IMAGES[0].reference, IMAGES[1].reference

DOCKER_PARTS: tuple[Part, ...] = (
    Part(
        "demo-docker",
        WorkloadSpec(
            "train-llama3-8b",
            _TORCH,
            command=("torchrun", "--nproc-per-node=2", "train.py", "--config", "llama3-8b.yaml"),
            env={"NCCL_DEBUG": "WARN", "WANDB_MODE": "offline"},
            mounts=(_volume("checkpoints", "/checkpoints"), _bind("/srv/datasets", "/data", read_only=True)),
            memory_bytes=96 * GIB,
            cpus_nano=16_000_000_000,
            gpu=_gpus(0, 1),
        ),
        3 * _DAY + 4 * _HOUR,
        files={"checkpoints": ("step-0001000.safetensors", "step-0002000.safetensors", "config.json")},
    ),
    Part(
        "demo-docker",
        WorkloadSpec(
            "jupyter-lab",
            IMAGES[2].reference,
            env={"JUPYTER_ENABLE_LAB": "yes"},
            ports=(Port(8888, "tcp", "127.0.0.1", 8888),),
            mounts=(_volume("notebooks", "/home/jovyan/work"),),
            restart=_KEEP,
            memory_bytes=16 * GIB,
            gpu=_gpus(0),
        ),
        9 * _DAY,
        files={"notebooks": ("explore.ipynb", "evals/plots.ipynb")},
    ),
    Part(
        "demo-docker",
        WorkloadSpec(
            "tensorboard",
            IMAGES[4].reference,
            ports=(Port(6006, "tcp", "", 6006),),
            mounts=(_volume("runs", "/runs", read_only=True),),
        ),
        3 * _DAY,
        files={"runs": ("llama3-8b/events.out.tfevents.1",)},
    ),
    Part(
        "demo-docker",
        WorkloadSpec(
            "mlops-mlflow-1",
            IMAGES[3].reference,
            labels=_compose("mlops", "mlflow"),
            env={"MLFLOW_S3_ENDPOINT_URL": "http://minio:9000"},
            ports=(Port(5000, "tcp", "", 5000),),
            restart=_KEEP,
        ),
        21 * _DAY,
    ),
    Part(
        "demo-docker",
        WorkloadSpec(
            "mlops-postgres-1",
            IMAGES[5].reference,
            labels=_compose("mlops", "postgres"),
            env={"POSTGRES_DB": "mlflow"},
            mounts=(_volume("mlops_pgdata", "/var/lib/postgresql/data"),),
            restart=_KEEP,
            memory_bytes=2 * GIB,
        ),
        21 * _DAY,
        files={"mlops_pgdata": ("PG_VERSION", "base/1/1259")},
    ),
    Part(
        "demo-docker",
        WorkloadSpec(
            "mlops-minio-1",
            IMAGES[6].reference,
            labels=_compose("mlops", "minio"),
            ports=(Port(9000, "tcp", "", 9000), Port(9001, "tcp", "", 9001)),
            mounts=(_volume("mlops_minio", "/data"),),
            restart=_KEEP,
        ),
        21 * _DAY,
    ),
    Part(
        "demo-docker",
        WorkloadSpec(
            "finetune-mistral",
            _TORCH,
            command=("python", "finetune.py", "--lora", "--batch-size", "64"),
            memory_bytes=32 * GIB,
            gpu=_gpus(0),
        ),
        1.2 * _DAY,
        ran_s=5.4 * _HOUR,
        exit_code=137,
    ),
    Part("demo-docker", WorkloadSpec("tokenize-shards", IMAGES[9].reference), 0.3 * _HOUR, paused=True),
)

PODMAN_PARTS: tuple[Part, ...] = (
    Part(
        "demo-podman",
        WorkloadSpec(
            "vllm-qwen2.5-7b",
            _VLLM,
            command=("--model", "/models/qwen2.5-7b", "--max-model-len", "32768"),
            env={"VLLM_LOGGING_LEVEL": "INFO"},
            ports=(Port(8000, "tcp", "", 8000),),
            mounts=(_volume("models", "/models", read_only=True),),
            restart=RestartPolicy(RestartName.ALWAYS),
            memory_bytes=48 * GIB,
            gpu=_gpus(1),
        ),
        2 * _DAY,
        files={"models": ("qwen2.5-7b/config.json", "qwen2.5-7b/model-00001-of-00004.safetensors")},
    ),
    Part(
        "demo-podman",
        WorkloadSpec(
            "rag-embedder",
            IMAGES[8].reference,
            labels=_compose("rag", "embedder", podman=True),
            ports=(Port(8080, "tcp", "", 8080),),
            restart=_KEEP,
            memory_bytes=12 * GIB,
        ),
        6 * _HOUR,
    ),
    Part(
        "demo-podman",
        WorkloadSpec(
            "rag-redis",
            IMAGES[7].reference,
            labels=_compose("rag", "redis", podman=True),
            mounts=(_volume("rag_redis", "/data"),),
            restart=_KEEP,
        ),
        6 * _HOUR,
    ),
    Part("demo-podman", WorkloadSpec("eval-nightly", _TORCH, command=("python", "eval.py")), 0.6 * _DAY, 2900.0),
    Part("demo-podman", WorkloadSpec("dedup-corpus", IMAGES[9].reference, memory_bytes=24 * GIB), 4.1 * _HOUR),
    Part("demo-podman", WorkloadSpec("scratch", IMAGES[2].reference, command=("sleep", "infinity")), 40 * _DAY, 7200.0),
)
