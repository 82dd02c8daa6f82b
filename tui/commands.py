"""What a person asked for, done in workers; each kind of it is in a module of its own (`tui.command_kinds`). With that
and the bridge the only place where workers live. May not draw.

Every worker has a name, a group and exit_on_error=False; what goes wrong in one comes out at the app's one handler.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.model.errors import BackendError
from backends.model.events import OperationUpdate
from backends.model.ids import ContainerKey, EngineId, ImageKey
from tui.command_kinds import CommandKinds
from tui.image_messages import LayersFailed, LayersLoaded
from tui.messages import Examined, InspectFailed, InspectLoaded, UsersNamed
from tui.under_way import UnderWay
from tui.workers import Reply

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from backends.engine import Engine
    from backends.model.image import LayerReport
    from backends.services.fleet import Fleet

DEBOUNCE_S = 0.15  # a cursor that rests shorter than this asks for nothing
EXAMINE_READY_S = 5.0  # doctor waits so long for engines that have not answered yet
LAYERS_KEPT = 256  # images whose layers stay known; an image never changes


class Commands(CommandKinds):
    """Starts workers on behalf of the screens.

    fleet: gives the open fleet, None before it is open. state_dir: where migrations keep their journal, and the chosen
    columns their file.
    """

    def __init__(self, owner: DOMNode, fleet: Callable[[], Fleet | None], state_dir: Path) -> None:
        super().__init__(owner, fleet, state_dir)
        self._layers: OrderedDict[ImageKey, LayerReport] = OrderedDict()
        self._watched: frozenset[ContainerKey] | None = None

    # -- what all share --------------------------------------------------------------------------
    def watch(self, keys: Collection[ContainerKey]) -> None:
        """Tell the engines which rows are looked at: once they are there."""
        self._watched = frozenset(keys)
        self.watch_again()

    def watch_again(self) -> None:
        """The same rows as last time: for engines that were not there then."""
        fleet = self._fleet()
        if fleet is not None and self._watched is not None:
            fleet.watch(self._watched)

    def _engine(self, engine: EngineId) -> Engine:
        return self._open_fleet().engine(engine)

    @property
    def under_way(self) -> UnderWay:
        """What would not come to its end if the program ended now."""
        return UnderWay(self.moves.running, *self._running())

    def undo_then(self, leave: Callable[[], object]) -> None:
        """Cancel migrations and leave when they are undone; the screen lives on meanwhile."""
        self._work(partial(self._undo_then, leave), name="undo migrations", group="leave", exclusive=True)

    async def _undo_then(self, leave: Callable[[], object]) -> None:
        await self.close()
        leave()

    async def close(self) -> None:
        """Cancel migrations, trials, sweeps and what images do; wait until they have undone what they made."""
        # At once: what one undoes on an engine that hangs keeps none of the others running.
        await asyncio.gather(self.moves.close(), *(kind.close() for kind in self._made().values()))

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

    def name_users(self, ids: Collection[int], reply: Reply) -> None:
        """Look up what users of this machine are called, which may ask a directory on the network: UsersNamed."""
        self._work(partial(self._name_users, tuple(ids), reply), name="user names", group="users")

    async def _name_users(self, ids: Collection[int], reply: Reply) -> None:
        from tui.cli.users import user_names

        reply(UsersNamed(await asyncio.to_thread(user_names, ids)))
