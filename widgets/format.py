"""Model to short text: bytes, percent, rates, ages, states, ports. Pure; a missing value is a dash, never 0."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backends.model.container import Container, ContainerState, Health, Port
from backends.model.values import NOT_ALL_READ, Count, Missing, Quantity
from widgets.line import Line, Span, Tone, line
from widgets.text import inert

MISSING = "–"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
# Seconds per unit of an age, largest first: a year of 365 days, as `docker ps` counts.
_AGES = ((31_536_000, "y"), (604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def bytes_text(value: Count | None) -> str:
    """Binary units, at most 8 cells: "0 B", "999 B", "1.5 KiB", "1023 MiB", "12 GiB"."""
    if value is None or isinstance(value, Missing):
        return MISSING
    amount, unit = float(max(0, value)), 0
    while amount >= 1023.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    number = f"{amount:.1f}" if unit and amount < 9.95 else f"{amount:.0f}"
    return f"{number} {_UNITS[unit]}"


def rate_text(bytes_per_s: Quantity | None) -> str:
    """Bytes per second: "1.5 MiB/s"."""
    if bytes_per_s is None or isinstance(bytes_per_s, Missing):
        return MISSING
    return f"{bytes_text(int(bytes_per_s))}/s"


def percent_text(value: Quantity | None) -> str:
    """One decimal below ten, none above: "0.4%", "12%", "213%"."""
    if value is None or isinstance(value, Missing):
        return MISSING
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"


def number_text(value: Quantity | None, unit: str) -> str:
    """A whole number with its unit: "63 °C", "210 W"."""
    return MISSING if value is None or isinstance(value, Missing) else f"{value:.0f} {unit}"


def duration_text(seconds: float | None) -> str:
    """Largest unit only, at most 4 cells below a century: "59s", "5m", "23h", "6d", "51w", "9y"."""
    if seconds is None:
        return MISSING
    for size, unit in _AGES:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "0s"


def age_text(since: datetime | None, now: datetime) -> str:
    """How long ago; a moment in the future (clocks differ) counts as now."""
    return MISSING if since is None else duration_text((now - since).total_seconds())


def clock_text(seconds: float | None) -> str:
    """Time left: "0:07", "12:30", "1:02:03"."""
    if seconds is None:
        return MISSING
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def missing_reason(value: object) -> str:
    """Why a value is missing, "" where it is there."""
    return value.reason if isinstance(value, Missing) else ""


# State to shape, word, tone. The shape alone tells the state.
_STATES: dict[ContainerState, tuple[str, str, Tone]] = {
    ContainerState.RUNNING: ("●", "running", Tone.OK),
    ContainerState.PAUSED: ("◐", "paused", Tone.WARN),
    ContainerState.RESTARTING: ("↻", "restarting", Tone.WARN),
    ContainerState.STOPPING: ("◒", "stopping", Tone.WARN),
    ContainerState.REMOVING: ("◒", "removing", Tone.WARN),
    ContainerState.EXITED: ("○", "exited", Tone.DIM),
    ContainerState.CREATED: ("◌", "created", Tone.DIM),
    ContainerState.DEAD: ("✕", "dead", Tone.BAD),
    ContainerState.UNKNOWN: ("?", "unknown", Tone.DIM),
}
_HEALTH: dict[Health, tuple[str, Tone]] = {
    Health.HEALTHY: ("healthy", Tone.OK),
    Health.UNHEALTHY: ("unhealthy", Tone.BAD),
    Health.STARTING: ("starting", Tone.WARN),
}
# 128 + SIGTERM and 128 + SIGKILL: how a container ends when it is told to; 0: by itself and well.
_CALM_EXITS = frozenset({0, 137, 143})

# Why a container of a Pod does not run yet where all is well. Source: kubelet, pkg/kubelet/container.
_CALM_WAITS = frozenset({"ContainerCreating", "PodInitializing"})


def state_parts(container: Container) -> tuple[str, str, Tone]:
    """(shape, word, tone) of a container: its health where it runs and has a check, its exit code where it failed."""
    shape, word, tone = _STATES[container.state]
    if container.why.startswith(NOT_ALL_READ):
        return shape, word if container.state is ContainerState.UNKNOWN else f"{word} ?", Tone.WARN
    if container.state is ContainerState.RUNNING and container.health in _HEALTH:
        word, tone = _HEALTH[container.health]
        return ("◍" if container.health is not Health.HEALTHY else shape), word, tone
    if container.state is ContainerState.CREATED and container.why:
        calm = container.why.partition(":")[0] in _CALM_WAITS
        return shape, "creating" if calm else "waiting", tone if calm else Tone.WARN
    if container.state is ContainerState.EXITED and container.exit_code:
        if container.exit_code not in _CALM_EXITS:
            return "✕", f"exit {container.exit_code}", Tone.BAD
        return shape, f"exited {container.exit_code}", tone
    return shape, word, tone


def state_cell(container: Container, pending: str = "") -> Line:
    """The state as a cell; pending: what is being done to it ("stopping…"), shown in its place."""
    if pending:
        return line(("◒ ", Tone.INFO), (pending, Tone.INFO))
    shape, word, tone = state_parts(container)
    return line((f"{shape} ", tone), (word, Tone.PLAIN if tone is Tone.OK else tone))


def short_image(reference: str) -> str:
    """The reference as people say it: without the default registry, `library/`, digest; bare ids cut to 12 digits."""
    name = inert(reference)
    if name.startswith("sha256:"):
        return name[7:19]
    name = name.split("@", 1)[0] or name
    for prefix in ("docker.io/library/", "docker.io/", "localhost/"):
        name = name.removeprefix(prefix)
    if len(name) == 64 and all(digit in "0123456789abcdef" for digit in name):
        return name[:12]
    return name


def port_text(port: Port) -> str:
    """ "8080→80", "127.0.0.1:8080→80", "53/udp" where it is only exposed; tcp is not said."""
    protocol = "" if port.protocol == "tcp" else f"/{inert(port.protocol)}"
    inner = f"{port.container_port}{protocol}"
    if port.host_port is None:
        return inner
    address = inert(port.host_ip)
    where = "" if address in {"", "0.0.0.0", "::"} else (f"[{address}]:" if ":" in address else f"{address}:")
    outer = str(port.host_port) if port.host_port else "?"
    return f"{where}{outer}→{inner}"


def ports_text(ports: Sequence[Port]) -> str:
    """Published ports, each once (IPv4 and IPv6 of one port are one); "" where none is published."""
    if not ports:
        return ""  # most have none, and hundreds are measured ten times a second while containers change
    published = sorted(port for port in ports if port.host_port is not None)
    return " ".join(dict.fromkeys(port_text(port) for port in published))


def value_cell(text: str, *, tone: Tone = Tone.PLAIN) -> Line:
    """A cell of one span; what is missing or empty is quiet."""
    return (Span(text, Tone.FAINT if text == MISSING else tone),)
