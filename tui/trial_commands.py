"""Trials that a person asked for, done in workers of `tui.commands`. They go on while their screen is closed. May not
draw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message
from textual.worker import Worker

from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.ids import ContainerKey
from backends.model.trial import TrialProgress, TrialReport, TrialRequest
from tui.workers import Reply, Work, called_off

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@dataclass
class TrialMoved(Message):
    """Something is new about a trial: how far it is, that it ended, where its report was written."""

    key: ContainerKey


@dataclass(slots=True)
class Trial:
    """One trial of this session. reply: whoever looks on now. report, error, called_off: how it ended."""

    container: Container
    request: TrialRequest
    reply: Reply
    progress: TrialProgress = field(default_factory=lambda: TrialProgress("prepare"))
    report: TrialReport | None = None
    error: BackendError | None = None
    called_off: bool = False
    written: str = ""
    worker: Worker[None] | None = None

    @property
    def runs(self) -> bool:
        """It is not over."""
        return self.worker is not None and not self.worker.is_finished

    def tell(self) -> None:
        """Say that something is new."""
        self.reply(TrialMoved(self.container.key))

    def follow(self, progress: TrialProgress) -> None:
        """Where it is."""
        self.progress = progress
        self.tell()


class TrialCommands:
    """The newest trial of each container. fleet: gives the open fleet, raises Refused before it is open."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet
        self._trials: dict[ContainerKey, Trial] = {}

    @property
    def running(self) -> tuple[str, ...]:
        """Names of the containers whose trials have not ended."""
        return tuple(trial.container.name for trial in self._trials.values() if trial.runs)

    def of(self, key: ContainerKey) -> Trial | None:
        """That of a container, running or over."""
        return self._trials.get(key)

    def run(self, container: Container, request: TrialRequest, reply: Reply) -> Trial:
        """Begin one (TrialMoved, again and again); the one that runs where one does."""
        known = self._trials.get(container.key)
        if known is not None and known.runs:
            return known
        trial = self._trials[container.key] = Trial(container, request, reply)
        trial.worker = self._work(partial(self._run, trial), name=f"trial of {container.name}", group="trials")
        return trial

    async def _run(self, trial: Trial) -> None:
        from backends.services.trials import run_trial

        try:
            container = trial.container
            trial.report = await run_trial(self._fleet(), container.key, container.name, trial.request, trial.follow)
        except BackendError as error:
            trial.error = error
        except asyncio.CancelledError:
            trial.called_off = True
            raise
        finally:
            trial.worker = None
            trial.tell()

    def call_off(self, trial: Trial) -> None:
        """Cancel it; it clears up, and tells then."""
        if trial.worker is not None:
            trial.worker.cancel()

    def write(self, trial: Trial, path: Path) -> None:
        """Write its report to a file that must not exist yet; TrialMoved when it is there."""
        self._work(partial(self._write, trial, path), name=f"write {path}", group="trial report")

    async def _write(self, trial: Trial, path: Path) -> None:
        from backends.new_file import write_new
        from backends.trial.report import markdown

        assert trial.report is not None
        await asyncio.to_thread(write_new, path, "the report", (markdown(trial.report),))
        trial.written = str(path)
        trial.tell()

    async def close(self) -> None:
        """Call all off, and wait until what they made is removed."""
        await called_off(trial.worker for trial in self._trials.values() if trial.worker is not None)


__all__ = ["Trial", "TrialCommands", "TrialMoved"]
