"""A draft: what was said of a new container, field by field, as text. Pure; reading it is `spec`'s business."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from backends.draft.fields import BY_ID
from backends.draft.words import (
    duration_text,
    mount_text,
    read_mount,
    read_ports,
    ulimit_text,
)
from backends.model.run_words import cpus_text, port_text, size_text
from backends.model.secrets import is_secret_name
from backends.model.settings import HealthSpec
from backends.model.wish import WishKind
from backends.model.workload import WorkloadSpec

Texts = Mapping[str, tuple[str, ...]]
MASK = "********"
"""In place of a secret's value."""

_NOTHING: Texts = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Draft:
    """texts: by the ids of `fields`; a field that nothing was said of is not in it, and no text of it is empty."""

    texts: Texts = field(default_factory=lambda: _NOTHING)

    def all(self, field: str) -> tuple[str, ...]:
        """All texts of a field, () where nothing was said."""
        return self.texts.get(field, ())

    def one(self, field: str) -> str:
        """The only text of a field, "" where nothing was said."""
        return next(iter(self.all(field)), "")


def draft_of(**texts: str | Iterable[str]) -> Draft:
    """A draft of these fields; empty texts are nothing said. Raises KeyError for a field that there is not."""
    said: dict[str, tuple[str, ...]] = {}
    for name, value in texts.items():
        BY_ID[name]
        kept = tuple(text for text in ((value,) if isinstance(value, str) else value) if text.strip())
        if kept:
            said[name] = kept
    return Draft(MappingProxyType(said))


def laid_over(below: Draft, above: Draft) -> Draft:
    """What is said above counts; of fields with many texts, both, where they are not about the same thing.

    The same thing is: a port of the container, a path inside, a variable, a limit's name.
    """
    said = dict(below.texts)
    for name, texts in above.texts.items():
        if BY_ID[name].many:
            taken = {about(name, text) for text in texts}
            said[name] = (*(text for text in below.all(name) if about(name, text) not in taken), *texts)
        else:
            said[name] = texts
    return Draft(MappingProxyType(said))


def about(name: str, text: str) -> object:
    """What a text of a field with many is about; the text itself where it cannot be read."""
    try:
        if name == "ports":
            return tuple((port.container_port, port.protocol) for port in read_ports(text))
        if name == "mounts":
            return read_mount(text).destination
    except ValueError:
        return text
    return text.partition("=")[0] if name in {"env", "ulimits"} else text


def draft_from(spec: WorkloadSpec, *, name: str = "") -> Draft:
    """The draft that says what a recipe says, as far as a draft can. name: another one than the recipe's.

    Values of variables that look like secrets are masked: read over that recipe, the mask means the value.
    """
    limits, spaces = spec.resources, spec.namespaces
    network = " ".join(end.network for end in spec.network.networks) or spec.network.mode
    return draft_of(
        image=spec.image,
        name=name or spec.name,
        command=shlex.join(spec.command) if spec.command is not None else "",
        gpus=WishKind.KEEP.value if spec.gpu is not None else "",
        shm_size=size_text(spaces.shm_bytes) if spaces.shm_bytes is not None else "",
        ipc=spaces.ipc,
        ulimits=[ulimit_text(limit) for limit in limits.ulimits],
        memory=size_text(spec.memory_bytes) if spec.memory_bytes else "",
        cpus=cpus_text(spec.cpus_nano) if spec.cpus_nano else "",
        pids=str(limits.pids_limit) if limits.pids_limit is not None else "",
        ports=[port_text(port) for port in spec.ports if port.host_port is not None],
        network=network,
        mounts=[mount_text(mount) for mount in spec.mounts],
        env=[f"{key}={MASK if value and is_secret_name(key) else value}" for key, value in spec.env.items()],
        user=spec.user or "",
        workdir=spec.workdir or "",
        restart=str(spec.restart),
        health=health_text(spec.health),
        health_start=duration_text(spec.health.start_period_ns) if spec.health and spec.health.start_period_ns else "",
    )


def health_text(health: HealthSpec | None) -> str:
    """A check as its command, "none" where the image's is switched off."""
    if health is None:
        return ""
    kind, *words = health.test
    return "none" if kind == "NONE" else words[0] if kind == "CMD-SHELL" and words else shlex.join(words)


__all__ = ["MASK", "Draft", "about", "draft_from", "draft_of", "health_text", "laid_over"]
