"""Rows of the field table: namespaces, rights, devices. Pure data and rules."""

from __future__ import annotations

from dataclasses import replace

from backends.migration.gpus import describe
from backends.migration.rules import namespace
from backends.migration.show import describe_device, profile, size, words, yes
from backends.migration.table import PLAIN_TEXT, Case, Fate, Row, dropped, named, text
from backends.model.settings import DeviceSpec
from backends.model.workload import GpuRequest

_ENGINES_PROFILES = ("docker-default", "containers-default")
_PODMAN_USERNS = ("keep-id", "auto", "nomap", "private")


def _ipc(value: str, case: Case) -> Fate:
    return namespace(value, case)


def _pid_or_uts(value: str, case: Case) -> Fate:
    if value == "private" and case.target.docker:
        return Fate("", "it is Docker's own, which has no word for it", text="private")
    return namespace(value, case)


def _userns(value: str, case: Case) -> Fate:
    word = value.partition(":")[0]
    if case.target.docker and word in _PODMAN_USERNS:
        return dropped("Docker maps users for the whole daemon, not for one container")
    if word in {"keep-id", "nomap"} and not case.target.info.rootless:
        return dropped(f"only rootless Podman has {word}")
    return namespace(value, case)


def _shm(value: int, case: Case) -> Fate:
    if case.target.podman and case.spec.namespaces.ipc in {"host", "none"}:
        return dropped("Podman takes no size of /dev/shm with the IPC namespace of the host, or none")
    if case.target.docker and value == 0:
        return dropped("Docker's /dev/shm cannot be without a limit: its own size is used")
    return Fate(value)


def _seccomp(value: str, case: Case) -> Fate:
    if case.target.info.seccomp is False:
        return dropped("the target has no seccomp")
    return Fate(value)


def _apparmor(value: str, case: Case) -> Fate:
    if value.startswith(_ENGINES_PROFILES):
        return dropped("it is the source engine's own profile: the target's own takes its place")
    if case.target.info.apparmor is False:
        return dropped("the target's host has no AppArmor")
    return Fate(value)


def _selinux(value: tuple[str, ...], case: Case) -> Fate:
    if case.target.info.selinux is False:
        return dropped("the target's host has no SELinux")
    return Fate(value)


def _unmask(value: tuple[str, ...], case: Case) -> Fate:
    if case.target.docker and value != ("ALL",):
        return dropped("Docker opens all of /proc and /sys (systempaths=unconfined) or nothing")
    return Fate(value)


def _mask(value: tuple[str, ...], case: Case) -> Fate:
    return dropped("Docker hides no further paths") if case.target.docker else Fate(value)


def _read_write_tmpfs(value: bool, case: Case) -> Fate:
    if case.target.podman:
        return Fate(value)
    return Fate(None, "Docker has no such setting: the folders are mounted one by one where they are wanted", text="-")


def _device(value: DeviceSpec, case: Case) -> Fate:
    if reason := case.decided.took.get(value.host_path):
        chosen = case.decided.gpu is not None and case.decided.gpu.chosen
        return Fate(None, reason, text="as chosen" if chosen else "by CDI name")
    return Fate(value)


def _device_rules(value: tuple[str, ...], case: Case) -> Fate:
    if case.target.podman and case.target.info.rootless:
        return dropped("a rootless engine cannot enforce them")
    return Fate(value)


def _gpu(_value: GpuRequest, case: Case) -> Fate:
    move = case.decided.gpu
    if move is not None and move.chosen and move.request is None and move.refused is None:
        return Fate(None, move.reason, text=", ".join(node.host_path for node in move.nodes) or "none")
    if move is None or move.request is None:
        return dropped(move.reason if move else "not decided")
    return Fate(move.request, move.reason)


def _gpu_key(request: GpuRequest | None) -> tuple[str, ...]:
    return tuple(sorted(request.cdi_names())) if request else ()


def _devices_key(devices: tuple[DeviceSpec, ...]) -> list[DeviceSpec]:
    plain = (replace(device, permissions="".join(sorted(device.permissions))) for device in devices)
    return sorted(plain, key=lambda device: device.container_path)


ROWS = (
    Row("gpu", "HostConfig.DeviceRequests, .Runtime", "devices (CDI names)", text(describe), _gpu,
        "by CDI name; Docker's nvidia driver where the target is a Docker without CDI; others where `--gpus` says so",
        key=_gpu_key,
        subs={
            "cdi_devices": ("DeviceIDs (Driver cdi)", "devices[].path", ""),
            "count": ("Count", "-", "the first n, -1 = all"), "device_ids": ("DeviceIDs", "-", "indexes and UUIDs"),
            "driver": ("Driver", "-", ""),
            "capabilities": ("Capabilities", "-", "a CDI device brings all of its driver's"),
            "options": ("Options", "-", "only from Docker to Docker"),
        }),
    Row("namespaces.ipc", "HostConfig.IpcMode", "ipcns", PLAIN_TEXT, _ipc,
        "container: goes where the partner moves along"),
    Row("namespaces.pid", "HostConfig.PidMode", "pidns", PLAIN_TEXT, _pid_or_uts,
        "container: goes where the partner moves along"),
    Row("namespaces.uts", "HostConfig.UTSMode", "utsns", PLAIN_TEXT, _pid_or_uts,
        "container: goes where the partner moves along"),
    Row("namespaces.cgroup", "HostConfig.CgroupnsMode", "cgroupns", PLAIN_TEXT, namespace),
    Row("namespaces.user", "HostConfig.UsernsMode", "userns", PLAIN_TEXT, _userns,
        "keep-id, auto, nomap exist on Podman only"),
    Row("namespaces.shm_bytes", "HostConfig.ShmSize", "shm_size", text(size), _shm,
        "Podman takes none with ipc host or none; no limit (0) is dropped on Docker"),
    Row("security.privileged", "HostConfig.Privileged", "privileged", text(yes)),
    Row("security.cap_add", "HostConfig.CapAdd", "cap_add", text(words), key=sorted),
    Row("security.cap_drop", "HostConfig.CapDrop", "cap_drop", text(words), key=sorted),
    Row("security.no_new_privileges", "HostConfig.SecurityOpt: no-new-privileges", "no_new_privileges", text(yes)),
    Row("security.seccomp", "HostConfig.SecurityOpt: seccomp=", "seccomp_profile_path", text(profile), _seccomp,
        "dropped where the target has no seccomp"),
    Row("security.apparmor", "HostConfig.SecurityOpt: apparmor=", "apparmor_profile", PLAIN_TEXT, _apparmor,
        "an engine's own profile is dropped, and any where the target's host has no AppArmor"),
    Row("security.selinux", "HostConfig.SecurityOpt: label=", "selinux_opts", text(words), _selinux,
        "dropped where the target's host has no SELinux", key=sorted),
    Row("security.unmask", "HostConfig.MaskedPaths, .ReadonlyPaths", "unmask", text(words), _unmask,
        "Docker opens all or nothing", key=sorted),
    Row("security.mask", "-", "mask", text(words), _mask, "dropped on Docker", key=sorted),
    Row("security.read_only_rootfs", "HostConfig.ReadonlyRootfs", "read_only_filesystem", text(yes)),
    Row("security.read_write_tmpfs", "-", "read_write_tmpfs", text(yes), _read_write_tmpfs,
        "on Docker: a tmpfs each on /run, /tmp and /var/tmp"),
    Row("security.devices", "HostConfig.Devices", "devices", text(describe_device), _device,
        "nodes of NVIDIA GPUs become CDI names where the target knows them",
        named(lambda device: device.container_path), key=_devices_key,
        subs={
            "host_path": ("PathOnHost", "path", ""), "container_path": ("PathInContainer", "path", ""),
            "permissions": ("CgroupPermissions", "path", "not enforced by rootless Podman"),
        }),
    Row("security.device_cgroup_rules", "HostConfig.DeviceCgroupRules", "device_cgroup_rule", text(words),
        _device_rules, "dropped on rootless Podman", key=sorted),
)  # fmt: skip
