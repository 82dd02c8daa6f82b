"""The steps of a plan, in the order in which a run does them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from backends.migration.facts import SourceFacts, TargetFacts
from backends.migration.show import size
from backends.migration.ways import finds_in_order, present_layers
from backends.model.container import Health
from backends.model.plan import (
    Choices,
    ImageAction,
    ImageMove,
    ImageWay,
    NetworkMove,
    Step,
    StepKind,
    VolumeChoice,
    VolumeMove,
)

_WAYS = {
    ImageWay.ARCHIVE: "one stream",
    ImageWay.STORE: "the source's store",
    ImageWay.REGISTRY: "a registry of our own",
    ImageWay.AUTO: "the way that fits",
}


def _about(count: int) -> str:
    return size(count).partition(" (")[0]


def layers_words(move: ImageMove, source: SourceFacts, target: TargetFacts) -> str:
    """How many of the image's layers travel and lie on the target already, with their sizes; "" where not told.

    What the registry way lacks is what the images screen counts: both find layers as the target's store does.
    """
    diff_ids, sizes = source.image.diff_ids, source.layer_bytes
    if not diff_ids:
        return ""
    here = present_layers(diff_ids, target.image_layers, in_order=finds_in_order(target.engine))
    away = len(diff_ids) if move.way is ImageWay.ARCHIVE else len(diff_ids) - len(here)
    layers = "layer" if len(diff_ids) == 1 else "layers"
    travels = f"{away} of {len(diff_ids)} {layers} {'travels' if away == 1 else 'travel'}"
    if move.missing_bytes is not None:
        travels += f", about {_about(move.missing_bytes)}"
    if not here:
        return travels
    lie = [sizes[at] for at in here] if len(sizes) == len(diff_ids) else [None]
    known = [count for count in lie if count is not None]
    there = f" ({_about(sum(known))})" if len(known) == len(here) else ""
    return f"{travels}; {len(here)}{there} {'is' if len(here) == 1 else 'are'} there already"


def _image_step(move: ImageMove, source: SourceFacts, target: TargetFacts) -> Step:
    subject = move.tag or f"sha256:{move.facts.key.short}"
    total = move.missing_bytes if move.missing_bytes is not None else move.facts.size_bytes
    how = f"by {_WAYS[move.way]}: {move.why}" if move.why else ""
    if move.action is ImageAction.SHIP and not move.commit:
        how = "; ".join(part for part in (layers_words(move, source, target), how) if part)
    if move.commit:
        title = f"make image {subject} of {source.container.name} and ship it"
        return Step(StepKind.IMAGE, title, subject, total, how=how)
    if move.action is ImageAction.SHIP:
        return Step(StepKind.IMAGE, f"ship image {subject}", subject, total, how=how)
    by = "same configuration and layers" if move.facts.config_digest else "same layers"
    if move.action is ImageAction.TAG:
        return Step(StepKind.IMAGE, f"name the image {subject}, which {target.engine} has ({by})", subject)
    return Step(StepKind.IMAGE, f"ship image {subject}", subject, None, f"{target.engine} has it already: {by}")


def _volume_steps(volumes: tuple[VolumeMove, ...], source: SourceFacts, early: bool, kind: StepKind) -> Iterator[Step]:
    """Copies before the stop, or what is left for after it."""
    for move in volumes:
        renamed = f" to {move.create.name}" if move.create.name != move.source_name else ""
        held = source.held.get(move.source_name)
        total = held.disk_bytes if held is not None else None
        if kind is StepKind.PRECOPY:
            if move.choice is VolumeChoice.COPY:
                title = f"copy volume {move.source_name}{renamed} while the source runs"
                yield Step(kind, title, move.source_name, total)
        elif move.choice is VolumeChoice.SKIP:
            yield Step(kind, f"make the empty volume {move.create.name}", move.source_name)
        else:
            what = "what has changed of volume" if early else "volume"
            yield Step(kind, f"copy {what} {move.source_name}{renamed}", move.source_name, None if early else total)


def _ill(source: SourceFacts) -> str:
    """Why a healthy copy cannot be waited for, "" where it can: it is made equal to its source."""
    return "the source is unhealthy itself" if source.container.health is Health.UNHEALTHY else ""


def checked(source: SourceFacts) -> bool:
    """The source has a health check, its own or its image's."""
    own = source.spec.health
    return source.container.health is not Health.NONE if own is None else own.test != ("NONE",)


def steps(
    move: ImageMove,
    volumes: tuple[VolumeMove, ...],
    networks: tuple[NetworkMove, ...],
    source: SourceFacts,
    target: TargetFacts,
    choices: Choices,
    name: str,
    files: bool,
) -> tuple[Step, ...]:
    """All steps. name: of the copy. files: changed files of the writable layer are carried."""
    running = source.container.state.alive
    old = source.container.name
    not_running = "" if running else f"the source is {source.container.state}"
    stays = not_running or ("" if choices.stop_source else "it keeps running, as was asked for")
    early = running and choices.live_copy and choices.stop_source
    made = [one.name for one in networks if one.create is not None]
    found = [
        _image_step(move, source, target),
        *(Step(StepKind.NETWORK, f"create network {network} on {target.engine}", network) for network in made),
        *(_volume_steps(volumes, source, early, StepKind.PRECOPY) if early else ()),
        Step(StepKind.STOP_SOURCE, f"stop {old} on {source.engine}", old, None, stays),
        *_volume_steps(volumes, source, early, StepKind.VOLUME),
        Step(StepKind.CREATE, f"create {name} on {target.engine}", name),
    ]
    if files:
        found.append(Step(StepKind.FILES, f"copy the files that {old} has changed", name))
    found.append(Step(StepKind.START, f"start {name} on {target.engine}", name, None, not_running))
    if checked(source):
        found.append(Step(StepKind.HEALTH, f"wait until {name} is healthy", name, None, not_running or _ill(source)))
    return (*found, Step(StepKind.VERIFY, f"compare {name} with {old}", name))
