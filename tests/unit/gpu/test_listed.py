"""GPUs of vendors without a probe, by their CDI names."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.gpu.listed import NO_PROBE, ListedProbe
from backends.gpu.probe import GpuAbsent, VendorAbsent
from tests.unit.gpu.test_cdi_files import NVIDIA, write

INTEL = """cdiVersion: 0.6.0
kind: intel.com/gpu
devices:
- name: card1
  containerEdits: {deviceNodes: [{path: /dev/dri/renderD128}]}
- name: "0000:03:00.0-0x56a0"
  containerEdits: {deviceNodes: [{path: /dev/dri/renderD128}]}
- name: card2
  containerEdits: {deviceNodes: [{path: /dev/dri/renderD129}]}
- name: all
  containerEdits: {deviceNodes: [{path: /dev/dri/renderD128}, {path: /dev/dri/renderD129}]}
"""


def probe(root: Path, *told: str) -> ListedProbe:
    return ListedProbe(lambda: told, root=root)


def names(one: ListedProbe) -> list[str]:
    return [reading.device.cdi_name for reading in one.sample().readings]


def test_each_device_once_with_every_value_missing(tmp_path: Path) -> None:
    write(tmp_path, "etc/cdi/intel.yaml", INTEL)
    write(tmp_path, "etc/cdi/nvidia.yaml", NVIDIA)
    write(tmp_path, "etc/cdi/net.yaml", INTEL.replace("intel.com/gpu", "intel.com/nic"))
    one = probe(tmp_path)
    one.open()
    first, second = one.sample().readings
    assert (first.device.cdi_name, first.device.vendor, first.device.index) == ("intel.com/gpu=card1", "Intel", 0)
    assert (second.device.cdi_name, second.device.index) == ("intel.com/gpu=card2", 1)
    assert {first.gpu_percent, first.memory_used_bytes, first.device.memory_total_bytes} == {NO_PROBE}
    assert (first.condition, first.processes_refused) == ("", NO_PROBE.reason)


def test_names_that_only_an_engine_tells(tmp_path: Path) -> None:
    one = probe(tmp_path, "test.vendor/npu=a", "nvidia.com/gpu=0", "management.nvidia.com/gpu=all", "amd.com/gpu=0")
    one.open()
    assert names(one) == ["test.vendor/npu=a"]


def test_an_engines_name_that_is_in_a_file_too_is_one_device(tmp_path: Path) -> None:
    write(tmp_path, "etc/cdi/intel.yaml", INTEL)
    one = probe(tmp_path, "intel.com/gpu=card1", "intel.com/gpu=all")
    one.open()
    assert names(one) == ["intel.com/gpu=card1", "intel.com/gpu=card2"]


def test_files_that_come_change_and_go_are_seen(tmp_path: Path) -> None:
    one = probe(tmp_path)
    with pytest.raises(VendorAbsent):
        one.open()
    write(tmp_path, "etc/cdi/intel.yaml", INTEL)
    one.open()
    assert len(names(one)) == 2
    write(tmp_path, "etc/cdi/intel.yaml", INTEL.replace("card2", "the-second"))
    assert names(one) == ["intel.com/gpu=card1", "intel.com/gpu=the-second"]
    (tmp_path / "etc/cdi/intel.yaml").unlink()
    with pytest.raises(VendorAbsent):
        one.sample()


def test_a_broken_file_alone_is_told_and_beside_a_good_one_is_a_note(tmp_path: Path) -> None:
    write(tmp_path, "etc/cdi/broken.yaml", "kind: [")
    one = probe(tmp_path)
    with pytest.raises(GpuAbsent, match=r"/etc/cdi/broken\.yaml: not a CDI specification") as raised:
        one.open()
    assert not isinstance(raised.value, VendorAbsent)
    write(tmp_path, "etc/cdi/intel.yaml", INTEL)
    one.open()
    assert one.sample().notes[0].startswith("/etc/cdi/broken.yaml: ")


def test_nothing_of_it_here_is_nothing_to_mend(tmp_path: Path) -> None:
    write(tmp_path, "etc/cdi/nvidia.yaml", NVIDIA)
    with pytest.raises(VendorAbsent):
        probe(tmp_path).open()
