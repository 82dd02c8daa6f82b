"""`tranship run IMAGE` or `--preset NAME`: check, create and start a container. Decides nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from backends.draft.draft import Draft, draft_from, laid_over
from backends.model.capabilities import Capability
from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.fleet import EngineView, FleetView
from backends.model.ids import ContainerKey
from backends.presets.preset import Preset
from tui.around import around_of
from tui.cli.exits import Exit, exit_of
from tui.cli.options import common
from tui.cli.output import answer, complain, data, say
from tui.cli.pick import first_view, gpus_for, not_connected, the_container, the_engine
from tui.cli.run_options import draft_options, said
from tui.cli.run_text import remark_lines, schema_judged, setting_lines
from tui.cli.session import Invocation, pass_invocation
from tui.cli.session import run as run_session
from widgets.text import inert

if TYPE_CHECKING:
    from backends.model.workload import WorkloadSpec
    from backends.services.fleet import Fleet
    from backends.services.launch import Judged


@dataclass(frozen=True, slots=True)
class Wish:
    """The command line, read. said: the draft of its options. draws: the line is printed, nothing is made."""

    said: Draft
    preset: Preset | None
    like: str | None
    engine: str | None
    draws: bool
    keep: bool
    settle_s: float
    as_json: bool


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("words", metavar="[IMAGE] [COMMAND]...", nargs=-1)
@click.option(
    "--preset", "preset_name", metavar="NAME", help="What a kind of container needs; `tranship presets` lists."
)
@click.option("--like", metavar="CONTAINER", help="As this one, with a name and ports of its own.")
@click.option("--engine", metavar="NAME", help="Where; default: the only one, or the one that has the image.")
@draft_options
@click.option("--print", "draws", is_flag=True, help="Print the line of docker run or podman run; make nothing.")
@click.option(
    "--settle",
    "settle_s",
    type=click.FloatRange(0, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long it is watched for an early end.",
)
@click.option("--keep", is_flag=True, help="Keep what was created where it cannot be started.")
@click.option("-d", "--detach", is_flag=True, expose_value=False, help="As it always is: for who types docker run -d.")
@common
@pass_invocation
def run(
    invocation: Invocation,
    /,
    words: tuple[str, ...],
    preset_name: str | None,
    like: str | None,
    engine: str | None,
    draws: bool,
    keep: bool,
    settle_s: float,
    **options: Any,
) -> None:
    """Run a new container in the background: checked first, then created and started.

    Options stand before the image, what follows it is the command. With --preset or --like the words are the command
    alone.
    """
    preset = preset_of(preset_name)
    if preset is None and like is None:
        if not words:
            raise click.UsageError("say which image to run, or --preset NAME, or --like CONTAINER")
        if options["image"]:
            raise click.UsageError("--image goes with --preset or --like; else the first word is the image")
        options["image"], words = words[0], words[1:]
    wish = Wish(said(options, words), preset, like, engine, draws, keep, settle_s, invocation.json)

    async def body(fleet: Fleet) -> Exit:
        return await _run(fleet, wish)

    run_session(invocation, body, sampling=True)


def preset_of(name: str | None) -> Preset | None:
    """The preset of this name. Exits with 2 where there is none, or its file is wrong."""
    if name is None:
        return None
    from backends.presets.shelf import read_shelf

    try:
        return read_shelf().get(name)
    except BackendError as error:
        raise click.UsageError(inert(f"{error.title}" + (f" ({error.hint})" if error.hint else ""))) from None


async def _run(fleet: Fleet, wish: Wish) -> Exit:
    from backends.services.launch import early_end, launch

    view = await first_view(fleet)
    source = the_container(view, wish.like, None) if wish.like else None
    base = await _base(fleet, source) if source else None
    draft, engine = await _draft(fleet, view, wish, source, base)
    training = wish.preset is not None and wish.preset.training
    judged = await judged_for(fleet, engine, draft, base, training=training)
    if wish.draws:
        return draw(judged, wish)
    tell(judged, wish)
    if judged.blocked:
        if wish.as_json:
            answer(**schema_judged(judged, wish.preset), container=None, error=None)
        return Exit.BLOCKED
    launched = await launch(fleet, engine.id, judged.spec, keep=wish.keep, settle_s=wish.settle_s)
    error = early_end(launched)
    made = fleet.store.view.containers.get(launched.key)
    if wish.as_json:
        from tui.cli import schema

        plain = schema.container(made) if made else None
        answer(**schema_judged(judged, wish.preset), container=plain, error=schema.error(error))
    if error is not None:
        complain(error)
        return exit_of(error)
    if not wish.as_json:
        state = made.state.value if made else "gone, being --rm"
        data(inert(f"{launched.name} on {engine.id}: {state}"))
    return Exit.DONE


async def _base(fleet: Fleet, source: Container) -> WorkloadSpec:
    from backends.services.launch import like

    return like(await fleet.engine(source.key.engine).workload_spec(source.key.id))


async def _draft(
    fleet: Fleet, view: FleetView, wish: Wish, source: Container | None, base: WorkloadSpec | None
) -> tuple[Draft, EngineView]:
    """The draft with everything proposed: a name, ports that are free; and the engine."""
    from backends.services.launch import proposed

    below = draft_from(base) if base is not None else Draft()
    if wish.preset is not None:
        below = laid_over(below, wish.preset.draft)
    whole = laid_over(below, wish.said)
    engine = await _engine(fleet, view, wish, source, whole.one("image"))
    title = wish.preset.name if wish.preset is not None else source.name if source else ""
    return proposed(view, engine.id, whole, wish.said, title), engine


async def _engine(fleet: Fleet, view: FleetView, wish: Wish, source: Container | None, image: str) -> EngineView:
    """Where it runs: as said, beside the one that it is like, the only engine, or the only one that has the image."""
    from backends.services.launch import engines_with

    name = wish.engine or (source.key.engine.name if source else None)
    if name is not None:
        return the_engine(view, name)
    there = [one for one in view.engines.values() if one.offers(Capability.RECIPES)]
    if not there and view.engines:
        raise not_connected(next(iter(view.engines.values())))
    if len(there) > 1:
        having = await engines_with(fleet, image)
        there = [one for one in there if one.id in having] or there
    if len(there) != 1:
        names = ", ".join(sorted(one.id.name for one in there)) or "none is connected"
        raise click.UsageError(inert(f"say on which engine: --engine NAME ({names})"))
    return there[0]


async def judged_for(
    fleet: Fleet,
    engine: EngineView,
    draft: Draft,
    base: WorkloadSpec | None,
    *,
    replaced: ContainerKey | None = None,
    training: bool = False,
) -> Judged:
    """The draft with all that is found before the start. Raises click.UsageError for what cannot be read."""
    from backends.services.launch import judge, look

    around = around_of(engine)
    view = fleet.store.view
    first = judge(view, engine.id, draft, around, base=base, replaced=replaced)
    if first.wrong:
        raise click.UsageError(inert("; ".join(_sentence(place, text) for place, text in first.wrong.items())))
    seen = await gpus_for(fleet, first.read.gpus)
    facts = await look(fleet, engine.id, first.spec)
    view = replace(fleet.store.view, gpus=seen)
    return judge(view, engine.id, draft, around, base=base, facts=facts, replaced=replaced, training=training)


def _sentence(place: tuple[str, int], text: str) -> str:
    from backends.draft.fields import BY_ID

    field = BY_ID[place[0]]
    return f"{field.flag or field.title.lower()}: {text}"


def draw(judged: Judged, wish: Wish) -> Exit:
    """Print the engine's own line; what it does not say goes to stderr."""
    if wish.as_json:
        answer(**schema_judged(judged, wish.preset), container=None, error=None)
        return Exit.DONE
    tell(judged, wish)
    for text in judged.command.unsaid:
        say(f"not said by this line: {text}")
    for name in judged.command.hidden:
        say(f"{name} looks like a secret: the line takes it from your environment")
    data(judged.command.lines)
    return Exit.DONE


def tell(judged: Judged, wish: Wish) -> None:
    """What is set and why, and what was found, on stderr."""
    if wish.preset is not None:
        for text in setting_lines(wish.preset, judged):
            say(text)
    for text in remark_lines(judged):
        say(text)


__all__ = ["judged_for", "preset_of", "run"]
