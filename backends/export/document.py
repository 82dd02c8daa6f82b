"""docs/export.md: what each format says and cannot say, made from the tables that the exports go by. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backends.export.compose_service import NEVER as COMPOSE_NEVER
from backends.export.compose_service import UNREAD
from backends.export.kubernetes_container import NEVER, NEVER_IN_A_CLUSTER
from backends.export.unsaid import Never

_HEAD = """\
# What an export says, and what it cannot

<!-- Made by `make docs` from backends/export: files, findings and this page are made from the same tables. -->

An export is made from a container's recipe, as its engine tells it. Whatever a format has no word for, or says in
another way, is a finding and a comment at the head of the file: no field is lost in silence, which a test holds
against every field of the recipe. What looks secret is in a file of its own that only its owner reads (mode 0600).
Volumes come without their content, and an image that only this engine has is to be pushed first.
"""

_COMPOSE = """\
## Compose

`compose.yaml` by the Compose Specification: services under their own container names, named volumes and networks with
their options, ranges, aliases and addresses, health check, limits, rights, log, restart policy. A `$` is written as
`$$`. Secrets are in `NAME.env`, a seccomp profile in `NAME.seccomp.json`. A container on the engine's default network
stays there (`network_mode: bridge`). GPUs of Docker are a reservation (`deploy.resources.reservations.devices`; CDI
devices with `driver: cdi`), those of Podman CDI names under `devices`, as podman-compose reads them.

The file makes its volumes and networks where they are missing. Compose uses a volume that is there already with a
warning, and refuses a network: say `external: true` in its place.
"""

_KUBERNETES = """\
## Kubernetes

One Deployment, Job or Pod for each container; containers of one pod, or that join another's network, PID or IPC
namespace, are one Pod. With it a PersistentVolumeClaim for each named volume, a Service for each name under which
others know it, and a Secret.

| of the container | in the manifest |
|---|---|
| entrypoint, command | `command`, `args`; `$$` and `$(` are written so that nothing is expanded |
| GPUs | `nvidia.com/gpu` by number under `limits`: Kubernetes chooses which |
| published and exposed ports | a Service for the cluster; how it is reached from outside is a finding |
| networks, aliases | the cluster's one network; Services of those names |
| health check, the image's too | `readinessProbe`; `livenessProbe` too where the Pod is started again, and a \
finding that this is more than an engine does |
| bind | `hostPath`, and a finding: it is the folder of a node |
| tmpfs, `/dev/shm` | `emptyDir` in memory with a `sizeLimit` |
| unnamed volume | `emptyDir` |
| memory and CPU limits, reservation, shares | `limits`, `requests` |
| user and groups by number | `runAsUser`, `runAsGroup`, `supplementalGroups`; by name: a finding |
| the engine's own seccomp filter | `seccompProfile: RuntimeDefault`, since a cluster's own is none |
| labels | labels where Kubernetes takes the value, else annotations |
| names | made fit for DNS (RFC 1123), no two alike |
| restart policy | `Always` in a Deployment, `OnFailure` or `Never` in a Job, its own in a Pod |

Manifests are compared with the schemas of the newest Kubernetes by
[kubernetes-validate](https://github.com/willthames/kubernetes-validate) where it is installed (`pip install
kubernetes-validate`); where it is not, that is said.

### `podman kube play`

Podman reads some things that a cluster does not, and the other way round, so there is a manifest for it too: host
ports, CDI names under `limits` (`nvidia.com/gpu=0: 1`; `nvidia.com/gpu: 1` it reads, and gives nothing), device
nodes, and annotations for init, ulimits, user namespace, SELinux and seccomp. Networks are given on its command line.
It does not read: readiness probes, sizes of an `emptyDir`, CPU requests, `stdin`, how many processes there may be.
"""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _never(rows: Sequence[Never]) -> Iterator[str]:
    return _table(("field", "what is lost", "instead"), [(f"`{row.path}`", row.what, row.remedy) for row in rows])


def markdown() -> str:
    """The whole document, with a newline at its end."""
    unread = [(f"`{key}`", ", ".join(f"`{path}`" for path in paths)) for key, paths in UNREAD.items()]
    lines = [
        _HEAD,
        _COMPOSE,
        "No key of Compose says:",
        "",
        *_never(COMPOSE_NEVER),
        "",
        "podman-compose 1.6 does not read these keys. `podman compose`, with Docker's program, does; some of its",
        "versions give no GPU by a name under `devices`.",
        "",
        *_table(("key", "field"), unread),
        "",
        _KUBERNETES,
        "### What a Pod cannot say",
        "",
        *_never(NEVER),
        "",
        "In a cluster neither, but Podman reads it from annotations and paths:",
        "",
        *_never(NEVER_IN_A_CLUSTER),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the document to stdout."""
    import sys

    sys.stdout.write(markdown())


if __name__ == "__main__":
    main()
