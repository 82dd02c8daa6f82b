"""What NVML's error codes mean for people: why a driver cannot be reached, and what to do. Does not import pynvml.

Codes: nvmlReturn_t of nvml.h, the same numbers as pynvml's NVML_ERROR_….
"""

from __future__ import annotations

from backends.gpu.probe import GpuAbsent, VendorAbsent

SUCCESS = 0
UNINITIALIZED = 1
NO_PERMISSION = 4
NOT_FOUND = 6
INSUFFICIENT_SIZE = 7
DRIVER_NOT_LOADED = 9
LIBRARY_NOT_FOUND = 12
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
RESET_REQUIRED = 16
OPERATING_SYSTEM = 17
LIB_RM_VERSION_MISMATCH = 18
ARGUMENT_VERSION_MISMATCH = 25

# After these the driver answers nothing more, of any device, until it is opened anew.
FATAL = frozenset({UNINITIALIZED, DRIVER_NOT_LOADED, LIB_RM_VERSION_MISMATCH})
# After these one device answers nothing more, until it is found anew; the others go on.
LOST = frozenset({GPU_IS_LOST, RESET_REQUIRED})
_NO_DRIVER = frozenset({LIBRARY_NOT_FOUND, DRIVER_NOT_LOADED})

_LOST_HINT = "`dmesg` shows Xid messages; most likely the machine must be restarted"

_ABSENT: dict[int, tuple[str, str]] = {
    LIBRARY_NOT_FOUND: (
        "No NVIDIA driver on this machine (libnvidia-ml.so.1 not found)",
        "install NVIDIA's driver; inside a container, start it with GPU access so that the library is mounted",
    ),
    DRIVER_NOT_LOADED: (
        "The NVIDIA driver is installed, but its kernel module is not loaded",
        "load it with `modprobe nvidia`; where that fails, `dmesg` tells why",
    ),
    LIB_RM_VERSION_MISMATCH: (
        "NVIDIA's library and the loaded kernel module are of different versions",
        "restart the machine, or unload and load the nvidia modules, then start this program again: the driver was"
        " updated while it ran",
    ),
    NO_PERMISSION: (
        "No permission to talk to the NVIDIA driver",
        "check the modes of /dev/nvidiactl and /dev/nvidia*, and the groups of this user",
    ),
    OPERATING_SYSTEM: (
        "The operating system blocks the NVIDIA driver",
        "check the device cgroup or the sandbox that this program runs in, and /dev/nvidiactl",
    ),
    GPU_IS_LOST: (
        "The GPU is lost: the driver cannot reach it any more",
        _LOST_HINT,
    ),
    FUNCTION_NOT_FOUND: (
        "The NVIDIA driver is too old: it lacks a function that is needed",
        "update NVIDIA's driver",
    ),
}

_NOTHING = (
    "No NVIDIA GPU in this machine, and no driver (libnvidia-ml.so.1 not found)",
    "where there is one, install NVIDIA's driver; a container must be started with GPU access",
)
"""Neither card nor library: most machines without a GPU. Nothing need be installed there."""

_CONDITIONS: dict[int, tuple[str, str]] = {
    GPU_IS_LOST: (
        "the GPU is lost: the driver cannot reach it any more",
        _LOST_HINT,
    ),
    RESET_REQUIRED: (
        "the GPU must be reset before it can be used again",
        "end all programs that use it, this one too, then `nvidia-smi --gpu-reset -i {index}`",
    ),
}


def condition(code: int, text: str, index: int) -> tuple[str, str]:
    """Why one device cannot be read, and the next step. code, text: of the NVMLError. index: the driver's."""
    why, hint = _CONDITIONS.get(code, (f"the driver does not open this GPU ({text})", "see `nvidia-smi` and `dmesg`"))
    return why, hint.format(index=index)


def absence(code: int, text: str, *, device_here: bool = True) -> GpuAbsent:
    """Why the driver cannot be reached. code, text: of the NVMLError. device_here: the machine has a GPU for it."""
    title, hint = _ABSENT.get(code, (f"The NVIDIA driver does not answer ({text})", "see `nvidia-smi` and `dmesg`"))
    if code not in _NO_DRIVER or device_here:
        return GpuAbsent(title, detail=text, hint=hint)
    if code == LIBRARY_NOT_FOUND:
        title, hint = _NOTHING
    return VendorAbsent(title, detail=text, hint=hint)
