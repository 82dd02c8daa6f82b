"""Makes the plan of a move out of facts. Pure: the same facts give the same plan; may not ask an engine."""

from __future__ import annotations

from dataclasses import replace

from backends.migration import (
    checks,
    checks_host,
    checks_storage,
    gpus,
    layers,
    networks,
    planned_volumes,
    references,
    trust,
    ways,
)
from backends.migration.facts import Company, SourceFacts, TargetFacts, one_machine, same_image
from backends.migration.fields import carry
from backends.migration.health import of_image
from backends.migration.networks import NetworkPlan
from backends.migration.planned_steps import steps
from backends.migration.table import Case, Choice, Decisions, Side
from backends.model.capabilities import Capability
from backends.model.container import ContainerState
from backends.model.errors import Refused
from backends.model.gpu import GpuSnapshot
from backends.model.plan import Choices, Finding, ImageAction, ImageMove, ImageWay, LayerChoice, Plan, Severity
from backends.model.wish import GpuWish
from backends.model.workload import GpuRequest, Volume, WorkloadSpec


def _travelling(
    move: ImageMove, source: SourceFacts, target: TargetFacts, wish: ImageWay
) -> tuple[ImageMove, list[Finding]]:
    """The image that has to travel, with its way."""
    try:
        way, why, missing = ways.choose_way(source, target, wish)
    except Refused as error:
        return move, [Finding(Severity.BLOCK, error.title, error.detail, error.hint)]
    return replace(move, way=way, why=why, missing_bytes=missing, store=source.store), []


def _image(source: SourceFacts, target: TargetFacts, choices: Choices, name: str) -> tuple[ImageMove, Choice]:
    """How the image gets there and what the copy is created from.

    An image of the target that has the same name and other content is never renamed or replaced: then ours
    goes without a name.
    """
    facts = source.image
    if choices.layer is LayerChoice.COMMIT:
        made = layers.commit_name(source, name)
        return ImageMove(ImageAction.SHIP, facts, made, commit=made), Choice(made, "an image made of the container")
    by_id = f"sha256:{facts.key.id}"
    tag, reason = references.tag_of(source.spec.image, facts.key.id)
    if target.by_tag is not None and tag:
        if same_image(facts, target.by_tag):
            return ImageMove(ImageAction.KEEP, facts, tag), Choice(tag, reason)
        tag, reason = "", "the target has another image of this name, which stays as it is"
    if target.by_id is not None and same_image(facts, target.by_id):
        action = ImageAction.TAG if tag else ImageAction.KEEP
        return ImageMove(action, facts, tag), Choice(tag or by_id, reason)
    return ImageMove(ImageAction.SHIP, facts, tag), Choice(tag or by_id, reason)


def _networks(source: SourceFacts, target: TargetFacts, sides: tuple[Side, Side]) -> NetworkPlan:
    """The networks that the copy joins. Where both engines share a host, the source's hold their addresses there."""
    live = target.networks
    if one_machine(source.info, target.info):
        live = (*live, *source.networks.values())
    joined = [one.network for one in source.spec.network.networks]
    return networks.plan_networks(joined, source.networks, target.networks, sides, live)


def _gpu(
    spec: WorkloadSpec, sides: tuple[Side, Side], wish: GpuWish, seen: GpuSnapshot
) -> tuple[gpus.GpuMove | None, gpus.RawNodes]:
    """The GPUs, those that are given as plain nodes too. seen: of the target's machine."""
    source, target = sides
    if not wish.keeps:
        chosen = gpus.choose(wish, spec.gpu, target.engine, target.info, seen)
        return chosen, gpus.RawNodes(took=gpus.given_nodes(spec.security.devices))
    raw = gpus.RawNodes()
    if source.engine.kind is not target.engine.kind:
        raw = gpus.raw_nodes(spec.security.devices, target.info)
    move = gpus.move(spec.gpu, source.engine, target.engine, target.info) if spec.gpu else None
    if raw.request is None:
        return move, raw
    if move is None or move.request is None:
        return replace(move or gpus.GpuMove(None), request=raw.request), raw
    together = tuple(dict.fromkeys((*move.request.cdi_names(), *raw.request.cdi_names())))
    return replace(move, request=GpuRequest(cdi_devices=together)), raw


def _findings(
    source: SourceFacts, target: TargetFacts, case: Case, spec: WorkloadSpec, move: ImageMove, company: Company
) -> list[Finding]:
    """Those that need nothing but the facts and the recipe."""
    decided = case.decided
    choices = decided.choices
    stops = choices.stop_source
    own = {name: choice for name, choice in decided.volumes.items() if name not in company.volumes}
    return [
        *checks.source_state(source, target, choices),
        *checks.versions(source, target),
        *checks.names(decided.name.value, target),
        *checks.image(source, target, move),
        *trust.refused(move, target),
        *checks_host.partners(case),
        *checks_host.ports(spec, source, target, stops),
        *checks_host.users(source, target),
        *planned_volumes.unknown_choices(source, choices),
        *checks_storage.volumes(source, target, choices.name is not None, own, choices),
        *checks_storage.binds(source, target),
        *checks_storage.room(source, target, move, choices),
        *layers.findings(source, choices),
        *checks_host.life(source, target, case),
    ]


def _in_company(
    source: SourceFacts, target: TargetFacts, company: Company, choices: Choices
) -> tuple[SourceFacts, TargetFacts]:
    """The facts as they will be: partners are stopped by then, and have made what they bring."""
    target = replace(target, networks=(*target.networks, *company.networks))
    if not choices.stop_source:
        return source, target
    own = source.container.key.id
    others = (one for one in source.containers if one.key.id == own or one.name not in company.stopping)
    sharers = {
        volume: left
        for volume, names in source.sharers.items()
        if (left := tuple(name for name in names if name not in company.stopping))
    }
    return replace(source, containers=tuple(others), sharers=sharers), target


def make_plan(
    source: SourceFacts,
    target: TargetFacts,
    choices: Choices = Choices(),
    company: Company = Company(),
) -> Plan:
    """Everything that a move will do.

    company: containers that move along. Where choices.name is given, volumes whose names are taken on the target get
    new ones.
    Each configured field of the source is in Plan.fields, each entry of its `unmapped` as dropped.
    """
    source, target = _in_company(source, target, company, choices)
    name = choices.name if choices.name is not None else source.spec.name
    sides = Side(source.engine, source.info), Side(target.engine, target.info)
    move, image_choice = _image(source, target, choices, name)
    spec, why_check = of_image(source, target, move)
    travels: list[Finding] = []
    if move.action is ImageAction.SHIP:
        move, travels = _travelling(move, source, target, choices.image_way)
    shared, sharing = planned_volumes.shared(source, target, choices)
    named = planned_volumes.names(source, target, name, choices.name is not None, shared, company.volumes)
    joined = _networks(source, target, sides)
    gpu, raw = _gpu(spec, sides, choices.gpus, target.gpus)
    decided = Decisions(
        name=Choice(name, "" if name == spec.name else "the name that was asked for"),
        image=image_choice,
        volumes=named,
        shared=shared,
        networks=joined.lost,
        gpu=gpu,
        took=raw.took,
        no_limits=target.info.capabilities.why_not(Capability.RESOURCE_LIMITS),
        choices=choices,
        partners=company.partners,
        check_of_image=why_check,
    )
    case = Case(spec, *sides, decided)
    recipe, fields, notes = carry(case)
    moves = [
        planned_volumes.move(source.volumes.get(volume, Volume(volume)), choice.value, choices.for_volume(volume))
        for volume, choice in named.items()
        if volume not in company.volumes
    ]
    all_fields = (*fields, *joined.fields, *(entry for _, entries in moves for entry in entries))
    findings = [
        *_findings(source, target, case, recipe, move, company),
        *travels,
        *sharing,
        *joined.findings,
        *checks.gpu(gpu, raw, target),
        *checks.gpu_driver(gpu, target),
        *checks_host.limits(all_fields, case),
        *checks.recipe(source, all_fields, notes),
    ]
    order = list(Severity)
    changed = layers.carried(source.changed or ()) if choices.layer is LayerChoice.CHANGES else ()
    volume_moves = tuple(volume for volume, _ in moves)
    return Plan(
        source=source.container.key,
        source_name=source.container.name,
        source_running=source.container.state.alive,
        target=target.engine,
        spec=recipe,
        volumes=volume_moves,
        fields=all_fields,
        findings=tuple(sorted(findings, key=lambda finding: order.index(finding.severity))),
        steps=steps(move, volume_moves, joined.moves, source, target, choices, name, bool(changed)),
        image=move,
        source_paused=source.container.state is ContainerState.PAUSED,
        networks=joined.moves,
        choices=choices,
        changed_files=changed,
        source_restart=spec.restart,
        shared=tuple(shared),
    )
