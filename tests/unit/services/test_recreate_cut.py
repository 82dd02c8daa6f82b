"""A change whose process dies at any moment is told of by doctor's words, and undone from its journal."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from backends.engine import Engine
from backends.migration import journal as journals
from backends.migration.journal import Status, list_journals
from backends.migration.rollback import undo
from backends.migration.unfinished import next_step, sentence, unfinished
from backends.model.container import Container
from backends.model.ids import ContainerKey
from backends.services.fleet import Fleet
from backends.services.recreate import read_before, recreate
from tests.migration_scene import Scene, picture
from tests.unit.migration.test_unfinished import gone

EFFECTS = ("stop", "set_restart", "rename", "create_container", "start")


class _Died(BaseException):
    """The process is no more: nothing of it runs on."""


class _Mortal:
    """An engine whose caller dies before or after one call; later calls never come to it."""

    def __init__(self, inner: Engine, call: str, *, before: bool) -> None:
        self._inner, self._call, self._before = inner, call, before
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        whole = getattr(self._inner, name)
        if name not in {*EFFECTS, "remove", "inspect_container"}:
            return whole

        async def do(*args: Any, **named: Any) -> Any:
            fatal = name == self._call
            self.dead = self.dead or (fatal and self._before)
            if self.dead:
                raise _Died
            answer = await whole(*args, **named)
            self.dead = fatal
            if fatal:
                raise _Died
            return answer

        return do


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("call", EFFECTS)
async def test_a_change_that_was_killed_is_put_back(
    call: str, before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    made = await scene.furnish()
    at_first = picture(scene.source)
    mortal = _Mortal(scene.source, call, before=before)
    await _change_until_death(mortal, made, tmp_path, monkeypatch)
    monkeypatch.undo()
    assert (picture(scene.source) == at_first) == (call == "stop" and before)

    (record,) = await list_journals(tmp_path)
    assert record.status is Status.RUNNING
    path = journals.folder_of(tmp_path) / f"{record.id}.json"
    path.write_text(journals.to_json(replace(record, pid=gone())))
    (left,) = await unfinished(tmp_path)
    assert sentence(left).startswith("the change of train on here was cut off")
    assert next_step(left) == "tranship migrate train --undo puts it back as it was"
    undone = await undo(tmp_path, left.id, {"here": scene.source})
    assert undone.left == ()
    assert picture(scene.source) == at_first
    assert await unfinished(tmp_path) == []


async def _change_until_death(mortal: _Mortal, made: str, state_dir: Path, patch: pytest.MonkeyPatch) -> None:
    fleet = Fleet([cast(Engine, mortal)])
    await fleet.start()
    try:
        assert await fleet.ready(15)
        row: Container = fleet.store.view.containers[ContainerKey(mortal.id, made)]
        known = await read_before(fleet, row)
        write = journals.write

        def written(path: Path, text: str) -> None:
            if mortal.dead:
                raise _Died
            write(path, text)

        patch.setattr(journals, "write", written)
        wanted = replace(known.spec, env={**known.spec.env, "EPOCHS": "9"})
        with pytest.raises(_Died):
            await recreate(fleet, known, wanted, state_dir=state_dir, settle_s=0.01)
    finally:
        patch.setattr(mortal, "_call", "")
        mortal.dead = False
        await fleet.close()


async def test_taking_back_twice_never_takes_the_one_before_for_the_new_one(tmp_path: Path) -> None:
    """Its name is its own again after the first time; that it was never started makes it look like one just made."""
    scene = Scene()
    made = await scene.furnish(start=False)
    fleet = Fleet([scene.source])
    await fleet.start()
    try:
        assert await fleet.ready(15)
        known = await read_before(fleet, fleet.store.view.containers[ContainerKey(scene.source.id, made)])
        await recreate(fleet, known, replace(known.spec, user="0"), state_dir=tmp_path)
    finally:
        await fleet.close()
    (record,) = await list_journals(tmp_path)
    path = journals.folder_of(tmp_path) / f"{record.id}.json"
    unknown = tuple(replace(entry, id="", made=False) for entry in record.entries)
    path.write_text(journals.to_json(replace(record, pid=gone(), status=Status.RUNNING, entries=unknown)))
    await undo(tmp_path, record.id, {"here": scene.source})
    path.write_text(journals.to_json(replace(record, pid=os.getpid(), status=Status.PARTLY_UNDONE, entries=unknown)))
    undone = await undo(tmp_path, record.id, {"here": scene.source})
    assert undone.left == ()
    assert (await scene.source.inspect_container(made)).name == "train"
