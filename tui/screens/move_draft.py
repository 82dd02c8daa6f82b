"""A move before it is begun: what is to go where, and what was chosen of it. Asks and draws nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from backends.giving import listed_gpus
from backends.model.container import Container, MountKind, Port
from backends.model.fleet import FleetView
from backends.model.ids import EngineId
from backends.model.plan import Choices, Plan, PortChoice, VolumeChoice
from backends.model.wish import KEEP
from tui.move import Move
from tui.move_messages import PlanMade
from widgets.choice_bar import Option, options
from widgets.move_parts import Parts


class Draft:
    """container: that it is about. targets: engines that it may go to, at least one."""

    def __init__(self, container: Container, targets: Sequence[EngineId]) -> None:
        self.container = container
        self.targets = tuple(targets)
        self.choices = Choices()
        self.plans: tuple[Plan, ...] = ()
        self.together = False
        self.project = ""
        self._place = 0
        self._published = _published(container.ports)

    @property
    def target(self) -> EngineId:
        """Where to."""
        return self.targets[self._place]

    @property
    def target_words(self) -> str:
        """Where to, and which of how many that is."""
        others = f"  ({self._place + 1} of {len(self.targets)})" if len(self.targets) > 1 else ""
        return f"{self.target}{others}"

    @property
    def group(self) -> str:
        """The Compose project or pod that it is in, "" where in none.

        Podman names a pod in its list only: of one that was looked at by itself since, the plan tells that it has one.
        """
        in_pod = any(field.field == "Pod" for plan in self.plans for field in plan.fields)
        return self.container.project or self.container.pod or ("its pod" if in_pod else "")

    @property
    def blocked(self) -> bool:
        """Some finding stops it."""
        return any(plan.blocked for plan in self.plans)

    @property
    def published(self) -> tuple[int, ...]:
        """The ports of the host that the sources have."""
        return self._published

    def next_target(self) -> bool:
        """The next one; whether there is another."""
        self._place = (self._place + 1) % len(self.targets)
        return len(self.targets) > 1

    def turn_together(self) -> None:
        """With the rest of its project, or alone again. What was chosen for single parts holds for these no more."""
        self.together = not self.together
        self.project = self.group if self.together else ""
        single = replace(self.choices, name=None, volumes={}, gpus=KEEP)
        self.choices = replace(single, port=PortChoice.SAME, port_map={})
        self.plans = ()

    def follow(self, move: Move) -> None:
        """As in a move that was begun."""
        self.choices = replace(move.plan.choices, volumes={}) if move.project else move.plan.choices
        self.together, self.project = bool(move.project), move.project
        self.plans = move.plans
        if move.plan.target in self.targets:
            self._place = self.targets.index(move.plan.target)

    def named(self, name: str) -> None:
        """What is typed as the copy's name; a project's containers keep theirs."""
        wanted = None if self.together or name in {"", self.container.name} else name
        self.choices = replace(self.choices, name=wanted)

    def take(self, made: PlanMade) -> bool:
        """Plans that were made; False where they are not of what is asked for now."""
        if (made.plans[0].target, made.choices, bool(made.project)) != (self.target, self.choices, self.together):
            return False
        self.plans, self.project = made.plans, made.project
        if self.choices.port is PortChoice.SAME:  # a container at rest does not tell them in the list
            self._published = _published(port for plan in made.plans for port in plan.spec.ports)
        return True

    # -- what can be chosen ----------------------------------------------------------------------
    def parts(self, view: FleetView) -> Parts:
        """Volumes and ports, one by one. Volumes are known once there is a plan."""
        found: dict[str, str] = {}
        for plan in self.plans:
            row = view.containers.get(plan.source)
            where = {m.source: m.destination for m in row.mounts if m.kind is MountKind.VOLUME} if row else {}
            for name in plan.source_volumes:
                inside = f" in {plan.source_name}" if len(self.plans) > 1 else ""
                found.setdefault(name, f"{where[name]}{inside}" if name in where else inside.strip())
        return Parts(found, self.published)

    def gpus_kept(self) -> str:
        """The sources' GPUs, for people."""
        said = [field.source for plan in self.plans for field in plan.fields if field.field == "gpu"]
        return ", ".join(dict.fromkeys(said)) or ", ".join(self.container.gpus_given) or "none"

    def _gpus_matter(self, view: FleetView) -> bool:
        """Somebody has GPUs, or is to get some."""
        if self.together and self.plans:
            return self.gpus_kept() != "none"
        target = view.engines.get(self.target)
        there = bool(view.gpus.readings or listed_gpus(target.info if target is not None else None))
        return there or not self.choices.gpus.keeps or self.gpus_kept() != "none"

    def options(self, view: FleetView) -> tuple[Option, ...]:
        """The choices that matter."""
        volumes = any(plan.source_volumes for plan in self.plans)
        return options(
            self.choices,
            has_volumes=not self.plans or volumes or self.choices.volume is not VolumeChoice.COPY,
            has_ports=bool(self.published) or self.choices.port is not PortChoice.SAME,
            has_gpus=self._gpus_matter(view),
            running=any(plan.source_running for plan in self.plans) or self.container.state.alive,
        )


def _published(ports: Iterable[Port]) -> tuple[int, ...]:
    """Host ports that are taken, each once."""
    return tuple(sorted({port.host_port for port in ports if port.host_port}))
