"""Containers as Kubernetes manifests: Deployment, Job or Pod with claims, Services and Secrets. Pure; runs nothing.

Source: Kubernetes API reference 1.34; podman-kube-play(1) 5.4. What they cannot say is a comment in the file and a
finding.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from backends.export.distinct import distinct
from backends.export.exported import PRIVATE_MODE, Exported, ExportFile, Member
from backends.export.kubernetes_labels import NAME_LABEL
from backends.export.kubernetes_mounts import Claims
from backends.export.kubernetes_parts import Body
from backends.export.kubernetes_pod import Unit, Workload, pod, restart_policy
from backends.export.kubernetes_services import services
from backends.export.names import Names
from backends.export.unsaid import Ledger
from backends.export.yaml_text import yaml_text
from backends.model.ids import EngineKind

FILE = "kubernetes.yaml"
SECRETS = "kubernetes-secrets.yaml"

_SHARED = "container:"
_BACKOFF = 6
"""Kubernetes' own backoffLimit, said where no number was asked for."""


def kubernetes(
    members: Sequence[Member], *, workload: Workload = Workload.DEPLOYMENT, podman: bool = False
) -> Exported:
    """Manifests of these containers. Those of one pod, or that share a network, are one Pod; the others one each.

    podman: for `podman kube play`, which reads host ports, CDI names and annotations of its own; else for a cluster.
    """
    return kubernetes_with_ledger(members, workload=workload, podman=podman)[0]


def kubernetes_with_ledger(
    members: Sequence[Member], *, workload: Workload = Workload.DEPLOYMENT, podman: bool = False
) -> tuple[Exported, Ledger]:
    """The same, and field by field what is not in it."""
    ledger = Ledger("Podman's kube play" if podman else "Kubernetes")
    members = [one.with_image_check() for one in distinct(members, ledger)]
    claims, units = Claims(), _units(members, ledger)
    workloads = [_workload(unit, workload, claims, podman, ledger) for unit in units]
    facts = [volume for member in members for volume in member.volumes]
    documents = claims.documents(facts, podman, ledger)
    if podman:
        _networks(members, ledger)
    else:
        documents += services(units, ledger)
        _images(members, ledger)
    documents += workloads
    secrets = [_secret(name, held) for unit in units for name, held in unit.secrets.items()]
    if secrets:
        ledger.differs("", "", f"what looks secret is in {SECRETS}, which only its owner reads")
    where = "`podman kube play`" if podman else "Kubernetes"
    comments = [f"For {where}, by Tranship.", *ledger.comments()]
    files = [ExportFile(FILE, yaml_text(*documents, comments=comments))]
    if secrets:
        files.append(ExportFile(SECRETS, yaml_text(*secrets), PRIVATE_MODE))
    for member in members:
        if member.spec.security.seccomp not in {"", "unconfined"}:
            name = f"{Names(dns=True).of(member.spec.name)}.seccomp.json"
            files.append(ExportFile(name, member.spec.security.seccomp.rstrip("\n") + "\n"))
    return Exported(tuple(files), ledger.findings, tuple(_commands(members, bool(secrets), podman))), ledger


def _units(members: Sequence[Member], ledger: Ledger) -> list[Unit]:
    """Who lives together: the containers of a pod, and who joins another's network, PID or IPC namespace."""
    group: dict[str, str] = {one.spec.name: f"pod\n{one.pod}" if one.pod else one.spec.name for one in members}
    for _ in members:  # chains: who joins one that joins another
        for one in members:
            spaces = one.spec.namespaces
            for mode in (one.spec.network.mode, spaces.pid, spaces.ipc):
                partner = mode.removeprefix(_SHARED)
                if partner != mode and partner in group and group[partner] != group[one.spec.name]:
                    old, new = group[one.spec.name], group[partner]
                    group = {name: new if held == old else held for name, held in group.items()}
    together: dict[str, list[Member]] = {}
    for one in members:
        together.setdefault(group[one.spec.name], []).append(one)
    names = Names(dns=True, longest=52)  # a Job's Pods and a Deployment's have a tail of letters
    units = []
    for held in together.values():
        wish = held[0].pod if held[0].pod and len(held) > 1 else held[0].spec.name
        units.append(Unit(names.of(wish), held))
        if units[-1].name != wish:
            ledger.differs("", "name", f"{wish} is called {units[-1].name}, as Kubernetes' names are")
    return units


def _workload(unit: Unit, workload: Workload, claims: Claims, podman: bool, ledger: Ledger) -> Body:
    specs = [member.spec for member in unit.members]
    policy = restart_policy(specs, workload, ledger)
    metadata, spec = pod(unit, policy, claims, podman, ledger)
    named = {"name": unit.name}
    own = {"labels": {NAME_LABEL: unit.name}}
    if workload is Workload.POD:
        return {"apiVersion": "v1", "kind": "Pod", "metadata": named | metadata, "spec": spec}
    template = {"metadata": metadata, "spec": spec}
    if workload is Workload.JOB:
        retries = max(one.restart.max_retries for one in specs)
        tries = retries or (_BACKOFF if policy == "OnFailure" else 0)
        body: Body = {"backoffLimit": tries, "template": template}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": named | own, "spec": body}
    body = {
        "replicas": 1,
        # The old Pod goes first: its volumes and GPUs are the new one's.
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": {NAME_LABEL: unit.name}},
        "template": template,
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named | own, "spec": body}


def _secret(name: str, held: dict[str, str]) -> Body:
    """Values as they are; in base64 what Podman, which writes the YAML again, would change (see `variables`)."""
    plain = {key: text for key, text in held.items() if text[:1] != "\n" and text.replace("\n", "").isprintable()}
    coded = {key: b64encode(value.encode()).decode() for key, value in held.items() if key not in plain}
    body: Body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque"}
    body |= {"stringData": plain} if plain else {}
    return body | ({"data": coded} if coded else {})


def only_here(image: str) -> bool:
    """No registry has an image of this name: an id, a name of "localhost", or one without a tag."""
    return image.startswith("localhost/") or not ("@" in image or ":" in image.removeprefix("sha256:"))


def _images(members: Sequence[Member], ledger: Ledger) -> None:
    """Images that no registry has."""
    for member in members:
        image = member.spec.image
        name = image.removeprefix("localhost/")
        if not only_here(image):
            continue
        podman = member.kind is EngineKind.PODMAN
        cli = "podman" if podman else "docker"
        to = f"REGISTRY/{name}" if name != image else f"REGISTRY/{member.spec.name}:1"
        push = f"podman push {image} {to}" if podman else f"{cli} tag {image} {to} && {cli} push {to}"
        what = f"the image {image} is on this engine alone"
        ledger.differs(member.spec.name, "image", what, f"Push it first ({push}) and name it so here.", warn=True)


def _networks(members: Sequence[Member], ledger: Ledger) -> None:
    for member in members:
        if member.spec.network.mode in {"", "bridge"} and not member.spec.network.networks:
            what = "it is on podman-default-kube-network, as played Pods are"
            for path in ("network.networks", "network.mode"):
                ledger.differs(member.spec.name, path, what, "Say --network podman for the default one.")
        for end in member.spec.network.networks:
            what = f"the network {end.network} is given on the command line (--network), not in the file"
            ledger.differs(member.spec.name, "network.networks", what)
            ledger.differs(member.spec.name, "network.mode", what)


def _commands(members: Sequence[Member], secrets: bool, podman: bool) -> list[str]:
    if not podman:
        return [f"kubectl apply {f'-f {SECRETS} ' if secrets else ''}-f {FILE}"]
    flags = ""
    ends = {end.network: end for member in members for end in member.spec.network.networks}
    for name, end in ends.items():
        asked = [f"ip={end.ipv4}"] if end.ipv4 else []
        asked += [f"ip6={end.ipv6}"] if end.ipv6 else []
        asked += [f"mac={end.mac}"] if end.mac else []
        asked += [f"alias={alias}" for alias in end.aliases]
        flags += f" --network {name}" + (f":{','.join(asked)}" if asked and len(members) == 1 else "")
    return [*([f"podman kube play {SECRETS}"] if secrets else []), f"podman kube play{flags} {FILE}"]


__all__ = ["FILE", "SECRETS", "Workload", "kubernetes", "kubernetes_with_ledger", "only_here"]
