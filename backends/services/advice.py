"""Which engine of the fleet serves a container: facts gathered, statements made and counted. Changes nothing."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shlex import quote

from backends.engine import Engine
from backends.migration.facts import TargetFacts
from backends.migration.trust import see_trust
from backends.model.advice import Advice, Candidate, Effect, Statement
from backends.model.capabilities import Capability
from backends.model.container import Container
from backends.model.errors import BackendError
from backends.model.fleet import EngineView
from backends.model.plan import Severity, Verdict
from backends.services import advice_engine, advice_host
from backends.services.advice_facts import EngineSeen, Ground, Workload
from backends.services.boot_facts import read_boot
from backends.services.doctor import read_host
from backends.services.fleet import Fleet
from backends.services.rootless import bare_plan

_PROGRAMS = ("docker-compose", "podman-compose")
_PLUGINS = (".docker/cli-plugins", "/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins",
            "/usr/local/lib/docker/cli-plugins")  # fmt: skip
"""Where `docker compose` is found, beside PATH. Source: docker CLI, cli-plugins/manager."""
_PORT_START = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


async def advise_on(fleet: Fleet, container: Container, environ: Mapping[str, str]) -> Advice:
    """The advice about a container. Files of this machine are read in threads.

    Raises the errors of its own engine; another one that cannot be asked is no candidate, and a statement says why.
    """
    own = fleet.engine(container.key.engine)
    work = Workload(await own.inspect_container(container.key.id), await own.workload_spec(container.key.id))
    ground = await asyncio.to_thread(read_ground, environ)
    engines: list[EngineSeen] = []
    silent: list[Statement] = []
    for view in sorted(fleet.store.view.engines.values(), key=lambda view: view.id.name):
        if not view.stale and not view.offers(Capability.RECIPES):
            continue  # a cluster takes no container as it is
        if view.stale:
            silent.append(_unasked(view, view.connection.error))
            continue
        try:
            engines.append(await _seen(fleet, own, view, work))
        except BackendError as error:
            if view.id == own.id:
                raise
            silent.append(_unasked(view, error))
    return advise(work, engines, ground, silent)


def _unasked(view: EngineView, error: BackendError | None) -> Statement:
    said = error.title if error is not None else "does not answer"
    return Statement(view.id.name, "engine", Effect.TELLS, f"is no candidate: {said}", "endpoint", view.endpoint or "-",
                     error.hint if error is not None else "")  # fmt: skip


async def _seen(fleet: Fleet, own: Engine, view: EngineView, work: Workload) -> EngineSeen:
    here = view.id == own.id
    engine = fleet.engine(view.id)
    info = await engine.connect()
    names = {tag for image in await engine.list_images() for tag in image.tags}
    has_image = here or work.spec.image in names
    trust = await asyncio.to_thread(see_trust, view.id, view.endpoint) if info.local else None
    if here:
        return EngineSeen(view.id, info, view.endpoint, here, has_image, trust)
    source = await own.connect()
    plan = await bare_plan(own, source, work.container.key.id, TargetFacts(view.id, info))
    return EngineSeen(
        view.id,
        info,
        view.endpoint,
        here,
        has_image,
        trust,
        blocks=tuple(one for one in plan.findings if one.severity is Severity.BLOCK),
        warns=tuple(one for one in plan.findings if one.severity is Severity.WARN),
        dropped=tuple(one for one in plan.fields if one.verdict is Verdict.DROPPED),
    )


def read_ground(environ: Mapping[str, str]) -> Ground:
    """This machine; blocks on small files."""
    home = Path(environ.get("HOME") or "/nonexistent")
    folders = [environ.get("PATH", ""), *(str(home / place) for place in _PLUGINS)]
    found = {name: shutil.which(name, path=":".join(folders)) for name in _PROGRAMS}
    try:
        first: int | None = int(_PORT_START.read_text())
    except (OSError, ValueError):  # no Linux, or not told: then nothing is said of it
        first = None
    programs = {name: path for name, path in found.items() if path}
    return Ground(read_host(environ), read_boot(home), programs, first)


def advise(work: Workload, engines: Sequence[EngineSeen], ground: Ground, more: Iterable[Statement] = ()) -> Advice:
    """All statements and what follows from them by backends.model.advice.RULE. Pure. more: of engines not asked."""
    statements: list[Statement] = []
    for engine in engines:
        statements += advice_engine.settings(engine, work)
        statements += advice_host.rights(engine)
        statements += advice_engine.gpus(engine, work)
        statements += advice_host.ports(engine, work, ground)
        statements += advice_engine.limits(engine, work)
        statements += advice_host.boot(engine, work, ground)
        statements += advice_engine.health(engine, work)
        statements += advice_engine.image(engine, work)
        statements += advice_engine.orchestration(engine, work, ground)
    statements += more
    if any(engine.info.local for engine in engines):
        statements += advice_host.machine(ground)
    candidates = sorted((_counted(engine, statements) for engine in engines), key=_order)
    best = candidates[0].engine if candidates and not candidates[0].blocks else ""
    name, here = work.spec.name, work.container.key.engine.name
    return Advice(name, here, tuple(statements), tuple(candidates), best, _verdict(name, candidates, best))


def _counted(engine: EngineSeen, statements: Iterable[Statement]) -> Candidate:
    own = [one.effect for one in statements if one.engine == engine.name]
    return Candidate(engine.name, own.count(Effect.BLOCKS), own.count(Effect.LACKS), engine.info.rootless, engine.here)


def _order(one: Candidate) -> tuple[bool, int, bool, bool, str]:
    return bool(one.blocks), one.lacks, not one.rootless, not one.here, one.engine


def _verdict(name: str, candidates: Sequence[Candidate], best: str) -> str:
    if not candidates:
        return "no engine could be asked"
    if not best:
        return f"no engine of the fleet can run {name} as it is: each has a blocking fact"
    first, *others = candidates
    reasons = [f"{one.engine} {'is out' if one.blocks else _lacks(one)}" for one in others]
    equal = next((one for one in others if not one.blocks and one.lacks == first.lacks), None)
    if equal is not None:
        why = "the rootless one" if first.rootless > equal.rootless else "where it is" if first.here else "by name"
        reasons.append(f"among equals: {why}")
    where = "it is there" if first.here else f"tranship migrate {quote(name)} --to {best} --plan"
    return "; ".join((f"{best} serves {name} best: it {_lacks(first)}", *reasons)) + f" ({where})"


def _lacks(one: Candidate) -> str:
    return "lacks nothing" if not one.lacks else f"lacks {one.lacks} thing{'s' if one.lacks > 1 else ''}"


__all__ = ["advise", "advise_on", "read_ground"]
