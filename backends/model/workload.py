"""The engine-neutral recipe to create a container, and what of the source it could not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from backends.model.container import NO_LABELS, MountKind, Port
from backends.model.settings import (
    HealthSpec,
    LogSpec,
    NamespaceSpec,
    NetworkingSpec,
    ProcessSpec,
    ResourceSpec,
    SecuritySpec,
)

NVIDIA_CDI_KIND = "nvidia.com/gpu"
"""The CDI kind of NVIDIA's devices. Source: nvidia-container-toolkit, `nvidia-ctk cdi generate`."""

AMD_CDI_KIND = "amd.com/gpu"
"""Of AMD's. Source: amd-container-toolkit, `amd-ctk cdi generate`."""


MOST_GPUS = 1024
"""More than any host has: names are not counted beyond it, whatever a request says."""


class RestartName(StrEnum):
    """Names of Docker's and Podman's restart policies."""

    NO = "no"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"
    UNLESS_STOPPED = "unless-stopped"


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """max_retries: for on-failure only, 0 = without end."""

    name: RestartName = RestartName.NO
    max_retries: int = 0

    def __str__(self) -> str:
        """As `--restart` takes it: "on-failure:3"."""
        return f"{self.name.value}:{self.max_retries}" if self.max_retries else self.name.value


@dataclass(frozen=True, slots=True)
class GpuRequest:
    """The GPUs that a container is to be given.

    cdi_devices: CDI names ("nvidia.com/gpu=0"), what both engines understand.
    count: -1 = all, n = the first n, 0 = see device_ids or cdi_devices.
    device_ids: indexes or UUIDs of Docker's nvidia driver. driver: Docker's DeviceRequests driver, "" = default.
    """

    cdi_devices: tuple[str, ...] = ()
    count: int = 0
    device_ids: tuple[str, ...] = ()
    driver: str = ""
    capabilities: tuple[tuple[str, ...], ...] = ()
    options: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)

    def cdi_names(self) -> tuple[str, ...]:
        """The CDI names that mean what the request means.

        Docker's nvidia driver gives the *first* n devices for Count=n (moby daemon/devices_nvidia_linux.go), so the
        names are 0..n-1 (of MOST_GPUS at most). A vendor other than NVIDIA has its own kind ("amd" → "amd.com/gpu").
        """
        if self.cdi_devices:
            return self.cdi_devices
        kind = NVIDIA_CDI_KIND if self.driver in {"", "nvidia", "cdi"} else f"{self.driver}.com/gpu"
        if self.count < 0:
            return (f"{kind}=all",)
        if self.count:
            return tuple(f"{kind}={index}" for index in range(min(self.count, MOST_GPUS)))
        return tuple(name if "=" in name else f"{kind}={name}" for name in self.device_ids)


@dataclass(frozen=True, slots=True)
class MountSpec:
    """A bind, a volume or a tmpfs to mount.

    source: host path (bind), volume name (volume), "" (tmpfs). anonymous: the engine made the volume's name.
    subpath: the folder of the volume that is mounted, "" = all of it. no_copy: what the image has at the destination
    is not to be copied into an empty volume or a tmpfs (None = the engine's own: volumes are filled by both, a tmpfs by
    Podman only). propagation: "rshared", "rslave", …, "" = rprivate. relabel: SELinux, "z" shared, "Z" private.
    options: further mount options, sorted ("noexec", "nosuid", Podman's "U", "idmap=…").
    size_bytes: of a tmpfs, 0 = no limit; mode: of a tmpfs' root, None = 0o1777.
    recursive: binds take the mounts below along. create_source: a missing bind source is made (Docker's -v).
    """

    kind: MountKind
    source: str
    destination: str
    read_only: bool = False
    anonymous: bool = False
    subpath: str = ""
    no_copy: bool | None = None
    propagation: str = ""
    relabel: str = ""
    options: tuple[str, ...] = ()
    size_bytes: int = 0
    mode: int | None = None
    recursive: bool = True
    create_source: bool = False


@dataclass(frozen=True, slots=True)
class UnmappedField:
    """A setting of the source that this recipe does not say.

    path: the field in the engine's own inspect JSON ("HostConfig.CapAdd"). value: as JSON text.
    reason: why it is not carried.
    """

    path: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class WorkloadSpec:
    """How to create a container on any engine. What the image already says is not repeated here.

    image: full reference ("docker.io/library/python:3.11", "localhost/mine:1"). image_id: bare hex of the
    image the source really runs. command, entrypoint, user, workdir, hostname: None = the image's or the engine's own.
    env, labels: only what the image does not say. cpus_nano: 1e9 = one core (Docker NanoCpus); 0 = no limit.
    memory_bytes: 0 = no limit. health, log: None = the image's, the engine's own.
    unmapped: what the source has and this recipe does not say.
    """

    name: str
    image: str
    image_id: str = ""
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    user: str | None = None
    workdir: str | None = None
    hostname: str | None = None
    tty: bool = False
    stdin_open: bool = False
    ports: tuple[Port, ...] = ()
    mounts: tuple[MountSpec, ...] = ()
    restart: RestartPolicy = RestartPolicy()
    memory_bytes: int = 0
    cpus_nano: int = 0
    gpu: GpuRequest | None = None
    process: ProcessSpec = ProcessSpec()
    network: NetworkingSpec = NetworkingSpec()
    namespaces: NamespaceSpec = NamespaceSpec()
    security: SecuritySpec = SecuritySpec()
    resources: ResourceSpec = ResourceSpec()
    health: HealthSpec | None = None
    log: LogSpec | None = None
    unmapped: tuple[UnmappedField, ...] = ()


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume as observed. driver_options: as the engine reports them. mountpoint: its folder on the engine's
    host, "" where not told. created_at: None where not told. why: as an image's."""

    name: str
    driver: str = "local"
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    driver_options: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    anonymous: bool = False
    mountpoint: str = ""
    created_at: datetime | None = field(default=None, compare=False)
    why: str = ""


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A volume to create."""

    name: str
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    driver_options: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
