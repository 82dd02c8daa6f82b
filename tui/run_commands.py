"""What a person asked for about a new container, done in workers of `tui.commands`. May not draw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backends.model.errors import BackendError
from tui.messages import BaseRead, DraftJudged, LaunchEnded, NamesKnown, RunLineRead
from tui.workers import Reply, Work

if TYPE_CHECKING:
    from backends.draft.draft import Draft
    from backends.draft.spec import Around
    from backends.model.container import Container
    from backends.model.fleet import FleetView
    from backends.model.ids import ContainerKey, EngineId
    from backends.model.workload import WorkloadSpec
    from backends.services.fleet import Fleet
    from backends.services.launch import Judged
    from backends.services.recreate import Before

DEBOUNCE_S = 0.15  # while a person types, nothing is read and nobody asked


class RunCommands:
    """Starts workers on behalf of the form. fleet: gives the open fleet, raises Refused before it is open.

    state_dir: where a change keeps its journal.
    """

    def __init__(self, work: Work, fleet: Callable[[], Fleet], state_dir: Path) -> None:
        self._work = work
        self._fleet = fleet
        self._state_dir = state_dir

    def judge(self, asked: Asked, reply: Reply) -> None:
        """Say what becomes of a draft (DraftJudged): from what is known, then with what the engine says.

        A later call takes the place of an earlier one.
        """
        self._work(partial(self._judge, asked, reply), name="look at a draft", group="draft", exclusive=True)

    async def _judge(self, asked: Asked, reply: Reply) -> None:
        await asyncio.sleep(DEBOUNCE_S)
        first = await asked.judged(self._fleet())
        reply(DraftJudged(first, looked=False))
        if not first.wrong:
            looked = await asked.looked(self._fleet(), first)
            if looked is not None:
                reply(DraftJudged(looked, looked=True))

    def names(self, reply: Reply) -> None:
        """Names that can be completed: images and volumes of all engines, networks (NamesKnown)."""
        self._work(partial(self._names, reply), name="names to complete", group="draft-names", exclusive=True)

    async def _names(self, reply: Reply) -> None:
        from backends.services.launch import known_names

        reply(NamesKnown(*await known_names(self._fleet())))

    def read(self, container: Container, reply: Reply, *, change: bool) -> None:
        """Read what a form begins with (BaseRead): another one like this, or this one that is to be changed."""
        work = partial(self._read, container, reply, change)
        self._work(work, name=f"read {container.key.short}", group="draft-base", exclusive=True)

    async def _read(self, container: Container, reply: Reply, change: bool) -> None:
        from backends.services.launch import like
        from backends.services.recreate import read_before

        fleet = self._fleet()
        try:
            if change:
                before = await read_before(fleet, container)
                reply(BaseRead(before.spec, before))
            else:
                reply(BaseRead(like(await fleet.engine(container.key.engine).workload_spec(container.key.id))))
        except BackendError as error:
            reply(BaseRead(error=error))

    def line_of(self, container: Container, reply: Reply) -> None:
        """Read the line of `docker run` or `podman run` that makes another one like this (RunLineRead)."""
        work = partial(self._line_of, container, reply)
        self._work(work, name=f"run line of {container.key.short}", group="run-line", exclusive=True)

    async def _line_of(self, container: Container, reply: Reply) -> None:
        from backends.export.command import run_command
        from backends.services.launch import like

        engine = self._fleet().engine(container.key.engine)
        command = run_command(like(await engine.workload_spec(container.key.id)), container.key.engine.plays)
        reply(RunLineRead(container.name, command.text, command.hidden, command.unsaid))

    def launch(self, asked: Asked, reply: Reply, before: Before | None = None) -> None:
        """Check once more, create and start (LaunchEnded). before: the container whose place it takes."""
        self._work(partial(self._launch, asked, reply, before), name="run a container", group="launch")

    async def _launch(self, asked: Asked, reply: Reply, before: Before | None) -> None:
        from backends.services.launch import early_end, launch
        from backends.services.recreate import recreate

        told: list[BackendError | None] = []
        end: Callable[[], object] | None = None
        try:
            fleet = self._fleet()
            end = fleet.operations.subscribe(lambda update: told.append(update.error))
            judged = await asked.judged(fleet)
            if not judged.wrong:
                judged = await asked.looked(fleet, judged, strict=True) or judged
            if judged.blocked:
                reply(DraftJudged(judged, looked=True))
                reply(LaunchEnded())
                return
            if before is not None:
                launched = await recreate(fleet, before, judged.spec, state_dir=self._state_dir)
            else:
                launched = await launch(fleet, asked.engine, judged.spec)
            reply(LaunchEnded(launched.key, early_end(launched)))
        except BackendError as error:
            reply(LaunchEnded(error=None if any(error is one for one in told) else error))
        except Exception:
            reply(LaunchEnded())  # a bug is told by the one who hears of it; the form may be left
            raise
        finally:
            if end is not None:
                end()


class Asked:
    """A draft for one engine, with all that judging it needs. base: the recipe it was made from. view: gives the
    newest. replaced: the container whose place it takes."""

    def __init__(
        self,
        view: Callable[[], FleetView],
        engine: EngineId,
        draft: Draft,
        around: Around,
        base: WorkloadSpec | None = None,
        replaced: ContainerKey | None = None,
        *,
        training: bool = False,
    ) -> None:
        self.engine = engine
        self._training = training
        self.replaced = replaced
        self._view, self._draft, self._around, self._base = view, draft, around, base

    async def judged(self, _fleet: Fleet) -> Judged:
        """By what is known already; files of variables are read."""
        from backends.services.launch import judge

        call = partial(judge, self._view(), self.engine, self._draft, self._around)
        return await asyncio.to_thread(call, base=self._base, replaced=self.replaced, training=self._training)

    async def looked(self, fleet: Fleet, first: Judged, *, strict: bool = False) -> Judged | None:
        """With what the engine and its machine say; None where they do not answer, unless strict: it raises then."""
        from backends.services.launch import judge, look

        try:
            facts = await look(fleet, self.engine, first.spec)
        except BackendError:
            if strict:
                raise
            return None
        call = partial(judge, self._view(), self.engine, self._draft, self._around)
        return await asyncio.to_thread(
            call, base=self._base, facts=facts, replaced=self.replaced, training=self._training
        )


__all__ = ["Asked", "RunCommands"]
