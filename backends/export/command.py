"""A recipe as the line of `docker run` or `podman run` that makes the same container. Pure; runs nothing.

Sources: docs.docker.com, `docker container run` (26.1); docs.podman.io, podman-run(1) (5.4). What a command line cannot
say is told beside it, never left out silently.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from backends.export.command_mounts import mount_flags
from backends.export.command_parts import (
    health_flags,
    limit_flags,
    network_flags,
    process_flags,
    rights_flags,
    space_flags,
)
from backends.model.container import NO_LABELS
from backends.model.ids import EngineKind
from backends.model.run_words import port_text
from backends.model.secrets import is_secret_name
from backends.model.workload import GpuRequest, WorkloadSpec

Flag: TypeAlias = tuple[str, ...]
"""An option with its value, or one without."""

_GAP = " \\\n  "


@dataclass(frozen=True, slots=True)
class Command:
    """A command line. flags: its options, each by itself. unsaid: what no option of this engine says, for people.

    hidden: variables whose values are left to the environment, since they look like secrets.
    """

    program: tuple[str, ...]
    flags: tuple[Flag, ...]
    words: tuple[str, ...]
    unsaid: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        """All words."""
        return (*self.program, *(word for flag in self.flags for word in flag), *self.words)

    @property
    def text(self) -> str:
        """One line for a shell."""
        return shlex.join(self.argv)

    @property
    def lines(self) -> str:
        """The same for a shell, an option on each line."""
        parts = [shlex.join(self.program), *(shlex.join(flag) for flag in self.flags), shlex.join(self.words)]
        return _GAP.join(parts)


def run_command(
    spec: WorkloadSpec,
    kind: EngineKind,
    *,
    verb: tuple[str, ...] = ("run", "--detach"),
    env_files: Iterable[str] = (),
    file_variables: Mapping[str, str] = NO_LABELS,
    secret: Callable[[str], bool] = is_secret_name,
) -> Command:
    """The line that makes and starts this container.

    kind: Podman's own line, or Docker's (for the demo too). verb: `("create",)` to make it only. env_files: passed on,
    with the variables that come from them. secret: whether the value of a variable of this name is left out.
    """
    podman = kind is EngineKind.PODMAN
    unsaid: list[str] = []
    hidden = tuple(name for name in spec.env if secret(name) and file_variables.get(name) != spec.env[name])
    flags: list[Flag] = [("--name", spec.name)] if spec.name else []
    flags += _gpu_flags(spec.gpu, podman)
    flags += space_flags(spec.namespaces)
    flags += limit_flags(spec)
    flags += [("--publish", port_text(port)) for port in spec.ports if port.host_port is not None]
    flags += [("--expose", f"{one.container_port}/{one.protocol}") for one in spec.ports if one.host_port is None]
    flags += network_flags(spec.network, podman, unsaid)
    for mount in spec.mounts:  # what the engine named itself gets a name of its own again
        flags += mount_flags(replace(mount, source="") if mount.anonymous else mount, podman, unsaid)
    flags += [("--env-file", path) for path in env_files]
    flags += _variables(spec, file_variables, hidden)
    flags += process_flags(spec, podman, unsaid)
    flags += rights_flags(spec.security, podman, unsaid)
    flags += health_flags(spec.health, podman, unsaid)
    flags += [("--label", f"{key}={value}") for key, value in spec.labels.items()]
    entry, words = _program(spec, podman)
    program = ("podman" if podman else "docker", *verb)
    return Command(program, (*flags, *entry), (spec.image, *words), tuple(unsaid), hidden)


def _variables(spec: WorkloadSpec, from_files: Mapping[str, str], hidden: tuple[str, ...]) -> Iterator[Flag]:
    for name, value in spec.env.items():
        if from_files.get(name) != value:
            yield ("--env", name if name in hidden else f"{name}={value}")


def _gpu_flags(gpu: GpuRequest | None, podman: bool) -> Iterator[Flag]:
    """By CDI name where the request has one; Docker's own driver else."""
    if gpu is None:
        return
    if podman or gpu.cdi_devices or gpu.driver == "cdi":
        for name in gpu.cdi_names():
            yield ("--device", name)
        return
    parts = [f"device={','.join(gpu.device_ids)}"] if gpu.device_ids else []
    parts += ["all" if gpu.count < 0 else f"count={gpu.count}"] if not gpu.device_ids else []
    parts += [f"driver={gpu.driver}"] if gpu.driver else []
    groups = [one for group in gpu.capabilities for one in group if one != "gpu"]
    parts += [f"capabilities={','.join(groups)}"] if groups else []
    # A comma within a value is quoted as in CSV. Source: docker/cli, opts/gpus.go.
    yield ("--gpus", ",".join(f'"{part}"' if "," in part else part for part in parts))


def _program(spec: WorkloadSpec, podman: bool) -> tuple[list[Flag], tuple[str, ...]]:
    """Entrypoint and command. Docker's option takes one word: the others go before the command."""
    command = spec.command or ()
    if spec.entrypoint is None:
        return [], command
    if not spec.entrypoint:
        return [("--entrypoint", "")], command
    if podman and len(spec.entrypoint) > 1:
        import json

        return [("--entrypoint", json.dumps(list(spec.entrypoint)))], command
    first, *rest = spec.entrypoint
    return [("--entrypoint", first)], (*rest, *command)


__all__ = ["Command", "run_command"]
