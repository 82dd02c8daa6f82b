"""Sweeps that a person asked for, done in workers of `tui.commands`. They go on while their screen is closed. May not
draw.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message
from textual.worker import Worker

from backends.model.errors import BackendError, Refused
from backends.model.ids import EngineId
from backends.model.sweep import SweepRow
from backends.model.sweep_board import SweepBoard
from tui.here import here
from tui.run_commands import DEBOUNCE_S, Asked
from tui.workers import Reply, Work, called_off
from widgets.format import short_image

if TYPE_CHECKING:
    from backends.draft.spec import Around
    from backends.model.fleet import FleetView
    from backends.services.fleet import Fleet
    from backends.services.launch import Judged
    from backends.services.sweeps import Sweep
    from backends.sweep.asked import AskedSweep

OF_RECIPE = ("image", "mounts", "env", "memory", "shm_size")
"""Fields that say what every run is made of; the others say what is swept."""


@dataclass(frozen=True, slots=True)
class SweepTexts:
    """What is typed, by field, for one engine. view: gives the newest. around: what the texts refer to."""

    engine: EngineId
    texts: Mapping[str, tuple[str, ...]]
    view: Callable[[], FleetView]
    around: Around

    def recipe(self) -> Asked:
        """What every run is made of, as the form of a container has it."""
        from backends.draft.draft import draft_of
        from backends.services.launch import proposed

        said = draft_of(**{name: self.texts[name] for name in OF_RECIPE if self.texts.get(name)})
        return Asked(self.view, self.engine, proposed(self.view(), self.engine, said, said, "sweep"), self.around)

    def read(self) -> AskedSweep:
        """What is swept. Blocks on the disk."""
        from backends.sweep.asked import read_asked

        return read_asked(self.texts, here())


@dataclass
class SweepJudged(Message):
    """What becomes of a form's texts. recipe: of each run. error: why there is no more to say, or why it did not begin.
    begun: the sweep that was begun from them."""

    texts: SweepTexts
    asked: AskedSweep | None = None
    recipe: Judged | None = None
    error: BackendError | None = None
    begun: KeptSweep | None = None

    @property
    def blocked(self) -> bool:
        """It cannot be begun so."""
        return self.asked is None or bool(self.asked.wrong) or self.recipe is None or self.recipe.blocked


@dataclass(slots=True)
class KeptSweep:
    """One sweep of this session. stops: how often a person stopped it. error: what ended it before its end."""

    texts: SweepTexts
    asked: AskedSweep
    board: SweepBoard
    began_s: float
    sweep: Sweep | None = None
    worker: Worker[None] | None = None
    ended: bool = False
    stops: int = 0
    error: BackendError | None = None
    skipped: int = field(default=0)

    @property
    def title(self) -> str:
        """Its image and its engine."""
        return f"{short_image(self.asked.image)} on {self.texts.engine}"

    def left_s(self, now_s: float) -> float | None:
        """What it will still take at the pace so far; None where nothing can be said."""
        done = self.board.over - self.skipped
        if self.ended or self.stops or done < 1:
            return None
        return (now_s - self.began_s) / done * (self.board.total - self.board.over)


class SweepCommands:
    """The sweeps of this session. fleet: gives the open fleet, raises Refused before it is open.

    typed: what stood in the form as it was left without beginning, so that it is there again.
    """

    def __init__(self, work: Work, fleet: Callable[[], Fleet]) -> None:
        self._work = work
        self._fleet = fleet
        self.known: list[KeptSweep] = []
        self.typed: SweepTexts | None = None

    @property
    def running(self) -> tuple[str, ...]:
        """Those that have not ended, for people."""
        return tuple(one.title for one in self.known if not one.ended)

    # -- the form --------------------------------------------------------------------------------
    def judge(self, texts: SweepTexts, reply: Reply) -> None:
        """Say what becomes of the texts (SweepJudged). A later call takes the place of an earlier one."""
        self._work(partial(self._judge, texts, reply), name="look at a sweep", group="sweep-form", exclusive=True)

    async def _judge(self, texts: SweepTexts, reply: Reply) -> None:
        await asyncio.sleep(DEBOUNCE_S)
        reply(await self._judged(texts, strict=False))

    async def _judged(self, texts: SweepTexts, *, strict: bool) -> SweepJudged:
        asked = self._with_gpus(await asyncio.to_thread(texts.read), texts.engine)
        recipe = texts.recipe()
        first = await recipe.judged(self._fleet())
        if not first.wrong:
            first = await recipe.looked(self._fleet(), first, strict=strict) or first
        return SweepJudged(texts, asked, first)

    def _with_gpus(self, asked: AskedSweep, engine: EngineId) -> AskedSweep:
        """It is wrong to ask for more GPUs than there are to give out."""
        from backends.services.sweep_setting import gpu_pool

        fleet = self._fleet()
        pool, _ = gpu_pool(fleet, engine, fleet.store.view.gpus) if asked.gpus_each else ((), None)
        if asked.gpus_each <= len(pool):
            return asked
        there = f"{engine} has {len(pool)} to give out" if pool else f"{engine} has none to give out"
        return replace(asked, wrong={**asked.wrong, ("gpus_each", 0): there})

    def begin(self, texts: SweepTexts, reply: Reply) -> None:
        """Check once more, and begin where nothing is amiss: SweepJudged, with `begun` then."""
        self._work(partial(self._begin, texts, reply), name="begin a sweep", group="sweep-begin", exclusive=True)

    async def _begin(self, texts: SweepTexts, reply: Reply) -> None:
        try:
            judged = await self._judged(texts, strict=True)
            asked = judged.asked
            if judged.blocked or asked is None:
                reply(judged)
                return
            if not asked.left:
                raise Refused(f"all {len(asked.runs)} runs are done in {asked.out}", hint="choose another file")
            judged.begun = self._kept(texts, asked)
        except BackendError as error:
            reply(SweepJudged(texts, error=error))
            return
        assert judged.recipe is not None
        kept = judged.begun
        self.known.append(kept)
        kept.worker = self._work(partial(self._run, kept, judged.recipe), name=f"sweep {kept.title}", group="sweeps")
        reply(judged)

    @staticmethod
    def _kept(texts: SweepTexts, asked: AskedSweep) -> KeptSweep:
        board = SweepBoard(asked.runs, asked.done)
        return KeptSweep(texts, asked, board, time.monotonic(), skipped=board.over)

    # -- running ---------------------------------------------------------------------------------
    async def _run(self, kept: KeptSweep, recipe: Judged) -> None:
        from backends.services.sweep_setting import gpu_pool, recipe_of
        from backends.services.sweeps import Sweep
        from backends.sweep.results import ResultFile
        from tui.cli.schema_sweep import result_row

        fleet, asked, engine = self._fleet(), kept.asked, kept.texts.engine
        try:
            spec = recipe_of(recipe)
            results = await asyncio.to_thread(ResultFile, asked.out)

            async def write(row: SweepRow) -> None:
                await asyncio.to_thread(results.append, result_row(row, asked.image, engine))

            try:
                pool, with_gpus = gpu_pool(fleet, engine, fleet.store.view.gpus)
                kept.sweep = Sweep(
                    fleet,
                    engine,
                    spec,
                    asked.left,
                    jobs=asked.jobs,
                    retries=asked.retries,
                    pool=pool,
                    gpus_each=asked.gpus_each,
                    with_gpus=with_gpus,
                    write=write,
                    on_row=kept.board.take,
                )
                if kept.stops:
                    kept.sweep.stop()
                await kept.sweep.run()
            finally:
                results.close()
        except BackendError as error:
            kept.error = error
        finally:
            kept.ended = True
            kept.board.settle()

    def stop(self, kept: KeptSweep) -> None:
        """Begin no further run; those that run go on to their end."""
        kept.stops += 1
        if kept.sweep is not None:
            kept.sweep.stop()

    def kill(self, kept: KeptSweep) -> None:
        """Stop, and end those that run now."""
        self.stop(kept)
        if kept.sweep is not None:
            self._work(kept.sweep.kill, name=f"end the runs of {kept.title}", group="sweep-kill")

    async def close(self) -> None:
        """Call all off; wait until what ran is removed."""
        await called_off(one.worker for one in self.known if one.worker is not None and not one.ended)


__all__ = ["OF_RECIPE", "KeptSweep", "SweepCommands", "SweepJudged", "SweepTexts"]
