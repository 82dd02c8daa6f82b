"""`tranship image …`: what is done to images, one subcommand each. Lists none: that is `tranship images`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.ask import agreed, check_can_ask
from tui.cli.exits import Exit, worst
from tui.cli.groups import Subcommands
from tui.cli.here import absolute
from tui.cli.image_parts import Progress, each, frees, listed, told
from tui.cli.image_platforms import platforms
from tui.cli.options import common, engine_option, only, yes_option
from tui.cli.output import answer, complain, data, say
from tui.cli.pick import one_engine
from tui.cli.pick_image import given_name, look, the_image
from tui.cli.session import Invocation, pass_invocation, run
from widgets.format import bytes_text
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@click.group(cls=Subcommands)
@common
def image() -> None:
    """Remove, name, prune, save, load and copy images; list their platforms."""


image.add_command(platforms)


@image.command()
@click.argument("names", metavar="IMAGE...", nargs=-1, required=True)
@yes_option
@engine_option
@common
@pass_invocation
def rm(invocation: Invocation, names: tuple[str, ...], yes: bool, engine: str | None) -> None:
    """Remove images with all their names. Says what that frees, and asks; one that containers use is refused."""
    check_can_ask(yes)

    async def body(fleet: Fleet) -> Exit:
        from backends.services.images import check_unused

        images, seen = await look(fleet, engine)
        found = list({share.image.key: share for share in (the_image(seen, name, engine) for name in names)}.values())
        for share in found:
            check_unused(share)
        if not yes and not await agreed(f"Remove {listed(found)}? {frees(seen, found)}"):
            say("nothing was removed")
            return Exit.FAILED
        code, gone = await each("image.remove", found, images.remove, "removed", as_json=invocation.json)
        if gone and not invocation.json:
            data(frees(seen, gone, "freed"))
        return code

    run(invocation, body, only=only(engine))


@image.command()
@click.option("--all", "-a", "named", is_flag=True, help="Images with names too, where no container uses them.")
@yes_option
@engine_option
@common
@pass_invocation
def prune(invocation: Invocation, named: bool, yes: bool, engine: str | None) -> None:
    """Remove images that have no name and that no container uses. Says what that frees, and asks."""
    check_can_ask(yes)

    async def body(fleet: Fleet) -> Exit:
        from backends.services.images import removable

        images, seen = await look(fleet, engine)
        for error in seen.errors:
            complain(error)
        found = removable(seen.images, named=named)
        if not found and not invocation.json:
            data("there is nothing to prune")
        if found and not yes and not await agreed(f"Remove {listed(found)}? {frees(seen, found)}"):
            say("nothing was removed")
            return Exit.FAILED
        code, gone = await each("image.remove", found, images.remove, "removed", as_json=invocation.json)
        if gone and not invocation.json:
            data(frees(seen, gone, "freed"))
        return worst([code, Exit.UNREACHABLE if seen.errors else Exit.DONE])

    run(invocation, body, only=only(engine))


@image.command()
@click.argument("name", metavar="IMAGE")
@click.argument("new", metavar="NEW")
@click.option("--take", is_flag=True, help="Where another image has that name, take it away from that one.")
@engine_option
@common
@pass_invocation
def tag(invocation: Invocation, name: str, new: str, take: bool, engine: str | None) -> None:
    """Give an image one more name."""

    async def body(fleet: Fleet) -> Exit:
        images, seen = await look(fleet, engine)
        share = the_image(seen, name, engine)
        full = await images.tag(share, new, take=take)
        return told("image.tag", share, f"is {full} too", as_json=invocation.json, tag=full)

    run(invocation, body, only=only(engine))


@image.command()
@click.argument("name", metavar="NAME")
@engine_option
@common
@pass_invocation
def untag(invocation: Invocation, name: str, engine: str | None) -> None:
    """Take one of an image's names away. Its only name is refused: the image would go with it."""

    async def body(fleet: Fleet) -> Exit:
        images, seen = await look(fleet, engine)
        share = the_image(seen, name, engine)
        gone = given_name(share, name)
        if not gone:
            raise click.UsageError(inert(f"“{name}” is no name of an image; write the tag that is to go"))
        await images.untag(share, gone)
        return told("image.untag", share, f"is not called {gone} any more", as_json=invocation.json, tag=gone)

    run(invocation, body, only=only(engine))


@image.command()
@click.argument("name", metavar="IMAGE")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@engine_option
@common
@pass_invocation
def save(invocation: Invocation, name: str, file: Path, engine: str | None) -> None:
    """Write an image to a file, as the engine's own `save` does. FILE must not exist; it appears when complete."""
    path = absolute(file)

    async def body(fleet: Fleet) -> Exit:
        from backends.services.image_files import save_image

        _, seen = await look(fleet, engine)
        share = the_image(seen, name, engine)
        with Progress(f"write {share.name} to {path.name}", share.name) as progress:
            size = await save_image(
                fleet, share, given_name(share, name) or next(iter(share.image.tags), ""), path, progress.flow
            )
        words = f"is in {path} ({bytes_text(size)})"
        return told("image.save", share, words, as_json=invocation.json, file=str(path), size_bytes=size)

    run(invocation, body, only=only(engine))


@image.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@engine_option
@common
@pass_invocation
def load(invocation: Invocation, file: Path, engine: str | None) -> None:
    """Load images from a file that `save` wrote, into the engine of --engine (needed where there are several)."""
    path = absolute(file)

    async def body(fleet: Fleet) -> Exit:
        from backends.services.image_files import load_image

        target = await one_engine(fleet, engine)
        with Progress(f"load {path.name} into {target}", path.name) as progress:
            loaded = await load_image(fleet, target, path, progress.flow)
        if invocation.json:
            answer(action="image.load", engine=target.name, file=str(path), loaded=list(loaded), error=None)
        else:
            data(inert(f"{', '.join(loaded) or 'no image'} loaded into {target}"))
        return Exit.DONE

    run(invocation, body, only=only(engine))


@image.command()
@click.argument("name", metavar="IMAGE")
@click.option("--from", "source", metavar="ENGINE", help="The engine that has it; needed where several do.")
@click.option("--to", "target", metavar="ENGINE", required=True, help="The engine that is to get it.")
@click.option("--as", "other", metavar="NAME", help="Its name there; else the one given, or all that it has.")
@common
@pass_invocation
def copy(invocation: Invocation, name: str, source: str | None, target: str, other: str | None) -> None:
    """Copy an image to another engine: only layers that it lacks travel, where both engines allow that."""

    async def body(fleet: Fleet) -> Exit:
        from backends.services.image_copies import copy_image

        _, seen = await look(fleet, source, target)
        elsewhere = [share for share in seen.images if share.image.key.engine.name != target]
        share = the_image(replace(seen, images=tuple(elsewhere)), name, source)
        wanted = (other,) if other else (given_name(share, name),)
        names = wanted if wanted[0] else share.image.tags
        target_id = next(known.id for known in fleet.engines if known.id.name == target)
        with Progress(f"copy {share.name} to {target}", share.name) as progress:
            done = await copy_image(fleet, share, target_id, names, progress.lines)
        for note in done.notes:
            say(note)
        moved = f"{bytes_text(done.moved_bytes)} travelled" if done.moved_bytes else "it was there"
        words = f"is on {target} as {', '.join(done.names) or done.key.short}; {moved}"
        return told(
            "image.copy",
            share,
            words,
            as_json=invocation.json,
            target=target,
            target_id=done.key.id,
            names=list(done.names),
            moved_bytes=done.moved_bytes,
            notes=list(done.notes),
        )

    run(invocation, body, only=frozenset({source, target}) if source else frozenset())
