"""What a person asked for about registries, done in workers of `tui.commands`. May not draw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.worker import Worker

from backends.model.capabilities import Capability
from backends.model.errors import BackendError
from backends.model.ids import EngineId
from backends.model.transfer import Credentials
from backends.model.transfer_state import TransferAsk, TransferState
from tui.image_messages import ImagesFound, LoginsSeen, PlatformsSeen
from tui.telling import told
from tui.workers import Reply, Work, called_off

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.transfers import Transfer

KEPT = 50
"""Transfers of a session that stay to be looked at."""
SEARCH_LIMIT = 50


class _Running(NamedTuple):
    """A transfer with the worker that does it."""

    transfer: Transfer
    worker: Worker[None]


class TransferCommands:
    """Starts workers on behalf of the screens about registries. fleet: as for ImageCommands."""

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet
        self._known: dict[int, _Running] = {}
        self._number = 0

    # -- pulls and pushes ------------------------------------------------------------------------
    def start(self, asks: Sequence[TransferAsk]) -> None:
        """Begin them, all at once. How each ends comes from the bridge."""
        from backends.services.transfers import Transfer

        for ask in asks:
            transfer = Transfer(self._fleet(), ask)
            name = f"{ask.verb} {ask.reference} on {ask.engine}"
            worker = self._work(partial(self._run, transfer), name=name, group="transfers")
            self._number += 1
            self._known[self._number] = _Running(transfer, worker)
        ended = [number for number, one in self._known.items() if one.worker.is_finished]
        for number in ended[: max(0, len(self._known) - KEPT)]:
            del self._known[number]

    async def _run(self, transfer: Transfer) -> None:
        await told(self._fleet().operations, transfer.run())

    @property
    def states(self) -> dict[int, TransferState]:
        """Those of this session by number, the newest first."""
        return {number: self._known[number].transfer.state for number in reversed(self._known)}

    @property
    def running(self) -> tuple[str, ...]:
        """Names of those that have not ended."""
        return tuple(one.transfer.state.name for one in self._known.values() if not one.worker.is_finished)

    def cancel(self, number: int) -> bool:
        """Call one off; False where it has ended."""
        one = self._known.get(number)
        if one is None or one.worker.is_finished:
            return False
        one.worker.cancel()
        return True

    def again(self, number: int) -> bool:
        """Begin one that failed or was called off once more; False where it did neither."""
        one = self._known.get(number)
        if one is None or not one.worker.is_finished or one.transfer.state.result is not None:
            return False
        del self._known[number]
        self.start([one.transfer.state.ask])
        return True

    def clear(self) -> None:
        """Forget those that have ended."""
        self._known = {number: one for number, one in self._known.items() if not one.worker.is_finished}

    async def close(self) -> None:
        """Call all off and wait until they have ended."""
        await called_off(one.worker for one in self._known.values())

    # -- asking ----------------------------------------------------------------------------------
    def search(self, term: str, engines: Sequence[EngineId], reply: Reply) -> None:
        """Search on these engines: ImagesFound. A later search takes the place of an earlier one."""
        work = partial(self._search, term, tuple(engines), reply)
        self._work(work, name=f"search {term}", group="search-images", exclusive=True)

    async def _search(self, term: str, engines: Sequence[EngineId], reply: Reply) -> None:
        calls = [self._fleet().engine(engine).search_images(term, limit=SEARCH_LIMIT) for engine in engines]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        errors = []
        found = []
        for engine, answer in zip(engines, answers, strict=True):
            if isinstance(answer, BackendError):
                errors.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found += [(engine, image) for image in answer]
        reply(ImagesFound(term, tuple(found), tuple(errors)))

    def platforms(self, engine: EngineId, reference: str, reply: Reply) -> None:
        """Ask for which platforms a registry has an image: PlatformsSeen."""

        async def ask() -> None:
            reply(PlatformsSeen(engine, await self._fleet().engine(engine).image_platforms(reference)))

        self._work(ask, name=f"platforms of {reference}", group="platforms", exclusive=True)

    # -- logins ----------------------------------------------------------------------------------
    def logins(self, reply: Reply) -> None:
        """What the engines' credential stores have: LoginsSeen."""

        async def look() -> None:
            fleet = self._fleet()
            view = fleet.store.view
            engines = [engine for engine in fleet.engines if view.engines[engine.id].offers(Capability.STORES)]
            known, errors = {}, []
            for engine in engines:
                try:
                    known[engine.id] = await engine.logins()
                except BackendError as error:
                    errors.append(error)
            reply(LoginsSeen(known, tuple(errors)))

        self._work(look, name="logins", group="logins", exclusive=True)

    def log_in(self, engine: EngineId, registry: str, credentials: Credentials) -> None:
        """Log in. How it ends comes from the bridge."""

        async def do() -> None:
            from backends.services.logins import log_in

            await told(self._fleet().operations, log_in(self._fleet(), engine, registry, credentials))

        self._work(do, name=f"log in to {registry}", group="logins")

    def log_out(self, engine: EngineId, registry: str) -> None:
        """Log out. How it ends comes from the bridge."""

        async def do() -> None:
            from backends.services.logins import log_out

            await told(self._fleet().operations, log_out(self._fleet(), engine, registry))

        self._work(do, name=f"log out of {registry}", group="logins")


__all__ = ["TransferCommands"]
