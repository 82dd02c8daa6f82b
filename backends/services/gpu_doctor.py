"""Why a GPU does not reach a container on this machine, and the command that mends it. Pure: reads and changes nothing.

Each sentence says what was looked at and what was found. A machine without any GPU gets one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from backends.model.capabilities import Capability, EngineInfo
from backends.model.events import Link
from backends.model.fleet import EngineView
from backends.model.gpu import GpuSnapshot
from backends.model.ids import EngineKind
from backends.services.doctor import Diagnosis, Level
from backends.services.gpu_doctor_cdi import examine_cdi
from backends.services.gpu_facts import AMD_ID, NVIDIA_CONFIG, NVIDIA_ID, NVIDIA_VERSION, Card, GpuFacts, Node

GUIDE = "docs.nvidia.com/datacenter/cloud-native/container-toolkit"

_CONFIGURE = "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker"
_CONFIGURE_ROOTLESS = (
    "nvidia-ctk runtime configure --runtime=docker --config=$HOME/.config/docker/daemon.json"
    " && systemctl --user restart docker"
)
_CGROUPS_OFF = "sudo nvidia-ctk config --set nvidia-container-cli.no-cgroups --in-place"
_CGROUPS_ON = "sudo nvidia-ctk config --set nvidia-container-cli.no-cgroups=false --in-place"
_CDI_ON = 'set {"features": {"cdi": true}} in daemon.json (Docker 25 and later) and restart Docker'
_RELOAD = (
    "restart the machine, or: sudo modprobe -r nvidia_drm nvidia_modeset nvidia_uvm nvidia && sudo modprobe nvidia"
)
_MAKE_NODES = "sudo nvidia-modprobe -c0 -u; inside a container: start that one with its GPUs"
_AMD_GROUPS = ("render", "video")
"""Source: rocm.docs.amd.com, installation, "Configuring permissions for GPU access"."""


def examine_gpus(facts: GpuFacts, engines: Iterable[EngineView], gpus: GpuSnapshot) -> list[Diagnosis]:
    """Everything about GPUs, in the order in which a person would look. engines: all; those of other machines are
    left out, since their GPUs are not here.
    """
    local = [one for one in engines if one.info and one.info.local and one.connection.link is Link.CONNECTED]
    nvidia, amd = _has_nvidia(facts, gpus), _has_amd(facts, gpus)
    if gpus.demo:
        return list(_read(gpus, Level.NOTE))  # invented ones: this machine has nothing to do with them
    told = any(engine.info.cdi_devices for engine in local if engine.info)
    if not (nvidia or amd or gpus.readings or told or facts.cdi.files or facts.cdi.unread):
        sentence = "none in this machine: no card of NVIDIA or AMD on its PCI bus, no driver, no CDI specification"
        return [Diagnosis("GPUs", Level.NOTE, sentence)]
    return [
        *_read(gpus, Level.PROBLEM if nvidia or amd else Level.NOTE),
        *(_nvidia(facts, local) if nvidia else ()),
        *(_amd(facts, local) if amd else ()),
        *examine_cdi(facts, local, gpus, nvidia=nvidia, amd=amd),
        *(_selinux(facts) if nvidia or amd else ()),
    ]


def _has_nvidia(facts: GpuFacts, gpus: GpuSnapshot) -> bool:
    """A library alone is no GPU: monitors of any kind of GPU bring it along."""
    told = facts.nvidia.module or (facts.wsl and facts.nvidia.library)
    return bool(told) or _is_here(facts, gpus, NVIDIA_ID, "NVIDIA")


def _has_amd(facts: GpuFacts, gpus: GpuSnapshot) -> bool:
    return _is_here(facts, gpus, AMD_ID, "AMD")


def _is_here(facts: GpuFacts, gpus: GpuSnapshot, vendor_id: str, vendor: str) -> bool:
    cards = any(card.vendor == vendor_id for card in facts.cards)
    return cards or any(reading.device.vendor == vendor for reading in gpus.readings)


def _read(gpus: GpuSnapshot, unread: Level) -> Iterator[Diagnosis]:
    """unread: how bad it is that there is no reading."""
    if gpus.readings:
        names = ", ".join(f"{reading.device.index}: {reading.device.name}" for reading in gpus.readings)
        driver = f", driver {gpus.driver_version}" if gpus.driver_version else ""
        yield Diagnosis("GPUs", Level.OK, f"{names}{driver}")
    else:
        yield Diagnosis("GPUs", unread, gpus.absent or "the GPU driver did not answer", gpus.hint)
    for reading in gpus.readings:
        if reading.condition:
            name = f"{reading.device.vendor} GPU {reading.device.index}"
            yield Diagnosis("GPUs", Level.PROBLEM, f"{name}: {reading.condition}", reading.hint)
    for note in gpus.notes:
        yield Diagnosis("GPUs", Level.NOTE, note)


def _nvidia(facts: GpuFacts, engines: Sequence[EngineView]) -> Iterator[Diagnosis]:
    if not facts.wsl:
        yield _module(facts)
    yield from _library(facts)
    if facts.nvidia.module and not facts.wsl:
        yield from _nvidia_nodes(facts)
    yield _toolkit(facts)
    for engine in engines:
        if engine.id.kind is EngineKind.DOCKER and engine.info is not None:
            yield from _docker(facts, engine, engine.info)


def _module(facts: GpuFacts) -> Diagnosis:
    if facts.nvidia.module:
        return Diagnosis("GPU driver", Level.OK, f"NVIDIA's kernel module {facts.nvidia.module} is loaded")
    where = f"NVIDIA's kernel module is not loaded ({NVIDIA_VERSION} is not there)"
    cards = [card for card in facts.cards if card.vendor == NVIDIA_ID]
    if not cards:
        return Diagnosis("GPU driver", Level.PROBLEM, f"{where}, and there is no NVIDIA card on the PCI bus")
    held = next((card for card in cards if card.driver not in {"", "nvidia"}), None)
    if held is None:
        hint = "sudo modprobe nvidia; where that fails, install NVIDIA's driver, and `dmesg` tells why"
        return Diagnosis("GPU driver", Level.PROBLEM, f"{where}; card at {_places(cards)}", hint)
    hint = "install NVIDIA's driver and restart the machine" if held.driver == "nouveau" else _given_away(held)
    sentence = f"{where}; the card at {held.pci} is run by {held.driver}"
    return Diagnosis("GPU driver", Level.PROBLEM, sentence, hint)


def _given_away(card: Card) -> str:
    """Of vfio-pci and the like, which keep a card for virtual machines."""
    free = f"sudo sh -c 'echo {card.pci} > /sys/bus/pci/drivers/{card.driver}/unbind'"
    return f"where no virtual machine needs it: {free} && sudo modprobe nvidia"


def _library(facts: GpuFacts) -> Iterator[Diagnosis]:
    nvidia = facts.nvidia
    if not nvidia.library:
        sentence = "libnvidia-ml.so.1 is in none of the system's library folders"
        version = f" of version {nvidia.module}" if nvidia.module else ""
        yield Diagnosis("GPU library", Level.PROBLEM, sentence, f"install the libraries of NVIDIA's driver{version}")
    elif nvidia.module and nvidia.library_version and nvidia.library_version != nvidia.module:
        sentence = f"{nvidia.library} is {nvidia.library_version}, the loaded kernel module {nvidia.module}"
        yield Diagnosis("GPU library", Level.PROBLEM, f"{sentence}: every call to the driver fails", _RELOAD)
    else:
        told = f", version {nvidia.library_version}" if nvidia.library_version else ""
        yield Diagnosis("GPU library", Level.OK, f"{nvidia.library}{told}")


def _nvidia_nodes(facts: GpuFacts) -> Iterator[Diagnosis]:
    nodes = [node for node in facts.nodes if node.path.startswith("/dev/nvidia")]
    there = {node.path for node in nodes}
    lacking = [path for path in ("/dev/nvidiactl", "/dev/nvidia-uvm") if path not in there]
    if not any(path[len("/dev/nvidia") :].isdigit() for path in there):
        lacking.append("/dev/nvidia0")
    if lacking:
        yield Diagnosis("GPU nodes", Level.PROBLEM, f"not there: {', '.join(lacking)}", _MAKE_NODES)
    shut = [node for node in nodes if not node.usable]
    if shut:
        yield _shut(
            facts, shut, "set NVreg_DeviceFileMode=0666 for the module nvidia in /etc/modprobe.d, and reload it"
        )
    elif not lacking:
        yield Diagnosis("GPU nodes", Level.OK, f"{', '.join(sorted(there))}; {facts.user} may use them")


def _shut(facts: GpuFacts, nodes: Sequence[Node], otherwise: str) -> Diagnosis:
    """Nodes that this user may not open: the group that may, where there is one. otherwise: the hint where not."""
    shown = ", ".join(f"{node.path} ({node.mode} {node.owner}:{node.group})" for node in nodes)
    groups = sorted({node.group for node in nodes if node.mode[4:6] == "rw" and node.group != "root"})
    hint = f"sudo usermod -aG {','.join(groups)} {facts.user}; then log in anew" if groups else otherwise
    sentence = f"{facts.user} may not open {shown}: rootless containers of this user cannot either"
    return Diagnosis("GPU rights", Level.PROBLEM, sentence, hint)


def _toolkit(facts: GpuFacts) -> Diagnosis:
    found = [path for tool, path in sorted(facts.tools.items()) if tool.startswith("nvidia")]
    if found:
        return Diagnosis("GPU toolkit", Level.OK, ", ".join(found))
    sentence = "nvidia-ctk and nvidia-container-runtime are neither on PATH nor in /usr/bin"
    hint = f"install the package nvidia-container-toolkit: {GUIDE}"
    return Diagnosis("GPU toolkit", Level.PROBLEM, sentence, hint)


def _docker(facts: GpuFacts, engine: EngineView, info: EngineInfo) -> Iterator[Diagnosis]:
    topic, runtime = f"GPU in {engine.id.name}", "nvidia" in info.runtimes
    by_cdi = Capability.CDI not in info.capabilities.lacking
    named = any(name.startswith("nvidia.com/") for name in info.cdi_devices)
    if runtime:
        ways = " and CDI names" if by_cdi and named else ""
        yield Diagnosis(topic, Level.OK, f"knows the runtime nvidia{ways}")
        yield from _cgroup_rules(facts, info, topic)
    elif by_cdi and named:
        yield Diagnosis(topic, Level.OK, "gives GPUs by CDI names; the runtime nvidia is not registered, nor needed")
    else:
        lacking = "knows no CDI name of NVIDIA" if by_cdi else "has CDI off"
        sentence = f"does not know the runtime nvidia, and {lacking}: no container can be given a GPU"
        yield Diagnosis(topic, Level.PROBLEM, sentence, _CONFIGURE_ROOTLESS if info.rootless else _CONFIGURE)
    if not by_cdi and (runtime or named or facts.cdi.devices()):
        yield Diagnosis(topic, Level.NOTE, "CDI is off: its names are not understood", _CDI_ON)


def _cgroup_rules(facts: GpuFacts, info: EngineInfo, topic: str) -> Iterator[Diagnosis]:
    """Source: the toolkit's installation guide, "Rootless mode"; one file serves rootful and rootless Docker alike."""
    nvidia = facts.nvidia
    if nvidia.config_problem:
        yield Diagnosis(topic, Level.PROBLEM, f"{NVIDIA_CONFIG}: {nvidia.config_problem}", "mend or remove the file")
    elif info.rootless and nvidia.no_cgroups is not True:
        sentence = f"rootless, and may not set device rules of cgroups; no-cgroups is not set in {NVIDIA_CONFIG}"
        yield Diagnosis(topic, Level.PROBLEM, f"{sentence}: containers with a GPU do not start", _CGROUPS_OFF)
    elif not info.rootless and nvidia.no_cgroups is True:
        sentence = f"no-cgroups is set in {NVIDIA_CONFIG}, which is for rootless engines"
        yield Diagnosis(topic, Level.PROBLEM, f"{sentence}: here containers may not open their GPU", _CGROUPS_ON)


def _amd(facts: GpuFacts, engines: Sequence[EngineView]) -> Iterator[Diagnosis]:
    cards = [card for card in facts.cards if card.vendor == AMD_ID]
    idle = [card for card in cards if card.driver != "amdgpu"]
    if idle:
        run = f"run by {idle[0].driver}" if idle[0].driver else "run by no driver"
        sentence = f"the AMD card at {_places(idle)} is {run}, not by amdgpu"
        yield Diagnosis(
            "GPU driver", Level.PROBLEM, sentence, "sudo modprobe amdgpu; where that fails, `dmesg` tells why"
        )
    elif cards:
        yield Diagnosis("GPU driver", Level.OK, f"amdgpu runs the AMD card at {_places(cards)}")
    yield from _amd_nodes(facts, engines)
    if "amd-ctk" not in facts.tools:
        hint = "install amd-container-toolkit for CDI names, or give /dev/kfd and /dev/dri as devices"
        yield Diagnosis("GPU toolkit", Level.NOTE, "amd-ctk is neither on PATH nor in /usr/bin", hint)


def _amd_nodes(facts: GpuFacts, engines: Sequence[EngineView]) -> Iterator[Diagnosis]:
    nodes = [node for node in facts.nodes if node.path == "/dev/kfd" or node.path.startswith("/dev/dri/")]
    if not any(node.path == "/dev/kfd" for node in nodes):
        hint = "load amdgpu by a kernel with HSA_AMD; inside a container: start that one with /dev/kfd"
        yield Diagnosis("GPU nodes", Level.PROBLEM, "/dev/kfd is not there: nothing can compute by ROCm", hint)
    shut = [node for node in nodes if not node.usable]
    if shut:
        yield _shut(facts, shut, f"sudo usermod -aG {','.join(_AMD_GROUPS)} {facts.user}; then log in anew")
    elif nodes:
        yield Diagnosis("GPU nodes", Level.OK, f"{', '.join(node.path for node in nodes)}; {facts.user} may use them")
    by_group = [node for node in nodes if node.mode[7:9] != "rw" and node.group in facts.groups]
    rootless = any(one.id.kind is EngineKind.PODMAN and one.info and one.info.rootless for one in engines)
    if by_group and rootless and facts.uid != 0:
        sentence = f"{facts.user} may use {by_group[0].path} as a member of {by_group[0].group}; containers drop groups"
        yield Diagnosis("GPU rights", Level.NOTE, sentence, "start them with: podman run --group-add keep-groups …")


def _selinux(facts: GpuFacts) -> Iterator[Diagnosis]:
    if facts.selinux and facts.selinux_devices is False:
        sentence = "SELinux is enforcing, and container_use_devices is off: it may keep containers from a GPU's nodes"
        hint = "sudo setsebool -P container_use_devices on, or start them with --security-opt label=disable"
        yield Diagnosis("GPU rights", Level.NOTE, sentence, hint)


def _places(cards: Iterable[Card]) -> str:
    return ", ".join(card.pci for card in cards)
