"""What doctor looks at where a GPU should reach containers: cards, drivers, tools, CDI files, rights. Asks no engine.

Reads files only, and changes nothing: call it in a thread. What cannot be read is told as such, never guessed.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends.cdi import FOLDERS, CdiFiles, CdiSpec, read_files
from backends.model.fleet import EngineView

NVIDIA_ID, AMD_ID = "0x10de", "0x1002"
"""PCI vendor ids. Source: pci-ids.ucw.cz."""

TOOLS = ("nvidia-ctk", "nvidia-container-runtime", "amd-ctk", "amd-container-runtime")
"""Sources: NVIDIA Container Toolkit and AMD Container Toolkit, installation guides."""

NVIDIA_CONFIG = "/etc/nvidia-container-runtime/config.toml"
NVIDIA_VERSION = "/proc/driver/nvidia/version"

# Classes of pci-ids.ucw.cz: 0300 VGA, 0302 3D controller, 0380 other display, 1200 accelerator.
_CLASSES = ("0x0300", "0x0302", "0x0380", "0x1200")
_LIBRARY = "libnvidia-ml.so.1"
_LIBRARY_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
    "/run/opengl-driver/lib",  # NixOS
)
_TOOL_FOLDERS = ("/usr/bin", "/usr/local/bin", "/usr/sbin", "/run/current-system/sw/bin")
_NODES = ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm", "kfd", "dri/renderD*")
# "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  …", "… Open Kernel Module for x86_64  570.86.15  …"
_MODULE = re.compile(r"Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)")
# Only these are sure to carry the driver's version: libnvidia-egl-gbm.so.1.1.1 and others have their own.
_IN_NAME = re.compile(r"/lib(?:cuda|nvidia-ml)\.so\.(\d+\.\d+(?:\.\d+)*)$")


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU on the PCI bus. driver: the kernel's that runs it ("nvidia", "nouveau", "vfio-pci"), "" for none."""

    pci: str
    vendor: str
    driver: str


@dataclass(frozen=True, slots=True)
class Node:
    """A device node. owner, group: names, or numbers without a name. usable: this user may read and write it."""

    path: str
    owner: str
    group: str
    mode: str
    usable: bool


@dataclass(frozen=True, slots=True)
class NvidiaFacts:
    """module: version of the loaded kernel module, "" for none. library: path of libnvidia-ml, "" where there is none.

    library_version: "" where its name does not tell. no_cgroups: the toolkit's setting, None where it is not set.
    config_problem: why the toolkit's settings cannot be read, "" where they can or there are none.
    """

    module: str = ""
    library: str = ""
    library_version: str = ""
    no_cgroups: bool | None = None
    config_problem: str = ""


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """groups: this user's, by name. tools: path by name, of those that are here. missing: by CDI file's path, what it
    counts on and is not there. wsl: NVIDIA's driver is Windows's. selinux: it is enforcing; selinux_devices: its
    boolean container_use_devices, None where it has none.
    """

    user: str = ""
    uid: int = 0
    groups: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()
    nodes: tuple[Node, ...] = ()
    nvidia: NvidiaFacts = NvidiaFacts()
    tools: Mapping[str, str] = field(default_factory=dict)
    cdi: CdiFiles = field(default_factory=CdiFiles)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wsl: bool = False
    selinux: bool = False
    selinux_devices: bool | None = None


def read_gpu_facts(
    environ: Mapping[str, str], cdi_folders: Iterable[str] = FOLDERS, root: Path = Path("/")
) -> GpuFacts:
    """Read them; blocks on small files. cdi_folders: where the engines look. root: for tests, another tree."""
    cdi = read_files(cdi_folders, root)
    return GpuFacts(
        user=_user_name(os.getuid()),
        uid=os.getuid(),
        groups=tuple(sorted({_group_name(gid) for gid in {*os.getgroups(), os.getgid()}})),
        cards=_cards(root),
        nodes=_nodes(root),
        nvidia=_nvidia(root),
        tools=_tools(environ, root),
        cdi=cdi,
        missing={file.path: gone for file in cdi.files if file.spec and (gone := _missing(file.spec, root))},
        wsl=(root / "dev/dxg").exists(),
        selinux=_text(root / "sys/fs/selinux/enforce").strip() == "1",
        selinux_devices=_boolean(_text(root / "sys/fs/selinux/booleans/container_use_devices")),
    )


def cdi_folders(engines: Iterable[EngineView]) -> tuple[str, ...]:
    """The folders of CDI files: those where all engines look, and those that engines of this machine name besides."""
    infos = [engine.info for engine in engines if engine.info and engine.info.local]
    return tuple(dict.fromkeys([*FOLDERS, *(folder for info in infos for folder in info.cdi_folders)]))


def version_in(path: str) -> str:
    """The driver's version that a library's name carries ("libcuda.so.550.54.15"), "" for none."""
    match = _IN_NAME.search(path)
    return match[1] if match else ""


def _cards(root: Path) -> tuple[Card, ...]:
    found: list[Card] = []
    for folder in sorted((root / "sys/bus/pci/devices").glob("*")):
        vendor = _text(folder / "vendor").strip()
        if vendor not in {NVIDIA_ID, AMD_ID} or not _text(folder / "class").startswith(_CLASSES):
            continue
        driver = folder / "driver"
        found.append(Card(folder.name, vendor, driver.resolve().name if driver.exists() else ""))
    return tuple(found)


def _nodes(root: Path) -> tuple[Node, ...]:
    found: list[Node] = []
    for pattern in _NODES:
        for path in sorted((root / "dev").glob(pattern)):
            try:
                status = path.stat()
            except OSError:
                continue  # it went away while we looked
            mode = stat.filemode(status.st_mode)
            owner, group = _user_name(status.st_uid), _group_name(status.st_gid)
            found.append(Node(f"/{path.relative_to(root)}", owner, group, mode, os.access(path, os.R_OK | os.W_OK)))
    return tuple(found)


def _nvidia(root: Path) -> NvidiaFacts:
    module = _MODULE.search(_text(root / NVIDIA_VERSION.lstrip("/")))
    library = next((f"{place}/{_LIBRARY}" for place in _LIBRARY_FOLDERS if _is_there(f"{place}/{_LIBRARY}", root)), "")
    real = os.path.realpath(root / library.lstrip("/")) if library else ""
    no_cgroups, problem = _no_cgroups(root / NVIDIA_CONFIG.lstrip("/"))
    return NvidiaFacts(module[1] if module else "", library, version_in(real), no_cgroups, problem)


def _no_cgroups(path: Path) -> tuple[bool | None, str]:
    try:
        settings = tomllib.loads(path.read_text("utf-8")).get("nvidia-container-cli")
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, os.strerror(error.errno or 0)
    except (ValueError, RecursionError) as error:  # not TOML, or not UTF-8; brackets may nest too deep
        return None, str(error)
    value = settings.get("no-cgroups") if isinstance(settings, dict) else None
    return (value if isinstance(value, bool) else None), ""


def _tools(environ: Mapping[str, str], root: Path) -> Mapping[str, str]:
    folders = [*(one for one in environ.get("PATH", "").split(os.pathsep) if one.startswith("/")), *_TOOL_FOLDERS]
    path = os.pathsep.join(str(root / folder.lstrip("/")) for folder in folders)
    found = {tool: shutil.which(tool, path=path) for tool in TOOLS}
    return {tool: f"/{Path(place).relative_to(root)}" for tool, place in found.items() if place}


def _missing(spec: CdiSpec, root: Path) -> tuple[str, ...]:
    nodes = [node for device in spec.devices for node in device.nodes]
    paths = dict.fromkeys([*spec.nodes, *nodes, *spec.files, *spec.programs])
    return tuple(path for path in paths if path.startswith("/") and not _is_there(path, root))


def _is_there(path: str, root: Path) -> bool:
    try:
        os.stat(root / path.lstrip("/"))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # not ours to look at: it is not known to be missing
    return True


def _boolean(text: str) -> bool | None:
    """SELinux's file of a boolean: "1 1", its value now and the one that waits."""
    return text.startswith("1") if text else None


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:  # absent or not for us: then it tells nothing that we could use
        return ""
