"""Files of containers and volumes by the services that reach for them, on every engine; and who uses a volume."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from backends.model.container import MountKind
from backends.model.errors import Conflict, NotFound
from backends.model.files import FileKind, Folder
from backends.model.stores import StoreKey
from backends.model.workload import MountSpec
from backends.services.browse import VolumeBrowser, container_folder, kind_at
from backends.services.file_copies import copy_across, copy_in, copy_out
from backends.services.fleet import Fleet
from backends.services.volume_copies import copy_out_of_volume
from tests.contract.lab import Lab


def _kinds(folder: Folder) -> dict[str, tuple[FileKind, int]]:
    return {one.name: (one.kind, one.size_bytes if one.kind is FileKind.FILE else 0) for one in folder.entries}


def _names(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir())


def _tree(path: Path) -> None:
    (path / "deep" / "er").mkdir(parents=True)
    (path / "one").write_bytes(b"1" * 1000)
    (path / "one").chmod(0o640)
    (path / "deep" / "er" / "two").write_bytes(b"2" * 3000)
    (path / "deep" / "near").symlink_to("er/two")


@pytest.mark.one_podman
async def test_files_go_in_are_listed_go_across_and_come_out(lab: Lab, tmp_path: Path) -> None:
    volume = await lab.volume()
    spec = replace(lab.spec(), mounts=(MountSpec(MountKind.VOLUME, volume, "/data"),))
    made, other = await lab.run(spec=spec), await lab.make()  # one runs, the other does not
    _tree(tmp_path / "tree")
    engine = lab.engine
    fleet = Fleet([engine])  # not started: nothing but the engine is needed
    row, second = await engine.inspect_container(made), await engine.inspect_container(other)
    done = await copy_in(fleet, row, tmp_path / "tree", "/data", lambda _flow: None, owner=(7, 8))
    assert (done.target, done.files) == ("/data/tree", 3)
    folder = await container_folder(engine, made, "/data/tree")
    assert _kinds(folder) == {"deep": (FileKind.FOLDER, 0), "one": (FileKind.FILE, 1000)}
    (one,) = (entry for entry in folder.entries if entry.name == "one")
    assert (one.mode, one.uid, one.gid) == (0o640, 7, 8)
    deep = _kinds(await container_folder(engine, made, "data//tree/./deep"))
    assert deep == {"er": (FileKind.FOLDER, 0), "near": (FileKind.LINK, 0)}
    with pytest.raises(NotFound):
        await container_folder(engine, made, "/data/nothing")
    assert await kind_at(engine, made, "/data/tree/one") is FileKind.FILE
    assert await kind_at(engine, made, "/data/nothing") is None

    with pytest.raises(Conflict, match="exists already"):
        await copy_in(fleet, row, tmp_path / "tree" / "one", "/data/tree", lambda _flow: None)
    (tmp_path / "tree" / "one").write_bytes(b"anew")
    await copy_in(fleet, row, tmp_path / "tree" / "one", "/data/tree", lambda _flow: None, overwrite=True)

    across = await copy_across(fleet, row, "/data/tree", second, "/tmp/moved", lambda _flow: None)
    assert across.target == "/tmp/moved"
    assert _kinds(await container_folder(engine, other, "/tmp/moved")).keys() == {"deep", "one"}
    out = await copy_out(fleet, second, "/tmp/moved", tmp_path, lambda _flow: None)
    assert out.target == str(tmp_path / "moved")
    assert (tmp_path / "moved" / "one").read_bytes() == b"anew"
    assert (tmp_path / "moved" / "deep" / "near").read_bytes() == b"2" * 3000
    with pytest.raises(Conflict, match="exists already"):
        await copy_out(fleet, second, "/tmp/moved", tmp_path, lambda _flow: None)
    with pytest.raises(NotFound, match="there is no /tmp/nothing"):
        await copy_out(fleet, second, "/tmp/nothing", tmp_path, lambda _flow: None)
    assert _names(tmp_path) == ["moved", "tree"], "nothing half done is left"

    users, sizes = await asyncio.gather(engine.volume_users(), engine.volume_sizes())
    assert users[volume] == (row.name,)
    assert sizes.get(volume, 0) >= 3000
    browser = VolumeBrowser()
    assert set(_kinds(await browser.folder(engine, volume, "tree/deep"))) == {"er", "near"}
    await _copies_of_a_volume(fleet, StoreKey(engine.id, volume), tmp_path / "here", browser)
    await fleet.close()


async def _copies_of_a_volume(fleet: Fleet, key: StoreKey, here: Path, browser: VolumeBrowser) -> None:
    """A file, a folder with a link, and all of it; nothing is overwritten, and what is not there is said."""
    await asyncio.to_thread(here.mkdir)
    out = partial(copy_out_of_volume, fleet, key, report=lambda _flow: None, browser=browser)
    done = await out(path="/tree/one", destination=here)
    assert (done.target, done.files, (here / "one").read_bytes()) == (str(here / "one"), 1, b"anew")
    with pytest.raises(Conflict, match="exists already"):
        await out(path="tree/one", destination=here)
    assert (await out(path="/tree/deep", destination=here)).files == 2
    assert (here / "deep" / "near").read_bytes() == b"2" * 3000
    whole = await out(path="/", destination=here / "all")
    assert (whole.files, _names(here / "all")) == (3, ["tree"])
    with pytest.raises(NotFound, match="there is no /tree/none"):
        await out(path="/tree/none", destination=here)
    assert _names(here) == ["all", "deep", "one"], "nothing half done is left"
