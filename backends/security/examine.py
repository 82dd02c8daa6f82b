"""From facts to reports: every rule, worst finding first. Pure."""

from __future__ import annotations

from backends.model.ids import ContainerKey
from backends.model.rights import capabilities
from backends.security.engine import engine
from backends.security.exposure import exposure
from backends.security.facts import ContainerFacts, EngineFacts, own_caps
from backends.security.finding import ContainerReport, EngineReport, worst_first
from backends.security.image import image, pinned
from backends.security.mounts import mounts
from backends.security.rights import rights
from backends.security.spaces import spaces


def examine_container(key: ContainerKey, facts: ContainerFacts, unread: tuple[str, ...] = ()) -> ContainerReport:
    """All findings about a container. unread: what could not be read, in words."""
    own, source = own_caps(facts.engine, facts.info)
    return ContainerReport(
        key=key,
        name=facts.spec.name,
        image=facts.spec.image,
        findings=worst_first(
            (*rights(facts), *spaces(facts), *mounts(facts), *exposure(facts), *image(facts)),
        ),
        capabilities=tuple(sorted(capabilities(facts.spec.security, own))),
        own_capabilities=tuple(sorted(own)),
        capabilities_source=source,
        unread=unread,
        image_id=facts.image_id,
        pinned=pinned(facts),
    )


def examine_engine(facts: EngineFacts) -> EngineReport:
    """All findings about an engine."""
    return EngineReport(facts.engine, facts.endpoint, worst_first(engine(facts)))


__all__ = ["examine_container", "examine_engine"]
