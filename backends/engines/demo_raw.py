"""A demo container as inspect JSON, in the shape that people know from Docker, with the engine's defaults. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from backends.engines.demo_container import DemoContainer
from backends.model.container import ContainerState, Health
from backends.model.ids import EngineKind
from backends.model.workload import WorkloadSpec


def raw_inspect(container: DemoContainer, like: EngineKind) -> dict[str, object]:
    """The inspect JSON. like: whose defaults stand where the recipe says nothing."""
    spec, run = container.spec, container.run
    state: dict[str, object] = {
        "Status": container.state.value,
        "Running": container.state.alive,
        "Paused": container.state is ContainerState.PAUSED,
        "ExitCode": container.exit_code or 0,
        "OOMKilled": False,
        "StartedAt": _stamp(run.started_at if run else None),
        "FinishedAt": _stamp(run.ended_at if run else None),
    }
    if container.health is not Health.NONE:
        bad = container.health is Health.UNHEALTHY
        state["Health"] = {
            "Status": container.health.value,
            "FailingStreak": 3 if bad else 0,
            "Log": [
                {
                    "Start": _stamp(run.started_at + timedelta(seconds=30 * number)),
                    "End": _stamp(run.started_at + timedelta(seconds=30 * number, milliseconds=40)),
                    "ExitCode": int(bad),
                    "Output": "model shard 3 of 4 not loaded" if bad else "ok",
                }
                for number in range(1, 4)
            ]
            if run is not None
            else [],
        }
    return {
        "Demo": True,
        "Id": container.id,
        "Name": f"/{spec.name}",
        "Created": _stamp(container.created_at),
        "Image": f"sha256:{container.image_id}",
        "State": state,
        "Config": {
            "Image": spec.image,
            "Cmd": list(container.argv),
            "Env": [f"{name}={value}" for name, value in spec.env.items()],
            "Labels": dict(spec.labels),
            "User": spec.user or "",
            "WorkingDir": spec.workdir or "",
            "Hostname": spec.hostname or container.id[:12],
            "Tty": spec.tty,
            "OpenStdin": spec.stdin_open,
            "StdinOnce": spec.process.stdin_once,
            "Domainname": spec.process.domainname,
            "StopSignal": spec.process.stop_signal or "SIGTERM",
            "StopTimeout": 10 if spec.process.stop_timeout_s is None else spec.process.stop_timeout_s,
        },
        "HostConfig": {
            "Memory": spec.memory_bytes,
            "NanoCpus": spec.cpus_nano,
            "RestartPolicy": {"Name": spec.restart.name.value, "MaximumRetryCount": spec.restart.max_retries},
            "DeviceRequests": [
                {
                    "Driver": spec.gpu.driver or ("cdi" if spec.gpu.cdi_devices else ""),
                    "Count": spec.gpu.count,
                    "DeviceIDs": list(spec.gpu.cdi_devices or spec.gpu.device_ids),
                    "Capabilities": [list(group) for group in spec.gpu.capabilities],
                }
            ]
            if spec.gpu
            else None,
            **_host_config(spec, container.network, podman=like is EngineKind.PODMAN),
        },
        "Mounts": [
            {
                "Type": mount.kind.value,
                "Source": mount.source,
                "Destination": mount.destination,
                "RW": not mount.read_only,
            }
            for mount in spec.mounts
        ],
        "NetworkSettings": {
            "Networks": {
                name: {"IPAddress": f"10.9.{n}.{int(container.id[:2], 16) % 250 + 2}", "IPPrefixLen": 24}
                for n, name in enumerate(container.networks)
            },
            "Ports": {
                f"{port.container_port}/{port.protocol}": [{"HostIp": port.host_ip, "HostPort": str(port.host_port)}]
                for port in container.published
                if port.host_port is not None and container.state.alive
            },
        },
    }


def _host_config(spec: WorkloadSpec, network: str, *, podman: bool) -> dict[str, object]:
    """Rights, namespaces and limits. Sources of what differs: MIGRATION.md 1d-1g (IPC mode, pids limit, log driver)."""
    spaces, rights, limits = spec.namespaces, spec.security, spec.resources
    pids = limits.pids_limit if limits.pids_limit is not None else (2048 if podman else None)
    return {
        "NetworkMode": spec.network.mode or network,
        "Dns": list(spec.network.dns),
        "ExtraHosts": list(spec.network.extra_hosts),
        "IpcMode": spaces.ipc or ("shareable" if podman else "private"),
        "PidMode": spaces.pid,
        "UTSMode": spaces.uts,
        "UsernsMode": spaces.user,
        "ShmSize": 64 << 20 if spaces.shm_bytes is None else spaces.shm_bytes,
        "Privileged": rights.privileged,
        "CapAdd": list(rights.cap_add) or None,
        "CapDrop": list(rights.cap_drop) or None,
        "ReadonlyRootfs": rights.read_only_rootfs,
        "Devices": [
            {"PathOnHost": one.host_path, "PathInContainer": one.container_path, "CgroupPermissions": one.permissions}
            for one in rights.devices
        ],
        "PidsLimit": pids,
        "Ulimits": [{"Name": one.name, "Soft": one.soft, "Hard": one.hard} for one in limits.ulimits],
        "Sysctls": dict(limits.sysctls) or None,
        "AutoRemove": spec.process.auto_remove,
        "Init": spec.process.init,
        "LogConfig": {
            "Type": (spec.log.driver if spec.log else "") or ("k8s-file" if podman else "json-file"),
            "Config": dict(spec.log.options) if spec.log else {},
        },
    }


def _stamp(at: datetime | None) -> str:
    return at.isoformat() if at else "0001-01-01T00:00:00Z"
