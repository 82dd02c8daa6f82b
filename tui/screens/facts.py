"""What is known of one container, as labelled lines: the info pane and the head of the detail screen. Asks nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backends.model.container import Container, MountKind, StatsReading
from backends.model.fleet import EngineView, FleetView
from backends.model.gpu import GpuUse
from backends.model.ids import ContainerKey
from backends.model.secrets import masked_text
from widgets.container_sort import own_limit
from widgets.format import (
    MISSING,
    age_text,
    bytes_text,
    missing_reason,
    percent_text,
    port_text,
    rate_text,
    state_parts,
)
from widgets.line import Line, Tone, line
from widgets.lines_pane import LinesPane
from widgets.text import inert, pad, wrap

Fact = tuple[str, str]
_MOUNTS_SHOWN = 6
_LABEL_CELLS = 10


def facts_of(view: FleetView, key: ContainerKey, now: datetime) -> list[Fact]:
    """(label, value) of a container; empty where it is gone. now: aware."""
    container = view.containers.get(key)
    if container is None:
        return []
    return [
        ("Name", inert(container.name)),
        ("Engine", _engine(view.engines.get(key.engine), key)),
        ("Id", key.short),
        ("Image", inert(container.image)),
        ("State", _state(container, now)),
        *([("Why", inert(container.why))] if container.why else []),
        *_usage(view.stats.get(key), view.engines.get(key.engine)),
        *_gpu(container, view.gpu_use.get(key)),
        *_setup(container),
    ]


def _engine(engine: EngineView | None, key: ContainerKey) -> str:
    if engine is None or engine.info is None:
        return key.engine.name
    rootless = ", rootless" if engine.info.rootless else ""
    # An engine is mostly named after its kind, and the demo's version is "demo" too: each word once.
    said = dict.fromkeys(
        (engine.info.version,)
        if key.engine.name == key.engine.kind.value
        else (key.engine.kind.value, engine.info.version)
    )
    return inert(f"{key.engine.name} {' '.join(said)}{rootless}")


def _state(container: Container, now: datetime) -> str:
    _, word, _ = state_parts(container)
    since = container.started_at if container.state.alive else container.finished_at
    for_how_long = f" for {age_text(since, now)}" if since is not None else ""
    restarts = f", started again {container.restarts}×" if container.restarts else ""
    return f"{word}{for_how_long}{restarts}, created {age_text(container.created_at, now)} ago"


def _usage(stats: StatsReading | None, engine: EngineView | None) -> list[Fact]:
    if stats is None:
        return []
    why = missing_reason(stats.memory_bytes) or missing_reason(stats.cpu_percent)
    if why:
        return [("Usage", f"{MISSING} ({why})")]
    host_bytes = engine.info.memory_bytes if engine is not None and engine.info is not None else 0
    own = own_limit(stats, host_bytes)
    limit = f" of {bytes_text(int(own))}" if own else "" if missing_reason(stats.memory_limit_bytes) else ", no limit"
    processes = "1 process" if stats.processes == 1 else f"{stats.processes or MISSING} processes"
    return [
        ("CPU", f"{percent_text(stats.cpu_percent)}, {processes}"),
        ("Memory", f"{bytes_text(stats.memory_bytes)}{limit}"),
        ("Network", f"in {rate_text(stats.net_rx_bytes_per_s)}, out {rate_text(stats.net_tx_bytes_per_s)}"),
        ("Disk", f"read {rate_text(stats.block_read_bytes_per_s)}, write {rate_text(stats.block_write_bytes_per_s)}"),
    ]


def _gpu(container: Container, use: GpuUse | None) -> list[Fact]:
    given = ", ".join(inert(gpu) for gpu in container.gpus_given)
    if use is None:
        return [("GPU", f"given {given}")] if given else []
    where = ", ".join(str(index) for index in use.device_indexes)
    was_given = f", given {given}" if given else ""
    used = f"{bytes_text(use.memory_bytes)}, {percent_text(use.sm_percent)} on {where or MISSING}"
    return [("GPU", used + was_given)]


def _setup(container: Container) -> list[Fact]:
    facts: list[Fact] = []
    if container.command:
        facts.append(("Command", inert(masked_text(" ".join(container.command)))))
    if container.ports:
        facts.append(("Ports", "  ".join(port_text(port) for port in sorted(container.ports, key=repr))))
    for index, mount in enumerate(sorted(container.mounts)):
        if index == _MOUNTS_SHOWN:
            facts.append(("", f"and {len(container.mounts) - index} more"))
            break
        mode = " (read only)" if mount.read_only else ""
        kind = "" if mount.kind is MountKind.BIND else f" {mount.kind.value}"
        facts.append(("" if index else "Mounts", inert(f"{mount.source} → {mount.destination}{mode}{kind}")))
    if container.networks:
        facts.append(("Networks", inert(", ".join(container.networks))))
    if container.project:
        facts.append(("Project", inert(container.project)))
    return facts


def fact_lines(facts: Sequence[Fact], width: int) -> list[Line]:
    """The facts as lines: quiet labels, values wrapped beside them."""
    lines: list[Line] = []
    for label, value in facts:
        parts = wrap(value, max(8, width - _LABEL_CELLS))
        for index, part in enumerate(parts):
            head = pad(label if index == 0 else "", _LABEL_CELLS)
            lines.append(line((head, Tone.DIM), part))
    return lines


class InfoPane(LinesPane):
    """The facts of the container under the cursor."""

    def show(self, view: FleetView, key: ContainerKey | None, now: datetime) -> None:
        """Show a container's facts; None: there is none."""
        facts = facts_of(view, key, now) if key is not None else []
        if facts:
            self.show_built(lambda width: fact_lines(facts, width))
        else:
            self.show_lines([line(("No container is selected.", Tone.DIM))])
