"""CDI specifications as files: good ones of several vendors, and broken ones that must be stated and never raise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backends import cdi

# As nvidia-ctk 1.17 writes it, shortened.
NVIDIA = """---
cdiVersion: 0.5.0
containerEdits:
  deviceNodes:
  - path: /dev/nvidiactl
  env:
  - NVIDIA_VISIBLE_DEVICES=void
  hooks:
  - args:
    - nvidia-cdi-hook
    - update-ldcache
    hookName: createContainer
    path: /usr/bin/nvidia-cdi-hook
  mounts:
  - containerPath: /usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15
    hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15
    options: [ro, nosuid, nodev, bind]
devices:
- containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
  name: "0"
- containerEdits:
    deviceNodes:
    - hostPath: /dev/nvidia1
      path: /dev/nvidia9
  name: GPU-1a2b
kind: nvidia.com/gpu
"""


def yaml(kind: str = "intel.com/gpu", name: str = '"a"', more: str = "", edits: str = "{}") -> str:
    return f"cdiVersion: 0.6.0\nkind: {kind}\ndevices:\n- name: {name}\n  containerEdits: {edits}\n{more}"


def test_all_that_a_specification_counts_on() -> None:
    spec = cdi.parse(NVIDIA.encode(), is_json=False)
    assert (spec.kind, spec.version, spec.needs) == ("nvidia.com/gpu", "0.5.0", "0.5.0")
    assert spec.devices == (
        cdi.CdiDevice("nvidia.com/gpu=0", ("/dev/nvidia0",)),
        cdi.CdiDevice("nvidia.com/gpu=GPU-1a2b", ("/dev/nvidia1",)),
    )
    assert spec.nodes == ("/dev/nvidiactl",)
    assert spec.files == ("/usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15",)
    assert spec.programs == ("/usr/bin/nvidia-cdi-hook",)


def test_json_and_yaml_say_the_same() -> None:
    import yaml as pyyaml

    as_json = json.dumps(pyyaml.safe_load(NVIDIA)).encode()
    assert cdi.parse(as_json, is_json=True) == cdi.parse(NVIDIA.encode(), is_json=False)


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        (yaml(), "0.3.0"),
        (yaml(edits="{mounts: [{hostPath: /a, containerPath: /a, type: tmpfs}]}"), "0.4.0"),
        (yaml(name='"0"'), "0.5.0"),
        (yaml(edits="{deviceNodes: [{path: /dev/a, hostPath: /dev/b}]}"), "0.5.0"),
        (yaml(more="annotations: {a: b}\n"), "0.6.0"),
        (yaml(kind="intel.com/gpu.x"), "0.6.0"),
        (yaml(edits="{additionalGids: [44]}"), "0.7.0"),
        (yaml(more="containerEdits: {intelRdt: {closID: a}}\n"), "0.7.0"),
        (yaml(edits="{netDevices: [{hostInterfaceName: a, name: b}]}"), "1.1.0"),
    ],
)
def test_the_oldest_version_that_has_what_it_uses(text: str, needs: str) -> None:
    assert cdi.parse(text.encode(), is_json=False).needs == needs


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expected `object`"),
        ("kind: a/b\n", "missing required field `cdiVersion`"),
        (yaml(name="0"), "Expected `str`, got `int` - at `$.devices[0].name`"),
        (yaml(kind="gpu"), "VENDOR/CLASS"),
        (yaml(kind="'a b/gpu'"), "VENDOR/CLASS"),
        (yaml().replace("0.6.0", "new"), "not like 0.6.0"),
        ("cdiVersion: [\n", "no YAML"),
        ("- " * 100, "nested too deeply"),
        ("[" * 100, "nested too deeply"),
        ("a: &a [x]\nb: [" + "*a, " * 100 + "]\n", "too many YAML aliases"),
        ("!!python/object/apply:os.system ['true']", "no YAML"),
    ],
)
def test_what_is_no_specification_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        cdi.parse(text.encode(), is_json=False)


@pytest.mark.parametrize("text", ["", "{", '{"cdiVersion": 1}', "\udcff"])
def test_what_is_no_json_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cdi.parse(text.encode("utf-8", "surrogateescape"), is_json=True)


@pytest.mark.parametrize("is_json", [True, False])
def test_a_hundred_thousand_brackets_end_nothing_but_the_reading(is_json: bool) -> None:
    with pytest.raises(ValueError, match="nest"):
        cdi.parse(b'{"annotations": ' + b"[" * 100_000, is_json=is_json)


def kind_or_reason(text: bytes, is_json: bool) -> str:
    try:
        return cdi.parse(text, is_json=is_json).kind
    except ValueError as error:
        return str(error)


@given(st.binary(max_size=400), st.booleans())
@example(b"\x00", False)
@example(b"? {a: b}\n: c", False)
@example(b"&a [*a]", False)
@example(b"2001-99-99", False)
def test_any_bytes_are_a_specification_or_a_reason(text: bytes, is_json: bool) -> None:
    assert kind_or_reason(text, is_json)


_LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_ANY = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
_KEYS = ("cdiVersion", "kind", "devices", "containerEdits", "annotations", "deviceNodes", "mounts", "hooks", "name")


@given(st.dictionaries(st.sampled_from(_KEYS), _ANY), st.booleans())
def test_any_document_with_its_keys_is_a_specification_or_a_reason(document: object, is_json: bool) -> None:
    assert kind_or_reason(json.dumps(document).encode(), is_json)


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_folders_are_read_once_each_and_the_last_wins(tmp_path: Path) -> None:
    write(tmp_path, "etc/cdi/nvidia.yaml", NVIDIA)
    write(tmp_path, "etc/cdi/notes.txt", "not read")
    write(tmp_path, "run/cdi/nvidia.yaml", NVIDIA.replace("550.54.15", "570.10"))
    (tmp_path / "var").mkdir()
    (tmp_path / "var/run").symlink_to("../run")
    found = cdi.read_files(root=tmp_path)
    assert [file.path for file in found.files] == ["/etc/cdi/nvidia.yaml", "/var/run/cdi/nvidia.yaml"]
    assert {spec.files[0][-6:] for spec, _ in found.devices()} == {"570.10"}
    assert (found.unread, found.conflicts) == ((), ())


def test_two_files_of_one_folder_that_name_one_device_are_told(tmp_path: Path) -> None:
    write(tmp_path, "etc/cdi/a.yaml", NVIDIA)
    write(
        tmp_path,
        "etc/cdi/b.json",
        json.dumps({"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "devices": [{"name": "0"}]}),
    )
    assert cdi.read_files(root=tmp_path).conflicts == (("nvidia.com/gpu=0", ("/etc/cdi/a.yaml", "/etc/cdi/b.json")),)


def test_a_broken_file_is_stated_and_hides_no_other(tmp_path: Path) -> None:
    write(tmp_path, "etc/cdi/a.yaml", "kind: [")
    write(tmp_path, "etc/cdi/b.yaml", yaml())
    write(tmp_path, "etc/cdi/c.yml", yaml())
    write(tmp_path, "etc/cdi/d.json", " " * (cdi.LIMIT_BYTES + 1))
    (tmp_path / "etc/cdi/e.yaml").symlink_to("nowhere")
    found = {file.path[-6:]: file for file in cdi.read_files(root=tmp_path).files}
    assert found["a.yaml"].problem.startswith("not a CDI specification: no YAML")
    assert found["b.yaml"].problem == ""
    assert "rename it" in found["/c.yml"].problem
    assert found["d.json"].problem == "larger than 4 MiB"
    assert found["e.yaml"].problem == "No such file or directory"
    assert "\n" not in "".join(file.problem for file in found.values())


@pytest.mark.parametrize(("lower", "higher"), [("0.5.0", "0.10.0"), ("0.8.0", "1.0.0"), ("v0.6.0", "0.7")])
def test_versions_are_compared_as_numbers(lower: str, higher: str) -> None:
    assert cdi.version_key(lower) < cdi.version_key(higher)


def test_names_of_what_an_engine_reads(tmp_path: Path) -> None:
    (tmp_path / "nvidia.yaml").write_text(NVIDIA)
    (tmp_path / "amd.json").write_text(json.dumps({"cdiVersion": "0.6.0", "kind": "amd.com/gpu", "devices": []}))
    (tmp_path / "notes.txt").write_text("kind: x/y\ndevices:\n- name: z\n")
    names = cdi.read_files([str(tmp_path), str(tmp_path / "absent")]).names()
    assert names == ("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-1a2b")
