"""What a row of the field table is, and the table itself: every field of the recipe, once.

The plan, the target's recipe, the comparison after the move and docs/migration.md are all made from these rows.
Pure data and pure functions; may not ask an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from backends.migration.gpus import GpuMove
from backends.model.capabilities import EngineInfo
from backends.model.ids import EngineId, EngineKind
from backends.model.plan import Choices
from backends.model.settings import HealthSpec, LogSpec
from backends.model.workload import WorkloadSpec

NO_PARTNERS: Mapping[str, str] = MappingProxyType({})
PLAIN = WorkloadSpec(name="", image="")
"""A recipe in which nothing is configured."""

_ABSENT: Mapping[str, Any] = MappingProxyType({"health": HealthSpec(test=()), "log": LogSpec()})
"""Groups that are None where nothing is configured."""


@dataclass(frozen=True, slots=True)
class Side:
    """One engine, as far as rules need it."""

    engine: EngineId
    info: EngineInfo

    @property
    def docker(self) -> bool:
        """It is a Docker."""
        return self.engine.kind is EngineKind.DOCKER

    @property
    def podman(self) -> bool:
        """It is a Podman."""
        return self.engine.kind is EngineKind.PODMAN

    @property
    def called(self) -> str:
        """For reasons: "Docker", "rootless Podman"."""
        name = "Docker" if self.docker else "Podman"
        return f"rootless {name}" if self.info.rootless else name


@dataclass(frozen=True, slots=True)
class Choice:
    """What a field becomes, decided elsewhere. reason: "" where it stays."""

    value: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions that need facts of the target.

    name, image: of the copy. volumes: per source volume, the copy's name. shared: per shared source volume, its
    folder. networks: per network, why addresses asked for there cannot be kept, "" where they can.
    gpu: None where none was asked for. took: device nodes that the GPU request stands for now, each with the reason.
    no_limits: why the target enforces no limits, "" where it does. partners: containers that move along, each with
    its name on the target. check_of_image: why the copy gets as its own the health check that the source has of its
    image, "" where it does not; `Case.spec` has it then.
    """

    name: Choice
    image: Choice
    volumes: Mapping[str, Choice] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    gpu: GpuMove | None = None
    took: Mapping[str, str] = field(default_factory=dict)
    no_limits: str = ""
    choices: Choices = Choices()
    partners: Mapping[str, str] = field(default_factory=lambda: NO_PARTNERS)
    check_of_image: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One move, as rules see it. spec: the source's."""

    spec: WorkloadSpec
    source: Side
    target: Side
    decided: Decisions

    @property
    def crossing(self) -> bool:
        """From one kind of engine to the other."""
        return self.source.engine.kind is not self.target.engine.kind


Edit = Callable[[WorkloadSpec], WorkloadSpec]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one value. value: on the target. reason: "" = it is the same. dropped: it is not carried.

    text: the target's value for people, None = as the row shows it. edit: what else of the target's recipe changes.
    """

    value: Any = None
    reason: str = ""
    dropped: bool = False
    text: str | None = None
    edit: Edit | None = None


def dropped(reason: str) -> Fate:
    """It is not carried."""
    return Fate(reason=reason, dropped=True)


def keep(value: Any, _case: Case) -> Fate:
    """It goes over as it is."""
    return Fate(value)


Rule = Callable[[Any, Case], Fate]


@dataclass(frozen=True, slots=True)
class Parts:
    """A field that is a collection: each entry is planned by itself.

    split: entries with what names each ("" = the value has one entry only); join: the collection again.
    """

    split: Callable[[Any], Sequence[tuple[str, Any]]]
    join: Callable[[Sequence[tuple[str, Any]]], Any]


def _pairs(value: Mapping[str, str]) -> list[tuple[str, Any]]:
    return sorted(value.items())


def named(name: Callable[[Any], str]) -> Parts:
    """A tuple of things, each named by a function."""
    return Parts(
        lambda value: [(name(item), item) for item in value], lambda entries: tuple(item for _, item in entries)
    )


PAIRS = Parts(_pairs, dict)
"""A mapping of strings."""


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the recipe.

    path: where it stands in WorkloadSpec. docker, podman: in Docker's inspect JSON and in Podman's SpecGenerator,
    "-" = it has none. show: for people, (name, value) → text. rule: what becomes of it; said: the same in words, ""
    = always the same. parts: of a collection. key: what is compared after the move (None = not here; why: where else).
    subs: the fields of its entries, each (Docker's, Podman's, remark). unwanted: why the entry of that name is not
    carried, "" where it is.
    """

    path: str
    docker: str
    podman: str
    show: Callable[[str, Any], str]
    rule: Rule = keep
    said: str = ""
    parts: Parts | None = None
    key: Callable[[Any], Any] | None = lambda value: value
    subs: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    unwanted: Callable[[str, Case], str] = lambda _name, _case: ""

    @property
    def default(self) -> Any:
        """Its value where nothing is configured."""
        return self.get(PLAIN)

    def get(self, spec: WorkloadSpec) -> Any:
        """Its value in a recipe."""
        group, _, name = self.path.rpartition(".")
        if not group:
            return getattr(spec, name)
        held = getattr(spec, group)
        return getattr(_ABSENT[group] if held is None else held, name)

    def put(self, spec: WorkloadSpec, value: Any) -> WorkloadSpec:
        """The recipe with another value; a group without anything configured is the engine's own again."""
        group, _, name = self.path.rpartition(".")
        if not group:
            return replace(spec, **{name: value})
        held = getattr(spec, group)
        changed = replace(_ABSENT[group] if held is None else held, **{name: value})
        whole: Any = None if changed == _ABSENT.get(group) else changed
        return replace(spec, **{group: whole})

    def configured(self, spec: WorkloadSpec) -> bool:
        """Somebody set it."""
        return bool(self.get(spec) != self.default)


def text(show: Callable[[Any], str]) -> Callable[[str, Any], str]:
    """A way to show a value that does not depend on its name."""
    return lambda _name, value: show(value)


PLAIN_TEXT = text(str)
