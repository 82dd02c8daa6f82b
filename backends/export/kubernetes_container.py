"""One container of a recipe as a container of a Pod. Pure; used by `kubernetes_pod`.

Source: Kubernetes API reference, core/v1 Container (1.34); podman-kube-play(1) 5.4.
"""

from __future__ import annotations

from backends.export.kubernetes_mounts import Volumes
from backends.export.kubernetes_parts import Body, Place, probes, program, resources, variables
from backends.export.kubernetes_rights import security_context
from backends.export.unsaid import Never
from backends.model.container import Port
from backends.model.workload import WorkloadSpec

NEVER = (
    Never("process.stop_signal", "the stop signal", "Set STOPSIGNAL in the image."),
    Never("process.domainname", "the domain name"),
    Never("process.unset_env", "that variables of the image are not set"),
    Never("process.http_proxy", "whether the host's proxy variables are passed, which is Podman's own"),
    Never("process.systemd", "the systemd mode, which is Podman's own"),
    Never("process.timezone", "the time zone, which is Podman's own", "Set TZ in the environment."),
    Never("process.umask", "the umask, which is Podman's own"),
    Never("network.mac", "the MAC address"),
    Never("network.links", "links", "A Service of that name does the same."),
    Never("network.publish_all", "that all exposed ports are published", "Add a Service for them."),
    Never("network.base_hosts", "whose /etc/hosts is the base, which is Podman's own"),
    Never("network.no_hosts", "that /etc/hosts is left alone, which is Podman's own"),
    Never("network.no_resolv", "that /etc/resolv.conf is left alone, which is Podman's own"),
    Never("namespaces.uts", "the UTS namespace"),
    Never("namespaces.cgroup", "the cgroup namespace"),
    Never("security.mask", "that more paths of /proc and /sys are hidden"),
    Never("security.device_cgroup_rules", "rules for devices"),
    Never("resources.memory_swap_bytes", "how much swap there is", "It is the kubelet's setting."),
    Never("resources.memory_swappiness", "the swappiness"),
    Never("resources.oom_kill_disable", "that the OOM killer leaves it alone"),
    Never("resources.oom_score_adj", "the OOM score", "Kubernetes sets it from requests and limits."),
    Never("resources.cpu_realtime_runtime_us", "the real-time budget"),
    Never("resources.cpu_realtime_period_us", "the real-time period"),
    Never("resources.cpuset_cpus", "which cores it runs on", "The kubelet's CPU manager chooses them."),
    Never("resources.cpuset_mems", "the memory nodes"),
    Never("resources.pids_limit", "how many processes it may have", "It is the kubelet's setting (podPidsLimit)."),
    Never("resources.blkio_weight", "the weight of its disk I/O"),
    Never("resources.throttles", "limits of disk I/O"),
    Never("resources.storage", "options of the writable layer", "limits may say ephemeral-storage."),
    Never("resources.cgroup_parent", "the parent cgroup"),
    Never("resources.runtime", "the runtime", "A RuntimeClass does."),
    Never("health.start_interval_ns", "how often the health is checked at the start"),
    Never("log.driver", "where the log goes", "The kubelet keeps it."),
    Never("log.options", "options of the log", "The kubelet keeps it, and rotates it."),
)
"""What neither a cluster nor Podman reads of a Pod."""

NEVER_IN_A_CLUSTER = (
    Never("process.init", "an init process", "shareProcessNamespace: true in the Pod reaps zombies."),
    Never(
        "process.auto_remove", "that the container is removed when it ends", "ttlSecondsAfterFinished of a Job does."
    ),
    Never("security.devices", "device nodes", "A device plugin gives them."),
    Never("namespaces.user", "the user namespace", "hostUsers: false in the Pod gives it one of its own."),
    Never("resources.ulimits", "ulimits", "The container runtime's own hold; set them there."),
)
"""What only Podman reads, from annotations of its own."""


def container(
    spec: WorkloadSpec, name: str, secret: str, volumes: Volumes, place: Place
) -> tuple[Body, dict[str, str]]:
    """The container's mapping, and what its Secret of the name `secret` holds. name: in the Pod."""
    place.ledger.never(place.who, spec, NEVER, remedies=not place.podman)
    if not place.podman:
        place.ledger.never(place.who, spec, NEVER_IN_A_CLUSTER)
    elif spec.stdin_open:
        place.ledger.cannot(place.who, "stdin_open", "that stdin is open")
    # Said, since a cluster asks the registry each time for an image whose tag is "latest".
    body: Body = {"name": name, "image": spec.image, "imagePullPolicy": "IfNotPresent"}
    body |= program(spec, place)
    body |= {"workingDir": spec.workdir} if spec.workdir else {}
    env, hidden = variables(spec, secret, place)
    groups: Body = {
        "env": env,
        "ports": _ports(spec, place),
        "resources": resources(spec, place),
        "volumeMounts": volumes.mounts(spec, place),
        "securityContext": security_context(spec, f"{name}.seccomp.json", place),
        "stdin": spec.stdin_open,
        "stdinOnce": spec.process.stdin_once,
        "tty": spec.tty,
    }
    body |= {key: value for key, value in groups.items() if value}
    return body | probes(spec.health, place), hidden


def _ports(spec: WorkloadSpec, place: Place) -> list[Body]:
    """For Podman with the host's ports; in a cluster these are a Service's business, and one node's alone."""
    made: dict[tuple[int, str], Body] = {}
    for port in spec.ports:
        key = (port.container_port, port.protocol)
        body = {"containerPort": port.container_port, "protocol": port.protocol.upper()}
        body |= _host(port, place)
        if key in made and "hostPort" in made[key]:
            if "hostPort" in body:
                place.ledger.cannot(place.who, "ports", f"two host ports for the port {port.container_port}")
            continue
        made[key] = body
    return list(made.values())


def _host(port: Port, place: Place) -> Body:
    if not place.podman:
        return {}
    if port.host_port is None:
        place.ledger.cannot(place.who, "ports", f"that the port {port.container_port} is exposed only")
        return {}
    if not port.host_port:
        place.ledger.cannot(place.who, "ports", f"any free host port for the port {port.container_port}")
        return {}
    return {"hostPort": port.host_port} | ({"hostIP": port.host_ip} if port.host_ip else {})


__all__ = ["NEVER", "NEVER_IN_A_CLUSTER", "container"]
