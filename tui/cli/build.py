"""`tranship build`: makes an image of a folder with a Containerfile. Its steps and what they say go to stderr."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backends.model.build import BuildEvent, ContextSent, OutputLine, StepBegun, StepCached
from tui.cli import schema_images
from tui.cli.exits import Exit
from tui.cli.options import common, engine_option, only
from tui.cli.output import answer, data, say
from tui.cli.pick import one_engine
from tui.cli.session import Invocation, pass_invocation, run
from widgets.format import bytes_text, short_image
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


@click.command()
@click.argument("folder", metavar="[PATH]", type=click.Path(path_type=Path), default=Path())
@click.option("--tag", "-t", "tags", metavar="NAME", multiple=True, help="The image's name; several may be given.")
@click.option("--file", "-f", type=click.Path(path_type=Path), help="The Containerfile; else the one in PATH.")
@click.option("--build-arg", "arguments", metavar="NAME=VALUE", multiple=True, help="The value of an ARG.")
@click.option("--label", "labels", metavar="NAME=VALUE", multiple=True, help="A label of the image.")
@click.option("--target", metavar="STAGE", default="", help="Build up to this stage only.")
@click.option("--platform", metavar="OS/ARCH", default="", help="For another kind of machine.")
@click.option("--no-cache", is_flag=True, help="Do all steps anew.")
@click.option("--pull", is_flag=True, help="Ask the registries for newer base images.")
@engine_option
@common
@pass_invocation
def build(
    invocation: Invocation,
    folder: Path,
    tags: tuple[str, ...],
    file: Path | None,
    arguments: tuple[str, ...],
    labels: tuple[str, ...],
    target: str,
    platform: str,
    no_cache: bool,
    pull: bool,
    engine: str | None,
) -> None:
    """Build an image of PATH (.), on --engine (needed where there are several). .dockerignore is minded."""
    given, marked = _pairs("--build-arg", arguments), _pairs("--label", labels)

    async def body(fleet: Fleet) -> Exit:
        from backends.services.builds import BuildWish, build_image

        where = await one_engine(fleet, engine)
        wish = BuildWish(folder, tags, file, given, marked, target, not no_cache, pull, platform)
        telling = _Telling()
        built = await build_image(fleet, where, wish, telling)
        if invocation.json:
            answer(**schema_images.built(built.key, built.names, built.view))
            return Exit.DONE
        named = ", ".join(map(short_image, built.names))
        data(inert(f"{named or built.key.short} is built on {where}" + (f" ({built.key.short})" if named else "")))
        return Exit.DONE

    run(invocation, body, only=only(engine))


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.UsageError(inert(f"{option} is NAME=VALUE, not “{text}”"))
        pairs[name] = value
    return pairs


class _Telling:
    """What happens, line by line, for people and logs alike."""

    def __call__(self, event: BuildEvent) -> None:
        match event:
            case ContextSent(sent_bytes, True):
                say(f"the context is sent: {bytes_text(sent_bytes)}")
            case StepBegun(step):
                stage = f"{step.stage}/{step.stages} " if step.stages > 1 else ""
                say(f"[{stage}{step.number}/{step.count}] {step.instruction}")
            case StepCached():
                say("  done before, taken as it was")
            case OutputLine(text):
                say(f"  {text}")


__all__ = ["build"]
