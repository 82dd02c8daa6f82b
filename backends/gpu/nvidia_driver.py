"""The loaded NVML library, and how it is asked: a refusal becomes a value. May not know what is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.gpu import nvml_errors
from backends.model.values import Count, Missing

TOO_OLD = Missing("the driver is too old to tell it")
_NO_V2 = frozenset({nvml_errors.FUNCTION_NOT_FOUND, nvml_errors.ARGUMENT_VERSION_MISMATCH})


class DeviceLost(Exception):
    """One device does not answer any more. code, text: NVML's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Driver:
    """The module pynvml once its library is initialized. For one thread."""

    def __init__(self, nvml: Any) -> None:
        self.nvml = nvml
        self._memory_v2 = True

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function of pynvml answers, or Missing with NVML's own words.

        Raises DeviceLost where the device is gone, NVMLError where the whole driver is.
        """
        try:
            return function(*arguments)
        except self.nvml.NVMLError as error:
            return self.refusal(error)
        except UnicodeDecodeError:
            return Missing("the driver's answer is not a text")

    def refusal(self, error: Any) -> Missing:
        """An NVMLError as a value; raised on, or as DeviceLost, where it is not about this one question."""
        if error.value in nvml_errors.FATAL:
            raise error
        if error.value in nvml_errors.LOST:
            raise DeviceLost(error.value, str(error)) from error
        return Missing(str(error))

    def text(self, function: Callable[..., Any], *arguments: Any) -> str:
        """A text that the driver tells, "" where it refuses."""
        answer = self.ask(function, *arguments)
        return "" if isinstance(answer, Missing) else str(answer)

    def number(self, function: Callable[..., Any], *arguments: Any, scale: float | None = None) -> Any:
        """A whole number; a float, times `scale`, where that is given; or Missing."""
        answer = self.ask(function, *arguments)
        if isinstance(answer, Missing):
            return answer
        return int(answer) if scale is None else answer * scale

    def memory(self, handle: Any) -> tuple[Count, Count, Count, Count]:
        """Bytes of a device or MIG instance: total, used, free, reserved by the driver.

        By the second version of the call, where `used` leaves out what is reserved; old drivers know the first only.
        """
        nvml = self.nvml
        if self._memory_v2:
            try:
                told = nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2)
                return int(told.total), int(told.used), int(told.free), int(told.reserved)
            except nvml.NVMLError as error:
                if error.value not in _NO_V2:
                    no = self.refusal(error)
                    return no, no, no, no
                self._memory_v2 = False
        told = self.ask(nvml.nvmlDeviceGetMemoryInfo, handle)
        if isinstance(told, Missing):
            return told, told, told, told
        return int(told.total), int(told.used), int(told.free), TOO_OLD
