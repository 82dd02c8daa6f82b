"""What a container may do, in Kubernetes' words. Pure; used by `kubernetes_container`.

Source: Kubernetes API reference, core/v1 SecurityContext; Pod Security Standards; podman-kube-play(1) 5.4.
"""

from __future__ import annotations

from backends.export.kubernetes_parts import Body, Place
from backends.model.settings import SecuritySpec
from backends.model.workload import WorkloadSpec

_SELINUX = frozenset({"user", "role", "type", "level"})
_UNCONFINED_TYPE = "spc_t"
"""The type of processes that SELinux leaves alone. Source: container-selinux."""


def security_context(spec: WorkloadSpec, profile: str, place: Place) -> Body:
    """profile: the file's name under the kubelet's folder of seccomp profiles, for one that is the container's own."""
    rights, ledger, who = spec.security, place.ledger, place.who
    body = _user(spec.user, place)
    capabilities = {
        key: [name.removeprefix("CAP_") for name in names]
        for key, names in (("add", rights.cap_add), ("drop", rights.cap_drop))
        if names
    }
    if capabilities:
        body["capabilities"] = capabilities
    if rights.privileged:
        body["privileged"] = True
    if rights.no_new_privileges and not place.podman and (rights.privileged or _administers(rights)):
        ledger.cannot(who, "security.no_new_privileges", "no new privileges beside privileged or SYS_ADMIN")
    elif rights.no_new_privileges:
        body["allowPrivilegeEscalation"] = False
    if rights.read_only_rootfs:
        body["readOnlyRootFilesystem"] = True
        if not place.podman and rights.read_write_tmpfs is not False:
            remedy = "Mount an emptyDir where it writes."
            ledger.differs(who, "security.read_write_tmpfs", "/run and /tmp are read-only too", remedy)
        elif place.podman and rights.read_write_tmpfs is False:
            ledger.cannot(who, "security.read_write_tmpfs", "that /run and /tmp are read-only too")
    if rights.unmask == ("ALL",):
        body["procMount"] = "Unmasked"
        if not place.podman:
            remedy = "Say hostUsers: false in the Pod, which it needs there."
            ledger.differs(who, "security.unmask", "procMount: Unmasked is refused by many clusters", remedy)
    elif rights.unmask:
        ledger.cannot(who, "security.unmask", "which paths of /proc and /sys are open")
    body |= _seccomp(rights, profile, place)
    body |= _apparmor(rights, place)
    return body | _selinux(rights, place)


def _administers(rights: SecuritySpec) -> bool:
    return bool({"ALL", "CAP_ALL", "CAP_SYS_ADMIN", "SYS_ADMIN"} & set(rights.cap_add))


def _user(user: str | None, place: Place) -> Body:
    """Numbers only: Kubernetes reads no /etc/passwd."""
    if not user:
        return {}
    name, _, group = user.partition(":")
    body: Body = {}
    for key, word in (("runAsUser", name), ("runAsGroup", group)):
        if word.isdecimal() and word.isascii():
            body[key] = int(word)
        elif word:
            what = f"{'the user' if key == 'runAsUser' else 'the group'} by name ({word})"
            place.ledger.cannot(place.who, "user", what, "Write its number.")
    return body


def _seccomp(rights: SecuritySpec, profile: str, place: Place) -> Body:
    """A cluster runs without a filter where nothing is said, the engines do not."""
    if place.podman:
        if rights.seccomp not in {"", "unconfined"}:
            what = "a seccomp profile of its own"
            place.ledger.cannot(place.who, "security.seccomp", what, f"See --seccomp-profile-root, and {profile}.")
        return {}
    if not rights.seccomp:
        return {} if rights.privileged else {"seccompProfile": {"type": "RuntimeDefault"}}
    if rights.seccomp == "unconfined":
        return {"seccompProfile": {"type": "Unconfined"}}
    what = f"its seccomp profile has to lie on each node as /var/lib/kubelet/seccomp/{profile}"
    place.ledger.differs(place.who, "security.seccomp", what, "The file is beside this one.", warn=True)
    return {"seccompProfile": {"type": "Localhost", "localhostProfile": profile}}


def _apparmor(rights: SecuritySpec, place: Place) -> Body:
    if not rights.apparmor:
        return {}
    if place.podman:
        place.ledger.cannot(place.who, "security.apparmor", f"the AppArmor profile {rights.apparmor}")
        return {}
    if rights.apparmor == "unconfined":
        return {"appArmorProfile": {"type": "Unconfined"}}
    what = f"the AppArmor profile {rights.apparmor} has to be loaded on each node"
    place.ledger.differs(place.who, "security.apparmor", what, warn=True)
    return {"appArmorProfile": {"type": "Localhost", "localhostProfile": rights.apparmor}}


def _selinux(rights: SecuritySpec, place: Place) -> Body:
    options: Body = {}
    for option in rights.selinux:
        key, _, value = option.partition(":")
        if option == "disable" and place.podman:
            continue  # an annotation says it
        if option == "disable":
            options["type"] = _UNCONFINED_TYPE
            place.ledger.differs(place.who, "security.selinux", f"SELinux off is said as the type {_UNCONFINED_TYPE}")
        elif key in _SELINUX and value:
            options[key] = value
        else:
            place.ledger.cannot(place.who, "security.selinux", f"the SELinux option {option}")
    return {"seLinuxOptions": options} if options else {}


__all__ = ["security_context"]
