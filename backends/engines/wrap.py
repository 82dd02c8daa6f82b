"""Wrapped engines: the same Protocol, with something more. Here: one that refuses every change."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, cast

from backends.engine import Engine
from backends.model.errors import Refused
from backends.model.ids import EngineId

CHANGING = frozenset(
    {
        "create_container",
        "start",
        "stop",
        "restart",
        "pause",
        "unpause",
        "kill",
        "remove",
        "rename",
        "set_restart",
        "execute",  # whatever the program does
        "open_exec",
        "open_attach",  # whatever is typed
        "check_health",  # runs the container's check where no timer does
        "apply_manifests",
        "import_image",
        "tag_image",
        "remove_image",
        "push_image",  # changes the registry
        "pull_image",
        "pull",
        "push",  # changes the registry
        "login",  # changes the engine's credential store
        "logout",
        "build_image",
        "commit_container",
        "write_files",
        "create_network",
        "remove_network",
        "create_volume",
        "remove_volume",
        "import_volume",
        "export_volume",  # makes a helper container
        "run_in_volume",
    }
)
"""Methods of the Protocol that change something on the engine."""
_STREAMS = frozenset({"export_volume", "run_in_volume", "open_exec", "open_attach", "pull", "push", "build_image"})
"""Those of them that are not awaited."""
LOOKING = frozenset(
    {
        "id",
        "endpoint",
        "connect",
        "close",
        "list_containers",
        "inspect_container",
        "inspect_raw",
        "subscribe",
        "logs",
        "stats",
        "wait_exit",
        "processes",
        "workload_spec",
        "list_images",
        "image_config",
        "image_facts",
        "image_layers",
        "export_image",
        "search_images",
        "image_platforms",
        "logins",
        "changed_paths",
        "read_files",
        "room",
        "list_networks",
        "inspect_network",
        "list_volumes",
        "inspect_volume",
        "volume_users",
        "volume_sizes",
    }
)
"""Members of the Protocol that change nothing. A member that is in neither set does not pass at all."""


def _refuse(engine: EngineId) -> NoReturn:
    hint = "start tranship without --readonly to change things"
    raise Refused("read-only mode: nothing is changed", hint=hint, engine=engine)


class _ReadOnly:
    """Passes looking on to an engine and refuses the rest before it gets there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        if name in LOOKING:
            return getattr(self._engine, name)
        if name in _STREAMS:
            return lambda *_args, **_named: _refuse(self._engine.id)
        if name in CHANGING:
            return _refusing(self._engine.id)
        raise AttributeError(name)


def _refusing(engine: EngineId) -> Callable[..., Coroutine[Any, Any, None]]:
    async def refused(*_args: object, **_named: object) -> None:
        _refuse(engine)

    return refused


def read_only(engine: Engine) -> Engine:
    """The engine without its changing methods: they raise Refused before the engine hears of it."""
    return cast(Engine, _ReadOnly(engine))
