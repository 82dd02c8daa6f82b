"""Plans the move of several containers that belong together: a Compose project, or a pod. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from backends.engine import Engine
from backends.giving import UNSEEN
from backends.migration import pods
from backends.migration.facts import Company, SourceFacts, TargetFacts
from backends.migration.order import in_order
from backends.migration.plan import make_plan
from backends.migration.planning import source_facts, target_facts
from backends.model.container import Container, MountKind
from backends.model.errors import NotFound, Refused
from backends.model.gpu import GpuSnapshot
from backends.model.network import Network
from backends.model.plan import Choices, Plan
from backends.model.wish import KEEP
from backends.model.workload import WorkloadSpec


@dataclass(frozen=True, slots=True)
class Group:
    """Containers that belong together. name: of the project or pod. infra: the pod's, None where it is no pod."""

    name: str
    members: tuple[Container, ...]
    infra: Container | None = None

    @property
    def pod(self) -> str:
        """The pod's name, "" where it is a Compose project."""
        return self.name if self.infra is not None else ""


def find_group(containers: list[Container], name: str) -> Group:
    """The Compose project or the pod of that name, or the one that the container of that name belongs to.

    Raises NotFound where there is none.
    """
    own = next((one for one in containers if name in {one.name, one.key.id}), None)
    names = [name, *([own.project, own.pod] if own is not None else [])]
    for wanted in filter(None, names):
        infra = next((one for one in containers if one.infra and one.pod == wanted), None)
        found = [one for one in containers if not one.infra and wanted in {one.project, one.pod}]
        if found:
            in_pod = infra is not None and any(one.pod == wanted for one in found)
            ordered = tuple(sorted(found, key=lambda one: one.name))
            return Group(wanted, ordered, infra if in_pod else None)
    if own is not None:
        raise NotFound(f"{name} is in no Compose project and in no pod", hint="move it alone, without --project")
    raise NotFound(f"there is no Compose project and no pod named {name}")


async def _recipes(source: Engine, group: Group) -> tuple[dict[str, WorkloadSpec], tuple[str, ...]]:
    """The recipe of each, a pod unfolded; and the order in which they go."""
    read = await asyncio.gather(*(source.workload_spec(one.key.id) for one in group.members))
    specs = {spec.name: spec for spec in read}
    order = in_order(specs)
    if group.infra is not None:
        infra = await source.workload_spec(group.infra.key.id)
        specs = pods.unfold(specs, infra, order[0])
        order = in_order(specs)
    return specs, order


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """All that the plans of a project are made of. members: what is known of each on both sides, in their order."""

    group: Group
    members: tuple[tuple[SourceFacts, TargetFacts], ...]


async def look_project(source: Engine, name: str, target: Engine, seen: GpuSnapshot = UNSEEN) -> ProjectFacts:
    """All that `make_project` needs, whatever is chosen then. Arguments and what it raises: as `plan_project`."""
    group = find_group(await source.list_containers(), name)
    specs, order = await _recipes(source, group)
    ids = {one.name: one.key.id for one in group.members}
    members: list[tuple[SourceFacts, TargetFacts]] = []
    for who in order:
        facts = replace(await source_facts(source, ids[who]), spec=specs[who])
        members.append((facts, await target_facts(target, facts, seen)))
    return ProjectFacts(group, tuple(members))


def make_project(known: ProjectFacts, choices: Choices = Choices()) -> tuple[Plan, ...]:
    """The plans out of the facts; pure. Raises Refused where the choices do not fit a group."""
    if choices.name is not None:
        raise Refused("a project keeps its containers' names", hint="move its containers one by one to rename them")
    group = known.group
    specs = {facts.spec.name: facts.spec for facts, _ in known.members}
    mounted = {
        who: {mount.source for mount in spec.mounts if mount.kind is MountKind.VOLUME} for who, spec in specs.items()
    }
    unknown = set(choices.volumes) - set().union(*mounted.values())
    if unknown:
        raise Refused(f"no container of {group.name} mounts a volume {min(unknown)}", hint="correct the name")
    if not choices.gpus.keeps and all(spec.gpu is None for spec in specs.values()):
        raise Refused(f"no container of {group.name} has a GPU", hint="move the one that is to have GPUs alone")
    stopping = frozenset(specs) | ({group.infra.name} if group.infra is not None else frozenset())
    company = Company({who: who for who in specs}, stopping=stopping)
    plans: list[Plan] = []
    lead = known.members[0][0].spec.name
    for facts, there in known.members:
        who = facts.spec.name
        volumes = {v: c for v, c in choices.volumes.items() if v in mounted[who]}
        own = replace(choices, volumes=volumes, gpus=KEEP if facts.spec.gpu is None else choices.gpus)
        plan = make_plan(facts, there, own, company)
        company = _after(company, plan)
        plans.append(_of_pod(plan, group, lead) if group.pod else plan)
    return tuple(_releasing(plans, group))


async def plan_project(
    source: Engine, name: str, target: Engine, *, choices: Choices = Choices(), seen: GpuSnapshot = UNSEEN
) -> tuple[Plan, ...]:
    """The plans of moving all containers of a Compose project or pod, in the order in which they go.

    name: of the project, the pod, or one of its containers (or its id). choices: for all of them, volumes by name for
    those that mount them, GPUs for those that have some. seen: the GPUs of this machine. Raises as `plan_migration`;
    NotFound where there is no such group, Refused where the choices do not fit a group, Conflict where its containers
    need each other in a ring.
    """
    known = await look_project(source, name, target, seen)
    return await asyncio.to_thread(make_project, known, choices)


def _after(company: Company, plan: Plan) -> Company:
    """What the next ones find brought."""
    volumes: Mapping[str, str] = {move.source_name: move.create.name for move in plan.volumes}
    made = tuple(Network("", move.create) for move in plan.networks if move.create is not None)
    return replace(company, volumes={**company.volumes, **volumes}, networks=(*company.networks, *made))


def _of_pod(plan: Plan, group: Group, lead: str) -> Plan:
    field, finding = pods.said(group.pod, plan.source_name, lead, plan.target.name)
    return replace(plan, fields=(field, *plan.fields), findings=(*plan.findings, finding))


def _releasing(plans: list[Plan], group: Group) -> list[Plan]:
    """The pod's infra container holds its ports until it is stopped too: after the last of those that run."""
    last = next((at for at, plan in enumerate(plans) if plan.source_running and plan.choices.stop_source), None)
    if group.infra is None or last is None:
        return plans
    return [replace(plan, release=(group.infra.key.id,)) if at == last else plan for at, plan in enumerate(plans)]
