"""A double of the module pynvml: its names, its exceptions with codes, its sentinel None, its odd errors."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

NOT_SUPPORTED = 3
NOT_FOUND = 6


WORDS = {
    0: "Success",
    1: "Uninitialized",
    3: "Not Supported",
    4: "Insufficient Permissions",
    6: "Not Found",
    9: "Driver Not Loaded",
    12: "NVML Shared Library Not Found",
    15: "GPU is lost",
    18: "RM has detected an NVML/RM version mismatch.",
    999: "Unknown Error",
}


class NVMLError(Exception):
    """As pynvml's: the code is in `value`, str() gives NVML's words."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return WORDS.get(self.value, f"NVML Error with code {self.value}")


def process(pid: int, memory: int | None) -> SimpleNamespace:
    """c_nvmlProcessInfo_v3_t as pynvml gives it; None where the driver writes "not available"."""
    return SimpleNamespace(pid=pid, usedGpuMemory=memory, gpuInstanceId=0xFFFFFFFF, computeInstanceId=0xFFFFFFFF)


def sample(pid: int, sm: int, at_us: int) -> SimpleNamespace:
    """c_nvmlProcessUtilizationSample_t."""
    return SimpleNamespace(pid=pid, timeStamp=at_us, smUtil=sm, memUtil=0, encUtil=0, decUtil=0)


class FakeNvml:
    """Two devices by default. refuse: function name → code that it raises. calls: names, in order."""

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, devices: int = 2) -> None:
        self.devices = devices
        self.refuse: dict[str, int] = {}
        self.refuse_device: dict[int, int] = {}
        self.calls: list[str] = []
        self.compute: dict[int, list[SimpleNamespace]] = {}
        self.graphics: dict[int, list[SimpleNamespace]] = {}
        self.mps: dict[int, list[SimpleNamespace]] = {}
        self.samples: dict[int, list[SimpleNamespace]] = {}
        self.open = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name.startswith("nvml"):
            raise AttributeError(name)
        answer = object.__getattribute__(self, f"_{name}")

        def call(*arguments: Any) -> Any:
            self.calls.append(name)
            if name in self.refuse:
                raise NVMLError(self.refuse[name])
            if self.open == 0 and name != "nvmlInit":
                raise NVMLError(1)
            if name == "nvmlDeviceGetHandleByIndex" and arguments[0] in self.refuse_device:
                raise NVMLError(self.refuse_device[arguments[0]])
            return answer(*arguments)

        return call

    def _nvmlInit(self) -> None:
        self.open += 1

    def _nvmlShutdown(self) -> None:
        self.open -= 1

    def _nvmlSystemGetDriverVersion(self) -> str:
        return "550.54.15"

    def _nvmlDeviceGetCount(self) -> int:
        return self.devices

    def _nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def _nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{handle}"

    def _nvmlDeviceGetName(self, _: int) -> str:
        return "NVIDIA H100 80GB HBM3"

    def _nvmlDeviceGetPciInfo(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(busId=f"00000000:{handle:02X}:00.0")

    def _nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(total=1000, used=100 * (handle + 1), free=0)

    def _nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(gpu=40 + handle, memory=7)

    def _nvmlDeviceGetTemperature(self, _: int, sensor: int) -> int:
        assert sensor == self.NVML_TEMPERATURE_GPU
        return 61

    def _nvmlDeviceGetPowerUsage(self, _: int) -> int:
        return 312_500

    def _nvmlDeviceGetEnforcedPowerLimit(self, _: int) -> int:
        return 700_000

    def _nvmlDeviceGetFanSpeed(self, _: int) -> int:
        raise NVMLError(NOT_SUPPORTED)  # passive cards have none

    def _nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        return self.compute.get(handle, [])

    def _nvmlDeviceGetGraphicsRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        return self.graphics.get(handle, [])

    def _nvmlDeviceGetMPSComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        return self.mps.get(handle, [])

    def _nvmlDeviceGetProcessUtilization(self, handle: int, since_us: int) -> list[SimpleNamespace]:
        new = [one for one in self.samples.get(handle, []) if one.timeStamp > since_us]
        if not new:
            raise NVMLError(NOT_FOUND)
        return new
