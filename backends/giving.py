"""From the GPUs that a person wants to what the engine must be asked for, or why it cannot give them. Pure.

The one place where that is decided: run, migrate and edit all ask here. Knows what an engine said of itself and what
the probe of its machine saw; may not ask either.

Sources: CDI by DeviceRequests, moby daemon/cdi.go (Docker 25 and later, features.cdi); Docker's nvidia driver, moby
daemon/devices_nvidia_linux.go; CDI names, nvidia-container-toolkit `nvidia-ctk cdi generate` (indexes and UUIDs, a MIG
instance as DEVICE:INDEX) and amd-container-toolkit `amd-ctk cdi generate`; AMD's nodes, ROCm "Running ROCm Docker
containers"; Podman reads CDI names from version 4.1 on, NVIDIA Container Toolkit "Support for CDI".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from backends.model.capabilities import Capability, EngineInfo
from backends.model.container import NO_LABELS
from backends.model.gpu import GpuDevice, GpuReading, GpuSnapshot, MigInstance
from backends.model.ids import EngineKind
from backends.model.settings import DeviceSpec
from backends.model.wish import GpuWish, WishKind
from backends.model.workload import AMD_CDI_KIND, NVIDIA_CDI_KIND, GpuRequest, WorkloadSpec

VISIBLE = "NVIDIA_VISIBLE_DEVICES"
"""The variable that NVIDIA's runtime goes by; many images set it to "all"."""

AMD_ALL = ("/dev/kfd", "/dev/dri")
"""AMD's compute interface and the folder of all devices' nodes."""

UNSEEN = GpuSnapshot()

_CLASS = "/gpu"  # of a CDI kind that is GPUs, whoever the vendor is
_ALL = "all"
_NVIDIA = "nvidia"
_LISTED = 6  # names in a sentence
_VERSION = re.compile(r"(\d+)\.(\d+)")
_PODMAN_CDI = (4, 1)
_DOCKER_CDI = (25, 0)

_NEW_SPEC = "write the CDI specification anew on the engine's machine: {tool} cdi generate --output=/etc/cdi/{file}"
_NVIDIA_SPEC = _NEW_SPEC.format(tool="nvidia-ctk", file="nvidia.yaml")
_AMD_SPEC = _NEW_SPEC.format(tool="amd-ctk", file="amd.json")
INSTALL_RUNTIME = (
    "install nvidia-container-toolkit there, run `nvidia-ctk runtime configure --runtime=docker` and restart Docker"
)
_CDI_ON = 'set {"features": {"cdi": true}} in daemon.json and restart Docker; '
_NEWER_DOCKER = "update Docker to 25 or later and switch CDI on there"


@dataclass(frozen=True, slots=True)
class Gift:
    """What the engine is to be asked for.

    request: None where no GPU is given, or none by name. devices: nodes that are to be given besides. env: variables
    that belong to it. why: why in this form, for people. unsure: the engine does not tell whether it has these names.
    """

    request: GpuRequest | None = None
    devices: tuple[DeviceSpec, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    why: str = ""
    unsure: bool = False

    def onto(self, spec: WorkloadSpec) -> WorkloadSpec:
        """The recipe with it. What the recipe says of a variable itself stays."""
        nodes = [one for one in self.devices if one not in spec.security.devices]
        security = replace(spec.security, devices=(*spec.security.devices, *nodes))
        return replace(spec, gpu=self.request, env={**self.env, **spec.env}, security=security)

    @property
    def words(self) -> str:
        """What the engine is asked for, and why so, for people."""
        asked = [words(self.request)] if self.request is not None else [node.host_path for node in self.devices]
        return "; ".join(filter(None, (", ".join(asked) or "no GPU", self.why)))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the engine cannot give them, and what to do."""

    reason: str
    remedy: str


def words(request: GpuRequest) -> str:
    """A request for people."""
    if request.cdi_devices:
        return ", ".join(request.cdi_devices)
    what = (
        "all" if request.count < 0 else f"the first {request.count}" if request.count else ", ".join(request.device_ids)
    )
    return f"{what} ({request.driver or 'default driver'})"


def own_gpus(kind: EngineKind, info: EngineInfo | None, seen: GpuSnapshot) -> GpuSnapshot:
    """What the probe of this machine saw, where it is the engine's machine too; else nothing."""
    here = info is not None and info.local
    return seen if here or (kind is EngineKind.DEMO and seen.demo) else UNSEEN


def nvidia_runtime(info: EngineInfo) -> bool:
    """Whether NVIDIA's runtime is registered: what an engine shows of the toolkit that its nvidia driver needs."""
    return any(name == _NVIDIA or name.startswith(f"{_NVIDIA}-") for name in info.runtimes)


def listed_gpus(info: EngineInfo | None) -> tuple[str, ...]:
    """CDI names of GPUs that the engine tells."""
    return tuple(name for name in info.cdi_devices if name.partition("=")[0].endswith(_CLASS)) if info else ()


def give(
    wish: GpuWish,
    kind: EngineKind,
    info: EngineInfo,
    seen: GpuSnapshot = UNSEEN,
    *,
    current: GpuRequest | None = None,
) -> Gift | Refusal:
    """What to ask the engine for.

    info: what it said of itself. seen: GPUs of **its** machine (`own_gpus`), empty where they are not known here.
    current: the request that stands now, which KEEP gives back unchecked.
    """
    if wish.keeps:
        return Gift(current)
    if wish.kind is WishKind.NONE:
        return _none(info)
    if absent := _not_here(wish, seen):
        return absent
    named = _by_cdi(wish, kind, info, seen)
    if isinstance(named, Gift) and not named.unsure:
        return named
    driver = _by_driver(wish, kind, info, seen)
    if isinstance(driver, Gift):
        return driver
    nodes = _by_nodes(wish, info, seen)
    if nodes is not None:
        return nodes
    if isinstance(named, Gift) or driver is None:
        return named
    return Refusal(f"{named.reason}, and {driver.reason}", f"{driver.remedy}; or {named.remedy}")


def _none(info: EngineInfo) -> Gift:
    """No GPU. Where NVIDIA's runtime is the default, images that ask for all by a variable would get them all."""
    if info.runtimes[:1] == (_NVIDIA,):
        return Gift(env={VISIBLE: "void"}, why="the engine's default runtime is nvidia, which gives nothing for “void”")
    return Gift()


# -- what is there -------------------------------------------------------------------------------
def _finds(device: str, reading: GpuReading) -> tuple[GpuDevice, MigInstance | None] | None:
    """The device, and the instance of it, that a name stands for."""
    own = reading.device
    if device == str(own.index) or device in {own.uuid, own.cdi_name}:
        return own, None
    for instance in own.mig:
        if device in {f"{own.index}:{instance.index}", instance.uuid, instance.cdi_name}:
            return own, instance
    return None


def _seen_as(device: str, seen: GpuSnapshot) -> list[tuple[GpuDevice, MigInstance | None]]:
    return [found for reading in seen.readings if (found := _finds(device, reading)) is not None]


def _not_here(wish: GpuWish, seen: GpuSnapshot) -> Refusal | None:
    """What the machine has not, where its devices are known."""
    if not seen.readings:
        return None
    there = _among([str(reading.device.index) for reading in seen.readings])
    count = len(seen.readings)
    has = f"has {count} GPU{'s' if count > 1 else ''}"
    if wish.kind is WishKind.FIRST and wish.count > count:
        return Refusal(f"{wish.count} GPUs are asked for and the machine {has}", "ask for fewer, or for all")
    for device in wish.devices:
        if "=" not in device and not _seen_as(device, seen):
            return Refusal(f"the machine has no GPU {device}: it {has}, {there}", "choose among those that it has")
    return None


def _among(names: Sequence[str]) -> str:
    """Some of the names for a sentence."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


# -- by CDI name ---------------------------------------------------------------------------------
def _older(info: EngineInfo, than: tuple[int, int]) -> bool:
    found = _VERSION.match(info.version)
    return found is not None and (int(found[1]), int(found[2])) < than


def _by_cdi(wish: GpuWish, kind: EngineKind, info: EngineInfo, seen: GpuSnapshot) -> Gift | Refusal:
    if not info.capabilities.can(Capability.CDI):
        reason = info.capabilities.why_not(Capability.CDI)
        if _older(info, _DOCKER_CDI):
            return Refusal(reason, _NEWER_DOCKER)
        return Refusal(reason, _CDI_ON + _spec_for(seen, next(iter(wish.devices), "")))
    if kind is EngineKind.PODMAN and _older(info, _PODMAN_CDI):
        return Refusal(f"Podman {info.version} knows no CDI devices", "update Podman to 4.1 or later")
    known = info.cdi_devices
    names = _listed(wish, known, seen) if known else _guessed(wish, seen)
    if isinstance(names, Refusal):
        return names
    request = GpuRequest(cdi_devices=tuple(dict.fromkeys(names)))
    if known:
        return Gift(request, why="by CDI name, which the engine lists")
    return Gift(request, why="by CDI name; the engine does not tell which names it has", unsure=True)


def _listed(wish: GpuWish, known: Sequence[str], seen: GpuSnapshot) -> list[str] | Refusal:
    """Names of the wish among those that the engine lists."""
    kinds = _kinds(known)
    if wish.kind is WishKind.DEVICES:
        names: list[str] = []
        for device in wish.devices:
            name = _one_listed(device, known, kinds, seen)
            if isinstance(name, Refusal):
                return name
            names.append(name)
        return names
    if not kinds:
        return Refusal(f"the engine lists no GPU among its CDI devices ({_among(known)})", _spec_for(seen))
    if wish.kind is WishKind.ALL:
        return [name for kind in kinds for name in _all_of(kind, known)]
    whole = _whole(kinds[0], known)
    if len(whole) < wish.count:
        what = f"{len(whole)} whole GPU{'' if len(whole) == 1 else 's'} of {kinds[0]}"
        return Refusal(f"{wish.count} are asked for and the engine lists {what}", "ask for fewer, or name the devices")
    return whole[: wish.count]


def _kinds(known: Iterable[str]) -> list[str]:
    """Kinds of GPUs, NVIDIA's first."""
    kinds = {name.partition("=")[0] for name in known}
    return sorted((kind for kind in kinds if kind.endswith(_CLASS)), key=lambda kind: (kind != NVIDIA_CDI_KIND, kind))


def _all_of(kind: str, known: Sequence[str]) -> list[str]:
    return [f"{kind}={_ALL}"] if f"{kind}={_ALL}" in known else _whole(kind, known)


def _whole(kind: str, known: Iterable[str]) -> list[str]:
    """Names of whole devices of a kind, each device once: by index where there are indexes, else as they are listed."""
    own = [name.partition("=")[2] for name in known if name.startswith(f"{kind}=")]
    indexes = sorted((name for name in own if name.isdecimal()), key=int)
    others = [name for name in own if name != _ALL and ":" not in name and not name.startswith("MIG-")]
    return [f"{kind}={name}" for name in indexes or others]


def _kind_of(device: GpuDevice) -> str:
    """Its CDI kind: as an engine lists it, else as the vendor's own tool writes it."""
    return device.cdi_name.partition("=")[0] or f"{device.vendor.lower() or _NVIDIA}.com/gpu"


def _names_for(device: str, kinds: Sequence[str], seen: GpuSnapshot) -> list[str]:
    """CDI names that may mean the device, the likeliest first."""
    names = [f"{kind}={device}" for kind in kinds]
    for own, instance in _seen_as(device, seen):
        kind = _kind_of(own)
        if instance is None:
            words = [own.cdi_name, f"{kind}={own.index}", f"{kind}={own.uuid}"]
        else:
            words = [instance.cdi_name, f"{kind}={own.index}:{instance.index}", f"{kind}={instance.uuid}"]
        names += [word for word in words if word and not word.endswith("=")]
    return list(dict.fromkeys(names))


def _one_listed(device: str, known: Sequence[str], kinds: Sequence[str], seen: GpuSnapshot) -> str | Refusal:
    if "=" in device:
        if device in known:
            return device
        return Refusal(f"the engine does not know {device}; it lists {_among(known)}", _spec_for(seen, device))
    found = [name for name in _names_for(device, kinds, seen) if name in known]
    vendors = list(dict.fromkeys(name.partition("=")[0] for name in found))
    if len(vendors) > 1:
        return Refusal(f"{device} is a GPU of several vendors", f"say which by its CDI name: {' or '.join(found)}")
    if found:
        return found[0]
    for own, instance in _seen_as(device, seen):
        if instance is None and own.mig:
            parts = ", ".join(f"{own.index}:{one.index}" for one in own.mig)
            return Refusal(f"GPU {device} is cut into MIG instances, and is not listed whole", f"choose among {parts}")
    return Refusal(f"the engine lists no CDI device for GPU {device}; it lists {_among(known)}", _spec_for(seen))


def _guessed(wish: GpuWish, seen: GpuSnapshot) -> list[str] | Refusal:
    """Names as vendors' tools write them, for an engine that tells none."""
    vendors = list(dict.fromkeys(_kind_of(reading.device) for reading in seen.readings)) or [NVIDIA_CDI_KIND]
    if wish.kind is WishKind.ALL:
        return [f"{kind}={_ALL}" for kind in vendors]
    if wish.kind is WishKind.FIRST:
        return [f"{vendors[0]}={index}" for index in range(wish.count)]
    names: list[str] = []
    for device in wish.devices:
        kinds = list(dict.fromkeys(_kind_of(own) for own, _ in _seen_as(device, seen)))
        if len(kinds) > 1:
            said = " or ".join(f"{kind}={device}" for kind in kinds)
            return Refusal(f"{device} is a GPU of several vendors", f"say which by its CDI name: {said}")
        names.append(device if "=" in device else f"{(kinds or [NVIDIA_CDI_KIND])[0]}={device}")
    return names


def _spec_for(seen: GpuSnapshot, name: str = "") -> str:
    """How the vendor's CDI specification is written."""
    amd = name.startswith(AMD_CDI_KIND) or ("=" not in name and bool(seen.readings) and _only_amd(seen))
    return _AMD_SPEC if amd else _NVIDIA_SPEC


# -- by Docker's nvidia driver -------------------------------------------------------------------
def _by_driver(wish: GpuWish, kind: EngineKind, info: EngineInfo, seen: GpuSnapshot) -> Gift | Refusal | None:
    """By NVIDIA's runtime; None where there cannot be one, or the wish is of another vendor."""
    if kind is not EngineKind.DOCKER or (seen.readings and _only_amd(seen)):
        return None
    ids = [name.partition("=")[2] if "=" in name else name for name in wish.devices]
    if any("=" in name and not name.startswith(f"{NVIDIA_CDI_KIND}=") for name in wish.devices):
        return None
    if not nvidia_runtime(info):
        return Refusal("no nvidia runtime is registered in this Docker", INSTALL_RUNTIME)
    why = "by its nvidia runtime, which is registered"
    plain = GpuRequest(driver=_NVIDIA, capabilities=(("gpu",),))
    if wish.kind is WishKind.ALL or _ALL in ids:
        return Gift(_counted(plain, -1), why=why)
    if wish.kind is WishKind.FIRST:
        return Gift(_counted(plain, wish.count), why=why)
    return Gift(GpuRequest(device_ids=tuple(ids), driver=_NVIDIA, capabilities=plain.capabilities), why=why)


def _counted(plain: GpuRequest, count: int) -> GpuRequest:
    return GpuRequest(count=count, driver=plain.driver, capabilities=plain.capabilities)


# -- by device nodes -----------------------------------------------------------------------------
def _only_amd(seen: GpuSnapshot) -> bool:
    return all(_kind_of(reading.device) == AMD_CDI_KIND for reading in seen.readings)


def _by_nodes(wish: GpuWish, info: EngineInfo, seen: GpuSnapshot) -> Gift | Refusal | None:
    """AMD's GPUs, which need nothing but their nodes; None where this is no machine of AMD's GPUs alone."""
    if not seen.readings or not _only_amd(seen) or any("=" in device for device in wish.devices):
        return None
    found = {own.index for device in wish.devices for own, _ in _seen_as(device, seen)}
    every = wish.kind is WishKind.ALL or len(seen.readings) in {wish.count, len(found)}
    if not every:
        return Refusal("without CDI names AMD's GPUs are given all together", f"ask for all; or {_AMD_SPEC}")
    nodes = tuple(DeviceSpec(path, path) for path in AMD_ALL)
    rights = "; the user of a rootless engine must be in the groups video and render" if info.rootless else ""
    return Gift(devices=nodes, why=f"by AMD's device nodes, as the engine lists no CDI name of theirs{rights}")


__all__ = [
    "AMD_ALL", "INSTALL_RUNTIME", "UNSEEN", "VISIBLE", "Gift", "Refusal", "give", "listed_gpus", "nvidia_runtime",
    "own_gpus", "words",
]  # fmt: skip
