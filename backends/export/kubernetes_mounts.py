"""Mounts of containers as a Pod's volumes, with the claims that they need. Pure; used by `kubernetes_pod`.

Source: Kubernetes API reference, core/v1 Volume, VolumeMount, PersistentVolumeClaim; podman-kube-play(1) 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from backends.export.kubernetes_parts import Body, Place, quantity
from backends.export.names import Names
from backends.export.unsaid import Ledger
from backends.model.container import MountKind
from backends.model.workload import MountSpec, VolumeSpec, WorkloadSpec

CLAIM_SIZE = "10Gi"
SHM = "/dev/shm"

_PROPAGATION = {
    "rshared": "Bidirectional",
    "shared": "Bidirectional",
    "rslave": "HostToContainer",
    "slave": "HostToContainer",
}
_PODMAN_VOLUME = {"device": "device", "type": "type", "o": "mount-options", "uid": "uid", "gid": "gid"}


@dataclass(slots=True)
class Claims:
    """The claims of an export, by the volume's name. users: the units that mount it."""

    names: Names = field(default_factory=lambda: Names(dns=True))
    users: dict[str, set[str]] = field(default_factory=dict)

    def of(self, volume: str, unit: str) -> str:
        """The claim's name."""
        self.users.setdefault(volume, set()).add(unit)
        return self.names.of(volume)

    def documents(self, facts: Iterable[VolumeSpec], podman: bool, ledger: Ledger) -> list[Body]:
        """One for each volume."""
        known = {volume.name: volume for volume in facts}
        made = [self._claim(name, known.get(name), podman, ledger) for name in self.users]
        if made and not podman:
            names = ", ".join(self.users)
            ledger.differs(
                "", "", f"how large the volumes are to be is not known: {CLAIM_SIZE} each", "Put it right.", warn=True
            )
            what = f"the volumes ({names}) come empty: an export has no content, and no image fills them"
            ledger.differs("", "", what, "Fill them by a Job or `kubectl cp`.")
        return made

    def _claim(self, name: str, volume: VolumeSpec | None, podman: bool, ledger: Ledger) -> Body:
        users = self.users[name]
        if len(users) > 1 and not podman:
            what = f"the volume {name} is mounted by {len(users)} workloads"
            ledger.differs("", "", what, "Its storage class has to offer ReadWriteMany.", warn=True)
        meta: Body = {"name": self.names.of(name)}
        if self.names.of(name) != name:
            ledger.differs("", "mounts", f"the volume {name} is called {self.names.of(name)}")
        options = dict(volume.driver_options) if volume else {}
        if podman:
            marks = {
                f"volume.podman.io/{_PODMAN_VOLUME[key]}": options.pop(key)
                for key in list(options)
                if key in _PODMAN_VOLUME
            }
            meta |= {"annotations": marks} if marks else {}
        if options:
            what = f"the options of the volume {name} ({', '.join(options)})"
            ledger.cannot(name, "", what, "Choose a storage class that does this.")
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": meta,
            "spec": {
                "accessModes": ["ReadWriteMany" if len(users) > 1 else "ReadWriteOnce"],
                "resources": {"requests": {"storage": CLAIM_SIZE}},
            },
        }


@dataclass(slots=True)
class Volumes:
    """A Pod's volumes. unit: its name."""

    unit: str
    claims: Claims
    names: Names = field(default_factory=lambda: Names(dns=True))
    bodies: dict[str, Body] = field(default_factory=dict)

    def mounts(self, spec: WorkloadSpec, place: Place) -> list[Body]:
        """The container's volumeMounts."""
        made = [one for mount in spec.mounts if (one := self._mount(mount, place)) is not None]
        shm = spec.namespaces.shm_bytes
        if shm is not None and not any(mount.destination == SHM for mount in spec.mounts):
            size = {"sizeLimit": quantity(shm)}
            made.append(
                {"name": self._add(f"{place.who}-shm", {"emptyDir": {"medium": "Memory"} | size}), "mountPath": SHM}
            )
            self._shm_remark(shm, place)
        if place.podman:
            for device in spec.security.devices:
                made.append(
                    {
                        "name": self._add(
                            device.host_path, {"hostPath": {"path": device.host_path, "type": "CharDevice"}}
                        ),
                        "mountPath": device.container_path,
                    }
                )
        return made

    def _shm_remark(self, shm: int, place: Place) -> None:
        if place.podman:
            place.ledger.cannot(place.who, "namespaces.shm_bytes", f"how large /dev/shm is ({quantity(shm)})")
            place.ledger.differs(place.who, "mounts", "/dev/shm is a tmpfs of its own")
        else:
            what = f"/dev/shm of {quantity(shm)} is an emptyDir in memory, and counts as its memory"
            place.ledger.differs(place.who, "namespaces.shm_bytes", what)

    def _mount(self, mount: MountSpec, place: Place) -> Body | None:
        ledger, who, where = place.ledger, place.who, mount.destination
        if mount.kind is MountKind.OTHER:
            ledger.cannot(who, "mounts", f"the mount at {where}")
            return None
        if ":" in where:
            ledger.cannot(who, "mounts", f"the mount at {where}, whose path has a colon")
            return None
        body: Body = {"name": self._volume(mount, place), "mountPath": where}
        body |= {"readOnly": True} if mount.read_only else {}
        body |= {"subPath": mount.subpath} if mount.subpath else {}
        if mount.propagation in _PROPAGATION:
            body["mountPropagation"] = _PROPAGATION[mount.propagation]
            if body["mountPropagation"] == "Bidirectional" and not place.podman:
                ledger.differs(
                    who, "mounts", f"mounts at {where} go both ways, for which it has to be privileged", warn=True
                )
        lost = [*mount.options, *([f"relabel {mount.relabel}"] if mount.relabel else [])]
        lost += [f"mode {mount.mode:o}"] if mount.mode is not None else []
        lost += [] if mount.recursive else ["non-recursive"]
        lost += [f"size {mount.size_bytes}"] if mount.size_bytes and place.podman else []
        for option in lost:
            ledger.cannot(who, "mounts", f"the option {option} of the mount at {where}")
        return body

    def _volume(self, mount: MountSpec, place: Place) -> str:
        if mount.kind is MountKind.TMPFS:
            size = {"sizeLimit": quantity(mount.size_bytes)} if mount.size_bytes else {}
            return self._add(f"{place.who}{mount.destination}", {"emptyDir": {"medium": "Memory"} | size})
        if mount.kind is MountKind.BIND:
            path: Body = {"path": mount.source} | ({"type": "DirectoryOrCreate"} if mount.create_source else {})
            if not place.podman:
                what = f"{mount.source} is a folder of the node on which it happens to run"
                place.ledger.differs(place.who, "mounts", what, "Bring it there, or make it a volume.", warn=True)
            return self._add(mount.source, {"hostPath": path})
        if mount.anonymous or not mount.source:
            place.ledger.differs(
                place.who, "mounts", f"the unnamed volume at {mount.destination} lives as long as its Pod"
            )
            return self._add(f"{place.who}{mount.destination}", {"emptyDir": {}})
        claim = self.claims.of(mount.source, self.unit)
        return self._add(mount.source, {"persistentVolumeClaim": {"claimName": claim}})

    def _add(self, wish: str, source: Body) -> str:
        """The volume's name. One name stands for one source."""
        kind = next(iter(source))
        name = (
            self.names.of(f"{wish}\n{kind}")
            if self.bodies.get(self.names.of(wish), source) != source
            else self.names.of(wish)
        )
        self.bodies[name] = source
        return name

    def documents(self) -> list[Body]:
        """The Pod's list."""
        return [{"name": name} | body for name, body in self.bodies.items()]


__all__ = ["Claims", "Volumes"]
