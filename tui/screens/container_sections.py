"""The sections of a container's screen as lines: pure functions from what was read. Asks nobody, hides secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from backends.inspected import attachments, environment, health_command, health_runs
from backends.model.container import ChangedPath, ChangeKind, Container
from backends.model.events import EngineEvent
from backends.model.process import ContainerProcess
from backends.model.secrets import MASK, masked_text, masked_value
from backends.wire.times import parse_time
from widgets.format import MISSING, bytes_text, port_text
from widgets.line import BLANK, Line, Tone, line
from widgets.text import inert, pad, wrap

_NAME_CELLS = 26
_CHANGE_MARKS = {
    ChangeKind.ADDED: ("+ ", Tone.OK),
    ChangeKind.CHANGED: ("~ ", Tone.WARN),
    ChangeKind.DELETED: ("- ", Tone.BAD),
}
Raw = Mapping[str, object]


def quiet(text: str) -> list[Line]:
    """One quiet line."""
    return [line((text, Tone.DIM))]


def process_lines(processes: Sequence[ContainerProcess], width: int, *, secrets: bool) -> list[Line]:
    """A table of processes, the busiest first."""
    if not processes:
        return quiet("No process was listed.")
    lines = [line((f"{'PID':>7} {'USER':<9} {'CPU':>7} {'MEMORY':>9} {'TIME':>10}  COMMAND", Tone.HEADING))]
    for one in sorted(processes, key=lambda each: -(each.cpu_percent or 0.0)):
        cpu = MISSING if one.cpu_percent is None else f"{one.cpu_percent:.1f}%"
        command = one.command if secrets else masked_text(one.command)
        memory = MISSING if one.memory_bytes is None else bytes_text(one.memory_bytes)
        elapsed = inert(one.elapsed).partition(".")[0] + ("s" if "." in one.elapsed else "")
        head = f"{one.pid:>7} {pad(inert(one.user)[:9], 9)} {cpu:>7} {memory:>9} {elapsed:>10}  "
        lines.append(line(head, (inert(command), Tone.STRONG)))
    total = f"{len(processes)} processes; CPU is averaged over a process's life"
    return [*lines, BLANK, line((total[:width], Tone.DIM))]


def environment_lines(raw: Raw, width: int, *, secrets: bool) -> list[Line]:
    """Variables, those that look secret hidden unless asked for."""
    return environment_pair_lines(environment(raw), width, secrets=secrets)


def environment_pair_lines(pairs: Iterable[tuple[str, str]], width: int, *, secrets: bool) -> list[Line]:
    """(name, value) in a table; what looks secret is hidden unless asked for."""
    lines: list[Line] = []
    hidden = 0
    for name, value in pairs:
        shown = value if secrets else masked_value(name, value)
        hidden += MASK in shown and shown != value
        lines += _pair(name, shown, width, Tone.DIM if shown == MASK else Tone.PLAIN)
    if hidden:
        lines += [BLANK, line((f"{hidden} hidden because they look secret; x shows them", Tone.DIM))]
    return lines or quiet("It has no environment of its own.")


def mount_lines(container: Container, raw: Raw, width: int) -> list[Line]:
    """What is mounted where."""
    lines: list[Line] = []
    for mount in sorted(container.mounts, key=lambda one: one.destination):
        mode = "read only" if mount.read_only else "read and write"
        lines.append(line((inert(mount.destination), Tone.STRONG), (f"  {mount.kind.value}, {mode}", Tone.DIM)))
        lines += [line(("    ← ", Tone.DIM), part) for part in wrap(inert(mount.source) or MISSING, max(8, width - 6))]
    host = raw.get("HostConfig")
    tmpfs = host.get("Tmpfs") if isinstance(host, Mapping) else None
    for place, options in sorted(tmpfs.items()) if isinstance(tmpfs, Mapping) else ():
        lines.append(line((inert(str(place)), Tone.STRONG), (f"  tmpfs {inert(str(options))}", Tone.DIM)))
    return lines or quiet("Nothing is mounted: what it writes is in its own layer, and goes when it is removed.")


def network_lines(container: Container, raw: Raw, width: int) -> list[Line]:
    """Networks with addresses, and ports."""
    lines: list[Line] = []
    for one in attachments(raw):
        lines.append(line((inert(one.network), Tone.STRONG)))
        for label, value in (
            ("address", one.address),
            ("IPv6", one.address_v6),
            ("gateway", one.gateway),
            ("MAC", one.mac),
            ("aliases", ", ".join(one.aliases)),
        ):
            if value:
                lines += [line((pad(f"  {label}", 12), Tone.DIM), part) for part in wrap(inert(value), width - 12)]
    return [*lines, *port_lines(container)] or quiet("It is on no network.")


def port_lines(container: Container) -> list[Line]:
    """Its ports, under a heading; none where it has none."""
    if not container.ports:
        return []
    ports = [line("  " + inert(port_text(port))) for port in sorted(container.ports, key=repr)]
    return [BLANK, line(("PORTS", Tone.HEADING)), *ports]


def health_lines(container: Container, raw: Raw, width: int) -> list[Line]:
    """The health check and its last runs, newest first."""
    command, runs = health_command(raw), health_runs(raw)
    if not command and not runs and container.health.value == "none":
        return quiet("It has no health check.")
    lines = [line((pad("State", 10), Tone.DIM), container.health.value)]
    for number, part in enumerate(wrap(inert(command), max(8, width - 10)) if command else ()):
        lines.append(line((pad("" if number else "Check", 10), Tone.DIM), part))
    lines.append(BLANK)
    for run in runs:
        good = run.exit_code == 0
        word = ("✓ passed", Tone.OK) if good else (f"✕ failed ({run.exit_code})", Tone.BAD)
        lines.append(line((pad(_clock(run.start), 16), Tone.DIM), word, (f"  {_took(run.start, run.end)}", Tone.DIM)))
        for text in run.output.splitlines()[:4]:
            lines += [line(("                " + part, Tone.PLAIN)) for part in wrap(inert(text), max(8, width - 16))]
    return lines if runs else [*lines, line(("It has not run yet.", Tone.DIM))]


def changed_lines(paths: Sequence[ChangedPath], width: int) -> list[Line]:
    """Files that are not as in the image."""
    if not paths:
        return quiet("It has changed nothing of its image's files (mounts are not part of them).")
    counts = [f"{sum(one.kind is kind for one in paths):,} {kind.value}" for kind in ChangeKind]
    lines = [line((", ".join(counts)[:width], Tone.DIM)), BLANK]
    return [*lines, *(line(_CHANGE_MARKS[one.kind], inert(one.path)) for one in paths)]


def event_lines(events: Iterable[EngineEvent], container: Container | None, key_id: str) -> list[Line]:
    """The container's events that were heard, newest first."""
    lines = [
        line((f"{one.at.astimezone():%m-%d %H:%M:%S}  ", Tone.DIM), inert(one.action))
        for one in events
        if one.id == key_id
    ]
    since = "" if container is None else f" of {inert(container.name)}"
    return list(reversed(lines)) or quiet(f"No event{since} was heard since Tranship began to listen.")


def _pair(name: str, value: str, width: int, tone: Tone) -> list[Line]:
    head = pad(inert(name), _NAME_CELLS)
    room = max(12, width - max(_NAME_CELLS, len(head)) - 1)
    parts = wrap(inert(value), room) if value else [""]
    lines = [line((head + " ", Tone.INFO), (parts[0], tone))]
    return [*lines, *(line((" " * (len(head) + 1) + part, tone)) for part in parts[1:])]


def _clock(text: str) -> str:
    at = parse_time(text)
    return f"{at.astimezone():%m-%d %H:%M:%S}" if at is not None else MISSING


def _took(start: str, end: str) -> str:
    first, last = parse_time(start), parse_time(end)
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return ""
    return f"in {max(0.0, (last - first).total_seconds()):.2f} s"
