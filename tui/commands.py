"""What a person asked for, done in workers; migrations are in `tui.moves`. With it and the bridge the only place where
workers live. May not draw.

Every worker has a name, a group and exit_on_error=False; what goes wrong in one comes out at the app's one handler.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.worker import Worker

from backends.model.container import LogLine
from backends.model.errors import BackendError, Refused
from backends.model.events import OperationUpdate
from backends.model.ids import ContainerKey, EngineId, ImageKey
from backends.model.image import LayerReport
from tui.group_commands import GroupCommands
from tui.image_commands import ImageCommands
from tui.layer_commands import LayerCommands
from tui.messages import (
    Examined,
    InspectFailed,
    InspectLoaded,
    LayersFailed,
    LayersLoaded,
    LogEnded,
    LogLinesArrived,
    LogSearched,
    UsersNamed,
)
from tui.moves import Moves

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from backends.engine import Engine
    from backends.services.fleet import Fleet

DEBOUNCE_S = 0.15  # a cursor that rests shorter than this asks for nothing
LOG_BATCH_S = 0.1  # log lines are handed on in batches this far apart,
LOG_BATCH_LINES = 500  # or when so many wait (they take 5 ms); then the stream waits for the screen
LOG_TAIL = 1000  # lines shown from before the screen was opened
EXAMINE_READY_S = 5.0  # doctor waits so long for engines that have not answered yet
LAYERS_KEPT = 256  # images whose layers stay known; an image never changes

Reply = Callable[[Message], object]
"""Where the answer goes: a screen's post_message."""


class Commands:
    """Starts workers on behalf of the screens.

    fleet: gives the open fleet, None before it is open. state_dir: where migrations keep their journal.
    """

    def __init__(self, owner: DOMNode, fleet: Callable[[], Fleet | None], state_dir: Path) -> None:
        self._owner = owner
        self._fleet = fleet
        self._state_dir = state_dir
        self._layers: OrderedDict[ImageKey, LayerReport] = OrderedDict()
        self.moves = Moves(self._work, self._open_fleet, state_dir)
        self.images = ImageCommands(self._work, self._open_fleet)
        self.layers = LayerCommands(self._work, self._open_fleet)
        self.groups = GroupCommands(self._work, self._open_fleet, owner.post_message)

    # -- what all share --------------------------------------------------------------------------
    def _work(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, name: str, group: str, exclusive: bool = False
    ) -> Worker[None]:
        return self._owner.run_worker(work, name=name, group=group, exclusive=exclusive, exit_on_error=False)

    def watch(self, keys: Collection[ContainerKey]) -> None:
        """Tell the engines which rows are looked at; nothing before they are known."""
        fleet = self._fleet()
        if fleet is not None:
            fleet.watch(keys)

    def _open_fleet(self) -> Fleet:
        fleet = self._fleet()
        if fleet is None:
            raise Refused("The engines are not known yet", hint="wait a moment and try again")
        return fleet

    def _engine(self, engine: EngineId) -> Engine:
        return self._open_fleet().engine(engine)

    @property
    def moving(self) -> bool:
        """A migration runs, or a copy of an image."""
        return bool(self.moves.running or self.images.running)

    def undo_then(self, leave: Callable[[], object]) -> None:
        """Cancel migrations and leave when they are undone; the screen lives on meanwhile."""
        self._work(partial(self._undo_then, leave), name="undo migrations", group="leave", exclusive=True)

    async def _undo_then(self, leave: Callable[[], object]) -> None:
        await self.close()
        leave()

    async def close(self) -> None:
        """Cancel migrations and copies, and wait until they have undone what they made."""
        await self.images.close()
        await self.moves.close()

    # -- lifecycle -------------------------------------------------------------------------------
    def operate(self, action: str, key: ContainerKey, *, name: str = "") -> None:
        """Do `action` to a container; name: the new one, for rename. How it ended comes from the bridge."""
        self._work(partial(self._operate, action, key, name), name=f"{action} {key.short}", group="operations")

    async def _operate(self, action: str, key: ContainerKey, name: str) -> None:
        operations = self._open_fleet().operations
        calls: dict[str, Callable[[], Coroutine[Any, Any, OperationUpdate]]] = {
            "container.start": lambda: operations.start(key),
            "container.stop": lambda: operations.stop(key),
            "container.restart": lambda: operations.restart(key),
            "container.pause": lambda: operations.pause(key),
            "container.unpause": lambda: operations.unpause(key),
            "container.kill": lambda: operations.kill(key),
            "container.remove": lambda: operations.remove(key, force=True),
            "container.rename": lambda: operations.rename(key, name),
        }
        await calls[action]()

    def reconnect(self) -> None:
        """Try lost engines again now."""
        self._work(self._reconnect, name="reconnect", group="reconnect", exclusive=True)

    async def _reconnect(self) -> None:
        self._open_fleet().retry_now()

    # -- looking ---------------------------------------------------------------------------------
    def examine(self, reply: Reply) -> None:
        """Look at all that doctor looks at: Examined. A later call takes the place of an earlier one."""
        self._work(partial(self._examine, reply), name="doctor", group="doctor", exclusive=True)

    async def _examine(self, reply: Reply) -> None:
        await asyncio.to_thread(importlib.import_module, "backends.services.examination")
        from backends.services.examination import examine
        from tui.surroundings import examine_terminal

        fleet = self._open_fleet()
        await fleet.ready(EXAMINE_READY_S)
        found = await examine(fleet.store.view, os.environ, self._state_dir)
        reply(Examined((*found, *examine_terminal(os.environ))))

    def cached_layers(self, image: ImageKey) -> LayerReport | None:
        """An image's layers where they were read before."""
        report = self._layers.get(image)
        if report is not None:
            self._layers.move_to_end(image)
        return report

    def load_layers(self, image: ImageKey, reply: Reply) -> None:
        """Read an image's layers once the cursor rests; a later call takes the place of an earlier one."""
        self._work(
            partial(self._load_layers, image, reply), name=f"layers {image.short}", group="layers", exclusive=True
        )

    async def _load_layers(self, image: ImageKey, reply: Reply) -> None:
        await asyncio.sleep(DEBOUNCE_S)
        try:
            report = await self._engine(image.engine).image_layers(image.id)
        except BackendError as error:
            reply(LayersFailed(image, error))
            return
        self._layers[image] = report
        while len(self._layers) > LAYERS_KEPT:
            self._layers.popitem(last=False)
        reply(LayersLoaded(image, report))

    def inspect(self, key: ContainerKey, reply: Reply) -> None:
        """Read the engine's own JSON of a container."""
        self._work(partial(self._inspect, key, reply), name=f"inspect {key.short}", group="inspect", exclusive=True)

    async def _inspect(self, key: ContainerKey, reply: Reply) -> None:
        try:
            reply(InspectLoaded(key, await self._engine(key.engine).inspect_raw(key.id)))
        except BackendError as error:
            reply(InspectFailed(key, error))

    def follow_log(self, key: ContainerKey, reply: Reply, *, after: datetime | None = None) -> Worker[None]:
        """Follow a container's log until the worker is cancelled or the stream ends (LogEnded).

        after: only lines printed later than that, from LogEnded: it goes on where an earlier stream ended.
        """
        work = partial(self._follow_log, key, reply, after)
        return self._work(work, name=f"log {key.short}", group="log", exclusive=True)

    async def _follow_log(self, key: ContainerKey, reply: Reply, after: datetime | None) -> None:
        waiting: list[LogLine] = []
        last_at = after

        def hand_on() -> None:
            if waiting:
                reply(LogLinesArrived(key, tuple(waiting)))
                waiting.clear()

        timer: asyncio.TimerHandle | None = None
        loop = asyncio.get_running_loop()
        error: BackendError | None = None
        try:
            async with self._engine(key.engine).logs(key.id, follow=True, tail=LOG_TAIL, timestamps=True) as lines:
                async for line in lines:
                    if line.at is not None:
                        if after is not None and line.at <= after:
                            continue
                        last_at = line.at
                    waiting.append(LogLine(line.stream, line.text))  # programs mostly print a time of their own
                    if len(waiting) >= LOG_BATCH_LINES:
                        hand_on()
                        await asyncio.sleep(LOG_BATCH_S)
                    elif timer is None or timer.when() <= loop.time():
                        timer = loop.call_later(LOG_BATCH_S, hand_on)
        except BackendError as caught:
            error = caught
        finally:
            if timer is not None:
                timer.cancel()
        hand_on()
        reply(LogEnded(key, error, last_at))

    def name_users(self, ids: Collection[int], reply: Reply) -> None:
        """Look up what users of this machine are called, which may ask a directory on the network: UsersNamed."""
        self._work(partial(self._name_users, tuple(ids), reply), name="user names", group="users")

    async def _name_users(self, ids: Collection[int], reply: Reply) -> None:
        from tui.cli.users import user_names

        reply(UsersNamed(await asyncio.to_thread(user_names, ids)))

    def search_log(self, search: Callable[[str], Coroutine[Any, Any, int]], text: str, reply: Reply) -> None:
        """Search a log that may be long, without holding up the keys: LogSearched."""
        self._work(partial(self._search_log, search, text, reply), name="search", group="search", exclusive=True)

    async def _search_log(self, search: Callable[[str], Coroutine[Any, Any, int]], text: str, reply: Reply) -> None:
        reply(LogSearched(text, await search(text)))
