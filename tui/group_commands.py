"""One action on several containers, done in a worker in the order of their needs. May not draw."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from backends.model.container import Container
from backends.model.ids import ContainerKey
from tui.messages import GroupFinished
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from backends.model.events import OperationUpdate
    from backends.services.fleet import Fleet


class GroupCommands:
    """busy: containers whose operations are told together, at the end, and not one by one."""

    def __init__(self, work: Work, open_fleet: Callable[[], Fleet], reply: Reply) -> None:
        self._work = work
        self._open_fleet = open_fleet
        self._reply = reply
        self.busy: set[ContainerKey] = set()

    def operate(self, action: str, containers: Sequence[Container]) -> None:
        """Do `action` ("container.stop") to all of them; GroupFinished says how it ended."""
        work = partial(self._operate, action, tuple(containers))
        self._work(work, name=f"{action} of {len(containers)} containers", group="operations")

    async def _operate(self, action: str, containers: tuple[Container, ...]) -> None:
        from backends.services.groups import operate_together

        fleet, verb = self._open_fleet(), action.rpartition(".")[2]
        operations = fleet.operations
        calls: dict[str, Callable[[ContainerKey], Coroutine[Any, Any, OperationUpdate]]] = {
            "start": operations.start,
            "stop": operations.stop,
            "restart": operations.restart,
            "pause": operations.pause,
            "unpause": operations.unpause,
            "kill": operations.kill,
            "remove": partial(operations.remove, force=True),
        }
        call = calls[verb]

        self.busy |= {container.key for container in containers}
        try:
            result = await operate_together(verb, containers, lambda container: call(container.key), fleet.engine)
        except BaseException:
            self.busy -= {container.key for container in containers}
            raise
        self._reply(GroupFinished(action, result))
