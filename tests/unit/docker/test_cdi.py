"""CDI device names from specification files."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from backends.engines.cdi_files import cdi_devices, names_in_json, names_in_yaml
from backends.model.capabilities import EngineInfo

# As nvidia-ctk 1.17 writes it.
NVIDIA = """---
cdiVersion: 0.5.0
containerEdits:
  deviceNodes:
  - path: /dev/nvidiactl
  env:
  - NVIDIA_VISIBLE_DEVICES=void
devices:
- containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
    hooks:
    - hookName: createContainer
      name: not-this
  name: "0"
- name: GPU-1a2b
  containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
      name: nor-this
- containerEdits: {}
  name: all
kind: nvidia.com/gpu
"""


def test_yaml() -> None:
    assert list(names_in_yaml(NVIDIA)) == ["nvidia.com/gpu=0", "nvidia.com/gpu=GPU-1a2b", "nvidia.com/gpu=all"]


def test_indented_yaml() -> None:
    text = "kind: 'amd.com/gpu'\ndevices:\n  - name: '0'\n    containerEdits:\n      deviceNodes: []\n  - name: all\n"
    assert list(names_in_yaml(text)) == ["amd.com/gpu=0", "amd.com/gpu=all"]


def test_json() -> None:
    text = json.dumps({"kind": "nvidia.com/gpu", "devices": [{"name": "0"}, {"containerEdits": {}}]})
    assert list(names_in_json(text)) == ["nvidia.com/gpu=0"]


@given(st.text())
def test_any_text_gives_names_or_none(text: str) -> None:
    assert isinstance(list(names_in_yaml(text)), list)
    assert isinstance(list(names_in_json(text)), list)


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "nvidia.yaml").write_text(NVIDIA)
    (tmp_path / "same.json").write_text(json.dumps({"kind": "nvidia.com/gpu", "devices": [{"name": "0"}]}))
    (tmp_path / "notes.txt").write_text("kind: x/y\ndevices:\n- name: z\n")
    info = EngineInfo("26", "1.45", rootless=False, local=True)
    found = cdi_devices(info, [str(tmp_path), str(tmp_path / "absent")])
    assert found.cdi_devices == ("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-1a2b", "nvidia.com/gpu=all")
