"""What `tranship export --push --apply` does with an export for Kubernetes. Makes no manifest, pushes no byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from backends.model.errors import BackendError
from backends.model.ids import EngineId
from backends.model.manifest import AppliedObject
from tui.cli.ask import agreed
from tui.cli.output import can_ask, say
from tui.cli.pick import the_engine
from tui.clusters import apply_words, cluster_of
from widgets.text import inert

if TYPE_CHECKING:
    from backends.export.exported import Exported, Member
    from backends.services.fleet import Fleet


class ApplyWish(NamedTuple):
    """The options of an apply. context: as --kube takes it, "" = none is asked for."""

    context: str
    namespace: str
    dry_run: bool
    force: bool
    yes: bool

    @property
    def engine(self) -> str:
        """The name of the cluster in the fleet."""
        return cluster_of(self.context).id.name


def apply_wish(
    target: str, apply: bool, context: str, namespace: str, dry_run: bool, force: bool, yes: bool, *, play: bool
) -> ApplyWish | None:
    """None where nothing is to be applied. Raises click.UsageError for options that do not go together."""
    if not apply:
        if context or namespace or dry_run or force:
            raise click.UsageError("--context, --namespace, --dry-run and --force-conflicts are for --apply")
        return None
    if target != "kubernetes" or play:
        raise click.UsageError("--apply is for --as kubernetes, without --play")
    if not cluster_of(context).context:
        raise click.UsageError("say to which cluster: --context CONTEXT (`kubectl config get-contexts` lists them)")
    if not yes and not dry_run and not can_ask():
        raise click.UsageError("there is no terminal to ask on: say --yes to apply, or --dry-run")
    return ApplyWish(context, namespace, dry_run, force, yes)


async def pushed(
    fleet: Fleet, members: Sequence[Member], prefix: str, *, insecure: bool, dry_run: bool
) -> tuple[Member, ...]:
    """The members with their images pushed below the prefix; raises what the first failed push said.

    dry_run: nothing is named or pushed, and they are named by tag.
    """
    from backends.model.transfer_state import TransferAsk
    from backends.services.export_push import name_it, push_of, renamed
    from backends.services.transfers import Transfer
    from tui.cli.transfers import carried

    pushes = {push.image: push for push in (push_of(member, prefix) for member in members)}
    if dry_run:
        return renamed(members, {key: (push, "") for key, push in pushes.items()})
    for push in pushes.values():
        await name_it(fleet.engine(push.engine), push)
    asks = [TransferAsk(push.engine, push.reference, push=True, insecure=insecure) for push in pushes.values()]
    transfers = [Transfer(fleet, ask) for ask in asks]
    failed = [error for error in await carried(transfers) if error is not None]
    if failed:
        raise failed[0]
    results = [transfer.state.result for transfer in transfers]
    digests = [result.digest if result else "" for result in results]
    return renamed(members, dict(zip(pushes, zip(pushes.values(), digests, strict=True), strict=True)))


async def applied(fleet: Fleet, made: Exported, members: Sequence[Member], wish: ApplyWish) -> dict[str, Any] | None:
    """Check it on the cluster, ask, apply; what was applied, for JSON. None where the person said no."""
    from backends.services.cluster_apply import apply, check, refuse_images_of_here

    refuse_images_of_here(member.spec.image for member in members)
    cluster = the_engine(fleet.store.view, wish.engine).id
    found = await check(fleet, cluster, made, namespace=wish.namespace, force=wish.force)
    if wish.dry_run:
        _tell(found, cluster, ("would be made", "would be changed"))
        return _plain(found, cluster, dry_run=True)
    if not wish.yes and not await agreed(f"{apply_words(found)} of {cluster}?"):
        say("nothing was applied")
        return None
    try:
        done = await apply(fleet, cluster, made, namespace=wish.namespace, force=wish.force)
    except BackendError:
        say("what came before the refused object stands; apply again when that is mended")
        raise
    _tell(done, cluster, ("made", "changed"))
    return _plain(done, cluster, dry_run=False)


def _tell(found: Sequence[AppliedObject], cluster: EngineId, words: tuple[str, str]) -> None:
    for one in found:
        where = f" in {one.namespace}" if one.namespace else ""
        say(inert(f"{one}{where} on {cluster}: {words[0] if one.created else words[1]}"))


def _plain(found: Sequence[AppliedObject], cluster: EngineId, *, dry_run: bool) -> dict[str, Any]:
    objects = [
        {"kind": one.kind, "name": one.name, "namespace": one.namespace or None, "created": one.created}
        for one in found
    ]
    return {"engine": cluster.name, "dry_run": dry_run, "objects": objects}


__all__ = ["ApplyWish", "applied", "apply_wish", "pushed"]
