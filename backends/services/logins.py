"""Logins of a fleet's engines: each an operation in the audit log, without its secret. Keeps nothing."""

from __future__ import annotations

from backends.model.ids import ContainerKey, EngineId
from backends.model.transfer import Credentials, Login
from backends.services.fleet import Fleet


async def log_in(fleet: Fleet, engine_id: EngineId, registry: str, credentials: Credentials) -> Login:
    """See Engine.login. Raises what that raises, and Refused where one is under way already."""
    engine = fleet.engine(engine_id)
    with fleet.operations.track("registry.login", _key(engine_id, registry), registry) as tracked:
        made = await engine.login(registry, credentials)
        tracked.done(f"{made.username} is logged in to {registry} on {engine_id}; {made.kept}")
        return made


async def log_out(fleet: Fleet, engine_id: EngineId, registry: str) -> None:
    """See Engine.logout."""
    engine = fleet.engine(engine_id)
    with fleet.operations.track("registry.logout", _key(engine_id, registry), registry) as tracked:
        await engine.logout(registry)
        tracked.done(f"logged out of {registry} on {engine_id}")


def _key(engine: EngineId, registry: str) -> ContainerKey:
    return ContainerKey(engine, f"login:{registry}")


__all__ = ["log_in", "log_out"]
