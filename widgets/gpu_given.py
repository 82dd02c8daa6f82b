"""Which GPUs a container was given and which it uses: requests and readings to devices, and to short text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.gpu import GpuDevice, GpuSnapshot, GpuUse, MigInstance
from backends.model.ids import EngineKind
from widgets.text import inert

IDLE_AFTER_S = 600.0  # unless the settings say otherwise: the setting's own default, ten minutes
_ALL = frozenset({"all", "-1"})
_NVIDIA = "nvidia"


def device_key(device: GpuDevice) -> str:
    """What names a device here: its UUID, or vendor and index where that is unreadable."""
    return device.uuid or f"{device.vendor}:{device.index}"


def instance_key(device: GpuDevice, instance: MigInstance) -> str:
    """What names a MIG instance here: its UUID, or its place on the device where that is unreadable."""
    return instance.uuid or f"{device_key(device)}/{instance.index}"


@dataclass(frozen=True, slots=True)
class DeviceNames:
    """How requests name the devices of this machine. keys: name → device; texts: name → what is shown ("0", "0:1").

    vendors: vendor in lower case → its devices.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    vendors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def names_of(snapshot: GpuSnapshot) -> DeviceNames:
    """The names of the snapshot's devices and MIG instances: UUIDs, CDI names, "vendor.com/gpu=INDEX"."""
    keys: dict[str, str] = {}
    texts: dict[str, str] = {}
    vendors: dict[str, list[str]] = {}
    for reading in snapshot.readings:
        device, key = reading.device, device_key(reading.device)
        vendor = device.vendor.lower()
        vendors.setdefault(vendor, []).append(key)
        own = [(device.uuid, device.cdi_name, f"{vendor}.com/gpu={device.index}", str(device.index))]
        shown = [str(device.index)]
        for instance in device.mig:
            place = f"{device.index}:{instance.index}"
            own.append((instance.uuid, instance.cdi_name, f"{vendor}.com/gpu={place}", place))
            shown.append(place)
        for names, text in zip(own, shown, strict=True):
            for name in names:
                if name and name not in keys:
                    keys[name], texts[name] = key, text
    return DeviceNames(keys, texts, {name: tuple(found) for name, found in vendors.items()})


def _given_devices(given: Sequence[str], names: DeviceNames) -> frozenset[str]:
    """The devices that requests mean; a number alone may be a count or an index, and means none for certain."""
    found: set[str] = set()
    for request in given:
        kind, _, which = request.rpartition("=")
        if which in _ALL:
            vendor = kind.partition(".")[0] or _NVIDIA
            found.update(names.vendors.get(vendor, ()))
        elif request in names.keys and not (request.isdigit() and len(given) == 1):
            found.add(names.keys[request])
        elif which in names.keys and not which.isdigit():
            found.add(names.keys[which])
    return frozenset(found)


def used_devices(use: GpuUse | None, snapshot: GpuSnapshot) -> frozenset[str]:
    """The devices on which it has processes."""
    if use is None:
        return frozenset()
    if use.device_uuids:
        return frozenset(use.device_uuids)
    indexes = set(use.device_indexes)
    return frozenset(device_key(one.device) for one in snapshot.readings if one.device.index in indexes)


def devices_of(view: FleetView, container: Container, names: DeviceNames) -> frozenset[str]:
    """The devices that a container was given or uses; given ones not of another machine: that has GPUs of its own."""
    engine = view.engines.get(container.key.engine)
    info = engine.info if engine is not None else None
    elsewhere = info is not None and not info.local and container.key.engine.kind is not EngineKind.DEMO
    given = frozenset[str]() if elsewhere else _given_devices(container.gpus_given, names)
    return given | used_devices(view.gpu_use.get(container.key), view.gpus)


def _ranges(texts: Iterable[str]) -> str:
    """ "0,1", "0-7"; what is no number stays as it is."""
    words = list(dict.fromkeys(texts))
    numbers = sorted(int(word) for word in words if word.isdecimal())
    parts: list[str] = []
    start = 0
    for place, number in enumerate(numbers):
        if place + 1 < len(numbers) and numbers[place + 1] == number + 1:
            continue
        run = numbers[start : place + 1]
        parts.extend([f"{run[0]}-{run[-1]}"] if len(run) > 2 else map(str, run))
        start = place + 1
    return ",".join([*parts, *(word for word in words if not word.isdecimal())])


def given_text(given: Sequence[str], names: DeviceNames) -> str:
    """What it was given, short: "0,1", "all", "0:1" for a MIG instance; "" where nothing."""
    last = [one.rpartition("=")[2] for one in given]
    return _ranges(
        names.texts.get(one) or names.texts.get(word) or inert(word) for one, word in zip(given, last, strict=True)
    )


def used_text(use: GpuUse | None, names: DeviceNames) -> str:
    """Which devices it uses, short; its MIG instances in place of their devices. "" where none."""
    if use is None:
        return ""
    instances = [names.texts[uuid] for uuid in use.mig_uuids if uuid in names.texts]
    whole = {text.partition(":")[0] for text in instances}
    return _ranges([*(text for text in map(str, use.device_indexes) if text not in whole), *instances])


def which_text(given: str, used: str) -> str:
    """Both as one: "0,1" where it uses what it was given, "all→0" where it uses other than that, "" where none."""
    return f"{given}→{used}" if used and used != given else given


def idle_s(use: GpuUse | None, monotonic_now: float) -> float | None:
    """For how long it holds memory and computes nothing, in seconds; None where it computes or that is not known."""
    return None if use is None or use.idle_since is None else max(0.0, monotonic_now - use.idle_since)


def is_idle(use: GpuUse | None, monotonic_now: float, after_s: float) -> bool:
    """Whether it has held memory idly for at least so many seconds."""
    idle = idle_s(use, monotonic_now)
    return idle is not None and idle >= after_s
