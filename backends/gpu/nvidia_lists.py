"""NVML's lists of processes, a whole buffer at a time. May not know what they are for.

pynvml makes an object of each entry, field by field; at a thousand processes a second that is most of the work. Here
the same functions of the library that pynvml has loaded fill one buffer that is kept.
Layouts: nvmlProcessInfo_v2_t (v3 is the same) and nvmlProcessUtilizationSample_t of nvml.h.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any

from backends.gpu import nvml_errors

COMPUTE, GRAPHICS, MPS = "Compute", "Graphics", "MPSCompute"
_VERSIONS = ("_v3", "_v2")
# Drivers 535.43 to 535.86 wrote longer entries under the name _v3, 535.98 took it away, 535.104 is as all others
# (XuehaiPan/nvitop#79, #88).
_LONG_ENTRIES = range(0, 98)
_LONG_ENTRIES_BRANCH = "535"
_PROCESS = struct.Struct("@IQII")
_SAMPLE = struct.Struct("@IQIIII")
_FIRST_ROOM = 128
_TRIES = 6  # doubling each time: 8192 processes on one device


class ProcessLists:
    """The lists of one driver. Every call raises NVMLError."""

    def __init__(self, nvml: Any, driver_version: str) -> None:
        """nvml: the module pynvml, initialized. driver_version: "550.54.15"."""
        branch, _, minor = driver_version.partition(".")
        minor = minor.partition(".")[0]
        has_long_entries = branch == _LONG_ENTRIES_BRANCH and minor.isdecimal() and int(minor) in _LONG_ENTRIES
        self._versions = _VERSIONS[1:] if has_long_entries else _VERSIONS
        self._nvml = nvml
        self._room = _FIRST_ROOM
        self._buffer = ctypes.create_string_buffer(self._room * _SAMPLE.size)
        self._functions: dict[str, Callable[..., int]] = {}

    def running(self, kind: str, handle: Any) -> list[tuple[int, int, int, int]]:
        """Processes of a device or MIG instance: pid, bytes, GPU instance, compute instance.

        kind: COMPUTE, GRAPHICS or MPS. Bytes are 2**64 - 1 where the driver does not tell them, instances 2**32 - 1
        where there is none.
        """
        names = [f"nvmlDeviceGet{kind}RunningProcesses{version}" for version in self._versions]
        function = self._functions.get(kind) or self._functions.setdefault(kind, self._found(names))
        for _ in range(_TRIES):
            count = ctypes.c_uint(self._room)
            code = function(handle, ctypes.byref(count), self._buffer)
            if code != nvml_errors.INSUFFICIENT_SIZE:
                break
            self._grow(count.value)  # more began meanwhile, or there are more than ever before
        return self._entries(code, count.value, _PROCESS)

    def used(self, handle: Any, since_us: int) -> list[tuple[int, int, int, int, int, int]]:
        """Samples of use newer than `since_us`: pid, microseconds, percent of SM, memory, encoder, decoder.

        NOT_FOUND is raised where there is none.
        """
        name = "nvmlDeviceGetProcessUtilization"
        function = self._functions.get(name) or self._functions.setdefault(name, self._found([name]))
        since = ctypes.c_ulonglong(since_us)
        for _ in range(_TRIES):
            count = ctypes.c_uint(0)
            code = function(handle, None, ctypes.byref(count), since)  # NVML wants to be asked for the size first
            if code != nvml_errors.INSUFFICIENT_SIZE:
                return self._entries(code, 0, _SAMPLE)
            if count.value > self._room:
                self._grow(count.value)
            count.value = self._room
            code = function(handle, self._buffer, ctypes.byref(count), since)
            if code != nvml_errors.INSUFFICIENT_SIZE:
                break
        return self._entries(code, count.value, _SAMPLE)

    def _entries(self, code: int, count: int, layout: struct.Struct) -> list[Any]:
        if code != nvml_errors.SUCCESS:
            raise self._nvml.NVMLError(code)
        return list(layout.iter_unpack(memoryview(self._buffer)[: min(count, self._room) * layout.size]))

    def _found(self, names: list[str]) -> Callable[..., int]:
        """The first of these functions that the library has."""
        for name in names:
            found: Callable[..., int] | None = getattr(self._nvml.nvmlLib, name, None)
            if found is not None:
                return found
        raise self._nvml.NVMLError(nvml_errors.FUNCTION_NOT_FOUND)

    def _grow(self, wanted: int) -> None:
        self._room = max(2 * self._room, wanted + _FIRST_ROOM)
        self._buffer = ctypes.create_string_buffer(self._room * _SAMPLE.size)
