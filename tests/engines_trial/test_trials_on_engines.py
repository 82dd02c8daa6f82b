"""A container measured on real engines: its image and volume are brought, and nothing of that stays."""

from __future__ import annotations

import pytest

from backends.model.ids import ContainerKey
from backends.model.trial import ReadyBy, TrialRequest
from backends.services import owned
from backends.services.fleet import Fleet
from backends.services.trials import run_trial
from tests.engines_migration.yard import Yard
from tests.real import host_port
from tests.thorough import thorough

pytestmark = pytest.mark.engines

LOOKS = "{{.State.Status}} {{.State.Pid}} {{.State.StartedAt}} {{json .Mounts}}"
"""What a trial leaves as it was. Its health is looked at by the engine itself, again and again."""


@pytest.mark.parametrize("names", [("docker", "podman", "podman-rootless"), *thorough(("podman-rootless", "docker"))])
async def test_a_container_is_measured_on_each_and_left_as_it_was(yard: Yard, names: tuple[str, ...]) -> None:
    first = names[0]
    yard.build(first)
    volume, port = f"{yard.run}-data", host_port()
    options = ["-p", f"{port}:80", "-v", f"{volume}:/data", "-e", "COLOR=blue", "--name", yard.run, *yard.marks]
    yard.cli(first, "volume", "create", *yard.marks, volume)
    made = yard.cli(first, "run", "-d", *options, yard.image, "httpd", "-f", "-p", "80", "-h", "/data").strip()
    yard.cli(first, "exec", yard.run, "sh", "-c", "echo weights > /data/model.bin")
    before = yard.ask(first, yard.run, LOOKS)
    engines = [yard.engine(name) for name in names]
    fleet = Fleet(engines)
    await fleet.start()
    assert await fleet.ready(20)
    # The copy has the volume's content, and the recipe's environment: else the command fails.
    command = ("sh", "-c", 'grep -q weights /data/model.bin && [ "$COLOR" = blue ]')
    request = TrialRequest(tuple(engine.id for engine in engines), 1, ReadyBy.PORT, command=command, runs=2)
    try:
        report = await run_trial(fleet, ContainerKey(engines[0].id, made), yard.run, request, lambda _progress: None)
    finally:
        await fleet.close()
    assert [one.engine.name for one in report.rounds] == list(names)
    for engine in engines:
        spreads = report.spreads[engine.id]
        assert {"create_s", "ready_s", "stop_s", "remove_s", "exec_s"} <= set(spreads)
        assert spreads["monitor_bytes"].median > 0, "conmon or the shim was seen"
    assert report.spreads[engines[0].id]["exec_s"].median > 0
    (mark,) = owned.mark().items()
    for name in names:
        for kind in ("ps -aq", "volume ls -q"):
            assert yard.cli(name, *kind.split(), "--filter", f"label={'='.join(mark)}") == ""
        if name != first:
            assert yard.image_id(name) == "", "the image went again"
    assert yard.ask(first, yard.run, LOOKS) == before
