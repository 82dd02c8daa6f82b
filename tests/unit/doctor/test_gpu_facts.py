"""What doctor reads of GPUs, by trees of files that stand for a machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.model.capabilities import EngineInfo
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView
from backends.model.ids import EngineId, EngineKind
from backends.services.gpu_facts import AMD_ID, NVIDIA_ID, Card, cdi_folders, read_gpu_facts, version_in

# As the closed and the open kernel module write /proc/driver/nvidia/version.
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version: …\n"
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@…)\n"


def write(root: Path, path: str, text: str = "") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def card(root: Path, pci: str, vendor: str, kind: str, driver: str = "") -> None:
    write(root, f"sys/bus/pci/devices/{pci}/vendor", f"{vendor}\n")
    write(root, f"sys/bus/pci/devices/{pci}/class", f"{kind}\n")
    if driver:
        (root / "sys/bus/pci/drivers" / driver).mkdir(parents=True, exist_ok=True)
        (root / f"sys/bus/pci/devices/{pci}/driver").symlink_to(f"../../drivers/{driver}")


def test_an_empty_machine(tmp_path: Path) -> None:
    facts = read_gpu_facts({}, root=tmp_path)
    assert (facts.cards, facts.nodes, facts.tools, facts.cdi.files) == ((), (), {}, ())
    assert (facts.nvidia.module, facts.nvidia.library, facts.wsl, facts.selinux) == ("", "", False, False)
    assert facts.user
    assert facts.groups


def test_cards_and_who_runs_them(tmp_path: Path) -> None:
    card(tmp_path, "0000:00:02.0", "0x8086", "0x030000", "i915")
    card(tmp_path, "0000:01:00.0", NVIDIA_ID, "0x030200", "nvidia")
    card(tmp_path, "0000:01:00.1", NVIDIA_ID, "0x040300", "snd_hda_intel")  # its sound
    card(tmp_path, "0000:05:00.0", AMD_ID, "0x120000")
    assert read_gpu_facts({}, root=tmp_path).cards == (
        Card("0000:01:00.0", NVIDIA_ID, "nvidia"),
        Card("0000:05:00.0", AMD_ID, ""),
    )


@pytest.mark.parametrize(("text", "version"), [(CLOSED, "550.54.15"), (OPEN, "570.86.15"), ("other\n", "")])
def test_the_version_of_the_kernel_module(tmp_path: Path, text: str, version: str) -> None:
    write(tmp_path, "proc/driver/nvidia/version", text)
    assert read_gpu_facts({}, root=tmp_path).nvidia.module == version


def test_the_library_and_its_version(tmp_path: Path) -> None:
    write(tmp_path, "usr/lib64/libnvidia-ml.so.535.161.07")
    (tmp_path / "usr/lib64/libnvidia-ml.so.1").symlink_to("libnvidia-ml.so.535.161.07")
    nvidia = read_gpu_facts({}, root=tmp_path).nvidia
    assert (nvidia.library, nvidia.library_version) == ("/usr/lib64/libnvidia-ml.so.1", "535.161.07")


@pytest.mark.parametrize(
    ("text", "no_cgroups"),
    [
        ("[nvidia-container-cli]\nno-cgroups = true\n", True),
        ("[nvidia-container-cli]\nno-cgroups = false\n", False),
        ("[nvidia-container-cli]\n#no-cgroups = false\n", None),
        ("nvidia-container-cli = 5\n", None),
        ("", None),
    ],
)
def test_the_toolkits_rule_on_cgroups(tmp_path: Path, text: str, no_cgroups: bool | None) -> None:
    write(tmp_path, "etc/nvidia-container-runtime/config.toml", text)
    nvidia = read_gpu_facts({}, root=tmp_path).nvidia
    assert (nvidia.no_cgroups, nvidia.config_problem) == (no_cgroups, "")


def test_a_broken_toolkit_file_is_told(tmp_path: Path) -> None:
    write(tmp_path, "etc/nvidia-container-runtime/config.toml", "[nvidia")
    assert "table declaration" in read_gpu_facts({}, root=tmp_path).nvidia.config_problem


def test_tools_are_looked_for_on_path_and_where_packages_put_them(tmp_path: Path) -> None:
    for path in ("opt/bin/nvidia-ctk", "usr/bin/amd-ctk"):
        write(tmp_path, path).chmod(0o755)
    write(tmp_path, "usr/bin/nvidia-container-runtime").chmod(0o644)  # no program
    assert read_gpu_facts({"PATH": "/opt/bin:relative"}, root=tmp_path).tools == {
        "nvidia-ctk": "/opt/bin/nvidia-ctk",
        "amd-ctk": "/usr/bin/amd-ctk",
    }


def test_nodes_and_whom_they_belong_to(tmp_path: Path) -> None:
    for name in (
        "nvidia0",
        "nvidiactl",
        "nvidia-uvm",
        "nvidia-uvm-tools",
        "nvidia-caps",
        "kfd",
        "dri/renderD128",
        "dri/card0",
    ):
        write(tmp_path, f"dev/{name}")
    facts = read_gpu_facts({}, root=tmp_path)
    assert [node.path for node in facts.nodes] == [
        "/dev/nvidia0",
        "/dev/nvidiactl",
        "/dev/nvidia-uvm",
        "/dev/kfd",
        "/dev/dri/renderD128",
    ]
    assert {(node.owner, node.usable) for node in facts.nodes} == {(facts.user, True)}


def test_what_a_specification_counts_on_and_is_not_there(tmp_path: Path) -> None:
    device = {"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/nvidia0"}, {"path": "/dev/nvidia1"}]}}
    edits = {"mounts": [{"hostPath": "/lib/a.so"}, {"hostPath": "/lib/b.so"}], "hooks": [{"path": "/bin/hook"}]}
    spec = {"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "devices": [device], "containerEdits": edits}
    write(tmp_path, "etc/cdi/nvidia.json", json.dumps(spec))
    for path in ("dev/nvidia0", "lib/a.so"):
        write(tmp_path, path)
    facts = read_gpu_facts({}, root=tmp_path)
    assert facts.missing == {"/etc/cdi/nvidia.json": ("/dev/nvidia1", "/lib/b.so", "/bin/hook")}


@pytest.mark.parametrize(
    ("enforce", "boolean", "expected"),
    [("1", "0 0", (True, False)), ("1", "1 1", (True, True)), ("0", "0 0", (False, False)), ("1", None, (True, None))],
)
def test_selinux(tmp_path: Path, enforce: str, boolean: str | None, expected: tuple[bool, bool | None]) -> None:
    write(tmp_path, "sys/fs/selinux/enforce", enforce)
    if boolean is not None:
        write(tmp_path, "sys/fs/selinux/booleans/container_use_devices", boolean)
    facts = read_gpu_facts({}, root=tmp_path)
    assert (facts.selinux, facts.selinux_devices) == expected


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/usr/lib/libcuda.so.550.54.15", "550.54.15"),
        ("/usr/lib/libnvidia-ml.so.1", ""),
        ("/usr/bin/nvidia-smi", ""),
        ("/usr/lib/libnvidia-egl-gbm.so.1.1.1", ""),
    ],
)
def test_the_version_in_a_librarys_name(path: str, version: str) -> None:
    assert version_in(path) == version


def test_folders_that_local_engines_name_are_read_too() -> None:
    def view(name: str, local: bool, *folders: str) -> EngineView:
        info = EngineInfo("28", "1.50", False, local, cdi_folders=folders)
        return EngineView(EngineId(EngineKind.DOCKER, name), ConnectionState(Link.CONNECTED), info)

    found = cdi_folders([view("here", True, "/etc/cdi", "/home/me/.config/cdi"), view("away", False, "/their/cdi")])
    assert found == ("/etc/cdi", "/var/run/cdi", "/run/cdi", "/home/me/.config/cdi")


def test_the_real_machine_is_read() -> None:
    assert read_gpu_facts({}).user
