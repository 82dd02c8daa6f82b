"""The kinds of commands, each imported when it is first asked for: the first frame needs two. Decides nothing.

Moves and the columns are wanted as soon as the fleet is drawn, and made at once.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.worker import Worker

from backends.model.errors import Refused
from tui.column_commands import ColumnCommands
from tui.moves import Moves

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from backends.services.fleet import Fleet
    from tui.audit_commands import AuditCommands
    from tui.build_commands import BuildCommands
    from tui.compare_commands import CompareCommands
    from tui.export_commands import ExportCommands
    from tui.file_commands import FileCommands
    from tui.group_commands import GroupCommands
    from tui.image_commands import ImageCommands
    from tui.image_file_commands import ImageFileCommands
    from tui.layer_commands import LayerCommands
    from tui.log_commands import LogCommands
    from tui.run_commands import RunCommands
    from tui.schedule_commands import ScheduleCommands
    from tui.security_commands import SecurityCommands
    from tui.store_commands import StoreCommands
    from tui.sweep_commands import SweepCommands
    from tui.talk_commands import TalkCommands
    from tui.transfer_commands import TransferCommands
    from tui.trial_commands import TrialCommands
    from tui.watch_commands import WatchCommands

_RUN_ON = ("images", "builds", "transfers", "sweeps", "trials")
"""Kinds that do something in the background, besides moves; in the order of UnderWay."""


class CommandKinds:
    """What all kinds share, and each of them. Takes what Commands takes."""

    def __init__(self, owner: DOMNode, fleet: Callable[[], Fleet | None], state_dir: Path) -> None:
        self._owner = owner
        self._fleet = fleet
        self._state_dir = state_dir
        self.moves = Moves(self._work, self._open_fleet, state_dir)
        self.columns = ColumnCommands(self._work, state_dir)

    def _work(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, name: str, group: str, exclusive: bool = False
    ) -> Worker[None]:
        return self._owner.run_worker(work, name=name, group=group, exclusive=exclusive, exit_on_error=False)

    def _open_fleet(self) -> Fleet:
        fleet = self._fleet()
        if fleet is None:
            raise Refused("The engines are not known yet", hint="wait a moment and try again")
        return fleet

    def _made(self) -> dict[str, Any]:
        """Of the kinds that run on in the background, those that were ever asked for, by name."""
        return {kind: vars(self)[kind] for kind in _RUN_ON if kind in vars(self)}

    def _running(self) -> list[Sequence[str]]:
        """What each kind that runs on in the background does now."""
        made = self._made()
        return [made[kind].running if kind in made else () for kind in _RUN_ON]

    @cached_property
    def images(self) -> ImageCommands:
        """Images: removed, named, pruned, copied."""
        from tui.image_commands import ImageCommands

        return ImageCommands(self._work, self._open_fleet)

    @cached_property
    def transfers(self) -> TransferCommands:
        """Pulls, pushes, logins."""
        from tui.transfer_commands import TransferCommands

        return TransferCommands(self._work, self._open_fleet)

    @cached_property
    def layers(self) -> LayerCommands:
        """Files of an image's layers."""
        from tui.layer_commands import LayerCommands

        return LayerCommands(self._work, self._open_fleet)

    @cached_property
    def builds(self) -> BuildCommands:
        """Images of folders."""
        from tui.build_commands import BuildCommands

        return BuildCommands(self._work, self._open_fleet)

    @cached_property
    def compare(self) -> CompareCommands:
        """Two images beside each other."""
        from tui.compare_commands import CompareCommands

        return CompareCommands(self._work, self._open_fleet)

    @cached_property
    def image_files(self) -> ImageFileCommands:
        """Images into files and out of them."""
        from tui.image_file_commands import ImageFileCommands

        return ImageFileCommands(self._work, self._open_fleet, self.images.told)

    @cached_property
    def run(self) -> RunCommands:
        """New containers."""
        from tui.run_commands import RunCommands

        return RunCommands(self._work, self._open_fleet, self._state_dir)

    @cached_property
    def files(self) -> FileCommands:
        """Files of containers and volumes."""
        from tui.file_commands import FileCommands

        return FileCommands(self._work, self._open_fleet)

    @cached_property
    def stores(self) -> StoreCommands:
        """Volumes and networks."""
        from tui.store_commands import StoreCommands

        return StoreCommands(self._work, self._open_fleet)

    @cached_property
    def talks(self) -> TalkCommands:
        """Shells and programs in containers."""
        from tui.talk_commands import TalkCommands

        return TalkCommands(self._work, self._open_fleet, self._owner.app)

    @cached_property
    def logs(self) -> LogCommands:
        """Logs."""
        from tui.log_commands import LogCommands

        return LogCommands(self._work, self._open_fleet)

    @cached_property
    def exports(self) -> ExportCommands:
        """Containers as text for other programs."""
        from tui.export_commands import ExportCommands

        return ExportCommands(self._work, self._open_fleet)

    @cached_property
    def security(self) -> SecurityCommands:
        """Findings, signatures, scans."""
        from tui.security_commands import SecurityCommands

        return SecurityCommands(self._work, self._open_fleet)

    @cached_property
    def trials(self) -> TrialCommands:
        """The same workload measured on several engines."""
        from tui.trial_commands import TrialCommands

        return TrialCommands(self._work, self._open_fleet)

    @cached_property
    def sweeps(self) -> SweepCommands:
        """Many runs of one workload."""
        from tui.sweep_commands import SweepCommands

        return SweepCommands(self._work, self._open_fleet)

    @cached_property
    def watching(self) -> WatchCommands:
        """What one container does."""
        from tui.watch_commands import WatchCommands

        return WatchCommands(self._work, self._open_fleet)

    @cached_property
    def audit(self) -> AuditCommands:
        """What was done."""
        from tui.audit_commands import AuditCommands

        return AuditCommands(self._work, self._state_dir)

    @cached_property
    def schedules(self) -> ScheduleCommands:
        """Backups again and again."""
        from tui.schedule_commands import ScheduleCommands

        return ScheduleCommands(self._work)

    @cached_property
    def groups(self) -> GroupCommands:
        """Several containers at once."""
        from tui.group_commands import GroupCommands

        return GroupCommands(self._work, self._open_fleet, self._owner.post_message)


__all__ = ["CommandKinds"]
