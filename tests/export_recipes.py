"""Ten varied containers that both engines can make: what exports are tried with. No test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from backends.model.container import MountKind, Port
from backends.model.network import NetworkSpec, Subnet
from backends.model.settings import (
    DeviceSpec,
    HealthSpec,
    LogSpec,
    NamespaceSpec,
    NetworkAttachment,
    NetworkingSpec,
    ProcessSpec,
    ResourceSpec,
    SecuritySpec,
    Ulimit,
)
from backends.model.workload import GpuRequest, MountSpec, RestartName, RestartPolicy, VolumeSpec, WorkloadSpec
from tests.real import address_range, host_port

IMAGE = "docker.io/test/busybox:1"
HOSTILE = (
    "", " ", "y", "no", "~", "null", "1e3", "0o17", "0x1F", "1:30", ".inf", "=", "<<", "- a", "# c", "a #b", "a: b",
    "{a}", "[1]", "&a *b", "!!int 1", "%", "@", "`x`", "|", ">", "$", "$$", "$5", "$HOME", "${HOME}", "${X:-y}", "$(X)",
    "$$(X)", "\\", "\\\\", "\\n", "\\'", "\\\"", "'", "''", '"', "a'b\"c\\d$e", "a\\", "tab\there", "two\nlines",
    "end\n", "\n\nabove", " around ", "cr\rlf", "ünïcödé 名 \U0001f600", "nel\x85", "esc\x1b[31m", "\u2028", "\ufeff",
)  # fmt: skip
"""Texts that a reader of YAML, of env files or of variables may take for something else."""

_S, _MIB = 10**9, 1 << 20


class Ten:
    """The recipes, with the volumes and networks that they need. run: the beginning of every name."""

    def __init__(self, run: str, labels: Mapping[str, str]) -> None:
        one, two = address_range(), address_range()
        marks = dict(labels)
        self.networks = (
            NetworkSpec(f"{run}-one", subnets=(Subnet(f"{one}.0/24", f"{one}.1"),), labels=marks),
            NetworkSpec(f"{run}-two", subnets=(Subnet(f"{two}.0/24", f"{two}.1"),), internal=True, labels=marks),
        )
        self.volumes = (VolumeSpec(f"{run}-data", {**marks, "kept": "yes"}), VolumeSpec(f"{run}-cache", marks))
        self.address = f"{one}.77"
        self.specs = tuple(
            replace(spec, name=f"{run}-{spec.name}", image=IMAGE, labels={**marks, **spec.labels})
            for spec in self._recipes(run)
        )

    def _recipes(self, run: str) -> tuple[WorkloadSpec, ...]:
        wait = ("sh", "-c", "trap 'exit 0' TERM; sleep 300 & wait")
        plain = WorkloadSpec("", IMAGE, command=wait)
        return (
            replace(
                plain,
                name="plain",
                entrypoint=("/bin/sh", "-c"),
                command=("echo $HOME $(date) $$ ${X:-y}; sleep 300",),
                env={
                    **{f"VALUE_{place}": text for place, text in enumerate(HOSTILE)},
                    **{f"TOKEN_{place}": text for place, text in enumerate(HOSTILE)},
                },
                labels={"team": "vision"},
                user="1000:1000",
                workdir="/tmp",
                hostname="bench",
            ),
            replace(plain, name="gpu", gpu=GpuRequest(cdi_devices=("nvidia.com/gpu=0",))),
            replace(
                plain,
                name="health",
                health=HealthSpec(("CMD", "test", "-d", "/tmp"), 7 * _S, 3 * _S, 11 * _S, 0, 4),
                restart=RestartPolicy(RestartName.ALWAYS),
            ),
            replace(
                plain,
                name="nets",
                network=NetworkingSpec(
                    "bridge",
                    (
                        NetworkAttachment(f"{run}-one", aliases=("db",), ipv4=self.address),
                        NetworkAttachment(f"{run}-two", aliases=("inner",)),
                    ),
                ),
            ),
            replace(
                plain,
                name="mounts",
                mounts=(
                    MountSpec(MountKind.BIND, "/etc", "/mounted/bind", read_only=True),
                    MountSpec(MountKind.VOLUME, f"{run}-cache", "/mounted/cache", read_only=True),
                    MountSpec(MountKind.VOLUME, f"{run}-data", "/mounted/data"),
                    MountSpec(MountKind.TMPFS, "", "/mounted/tmp", size_bytes=5 * _MIB, options=("noexec",)),
                ),
            ),
            replace(
                plain,
                name="limits",
                memory_bytes=64 * _MIB,
                cpus_nano=500_000_000,
                namespaces=NamespaceSpec(shm_bytes=32 * _MIB),
                resources=ResourceSpec(
                    memory_reservation_bytes=32 * _MIB,
                    memory_swap_bytes=100 * _MIB,
                    cpuset_cpus="0",
                    pids_limit=77,
                    ulimits=(Ulimit("nofile", 512, 1024),),
                ),
            ),
            replace(
                plain,
                name="rights",
                security=SecuritySpec(
                    cap_add=("CAP_NET_ADMIN",),
                    cap_drop=("CAP_CHOWN", "CAP_KILL"),
                    no_new_privileges=True,
                    seccomp="unconfined",
                    read_only_rootfs=True,
                    devices=(DeviceSpec("/dev/null", "/dev/nothing", "rwm"),),
                ),
            ),
            replace(
                plain,
                name="ports",
                ports=(Port(53, "udp", "127.0.0.1", host_port()), Port(80, "tcp", "", host_port())),
                restart=RestartPolicy(RestartName.ON_FAILURE),
            ),
            replace(
                plain,
                name="host",
                network=NetworkingSpec("host"),
                namespaces=NamespaceSpec(ipc="host", pid="host"),
                security=SecuritySpec(privileged=True),
            ),
            replace(
                plain,
                name="process",
                tty=True,
                stdin_open=True,
                process=ProcessSpec(groups=("1234",), init=True, stop_signal="SIGINT", stop_timeout_s=3),
                network=NetworkingSpec(
                    dns=("198.18.0.1",),
                    dns_search=("example.org",),
                    dns_options=("ndots:2",),
                    extra_hosts=("db:198.18.0.9",),
                ),
                resources=ResourceSpec(sysctls={"net.ipv4.ip_forward": "0"}),
                log=LogSpec("json-file", {"max-size": "1m"}),
            ),
        )


__all__ = ["IMAGE", "Ten"]
