"""What doctor says of a GPU that does not reach a container: one fact changed at a time, and the command for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from backends.cdi import CdiDevice, CdiFile, CdiFiles, CdiSpec
from backends.model.capabilities import Capabilities, Capability, EngineInfo
from backends.model.events import ConnectionState, Link
from backends.model.fleet import EngineView
from backends.model.gpu import GpuDevice, GpuReading, GpuSnapshot, MigInstance
from backends.model.ids import EngineId, EngineKind
from backends.services.doctor import Diagnosis, Level
from backends.services.gpu_doctor import examine_gpus
from backends.services.gpu_doctor_cdi import newest_known
from backends.services.gpu_facts import AMD_ID, NVIDIA_ID, Card, GpuFacts, Node, NvidiaFacts

PATH = "/etc/cdi/nvidia.yaml"


def node(path: str, mode: str = "crw-rw-rw-", group: str = "root", *, usable: bool = True) -> Node:
    return Node(path, "root", group, mode, usable)


def spec(*names: str, kind: str = "nvidia.com/gpu", version: str = "0.5.0", needs: str = "0.5.0") -> CdiSpec:
    library = "/usr/lib/libcuda.so.550.54.15"
    return CdiSpec(kind, version, needs, tuple(CdiDevice(f"{kind}={name}") for name in names), files=(library,))


def files(*found: CdiFile) -> CdiFiles:
    return CdiFiles(found)


def engine(kind: EngineKind, version: str, *, rootless: bool = False, **more: Any) -> EngineView:
    info = EngineInfo(version, "1", rootless=rootless, local=True, **more)
    return EngineView(EngineId(kind, str(kind)), ConnectionState(Link.CONNECTED), info)


def docker(**more: Any) -> EngineView:
    return engine(EngineKind.DOCKER, "29.4.0", **more)


DOCKER = engine(EngineKind.DOCKER, "29.4.0", runtimes=("nvidia", "runc"), cdi_devices=("nvidia.com/gpu=0",))
PODMAN = engine(EngineKind.PODMAN, "5.8.0")
GPU = GpuDevice(0, "GPU-8d1b", "NVIDIA H100", "NVIDIA")
SEEN = GpuSnapshot((GpuReading(GPU, 1.0),), driver_version="550.54.15")
NVIDIA = GpuFacts(
    user="me",
    uid=1000,
    groups=("me",),
    cards=(Card("0000:01:00.0", NVIDIA_ID, "nvidia"),),
    nodes=(node("/dev/nvidia0"), node("/dev/nvidiactl"), node("/dev/nvidia-uvm")),
    nvidia=NvidiaFacts("550.54.15", "/usr/lib/libnvidia-ml.so.1", "550.54.15"),
    tools={"nvidia-ctk": "/usr/bin/nvidia-ctk"},
    cdi=files(CdiFile(PATH, spec("0", "all"))),
)
AMD = GpuFacts(
    user="me",
    uid=1000,
    groups=("me", "render"),
    cards=(Card("0000:05:00.0", AMD_ID, "amdgpu"),),
    nodes=(node("/dev/kfd"), node("/dev/dri/renderD128")),
    tools={"amd-ctk": "/usr/bin/amd-ctk"},
    cdi=files(CdiFile("/etc/cdi/amd.json", spec("0", kind="amd.com/gpu"))),
)
AMD_SEEN = GpuSnapshot((GpuReading(GpuDevice(0, "GPU-1", "AMD INSTINCT MI210", "AMD"), 1.0),))


def bad(facts: GpuFacts, engines: Sequence[EngineView] = (DOCKER, PODMAN), gpus: GpuSnapshot = SEEN) -> list[Diagnosis]:
    return [one for one in examine_gpus(facts, engines, gpus) if one.level is not Level.OK]


def test_a_machine_without_a_gpu_gets_one_calm_line() -> None:
    absent = GpuSnapshot(absent="No NVIDIA driver on this machine", hint="install it")
    engines = [docker(runtimes=("runc",)), PODMAN]
    (only,) = examine_gpus(GpuFacts(user="me"), engines, absent)
    assert (only.topic, only.level, only.hint) == ("GPUs", Level.NOTE, "")
    assert only.sentence.startswith("none in this machine")
    # A library that some monitor brought along is no GPU.
    monitor = GpuFacts(nvidia=NvidiaFacts(library="/usr/lib/libnvidia-ml.so.1"))
    assert len(examine_gpus(monitor, engines, absent)) == 1


def test_names_that_only_an_engine_tells_are_shown() -> None:
    found = examine_gpus(GpuFacts(user="me"), [DOCKER], GpuSnapshot(absent="No NVIDIA driver on this machine"))
    assert [(one.topic, one.level) for one in found] == [("GPUs", Level.NOTE), ("CDI", Level.OK)]
    assert found[1].sentence == "docker knows nvidia.com/gpu=0, which no file here names"


def test_a_machine_that_is_well_has_nothing_to_mend() -> None:
    found = examine_gpus(NVIDIA, [DOCKER, PODMAN], SEEN)
    assert {one.level for one in found} == {Level.OK}
    assert [one.sentence for one in found] == [
        "0: NVIDIA H100, driver 550.54.15",
        "NVIDIA's kernel module 550.54.15 is loaded",
        "/usr/lib/libnvidia-ml.so.1, version 550.54.15",
        "/dev/nvidia-uvm, /dev/nvidia0, /dev/nvidiactl; me may use them",
        "/usr/bin/nvidia-ctk",
        "knows the runtime nvidia and CDI names",
        "/etc/cdi/nvidia.yaml: nvidia.com/gpu=0, all (version 0.5.0)",
    ]
    assert bad(AMD, [DOCKER, PODMAN], AMD_SEEN) == []


def test_invented_gpus_say_nothing_of_this_machine() -> None:
    (only,) = examine_gpus(NVIDIA, [], replace(SEEN, demo=True))
    assert only.topic == "GPUs"


def nvidia(**changes: Any) -> GpuFacts:
    return replace(NVIDIA, nvidia=replace(NVIDIA.nvidia, **changes))


def cdi(*found: CdiFile) -> GpuFacts:
    return replace(NVIDIA, cdi=files(*found))


SHUT = node("/dev/nvidia0", "crw-rw----", "video", usable=False)
LOCKED = node("/dev/nvidia0", "crw-------", usable=False)
REST = NVIDIA.nodes[1:]
NEW_KERNEL = replace(nvidia(module=""), nodes=())


@pytest.mark.parametrize(
    ("facts", "topic", "words", "command"),
    [
        (NEW_KERNEL, "GPU driver", "is not loaded", "sudo modprobe nvidia"),
        (
            replace(NEW_KERNEL, cards=(Card("0000:01:00.0", NVIDIA_ID, "nouveau"),)),
            "GPU driver",
            "is run by nouveau",
            "install NVIDIA's driver",
        ),
        (
            replace(NEW_KERNEL, cards=(Card("0000:01:00.0", NVIDIA_ID, "vfio-pci"),)),
            "GPU driver",
            "is run by vfio-pci",
            "/sys/bus/pci/drivers/vfio-pci/unbind",
        ),
        (nvidia(library="", library_version=""), "GPU library", "libnvidia-ml.so.1", "driver of version 550.54.15"),
        (nvidia(library_version="535.1"), "GPU library", "535.1, the loaded kernel module 550.54.15", "modprobe -r"),
        (replace(NVIDIA, nodes=REST), "GPU nodes", "not there: /dev/nvidia0", "nvidia-modprobe"),
        (replace(NVIDIA, nodes=()), "GPU nodes", "/dev/nvidiactl, /dev/nvidia-uvm, /dev/nvidia0", "nvidia-modprobe"),
        (replace(NVIDIA, nodes=(SHUT, *REST)), "GPU rights", "(crw-rw---- root:video)", "usermod -aG video me"),
        (replace(NVIDIA, nodes=(LOCKED, *REST)), "GPU rights", "me may not open", "NVreg_DeviceFileMode=0666"),
        (replace(NVIDIA, tools={}), "GPU toolkit", "neither on PATH", "install the package nvidia-container-toolkit"),
        (
            replace(NVIDIA, selinux=True, selinux_devices=False),
            "GPU rights",
            "container_use_devices is off",
            "setsebool -P container_use_devices on",
        ),
    ],
)
def test_drivers_nodes_and_tools_of_nvidia(facts: GpuFacts, topic: str, words: str, command: str) -> None:
    (found,) = [one for one in bad(facts) if one.topic == topic]
    assert words in found.sentence
    assert command in found.hint


def test_windows_driver_has_neither_a_module_nor_nodes() -> None:
    wsl = replace(NVIDIA, cards=(), nodes=(), wsl=True, nvidia=NvidiaFacts("", "/usr/lib/wsl/lib/libnvidia-ml.so.1"))
    assert bad(wsl) == []


NO_CDI = Capabilities(MappingProxyType({Capability.CDI: "off"}))


@pytest.mark.parametrize(
    ("one", "facts", "words", "command"),
    [
        (docker(runtimes=("runc",)), NVIDIA, "knows no CDI name of NVIDIA", "nvidia-ctk runtime configure"),
        (docker(runtimes=("runc",), capabilities=NO_CDI), NVIDIA, "has CDI off", "systemctl restart docker"),
        (docker(runtimes=("runc",), rootless=True), NVIDIA, "no container can be given a GPU", "$HOME/.config/docker"),
        (docker(runtimes=("nvidia",), capabilities=NO_CDI), NVIDIA, "CDI is off", '"cdi": true'),
        (docker(runtimes=("nvidia",), rootless=True), NVIDIA, "no-cgroups is not set", "no-cgroups --in-place"),
        (docker(runtimes=("nvidia",)), nvidia(no_cgroups=True), "for rootless engines", "no-cgroups=false --in-place"),
        (docker(runtimes=("nvidia",)), nvidia(config_problem="line 3"), "config.toml: line 3", "mend or remove"),
    ],
)
def test_what_docker_knows_of_nvidia(one: EngineView, facts: GpuFacts, words: str, command: str) -> None:
    found = [finding for finding in bad(facts, [one]) if finding.topic == "GPU in docker"]
    assert any(words in finding.sentence and command in finding.hint for finding in found), found


def test_docker_that_gives_gpus_by_cdi_needs_no_runtime() -> None:
    assert bad(NVIDIA, [docker(runtimes=("runc",), cdi_devices=("nvidia.com/gpu=0",))]) == []
    rootless = docker(runtimes=("nvidia",), cdi_devices=("nvidia.com/gpu=0",), rootless=True)
    assert bad(nvidia(no_cgroups=True), [rootless]) == []


def test_engines_of_other_machines_and_lost_ones_are_left_out() -> None:
    away = replace(DOCKER, info=EngineInfo("20.10", "1.41", False, False))
    lost = replace(DOCKER, connection=ConnectionState(Link.LOST), info=EngineInfo("20.10", "1.41", False, True))
    assert bad(NVIDIA, [away, lost, PODMAN]) == []


STALE = replace(NVIDIA, missing={PATH: ("/usr/lib/libcuda.so.535.1", "/a", "/b", "/c", "/d")})
OLD = spec("0", "all")
RUN = "/var/run/cdi/nvidia.yaml"


@pytest.mark.parametrize(
    ("facts", "level", "words", "command"),
    [
        (
            replace(NVIDIA, cdi=CdiFiles(unread=("/etc/cdi",))),
            Level.PROBLEM,
            "/etc/cdi may not be listed",
            "sudo chmod a+rx /etc/cdi",
        ),
        (cdi(CdiFile(PATH, problem="Permission denied")), Level.PROBLEM, "Permission denied", f"sudo chmod a+r {PATH}"),
        (cdi(CdiFile(PATH, problem="no YAML: …")), Level.PROBLEM, "no YAML", f"cdi generate --output={PATH}"),
        (STALE, Level.PROBLEM, "not there: /usr/lib/libcuda.so.535.1, /a, /b and 2 more", "cdi generate"),
        (
            nvidia(module="570.1", library_version="570.1"),
            Level.PROBLEM,
            "written for driver 550.54.15, and 570.1 is loaded",
            f"sudo nvidia-ctk cdi generate --output={PATH}",
        ),
        (
            replace(STALE, cdi=files(CdiFile(PATH, OLD), CdiFile(RUN, spec("0", "all", "1")))),
            Level.NOTE,
            f"a later folder's file is used in its place: {RUN}",
            f"sudo rm {PATH}",
        ),
        (
            replace(NVIDIA, cdi=CdiFiles(NVIDIA.cdi.files, conflicts=(("nvidia.com/gpu=0", ("/a", "/b")),))),
            Level.PROBLEM,
            "/a and /b both name nvidia.com/gpu=0",
            "remove the older",
        ),
        (cdi(CdiFile(PATH, spec())), Level.NOTE, "nvidia.com/gpu=nothing", ""),
        (cdi(CdiFile(PATH, spec("1"))), Level.PROBLEM, "does not name GPU 0", "cdi generate"),
        (
            cdi(CdiFile(PATH, spec("0", needs="0.7.0"))),
            Level.PROBLEM,
            "says cdiVersion 0.5.0 and uses fields of 0.7.0",
            "set its cdiVersion to 0.7.0",
        ),
    ],
)
def test_specifications(facts: GpuFacts, level: Level, words: str, command: str) -> None:
    found = [one for one in bad(facts) if one.topic == "CDI" and words in one.sentence]
    assert [(one.level, command in one.hint) for one in found] == [(level, True)]


@pytest.mark.parametrize(
    ("engines", "level"),
    [([docker(runtimes=("nvidia",))], Level.NOTE), ([PODMAN], Level.PROBLEM), ([DOCKER, PODMAN], None)],
)
def test_no_specification_is_worse_where_podman_has_no_other_way(
    engines: list[EngineView], level: Level | None
) -> None:
    found = bad(cdi(), engines)
    assert [one.level for one in found] == ([level] if level else [])  # none: Docker tells the name from elsewhere
    assert all(one.hint == "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml" for one in found)


@pytest.mark.parametrize(
    ("path", "tool"),
    [
        ("/etc/cdi/nvidia.yaml", "nvidia-ctk"),
        ("/etc/cdi/amd.json", "amd-ctk"),
        ("/etc/cdi/x.yaml", "tool of its vendor"),
    ],
)
def test_a_broken_file_is_made_anew_with_the_tool_that_made_it(path: str, tool: str) -> None:
    (found,) = [one for one in bad(cdi(CdiFile(path, problem="no YAML"))) if path in one.sentence]
    assert tool in found.hint


def test_a_file_that_a_service_writes_is_written_anew_by_that_service() -> None:
    stale = replace(NVIDIA, cdi=files(CdiFile(RUN, OLD)), missing={RUN: ("/a",)})
    (found,) = bad(stale)
    assert found.hint.startswith("sudo systemctl restart nvidia-cdi-refresh, or: sudo nvidia-ctk cdi generate")


@pytest.mark.parametrize("name", ["0", "gpu0", "GPU-8d1b"])
def test_every_way_in_which_the_toolkit_names_a_device_will_do(name: str) -> None:
    assert bad(cdi(CdiFile(PATH, spec(name)))) == []


MIG = replace(GPU, mig=(MigInstance(0, "MIG-aa"), MigInstance(1, "MIG-bb")))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("0:0", "0:1"), []),
        (("mig0:0", "MIG-bb", "all"), []),
        (("0", "all"), ["MIG instance 0:0, MIG instance 0:1"]),
        (("0:0", "0:1", "0:2", "MIG-cc"), ["any more: 0:2, MIG-cc"]),
        (("0:0", "0:5"), ["MIG instance 0:1", "any more: 0:5"]),
    ],
)
def test_the_layout_of_mig_instances(names: tuple[str, ...], words: list[str]) -> None:
    found = bad(cdi(CdiFile(PATH, spec(*names))), gpus=GpuSnapshot((GpuReading(MIG, 1.0),)))
    assert len(found) == len(words)
    assert all(part in one.sentence and "cdi generate" in one.hint for part, one in zip(words, found, strict=True))


def test_a_device_that_cannot_be_read_now_is_told_and_not_called_missing() -> None:
    lost = GpuSnapshot((GpuReading(replace(GPU, index=3), 1.0, condition="the GPU is lost", hint="restart"),))
    (found,) = bad(NVIDIA, gpus=lost)
    assert (found.topic, found.sentence, found.hint) == ("GPUs", "NVIDIA GPU 3: the GPU is lost", "restart")


@pytest.mark.parametrize(
    ("kind", "version", "known"),
    [
        (EngineKind.PODMAN, "4.2.0", "0.4.0"),
        (EngineKind.PODMAN, "4.9.3+ds1", "0.6.0"),
        (EngineKind.PODMAN, "5.1.0", "0.7.0"),
        (EngineKind.PODMAN, "5.4.2", "0.8.0"),
        (EngineKind.PODMAN, "5.8.0", ""),
        (EngineKind.DOCKER, "26.0.0", "0.6.0"),
        (EngineKind.DOCKER, "26.1.5+dfsg1", "0.7.0"),
        (EngineKind.DOCKER, "28.0.4", "0.8.0"),
        (EngineKind.DOCKER, "dev", ""),
    ],
)
def test_the_newest_specification_that_an_engine_can_know(kind: EngineKind, version: str, known: str) -> None:
    assert newest_known(kind, version) == known


def test_a_specification_that_is_too_new_is_told_for_each_engine_that_refuses_it() -> None:
    new = cdi(CdiFile(PATH, spec("0", version="0.7.0", needs="0.7.0")))
    old = engine(EngineKind.PODMAN, "4.9.3")
    (found,) = bad(new, [DOCKER, old])
    assert found.sentence.startswith(f"{PATH} needs CDI 0.7.0; podman 4.9.3 knows 0.6.0 at most")
    assert "no-additional-gids-for-device-nodes" in found.hint
    assert bad(new, [DOCKER, PODMAN]) == []
    (other,) = bad(NVIDIA, [engine(EngineKind.PODMAN, "4.2.0")])  # nothing that could be left out
    assert (other.sentence.startswith(f"{PATH} needs CDI 0.5.0"), other.hint) == (True, "update podman")
    off = engine(EngineKind.PODMAN, "4.9.3", capabilities=NO_CDI)
    assert bad(new, [off]) == []


KFD_SHUT = node("/dev/kfd", "crw-rw----", "render", usable=False)


@pytest.mark.parametrize(
    ("facts", "topic", "words", "command"),
    [
        (replace(AMD, cards=(Card("0000:05:00.0", AMD_ID, ""),)), "GPU driver", "by no driver", "modprobe amdgpu"),
        (replace(AMD, nodes=()), "GPU nodes", "/dev/kfd is not there", "HSA_AMD"),
        (replace(AMD, nodes=(KFD_SHUT, AMD.nodes[1])), "GPU rights", "me may not open /dev/kfd", "-aG render me"),
        (replace(AMD, tools={}), "GPU toolkit", "amd-ctk", "install amd-container-toolkit"),
        (replace(AMD, cdi=CdiFiles()), "CDI", "names amd.com/gpu", "sudo amd-ctk cdi generate"),
    ],
)
def test_amd(facts: GpuFacts, topic: str, words: str, command: str) -> None:
    (found,) = bad(facts, gpus=AMD_SEEN)
    assert found.topic == topic
    assert words in found.sentence
    assert command in found.hint


def test_a_group_that_opens_the_nodes_is_lost_on_the_way_into_rootless_podman() -> None:
    grouped = replace(AMD, nodes=(node("/dev/kfd", "crw-rw----", "render"), AMD.nodes[1]))
    rootless = engine(EngineKind.PODMAN, "5.8.0", rootless=True)
    (found,) = bad(grouped, [rootless], AMD_SEEN)
    assert "--group-add keep-groups" in found.hint
    assert bad(grouped, [PODMAN], AMD_SEEN) == []


def test_no_sentence_is_longer_than_a_person_reads() -> None:
    worst = replace(STALE, nodes=(), tools={}, selinux=True, selinux_devices=False, nvidia=NvidiaFacts())
    found = examine_gpus(worst, [docker(runtimes=("runc",), rootless=True), PODMAN], GpuSnapshot(absent="no driver"))
    assert all(len(one.sentence) < 200 and len(one.hint) < 200 for one in found)
    assert all(one.hint for one in found if one.level is Level.PROBLEM and one.topic != "GPUs")
