"""The console script with engines that are reached over TCP: what costs a far engine work is asked for on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.door import open_door
from tests.e2e.cli import Cli, Ran
from tests.real import RealEngines

pytestmark = [pytest.mark.engines, pytest.mark.e2e]


@pytest.fixture
def cli(real_engines: RealEngines, run_label: dict[str, str]) -> Iterator[Cli]:
    program = Cli(real_engines, run_label)
    yield program
    program.clean()


async def test_usage_of_all_rows_that_are_printed_and_of_none_where_it_is_not_printed(cli: Cli) -> None:
    ids = {cli.make(engine, cli.name(engine), command=("sleep", "99")) for engine in ("docker", "podman") for _ in "ab"}
    async with open_door(cli.engines.docker) as docker, open_door(cli.engines.podman) as podman:

        async def run(*argv: str) -> Ran:
            return await asyncio.to_thread(cli, *argv, DOCKER_HOST=docker.url, CONTAINER_HOST=podman.url)

        ran = await run("engines", "--json")
        assert [engine["endpoint"] for engine in ran.json["engines"]] == [docker.url, podman.url]
        assert (await run("--json")).code == 0  # the snapshot shows no usage
        assert not [one for one in docker.requests if "/stats" in one]
        for _ in range(3):  # an engine that is busy with other tests may be later than the command waits
            ran = await run("ps", "--stats", "--json")
            assert ran.code == 0, ran.err
            usage = {row["id"]: row["stats"] for row in ran.json["containers"] if row["id"] in ids}
            assert usage.keys() == ids
            # A sleeping busybox may have all its memory in the file cache, which is not counted: 0 is a reading too.
            untold = [one for one in usage.values() if one["cpu_percent"] is None or one["memory_bytes"] is None]
            if not untold:
                break
    assert untold == []
