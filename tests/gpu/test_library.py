"""pynvml finds the library by its name, as it finds NVIDIA's; and a machine without one says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu.build import environ
from tests.gpu.scenario import NO_PERMISSION, machine

_ONE_SAMPLE = """
import json, sys
from pathlib import Path
from backends.gpu.nvidia import NvidiaProbe
from backends.gpu.probe import GpuAbsent, absent_snapshot
probe = NvidiaProbe(pci_root=Path("/nowhere"))
try:
    probe.open()
    snapshot = probe.sample()
except GpuAbsent as error:
    snapshot = absent_snapshot(error)
finally:
    probe.close()
print(json.dumps({
    "names": [one.device.name for one in snapshot.readings],
    "loaded": "pynvml" in sys.modules,
    "absent": snapshot.absent, "hint": snapshot.hint, "vendor_absent": snapshot.vendor_absent,
}))
"""


def sampled(environment: dict[str, str]) -> dict[str, object]:
    """What a program of its own sees."""
    done = subprocess.run(
        [sys.executable, "-c", _ONE_SAMPLE], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_library_is_found_by_its_name(fake_library: Path, tmp_path: Path) -> None:
    scenario = machine(tmp_path / "scenario", 2)
    scenario.write()
    assert sampled(environ(fake_library, scenario.path))["names"] == ["NVIDIA H100 80GB HBM3"] * 2


def test_a_driver_that_refuses_says_so_through_all_of_it(fake_library: Path, tmp_path: Path) -> None:
    scenario = machine(tmp_path / "scenario", 2)
    scenario.fails["nvmlInitWithFlags"] = NO_PERMISSION
    scenario.write()
    found = sampled(environ(fake_library, scenario.path))
    assert (found["absent"], found["vendor_absent"]) == ("No permission to talk to the NVIDIA driver", False)


@pytest.mark.skipif(
    Path("/proc/driver/nvidia/version").exists(), reason="this machine has a driver: its library is found"
)
def test_no_library_is_no_driver() -> None:
    found = sampled(dict(os.environ))
    assert found["absent"] == "No NVIDIA GPU in this machine, and no driver (libnvidia-ml.so.1 not found)"
    assert found["loaded"] is False, "pynvml takes memory for nothing"
    assert (found["vendor_absent"], "install" in str(found["hint"])) == (True, True)
