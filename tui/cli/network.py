"""`tranship network …`: networks of all engines listed, made, removed; one subcommand each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from backends.model.network import NetworkSpec, Subnet
from backends.model.stores import NetworkRow
from tui.cli import schema, schema_stores, stores_parts
from tui.cli.exits import Exit
from tui.cli.groups import Subcommands
from tui.cli.options import common, engine_option, only, yes_option
from tui.cli.output import answer, data, doubt, rows
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.stores_parts import NETWORKS, chosen, networks_of, pairs, told
from tui.cli.table import Column
from widgets.format import MISSING, age_text

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

COLUMNS = (
    Column("ENGINE", give=1),
    Column("NETWORK", give=3, cut="middle"),
    Column("DRIVER"),
    Column("SUBNETS", give=2),
    Column("USED BY", give=4),
    Column("AGE", align="right"),
)


@click.group(cls=Subcommands)
@common
def network() -> None:
    """List, inspect, make, remove and prune networks."""


@network.command(name="ls")
@click.option("--unused", is_flag=True, help="Only those that no container is on, without the engines' own.")
@engine_option
@common
@pass_invocation
def list_(invocation: Invocation, unused: bool, engine: str | None) -> None:
    """List the networks of all engines: who is on each, and its address ranges."""

    async def body(fleet: Fleet) -> Exit:
        _, seen = await networks_of(fleet, engine)
        shown = [row for row in seen.rows if row.removable or not unused]
        errors = seen.errors
        if invocation.json:
            answer(
                networks=[schema_stores.network(row) for row in shown],
                errors=[schema.error(error) for error in errors],
            )
        else:
            now = datetime.now(UTC)
            rows(COLUMNS, [_cells(row, now) for row in shown])
        doubt((row.key.engine, row.key.name, row.network.why) for row in seen.rows)
        return told(errors)

    run(invocation, body, only=only(engine))


def _cells(row: NetworkRow, now: datetime) -> tuple[str, ...]:
    return (
        row.key.engine.name,
        row.key.name,
        row.network.spec.driver,
        ", ".join(one.subnet for one in row.network.spec.subnets) or MISSING,
        ", ".join(row.users) or MISSING,
        age_text(row.created_at, now),
    )


@network.command()
@click.argument("name", metavar="NETWORK")
@engine_option
@common
@pass_invocation
def inspect(invocation: Invocation, name: str, engine: str | None) -> None:
    """Say all that is known of one network."""

    async def body(fleet: Fleet) -> Exit:
        from widgets.store_rows import network_facts

        _, seen = await networks_of(fleet, engine)
        row = chosen("network", seen.rows, name, engine, seen.errors)
        if invocation.json:
            answer(network=schema_stores.network(row))
        else:
            for title, text in network_facts(row, datetime.now(UTC)):
                data(f"{title:<12} {text}")
        return Exit.DONE

    run(invocation, body, only=only(engine))


@network.command()
@click.argument("name", metavar="NAME")
@click.option("--subnet", "subnets", metavar="CIDR", multiple=True, help="Its address range; else the engine chooses.")
@click.option("--gateway", metavar="ADDRESS", default="", help="Of the first --subnet.")
@click.option("--internal", is_flag=True, help="Without a way out.")
@click.option("--ipv6", is_flag=True, help="With IPv6 addresses too.")
@click.option("--label", "-l", "labels", metavar="NAME=VALUE", multiple=True)
@click.option("--opt", "-o", "options", metavar="NAME=VALUE", multiple=True, help="Of the driver.")
@engine_option
@common
@pass_invocation
def create(
    invocation: Invocation,
    name: str,
    subnets: tuple[str, ...],
    gateway: str,
    internal: bool,
    ipv6: bool,
    labels: tuple[str, ...],
    options: tuple[str, ...],
    engine: str | None,
) -> None:
    """Make a bridge network on the engine of --engine (needed where several answer)."""
    if gateway and not subnets:
        raise click.UsageError("--gateway is an address of a --subnet")
    ranges = tuple(Subnet(one, gateway if place == 0 else "") for place, one in enumerate(subnets))
    spec = NetworkSpec(
        name,
        subnets=ranges,
        internal=internal,
        ipv6=ipv6,
        labels=pairs(labels, "--label"),
        options=pairs(options, "--opt"),
    )

    stores_parts.make(invocation, NETWORKS, name, engine, lambda stores, target: stores.create_network(target, spec))


@network.command()
@click.argument("names", metavar="NETWORK...", nargs=-1, required=True)
@yes_option
@engine_option
@common
@pass_invocation
def rm(invocation: Invocation, names: tuple[str, ...], yes: bool, engine: str | None) -> None:
    """Remove networks. Asks; one that a container is on, and the engines' own, are refused."""
    stores_parts.remove_named(invocation, NETWORKS, names, engine, yes=yes)


@network.command()
@yes_option
@engine_option
@common
@pass_invocation
def prune(invocation: Invocation, yes: bool, engine: str | None) -> None:
    """Remove networks that no container is on. Lists them, and asks."""
    stores_parts.prune(invocation, NETWORKS, lambda _: True, engine, yes=yes)


__all__ = ["network"]
