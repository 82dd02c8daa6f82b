"""The fake NVIDIA driver, built once and loaded by the real pynvml."""

from __future__ import annotations

import ctypes
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pynvml
import pytest

from backends.gpu.nvidia import NvidiaProbe
from tests import real
from tests.gpu.build import build
from tests.gpu.scenario import Scenario, machine


@dataclass
class Clock:
    """A clock that tests set."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Fake:
    """A machine with an NVIDIA driver. pci_root: empty, so that the machine has no card where the driver has none."""

    scenario: Scenario
    log: Path
    pci_root: Path
    clock: Clock = field(default_factory=Clock)

    def probe(self) -> NvidiaProbe:
        """A probe of it, open. The scenario is put in place."""
        self.scenario.write()
        one = NvidiaProbe(pci_root=self.pci_root, clock=self.clock)
        one.open()
        return one

    def calls(self) -> Counter[str]:
        """How often each function was called since the last look, on all devices."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return Counter(line.split()[0] for line in lines)


@pytest.fixture(scope="session")
def fake_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with libnvidia-ml.so.1, and one of an old driver in old/."""
    if shutil.which("gcc") is None and not real.required():
        pytest.skip("the fake NVIDIA driver is built with gcc (Debian: apt install gcc libc6-dev)")
    folder = tmp_path_factory.mktemp("nvml")
    build(folder)
    build(folder / "old", old=True)
    return folder


def loaded(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """The library in pynvml, as if pynvml had found it by its name; taken out again afterwards."""
    scenario, log = machine(tmp_path / "scenario", 2), tmp_path / "calls"
    monkeypatch.setenv("TRANSHIP_FAKE_NVML", str(scenario.path))
    monkeypatch.setenv("TRANSHIP_FAKE_NVML_LOG", str(log))
    lib = ctypes.CDLL(str(library))
    monkeypatch.setattr(pynvml, "nvmlLib", lib)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    (tmp_path / "pci").mkdir()
    yield Fake(scenario, log, tmp_path / "pci")
    while lib.nvmlShutdown() == 0:
        continue  # a test may leave a probe open


@pytest.fixture
def fake(fake_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """Two H100 of a driver of today."""
    yield from loaded(fake_library / "libnvidia-ml.so.1", tmp_path, monkeypatch)


@pytest.fixture
def old_fake(fake_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """The same of a driver before 510."""
    yield from loaded(fake_library / "old" / "libnvidia-ml.so.1", tmp_path, monkeypatch)
