"""`tranship login` and `logout`: a registry's account, in the engine's own credential store. Shows no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from backends.model.capabilities import Capability
from backends.model.errors import BackendError
from tui.cli import schema, schema_transfers
from tui.cli.ask_secret import secret_for
from tui.cli.exits import Exit, exit_of, worst
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer, complain, data, rows
from tui.cli.pick import first_view, one_engine
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.table import Column
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet

COLUMNS = (Column("ENGINE"), Column("REGISTRY", give=2), Column("USER", give=1), Column("KEPT IN", give=2))


@click.command()
@click.argument("registry", required=False, default=None)
@click.option("--username", "-u", metavar="NAME", help="The account.")
@click.option("--password-stdin", is_flag=True, help="Read the password or token from standard input.")
@click.option("--list", "-l", "listing", is_flag=True, help="List the logins that the engines' stores have.")
@engine_option
@common
@pass_invocation
def login(
    invocation: Invocation,
    registry: str | None,
    username: str | None,
    password_stdin: bool,
    listing: bool,
    engine: str | None,
) -> None:
    """Log in to REGISTRY (Docker Hub where none is said). The engine's own program or helper keeps the secret.

    Tranship keeps none: what it needs for a pull it asks of that store.
    """
    if listing:
        _list(invocation, engine)
    name = _registry(registry or "")
    if not username:
        raise click.UsageError("say the account with --username")
    account = username

    async def body(fleet: Fleet) -> Exit:
        from backends.model.transfer import Credentials
        from backends.services.logins import log_in

        target = await one_engine(fleet, engine)
        secret = await secret_for(f"Password of {account} at {name}", from_stdin=password_stdin)
        made = await log_in(fleet, target, name, Credentials(account, secret))
        if invocation.json:
            answer(action="registry.login", login=schema_transfers.login(target, made), error=None)
        else:
            data(inert(f"{made.username} is logged in to {made.registry} on {target}; {made.kept}"))
        return Exit.DONE

    run(invocation, body, only=only(engine))


@click.command()
@click.argument("registry", required=False, default="")
@engine_option
@common
@pass_invocation
def logout(invocation: Invocation, registry: str, engine: str | None) -> None:
    """Take the login for REGISTRY (Docker Hub where none is said) out of the engine's own store."""
    name = _registry(registry)

    async def body(fleet: Fleet) -> Exit:
        from backends.services.logins import log_out

        target = await one_engine(fleet, engine)
        await log_out(fleet, target, name)
        if invocation.json:
            answer(action="registry.logout", engine=target.name, registry=name, error=None)
        else:
            data(inert(f"logged out of {name} on {target}"))
        return Exit.DONE

    run(invocation, body, only=only(engine))


def _registry(text: str) -> str:
    from backends.model.transfer import registry_name

    try:
        return registry_name(text)
    except ValueError as error:
        raise click.UsageError(inert(str(error))) from error


def _list(invocation: Invocation, engine: str | None) -> None:
    async def body(fleet: Fleet) -> Exit:
        if engine is not None:
            await one_engine(fleet, engine)
        view = await first_view(fleet)
        plain, errors = [], []
        for one in fleet.engines:
            if not view.engines[one.id].stale and not view.engines[one.id].offers(Capability.STORES):
                continue  # a cluster, whose nodes have their own
            try:
                plain += [schema_transfers.login(one.id, entry) for entry in await one.logins()]
            except BackendError as error:
                errors.append(error)
                complain(error)
        if invocation.json:
            answer(logins=plain, errors=[schema.error(error) for error in errors])
        else:
            cells = [(row["engine"], row["registry"], row["username"], row["store"]) for row in plain]
            rows(COLUMNS, [tuple(inert(str(cell)) for cell in row) for row in cells])
        return worst([exit_of(error) for error in errors])

    run(invocation, body, only=only(engine))
