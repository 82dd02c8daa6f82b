"""`tranship advise CONTAINER`: which engine serves it, each statement with its fact. Changes nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from backends.model.advice import RULE, Advice, Effect
from tui.cli import schema_security
from tui.cli.exits import Exit
from tui.cli.options import common, container_argument, engine_option
from tui.cli.output import answer, data, rows
from tui.cli.pick import first_view, the_container
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

_COLUMNS = (Column("ENGINE", give=1), Column(""), Column("TOPIC"), Column("STATEMENT", give=2), Column("READ", give=3))
MARKS = {Effect.BLOCKS: "✕ blocks", Effect.LACKS: "! lacks", Effect.SERVES: "✓ serves", Effect.TELLS: "· tells"}


@click.command()
@container_argument
@engine_option
@common
@pass_invocation
def advise(invocation: Invocation, name: str, engine: str | None) -> None:
    """Say which engine of this fleet serves a container, and why.

    Looks at rights, GPUs, start at boot, limits, health checks, registries and orchestration. Each statement has the
    field or file it was read from; the verdict follows from them by a rule that is printed. --engine: where CONTAINER
    is, if several engines have one of that name.
    """

    async def body(fleet: Fleet) -> Exit:
        from backends.services.advice import advise_on

        container = the_container(await first_view(fleet), name, engine)
        advice = await advise_on(fleet, container, os.environ)
        if invocation.json:
            answer(advice=schema_security.advice(advice))
        else:
            _tell(advice)
        return Exit.DONE

    run(invocation, body)


def _tell(advice: Advice) -> None:
    data(inert(advice.verdict))
    data(f"rule: {RULE}")
    data("")
    rows(
        _COLUMNS,
        [
            [one.engine or "this machine", MARKS[one.effect], one.topic, one.sentence, f"{one.source} = {one.value}"]
            for one in advice.statements
        ],
    )
    remedies = [one for one in advice.statements if one.remedy]
    if remedies:
        data("")
    for one in remedies:
        data(inert(f"{one.engine or 'this machine'}, {one.topic}: → {one.remedy}"))


__all__ = ["advise"]
