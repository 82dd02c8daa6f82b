"""Whose logs a screen shows, what they are called there, and which of them have ended. Reads nothing, draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from backends.model.container import Container
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from tui.messages import LogEnded
from widgets.text import inert

_NAMES_SAID = 2


class LogSources:
    """One or more containers, each with the end of its log, where it has ended."""

    def __init__(self, containers: Sequence[Container]) -> None:
        self.containers: tuple[Container, ...] = tuple({one.key: one for one in containers}.values())
        self.keys: tuple[ContainerKey, ...] = tuple(one.key for one in self.containers)
        self.numbers: Mapping[ContainerKey, int] = {key: number for number, key in enumerate(self.keys)}
        self._now: dict[ContainerKey, Container] = {one.key: one for one in self.containers}
        self._ended: dict[ContainerKey, LogEnded] = {}
        self._rested: set[ContainerKey] = set()  # since the end seen not to run, or their engine was lost

    @property
    def names(self) -> tuple[str, ...]:
        """What they are told apart by, inert: the name, with the engine where two have the same."""
        times = Counter(one.name for one in self.containers)
        return tuple(
            inert(one.name) if times[one.name] == 1 else f"{inert(one.name)}@{one.key.engine}"
            for one in self.containers
        )

    def name(self, key: ContainerKey) -> str:
        """The name of one."""
        return self.names[self.numbers[key]]

    @property
    def title(self) -> str:
        """For the title: "web on docker", "web, db and 3 more"."""
        if len(self.containers) == 1:
            return f"{inert(self.containers[0].name)} on {self.keys[0].engine}"
        said, more = self.names[:_NAMES_SAID], len(self.names) - _NAMES_SAID
        return ", ".join(said) + (f" and {more} more" if more > 0 else "")

    @property
    def file_name(self) -> str:
        """For a file's name."""
        words = self.containers[0].project if len(self.containers) > 1 else self.containers[0].name
        return "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in words or "containers").lstrip(".")

    @property
    def all_ended(self) -> bool:
        """None of them goes on."""
        return len(self._ended) == len(self.keys)

    def restart(self) -> None:
        """All are read anew."""
        self._ended.clear()
        self._rested.clear()

    def end(self, message: LogEnded) -> None:
        """One has ended."""
        self._ended[message.container] = message
        self._rested.discard(message.container)

    def look(self, view: FleetView) -> list[LogEnded]:
        """The ends of those that run again; they count as not ended from now on."""
        return [ended for key in self.keys if (ended := self._runs_again(key, view)) is not None]

    def _runs_again(self, key: ContainerKey, view: FleetView) -> LogEnded | None:
        container, known = view.containers.get(key), self._now[key]
        if key not in self._ended:
            if container is not None and known.started_at is None:
                self._now[key] = container  # now it is known which run is followed
            return None
        engine = view.engines.get(key.engine)
        if container is None or engine is None or engine.stale or not container.state.alive:
            self._rested.add(key)
            return None
        before, now = known.started_at, container.started_at
        if key not in self._rested and (now is None or before is None or now == before):
            return None  # the view is older than the end
        self._now[key] = container
        return self._ended.pop(key)


def project_of(container: Container, view: FleetView) -> list[Container]:
    """The containers of its Compose project or pod, itself first; itself alone where it is in none."""

    def together(other: Container) -> bool:
        if other.key.engine != container.key.engine or other.infra:
            return False
        same_project = bool(container.project) and other.project == container.project
        return same_project or (bool(container.pod) and other.pod == container.pod)

    others = sorted((one for one in view.containers.values() if together(one)), key=lambda one: one.name)
    return [container, *(one for one in others if one.key != container.key)]
