"""What is worth telling a person who looks elsewhere, and nothing of what they did themselves. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from backends.model.container import Container, ContainerState, Health
from backends.model.fleet import FleetView
from backends.model.ids import ContainerKey
from backends.model.labels import HELPER_LABEL, TRIAL_LABEL

_OWN_S = 15.0  # what happens to a container so soon after a person's own action on it is no news
_AGAIN_S = 300.0  # the same of one container is told once in so long: a restart loop is one piece of news

_OURS = frozenset({TRIAL_LABEL, HELPER_LABEL})
"""What a trial or a sweep makes comes and goes by the hundred, and its own screen tells of it; a helper is no one's."""


class NoticeKind(StrEnum):
    """What is told; each can be switched off."""

    FINISHED = "finished"
    FAILED = "failed"
    UNHEALTHY = "unhealthy"
    OUT_OF_MEMORY = "out_of_memory"
    GPU_IDLE = "gpu_idle"


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news. text: a sentence that names container and engine, as data."""

    kind: NoticeKind
    container: ContainerKey
    text: str


class NoticeWatch:
    """Give it each view. idle_s: how long a container holds GPU memory idly before that is told."""

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._before: Mapping[ContainerKey, Container] = {}
        self._own: dict[ContainerKey, float] = {}
        self._told: dict[tuple[ContainerKey, NoticeKind], float] = {}
        self._idle: dict[ContainerKey, float] = {}

    def own(self, key: ContainerKey, now_s: float) -> None:
        """A person acted on it, just now (monotonic seconds)."""
        self._own[key] = now_s

    def take(self, view: FleetView, now_s: float) -> list[Notice]:
        """What is news in a view, against the one before."""
        for key in view.operations:
            self._own[key] = now_s
        found: list[Notice] = []
        if view.containers is not self._before:
            before, self._before = self._before, view.containers
            self._own = {key: at for key, at in self._own.items() if now_s - at < _OWN_S}
            self._told = {one: at for one, at in self._told.items() if now_s - at < _AGAIN_S}
            for key, container in view.containers.items():
                known = before.get(key)
                if known is not None and known != container and not _OURS & container.labels.keys():
                    found += _changes(known, container)
        found += self._idle_ones(view, now_s)
        return [notice for notice in found if self._is_news(notice, now_s)]

    def _idle_ones(self, view: FleetView, now_s: float) -> list[Notice]:
        found = []
        for key, use in view.gpu_use.items():
            container = view.containers.get(key)
            if container is None or use.idle_since is None:
                continue
            if now_s - use.idle_since < self._idle_s:
                self._idle[key] = use.idle_since  # seen before it is too long: then its passing is news
            elif self._idle.get(key) == use.idle_since:
                del self._idle[key]
                minutes = (now_s - use.idle_since) / 60
                said = f"{_name(container)} has held GPU memory and computed nothing for {minutes:.0f} minutes"
                found.append(Notice(NoticeKind.GPU_IDLE, key, said))
        for key in self._idle.keys() - view.gpu_use.keys():
            del self._idle[key]
        return found

    def _is_news(self, notice: Notice, now_s: float) -> bool:
        key = notice.container
        if notice.kind is not NoticeKind.GPU_IDLE and now_s - self._own.get(key, -_OWN_S) < _OWN_S:
            return False
        last = self._told.get((key, notice.kind))
        if last is not None and now_s - last < _AGAIN_S:
            return False
        self._told[key, notice.kind] = now_s
        return True


def _changes(before: Container, now: Container) -> list[Notice]:
    ended = before.state.alive and (
        now.state in {ContainerState.EXITED, ContainerState.DEAD}
        or (now.state is ContainerState.RESTARTING and before.state is not ContainerState.RESTARTING)
    )
    if ended:
        return [_end(now)]
    if now.health is Health.UNHEALTHY and before.health is not Health.UNHEALTHY and now.state.alive:
        return [Notice(NoticeKind.UNHEALTHY, now.key, f"{_name(now)} is unhealthy: its own check fails")]
    return []


def _end(now: Container) -> Notice:
    again = ", and is started again" if now.state is ContainerState.RESTARTING else ""
    if now.oom_killed:
        return Notice(NoticeKind.OUT_OF_MEMORY, now.key, f"{_name(now)} was killed: out of memory{again}")
    if now.exit_code:
        return Notice(NoticeKind.FAILED, now.key, f"{_name(now)} failed with exit code {now.exit_code}{again}")
    return Notice(NoticeKind.FINISHED, now.key, f"{_name(now)} has finished{again}")


def _name(container: Container) -> str:
    return f"{container.name} on {container.key.engine}"
