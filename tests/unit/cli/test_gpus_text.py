"""What `tranship gpus` says of devices, processes and containers: in tables, in JSON and as metrics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from backends.gpu.unread import unread
from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.gpu import (
    GpuClocks,
    GpuDevice,
    GpuHealth,
    GpuProcess,
    GpuReading,
    GpuSnapshot,
    GpuUse,
    MigInstance,
    MigReading,
)
from backends.model.values import Missing
from tests.unit.cli.objects import EVIL, PODMAN, container, view
from tui.cli import gpus_table, schema_gpus
from tui.cli.gpus_metrics import metrics_text
from widgets.text import inert

GIB = 1 << 30
REFUSED = Missing("Not Supported")
NOW = 1000.0
TRAIN, NOTEBOOK, WEB = container("train"), container("notebook", PODMAN, "b"), container("web", digits="c")
MIG = tuple(MigInstance(n, f"MIG-{n}", "1g.10gb", memory_total_bytes=10 * GIB) for n in (0, 1))
DEVICES = (
    GpuDevice(0, "GPU-0", "H100", "NVIDIA", "00000000:01:00.0", 80 * GIB, "nvidia.com/gpu=0", slowdown_c=89.0),
    GpuDevice(1, "GPU-1", "H100", "NVIDIA", memory_total_bytes=80 * GIB, mig=MIG),
    GpuDevice(2, "GPU-2", "H100", "NVIDIA", memory_total_bytes=80 * GIB),
)
READINGS = (
    GpuReading(
        DEVICES[0],
        NOW,
        gpu_percent=37.5,
        memory_used_bytes=20 * GIB,
        temperature_c=91.0,
        power_w=REFUSED,
        processes=(
            GpuProcess(11, "GPU-0", 8 * GIB, 35.0, TRAIN.key.id, name="python3", user_id=1000),
            GpuProcess(12, "GPU-0", 4 * GIB, 2.0, TRAIN.key.id, name="python3", user_id=1000),
            GpuProcess(13, "GPU-0", GIB, REFUSED, "", name="", user_id=None),
        ),
        clocks=GpuClocks(sm_mhz=1755, throttled=("too hot",)),
        health=GpuHealth(ecc_corrected=2, ecc_uncorrected=0, persistence="on"),
    ),
    GpuReading(
        DEVICES[1],
        NOW,
        gpu_percent=REFUSED,
        memory_used_bytes=3 * GIB,
        temperature_c=40.0,
        power_w=80.0,
        processes=(GpuProcess(21, "GPU-1", 2 * GIB, REFUSED, NOTEBOOK.key.id, "MIG-1", "jupyter", 1001),),
        mig=(MigReading("MIG-0", 20 << 20), MigReading("MIG-1", 2 * GIB)),
        clocks=GpuClocks(throttled=()),
    ),
    unread(DEVICES[2], NOW, "the GPU is lost", condition="The GPU is lost", hint="restart the machine"),
)
SNAPSHOT = GpuSnapshot(READINGS, driver_version="580", cuda_version="13.0", notes=("run it with --pid=host",))


def fleet() -> FleetView:
    """Two containers that use GPUs, and one that was only given some."""
    given = replace(TRAIN, gpus_given=("nvidia.com/gpu=0", "nvidia.com/gpu=1"))
    return replace(
        view(given, NOTEBOOK, replace(WEB, gpus_given=("2",))),
        gpus=SNAPSHOT,
        gpu_use={
            TRAIN.key: GpuUse(12 * GIB, 37.0, (0,), ("GPU-0",)),
            NOTEBOOK.key: GpuUse(2 * GIB, REFUSED, (1,), ("GPU-1",), ("MIG-1",), idle_since=NOW - 900),
        },
    )


def lines(blocks: Iterable[gpus_table.Block], width: int | None = None) -> list[str]:
    return [line for block in blocks for line in block.lines(width)]


def test_devices_with_instances_below_them_and_every_reason_why_a_value_is_missing() -> None:
    assert lines(gpus_table.devices(SNAPSHOT)) == [
        "GPU  NAME           USE   MEMORY      OF   TEMP  POWER  CDI",
        "0    H100           38%   20 GiB  80 GiB  91 °C      –  nvidia.com/gpu=0",
        "1    H100             –  3.0 GiB  80 GiB  40 °C   80 W  –",
        "1:0    MIG 1g.10gb        20 MiB  10 GiB                –",
        "1:1    MIG 1g.10gb       2.0 GiB  10 GiB                –",
        "2    H100             –        –  80 GiB      –      –  –",
        "GPU 0 (NVIDIA) runs slower than it could: too hot.",
        "GPU 2 (NVIDIA): The GPU is lost. Next: restart the machine",
        "– in POWER of GPU 0: Not Supported.",
        "– in USE of GPU 1: Not Supported.",
        "run it with --pid=host",
    ]


def test_a_driver_that_lists_no_processes_is_said_and_a_demo_is_called_one() -> None:
    refused = replace(READINGS[1], processes=(), processes_refused="Insufficient Permissions", gpu_percent=1.0)
    said = lines(gpus_table.devices(GpuSnapshot((refused,), demo=True)))
    assert said[-2:] == [
        "DEMO: these GPUs are invented.",
        "GPU 1 (NVIDIA) does not list its processes: Insufficient Permissions.",
    ]


def test_processes_with_their_containers_and_users() -> None:
    assert lines(gpus_table.processes(fleet(), {1000: "ada"})) == [
        "GPU  PID  USER  PROGRAM  CONTAINER  ENGINE   MEMORY    SM",
        "0     11  ada   python3  train      docker  8.0 GiB   35%",
        "0     12  ada   python3  train      docker  4.0 GiB  2.0%",
        "0     13  –     –        –          –       1.0 GiB     –",
        "1:1   21  1001  jupyter  notebook   podman  2.0 GiB     –",
        "– in SM of GPU 0, 1:1: Not Supported.",
    ]


def test_containers_with_what_they_were_given_beside_what_they_use() -> None:
    assert lines(gpus_table.containers(SNAPSHOT, gpus_table.holders(fleet()), NOW)) == [
        "ENGINE  CONTAINER  GIVEN         USES      MEMORY   SM  IDLE",
        "docker  train      gpu=0, gpu=1  0         12 GiB  37%     –",
        "docker  web        any 2         nothing        –    –     –",
        "podman  notebook   –             1:1      2.0 GiB    –   15m",
    ]


def test_only_those_that_compute_nothing_are_idle() -> None:
    assert [row.name for row, _ in gpus_table.idle(fleet())] == ["notebook"]


def test_json_tells_all_of_a_device_and_every_reason() -> None:
    plain = schema_gpus.watched(fleet(), gpus_table.holders(fleet()), NOW)
    assert {key: plain[key] for key in ("absent", "driver_version", "cuda_version", "demo", "notes")} == {
        "absent": None,
        "driver_version": "580",
        "cuda_version": "13.0",
        "demo": False,
        "notes": ["run it with --pid=host"],
    }
    first, second, third = plain["gpus"]
    assert (first["name"], first["gpu_percent"], first["power_w"]) == ("H100", 37.5, None)
    assert (first["throttled"], first["persistence"], first["ecc_corrected"]) == (["too hot"], "on", 2)
    assert (first["missing"]["power_w"], first["missing"]["fan_percent"]) == ("Not Supported", "not sampled yet")
    assert first["processes"][2] == {
        "pid": 13,
        "container_id": None,
        "mig_uuid": None,
        "name": None,
        "user_id": None,
        "memory_bytes": GIB,
        "sm_percent": None,
        "missing": {"sm_percent": "Not Supported"},
    }
    assert [one["memory_used_bytes"] for one in second["mig"]] == [20 << 20, 2 * GIB]
    assert (third["condition"], third["hint"]) == ("The GPU is lost", "restart the machine")
    assert (third["throttled"], third["missing"]["throttled"]) == (None, "the GPU is lost")
    assert plain["containers"][1]["use"] is None
    assert plain["containers"][2]["use"] == {
        "devices": [1],
        "device_uuids": ["GPU-1"],
        "mig_uuids": ["MIG-1"],
        "idle_seconds": 900.0,
        "memory_bytes": 2 * GIB,
        "sm_percent": None,
        "missing": {"sm_percent": "Not Supported"},
    }


def test_json_of_no_gpu_says_why() -> None:
    plain = schema_gpus.gpus(GpuSnapshot(absent="no driver", hint="install it"))
    assert (plain["absent"], plain["hint"], plain["gpus"]) == ("no driver", "install it", [])


def families(seen: FleetView) -> dict[str, Metric]:
    """The metrics as Prometheus' own parser reads them."""
    return {family.name: family for family in text_string_to_metric_families(metrics_text(seen, NOW))}


def samples(family: Metric) -> dict[str, float]:
    """Values by GPU."""
    return {sample.labels["gpu"]: sample.value for sample in family.samples}


def test_metrics_are_in_base_units_and_leave_out_what_is_not_told() -> None:
    read = families(fleet())
    assert read["tranship_gpu_devices"].samples[0].value == 3
    assert samples(read["tranship_gpu_up"]) == {"0": 1.0, "1": 1.0, "2": 0.0}
    assert samples(read["tranship_gpu_utilization_ratio"]) == {"0": 0.375}
    assert samples(read["tranship_gpu_memory_used_bytes"]) == {"0": 20.0 * GIB, "1": 3.0 * GIB}
    assert samples(read["tranship_gpu_power_watts"]) == {"1": 80.0}
    assert samples(read["tranship_gpu_sm_clock_hertz"]) == {"0": 1.755e9}
    assert samples(read["tranship_gpu_throttled"]) == {"0": 1.0, "1": 0.0}
    errors = read["tranship_gpu_ecc_errors"]
    assert errors.type == "counter"
    assert {sample.labels["kind"]: sample.value for sample in errors.samples} == {"corrected": 2.0, "uncorrected": 0.0}
    assert {sample.name for sample in errors.samples} == {"tranship_gpu_ecc_errors_total"}
    (info, *_) = read["tranship_gpu_info"].samples
    assert (info.value, info.labels["name"], info.labels["driver_version"]) == (1.0, "H100", "580")
    mig = read["tranship_gpu_mig_memory_used_bytes"].samples
    assert {one.labels["mig_uuid"]: one.value for one in mig} == {"MIG-0": 20 << 20, "MIG-1": 2 * GIB}


def test_metrics_of_containers() -> None:
    read = families(fleet())
    (train, notebook) = read["tranship_container_gpu_memory_used_bytes"].samples
    assert (train.value, notebook.value) == (12.0 * GIB, 2.0 * GIB)
    assert train.labels == {
        "engine": "docker",
        "container": "train",
        "container_id": "a" * 64,
        "vendor": "NVIDIA",
        "gpu": "0",
        "uuid": "GPU-0",
    }
    (use,) = read["tranship_container_gpu_utilization_ratio"].samples
    assert (use.labels["container"], use.value) == ("train", 0.37)
    (idle,) = read["tranship_container_gpu_idle_seconds"].samples
    assert (idle.labels["container"], idle.value) == ("notebook", 900.0)


def test_every_metric_has_a_type_a_help_and_a_name_of_ours() -> None:
    for name, family in families(fleet()).items():
        assert name.startswith(("tranship_gpu_", "tranship_container_gpu_"))
        assert family.type in {"gauge", "counter"}
        assert family.documentation.endswith(".")


def test_metrics_of_a_machine_without_a_gpu_say_that_there_is_none() -> None:
    read = families(replace(view(), gpus=GpuSnapshot(absent="no driver")))
    assert read["tranship_gpu_devices"].samples[0].value == 0
    assert read["tranship_gpu_up"].samples == []


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=40))
@pytest.mark.parametrize("prefix", ["", EVIL, '\\"\n'])
def test_any_name_is_read_back_and_harms_no_terminal(prefix: str, text: str) -> None:
    seen = fleet()
    named: Container = replace(TRAIN, name=prefix + text)
    seen = replace(seen, containers={**seen.containers, TRAIN.key: named})
    written = metrics_text(seen, NOW)
    assert "\x1b" not in written
    (train, _) = families(seen)["tranship_container_gpu_memory_used_bytes"].samples
    assert train.value == 12.0 * GIB
    assert train.labels["container"] == inert(prefix + text)
