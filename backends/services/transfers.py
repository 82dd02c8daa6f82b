"""Pulls and pushes of a fleet: each an operation, in the store and in the audit log. Draws nothing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from backends.migration.progress import WINDOW_S
from backends.model.errors import BackendError, Protocol
from backends.model.events import Phase
from backends.model.ids import ContainerKey
from backends.model.plan import Step, StepKind, StepProgress
from backends.model.transfer import Transferred
from backends.model.transfer_state import TransferAsk, TransferState
from backends.services.fleet import Fleet

TOLD_S = 0.5
"""Between two times that the store is told how far it is."""


class Transfer:
    """One pull or push. `run` does it; `state` may be looked at meanwhile, and afterwards. clock: monotonic seconds."""

    def __init__(self, fleet: Fleet, ask: TransferAsk, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fleet = fleet
        self._clock = clock
        self._state = TransferState(ask)
        self._samples: deque[tuple[float, int]] = deque()
        self._told_at = float("-inf")

    @property
    def state(self) -> TransferState:
        """As it stands now, with the rate of the last seconds: a transfer that stalls comes to none."""
        if not self._state.under_way:
            return self._state
        self._sample()
        (since, before), now = self._samples[0], self._clock()
        done, total = self._state.done_bytes, self._state.total_bytes
        rate = (done - before) / (now - since) if now > since and done > before else None
        eta_s = (total - done) / rate if rate and total is not None and total > done else None
        return replace(self._state, bytes_per_s=rate, eta_s=eta_s)

    async def run(self) -> Transferred:
        """Do it. Raises what Engine.pull and Engine.push raise, and Refused where the same is under way already.

        When it is cancelled the engine ends the transfer; layers that were whole may stay there for the next try.
        """
        ask = self._state.ask
        key = ContainerKey(ask.engine, f"{ask.verb}:{ask.reference}")
        try:
            engine = self._fleet.engine(ask.engine)
            with self._fleet.operations.track(f"image.{ask.verb}", key, ask.reference) as tracked:
                if ask.push:
                    stream = engine.push(ask.reference, insecure=ask.insecure)
                else:
                    stream = engine.pull(ask.reference, platform=ask.platform, insecure=ask.insecure)
                step = Step(StepKind.IMAGE, f"{ask.verb} {ask.reference}", ask.reference)
                async with stream as events:
                    async for event in events:
                        self._state = self._state.after(event)
                        self._sample()
                        if self._state.under_way and self._clock() - self._told_at >= TOLD_S:
                            self._told_at = self._clock()
                            tracked.update(_progress(step, self.state))
                result = self._state.result
                if result is None:
                    raise Protocol(f"The engine ended the {ask.verb} without a word", engine=ask.engine)
                told = {"name": result.reference, "image_id": result.image_id, "digest": result.digest or None}
                tracked.note(object=told)
                tracked.done(_words(ask, result))
                return result
        except BackendError as error:
            self._state = replace(self._state, phase=Phase.FAILED, error=error)
            raise
        finally:
            if self._state.under_way:
                self._state = replace(self._state, phase=Phase.CANCELLED)

    def _sample(self) -> None:
        now = self._clock()
        if self._samples and now - self._samples[-1][0] < WINDOW_S / 50:
            return
        self._samples.append((now, self._state.done_bytes))
        while len(self._samples) > 2 and now - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()


def _progress(step: Step, state: TransferState) -> StepProgress:
    return StepProgress(
        0,
        1,
        step,
        Phase.PROGRESS,
        done_bytes=state.done_bytes,
        total_bytes=state.total_bytes,
        bytes_per_s=state.bytes_per_s,
        eta_s=state.eta_s,
    )


def _words(ask: TransferAsk, result: Transferred) -> str:
    if ask.push:
        return f"{result.reference} pushed from {ask.engine}"
    return f"{result.reference} {'is on' if result.changed else 'was up to date on'} {ask.engine}"


__all__ = ["Transfer"]
