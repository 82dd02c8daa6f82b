"""A demo container as inspect JSON, in the shape that people know from Docker. Pure."""

from __future__ import annotations

from datetime import datetime

from backends.engines.demo_container import DemoContainer
from backends.model.container import ContainerState, Health


def raw_inspect(container: DemoContainer) -> dict[str, object]:
    """The inspect JSON."""
    spec, run = container.spec, container.run
    state: dict[str, object] = {
        "Status": container.state.value,
        "Running": container.state.alive,
        "Paused": container.state is ContainerState.PAUSED,
        "ExitCode": container.exit_code or 0,
        "StartedAt": _stamp(run.started_at if run else None),
        "FinishedAt": _stamp(run.ended_at if run else None),
    }
    if container.health is not Health.NONE:
        state["Health"] = {"Status": container.health.value}
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
            "Networks": {container.network: {}},
            "Ports": {
                f"{port.container_port}/{port.protocol}": [{"HostIp": port.host_ip, "HostPort": str(port.host_port)}]
                for port in container.published
                if port.host_port is not None and container.state.alive
            },
        },
    }


def _stamp(at: datetime | None) -> str:
    return at.isoformat() if at else "0001-01-01T00:00:00Z"
