"""Every option of the engines' own `create` is in the plan: as same, converted, or dropped with a reason.

Containers are only created, never started. The options stand in flags.txt.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backends.migration.plan import make_plan
from backends.migration.planning import source_facts, target_facts
from backends.model.plan import Plan, Verdict
from tests.engines_migration.yard import Yard

pytestmark = pytest.mark.engines

ENGINES = {"docker": "*d", "podman": "*pP", "podman-rootless": "*pR"}
IMAGE = "test/busybox:1"


def options(engine: str, run: str) -> Iterator[tuple[list[str], str]]:
    """(argv, word) of each line of flags.txt for that engine."""
    for line in (Path(__file__).parent / "flags.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        kind, flags, word = (part.strip().replace("{run}", run) for part in line.split(" | "))
        if kind in ENGINES[engine]:
            argv = [text.replace("\\n", "\n").replace("~", " ") for text in flags.split()]
            yield argv, word.replace("\\n", "\n")


def lines(plan: Plan) -> set[str]:
    """What the plan says of each field."""
    for field in plan.fields:
        assert field.verdict is Verdict.SAME or field.reason, field
    return {f"{field.field} {field.source} {field.target} ({field.reason})" for field in plan.fields}


def scenery(yard: Yard, engine: str) -> None:
    """What some of the options refer to."""
    yard.cli(engine, "volume", "create", *yard.marks, f"{yard.run}-v")
    shared = ["--ipc", "shareable", "-v", f"{yard.run}-bv:/bv"]
    yard.cli(engine, "create", "--name", f"{yard.run}-base", *shared, *yard.marks, IMAGE)
    yard.cli(engine, "network", "create", "--subnet", "10.203.77.0/24", *yard.marks, f"{yard.run}-net")
    if engine != "docker":
        yard.cli(engine, "pod", "create", "--name", f"{yard.run}-pod", *yard.marks)
        yard.real.cli(engine, "secret", "create", f"{yard.run}-s", "-", stdin=b"hidden")


def clear(yard: Yard, engine: str, names: list[str]) -> None:
    """Take all of it away again, whatever of it there is."""
    yard.answers(engine, "rm", "-f", "-v", *names)
    yard.answers(engine, "rm", "-f", "-v", f"{yard.run}-base")
    if engine != "docker":
        yard.answers(engine, "pod", "rm", "-f", f"{yard.run}-pod")
        yard.answers(engine, "secret", "rm", f"{yard.run}-s")
    yard.answers(engine, "network", "rm", f"{yard.run}-net")


@pytest.mark.parametrize("engine", ENGINES)
async def test_every_option_is_in_the_plan(yard: Yard, engine: str) -> None:
    wanted = list(options(engine, yard.run))
    names = [f"{yard.run}-{number}" for number in range(len(wanted))]
    source, target = yard.engine(engine), yard.engine("podman" if engine == "docker" else "docker")
    wrong: list[str] = []
    try:
        await asyncio.to_thread(scenery, yard, engine)
        plain = f"{yard.run}-plain"
        names.append(plain)
        await asyncio.to_thread(yard.cli, engine, "create", "--name", plain, *yard.marks, IMAGE, "true")
        facts = await source_facts(source, plain)
        there = await target_facts(target, facts)
        nothing = make_plan(facts, there)
        assert not [field for field in nothing.fields if field.verdict is Verdict.DROPPED]

        async def check(name: str, argv: list[str], word: str) -> None:
            try:
                await asyncio.to_thread(yard.cli, engine, "create", "--name", name, *yard.marks, *argv, IMAGE, "true")
            except subprocess.CalledProcessError as error:
                wrong.append(f"{argv}: {error.__notes__}")
                return
            spec = replace(await source.workload_spec(name), name=plain)
            said = lines(make_plan(replace(facts, spec=spec), there)) - lines(nothing)
            if not any(word.lower() in line.lower() for line in said):
                wrong.append(f"{argv}: {word!r} is not in {sorted(said)}")

        work = asyncio.Semaphore(3)

        async def bounded(name: str, argv: list[str], word: str) -> None:
            async with work:
                await check(name, argv, word)

        await asyncio.gather(*(bounded(name, *one) for name, one in zip(names, wanted, strict=False)))
    finally:
        await asyncio.to_thread(clear, yard, engine, names)
    assert not wrong, "\n".join(wrong)
