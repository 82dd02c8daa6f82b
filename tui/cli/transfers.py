"""`tranship pull` and `push`: several images, several engines, all at once. What is drawn meanwhile: transfer_block."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from backends.model.errors import BackendError
from backends.model.ids import EngineId
from backends.model.transfer_state import TransferAsk, TransferState
from tui.cli import schema_transfers
from tui.cli.exits import Exit, exit_of, worst
from tui.cli.options import common
from tui.cli.output import answer, complain, data, may_style
from tui.cli.pick import one_engine
from tui.cli.session import Invocation, pass_invocation, run
from tui.cli.transfer_block import TransferBlock
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet
    from backends.services.transfers import Transfer

engines_option = click.option(
    "--engine", "-e", "engines", metavar="NAME", multiple=True, help="This engine; may be said several times."
)
insecure_option = click.option(
    "--insecure", is_flag=True, help="Do without TLS, or with a certificate that nobody vouches for (Podman)."
)


class _Wish(NamedTuple):
    """A transfer that has no engine yet."""

    name: str
    push: bool = False
    platform: str = ""
    insecure: bool = False

    def on(self, engine: EngineId) -> TransferAsk:
        """On an engine."""
        return TransferAsk(engine, self.name, self.push, self.platform, self.insecure)


@click.command()
@click.argument("names", metavar="IMAGE...", nargs=-1, required=True)
@engines_option
@click.option("--platform", metavar="OS/ARCH", default="", help="Of another platform than the engine's own.")
@insecure_option
@common
@pass_invocation
def pull(
    invocation: Invocation, names: tuple[str, ...], engines: tuple[str, ...], platform: str, insecure: bool
) -> None:
    """Pull images from their registries, all at once, each layer with its progress. Ctrl+C ends them on the engine."""
    _check_platform(platform)
    _run(invocation, engines, [_Wish(name, platform=platform, insecure=insecure) for name in dict.fromkeys(names)])


@click.command()
@click.argument("names", metavar="IMAGE...", nargs=-1, required=True)
@engines_option
@insecure_option
@common
@pass_invocation
def push(invocation: Invocation, names: tuple[str, ...], engines: tuple[str, ...], insecure: bool) -> None:
    """Push images to the registries that their names say (`tranship image tag` gives such a name)."""
    _run(invocation, engines, [_Wish(name, push=True, insecure=insecure) for name in dict.fromkeys(names)])


def _check_platform(text: str) -> None:
    from backends.model.transfer import parse_platform

    if text:
        try:
            parse_platform(text)
        except ValueError as error:
            raise click.UsageError(inert(str(error))) from error


def _run(invocation: Invocation, engines: Sequence[str], wishes: Sequence[_Wish]) -> None:
    async def body(fleet: Fleet) -> Exit:
        from backends.services.transfers import Transfer

        targets = [await one_engine(fleet, name) for name in dict.fromkeys(engines)] or [await one_engine(fleet, None)]
        transfers = [Transfer(fleet, wish.on(target)) for wish in wishes for target in targets]
        return _told(transfers, await carried(transfers), as_json=invocation.json)

    run(invocation, body, only=frozenset(engines))


async def carried(transfers: Sequence[Transfer]) -> list[BackendError | None]:
    """All at once; one that fails does not keep the others."""
    block = TransferBlock(sys.stderr, living=may_style(sys.stderr))

    def states() -> list[TransferState]:
        return [transfer.state for transfer in transfers]

    drawing = asyncio.create_task(block.follow(states), name="draw transfers")
    try:
        ends = await asyncio.gather(*(_ended(transfer) for transfer in transfers))
    finally:
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)
        block.close(states())
    return list(ends)


async def _ended(transfer: Transfer) -> BackendError | None:
    try:
        await transfer.run()
    except BackendError as error:
        return error
    return None


def _told(transfers: Sequence[Transfer], errors: Sequence[BackendError | None], *, as_json: bool) -> Exit:
    if as_json:
        answer(results=[schema_transfers.transfer(transfer.state) for transfer in transfers])
    for transfer, error in zip(transfers, errors, strict=True):
        result = transfer.state.result
        if error is not None:
            complain(error)
        elif not as_json and result is not None:
            told = result.image_id if "@" in result.reference else result.digest or result.image_id
            data(inert(f"{result.reference} {told}"))
    return worst([Exit.DONE if error is None else exit_of(error) for error in errors])
