"""Faults and latency of the demo engine, set by tests and scenarios. Raises and waits; changes no state."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from backends.model.errors import BackendError


@dataclass(slots=True)
class _Fault:
    error: BackendError
    times: int | None


class DemoFaults:
    """What goes wrong. look_s, act_s: how long a question and an action take (seconds)."""

    def __init__(self, look_s: float = 0.0, act_s: float = 0.0) -> None:
        self.look_s = look_s
        self.act_s = act_s
        self._faults: dict[str, _Fault] = {}
        self._hanging: set[str] = set()
        self._everything_hangs = False
        self.down: BackendError | None = None

    def fail(self, method: str, error: BackendError, *, times: int | None = None) -> None:
        """Let a method of the Protocol ("start", "list_containers") raise; times: only so often, None = always."""
        self._faults[method] = _Fault(error, times)

    def hang(self, *methods: str) -> None:
        """Let these methods never answer; none named = all, as a daemon that was stopped by SIGSTOP."""
        self._hanging.update(methods)
        self._everything_hangs = self._everything_hangs or not methods

    def clear(self) -> None:
        """All is well again."""
        self._faults.clear()
        self._hanging.clear()
        self._everything_hangs = False
        self.down = None

    async def passing(self, method: str, *, acts: bool = False) -> None:
        """Take the time that a call takes, and raise what is due."""
        if self._everything_hangs or method in self._hanging:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(self.act_s if acts else self.look_s)
        if self.down is not None:
            raise self.down
        fault = self._faults.get(method)
        if fault is None:
            return
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self._faults[method]
        raise fault.error
