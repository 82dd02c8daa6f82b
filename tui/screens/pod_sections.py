"""The sections of a Pod's container that its own JSON tells otherwise than an engine's inspect. Asks nobody."""

from __future__ import annotations

from backends.inspected_pod import pod_addresses, pod_environment, pod_probes
from backends.model.container import Container
from tui.screens.container_sections import Raw, environment_pair_lines, port_lines, quiet
from widgets.line import BLANK, Line, Tone, line
from widgets.text import inert, pad, wrap


def _name(container: Container) -> str:
    """Of the container in its Pod."""
    return container.key.id.rpartition("/")[2]


def pod_environment_lines(container: Container, raw: Raw, width: int, *, secrets: bool) -> list[Line]:
    """Variables as the manifest says them; the image's own are not told there."""
    pairs = pod_environment(raw, _name(container))
    lines = environment_pair_lines(pairs, width, secrets=secrets) if pairs else quiet("Its manifest sets none.")
    return [*lines, BLANK, line(("Those of its image are not told by Kubernetes.", Tone.DIM))]


def pod_network_lines(container: Container, raw: Raw, width: int) -> list[Line]:
    """The Pod's addresses and node, and the container's ports."""
    lines = []
    for label, value in pod_addresses(raw):
        lines += [line((pad(label, 12), Tone.DIM), part) for part in wrap(inert(value), max(8, width - 12))]
    return [*lines, *port_lines(container)] or quiet("It has no address yet.")


def pod_health_lines(container: Container, raw: Raw, width: int) -> list[Line]:
    """Its probes, and what they came to; Kubernetes keeps no single runs."""
    probes = pod_probes(raw, _name(container))
    if not probes:
        return quiet("It has no probe.")
    lines = [line((pad("State", 10), Tone.DIM), container.health.value)]
    for label, how in probes:
        parts = wrap(inert(how), max(8, width - 10))
        lines += [line((pad("" if at else label, 10), Tone.DIM), part) for at, part in enumerate(parts)]
    return [*lines, BLANK, line(("What failed is among the Pod's events: kubectl describe pod.", Tone.DIM))]


__all__ = ["pod_environment_lines", "pod_health_lines", "pod_network_lines"]
