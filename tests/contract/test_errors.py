"""What goes wrong has the same kind on every engine, says where it was, and has a title for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest

from backends.engine import Engine
from backends.model.capabilities import Capability
from backends.model.container import MountKind, Port
from backends.model.errors import BackendError, Conflict, NotFound
from backends.model.workload import MountSpec, RestartName, RestartPolicy, WorkloadSpec
from tests.contract.lab import BUSYBOX, Lab, one_chunk

_NOBODY = "tranship-nobody-has-this-name"


async def _enter(context: AbstractAsyncContextManager[Any]) -> None:
    async with context as items:
        async for _ in items:
            break


_MISSING: dict[str, Callable[[Engine], Awaitable[object]]] = {
    "inspect_container": lambda engine: engine.inspect_container(_NOBODY),
    "inspect_raw": lambda engine: engine.inspect_raw(_NOBODY),
    "start": lambda engine: engine.start(_NOBODY),
    "stop": lambda engine: engine.stop(_NOBODY),
    "restart": lambda engine: engine.restart(_NOBODY),
    "kill": lambda engine: engine.kill(_NOBODY),
    "remove": lambda engine: engine.remove(_NOBODY),
    "rename": lambda engine: engine.rename(_NOBODY, "another-name"),
    "wait_exit": lambda engine: engine.wait_exit(_NOBODY),
    "workload_spec": lambda engine: engine.workload_spec(_NOBODY),
    "logs": lambda engine: _enter(engine.logs(_NOBODY)),
    "set_restart": lambda engine: engine.set_restart(_NOBODY, RestartPolicy(RestartName.ALWAYS)),
    "execute": lambda engine: engine.execute(_NOBODY, ["true"]),
    "check_health": lambda engine: engine.check_health(_NOBODY),
    "changed_paths": lambda engine: engine.changed_paths(_NOBODY),
    "read_files": lambda engine: _enter(engine.read_files(_NOBODY, "/etc")),
    "write_files": lambda engine: engine.write_files(_NOBODY, "/etc", one_chunk(b"\0" * 10240)),
    "commit_container": lambda engine: engine.commit_container(_NOBODY, "localhost/test-other:1"),
    "create_container": lambda engine: engine.create_container(WorkloadSpec("test-x", f"localhost/{_NOBODY}:1")),
    "image_facts": lambda engine: engine.image_facts(f"localhost/{_NOBODY}:1"),
    "image_layers": lambda engine: engine.image_layers(f"localhost/{_NOBODY}:1"),
    "export_image": lambda engine: _enter(engine.export_image(f"localhost/{_NOBODY}:1")),
    "tag_image": lambda engine: engine.tag_image(f"localhost/{_NOBODY}:1", "localhost/test-other:1"),
    "remove_image": lambda engine: engine.remove_image(f"localhost/{_NOBODY}:1"),
    "inspect_network": lambda engine: engine.inspect_network(_NOBODY),
    "remove_network": lambda engine: engine.remove_network(_NOBODY),
    "inspect_volume": lambda engine: engine.inspect_volume(_NOBODY),
    "remove_volume": lambda engine: engine.remove_volume(_NOBODY),
    "export_volume": lambda engine: _enter(engine.export_volume(_NOBODY, via_image=BUSYBOX)),
    "import_volume": lambda engine: engine.import_volume(_NOBODY, one_chunk(b"\0" * 10240), via_image=BUSYBOX),
    "run_in_volume": lambda engine: _enter(engine.run_in_volume(_NOBODY, ["true"], via_image=BUSYBOX)),
}


async def test_what_is_not_there_is_not_found_in_every_method(lab: Lab) -> None:
    wrong = []
    for name, call in _MISSING.items():
        try:
            await call(lab.engine)
        except BackendError as error:
            if not isinstance(error, NotFound) or not _told(error, lab):
                wrong.append((name, type(error).__name__, str(error), error.engine))
        else:
            wrong.append((name, "no error", "", None))
    assert wrong == []


def _told(error: BackendError, lab: Lab) -> bool:
    """Where it was, and one line of what it was."""
    return error.engine == lab.engine.id and bool(error.title) and "\n" not in error.title


async def _conflict(lab: Lab, call: Awaitable[object]) -> None:
    with pytest.raises(Conflict) as caught:
        await call
    assert _told(caught.value, lab)


async def test_names_that_are_taken_conflict(lab: Lab) -> None:
    engine = lab.engine
    name, volume = lab.name(), await lab.volume()
    made = await lab.make(lab.spec(name=name))
    other = await lab.make()
    await _conflict(lab, engine.create_container(lab.spec(name=name)))
    await _conflict(lab, engine.rename(other, name))
    await _conflict(lab, lab.volume(volume))
    assert (await engine.inspect_container(name)).key.id == made


async def test_states_that_do_not_fit_conflict(lab: Lab) -> None:
    engine = lab.engine
    stopped = await lab.make()
    await _conflict(lab, engine.kill(stopped))
    if lab.can(Capability.PAUSE):
        running = await lab.run()
        await _conflict(lab, engine.unpause(running))
        await _conflict(lab, engine.pause(stopped))
        await engine.pause(running)
        await _conflict(lab, engine.start(running))


async def test_what_is_in_use_cannot_be_removed(lab: Lab) -> None:
    engine = lab.engine
    volume = await lab.volume()
    mount = MountSpec(MountKind.VOLUME, volume, "/data")
    await lab.make(replace(lab.spec(), mounts=(mount,)))
    await _conflict(lab, engine.remove_volume(volume))
    facts = await engine.image_facts(BUSYBOX)
    await _conflict(lab, engine.remove_image(facts.key.id))
    assert (await engine.image_facts(BUSYBOX)).key == facts.key


async def test_a_taken_port_conflicts_at_start(lab: Lab) -> None:
    engine = lab.engine
    first = await lab.run(spec=replace(lab.spec(), ports=(Port(80, "tcp", "", 0),)))
    (port,) = {port.host_port for port in (await engine.inspect_container(first)).ports}
    assert port
    second = await lab.make(replace(lab.spec(), ports=(Port(80, "tcp", "", port),)))
    await _conflict(lab, engine.start(second))
