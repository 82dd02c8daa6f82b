"""Values of a recipe in words for people: human units, secrets masked. Pure text; may not change a value."""

from __future__ import annotations

from collections.abc import Iterable

from backends.model.container import MountKind, Port
from backends.model.secrets import is_secret_name, masked_command, masked_text
from backends.model.settings import UNLIMITED, DeviceSpec, HealthSpec, NetworkAttachment, Throttle, Ulimit
from backends.model.workload import MountSpec

MASK = "********"
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_NS = ((10**9, "s"), (10**6, "ms"), (10**3, "us"), (1, "ns"))


def shown(name: str, value: str) -> str:
    """A value for people: masked where its name looks like a secret's, else what looks like a secret in it."""
    return MASK if value and is_secret_name(name) else masked_text(value)


def size(count: int) -> str:
    """Bytes in the largest unit that fits; the exact count where that is not whole ("16 GiB", "1.5 MiB (…)")."""
    if count == UNLIMITED:
        return "unlimited"
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    exact = count % 1024**unit == 0
    return f"{value:.0f} {_UNITS[unit]}" if exact else f"{value:.4g} {_UNITS[unit]} ({count} bytes)"


def span_ns(count: int) -> str:
    """Nanoseconds in the largest unit in which they are whole."""
    unit, name = next((unit, name) for unit, name in _NS if count % unit == 0)
    return f"{count // unit} {name}"


def seconds(count: int) -> str:
    """A stop timeout."""
    return "for ever" if count == UNLIMITED else f"{count} s"


def count(number: int) -> str:
    """A count that may be unlimited."""
    return "unlimited" if number == UNLIMITED else str(number)


def words(values: Iterable[str]) -> str:
    """A list."""
    return ", ".join(values) or "(empty)"


def argv(values: tuple[str, ...]) -> str:
    """A command line, what looks like a secret in it masked."""
    return masked_command(values) or "(empty)"


def yes(value: object) -> str:
    """A switch."""
    return "yes" if value else "no"


def profile(text: str) -> str:
    """A seccomp profile: its name, or how long it is."""
    return f"a profile of its own ({len(text)} characters)" if text.startswith("{") else text


def describe_port(port: Port) -> str:
    """A port as people write it."""
    inside = f"{port.container_port}/{port.protocol}"
    if port.host_port is None:
        return f"{inside}, not published"
    where = str(port.host_port) if port.host_port else "any free port"
    address = f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip
    return f"{address}:{where} -> {inside}" if address else f"{where} -> {inside}"


def describe_mount(mount: MountSpec) -> str:
    """A mount with everything that is set of it ("volume data/sub -> /data (read-only)")."""
    source = f"{mount.source}/{mount.subpath}" if mount.subpath else mount.source
    fill = "the image's files are copied in" if mount.no_copy is False else ""
    if mount.no_copy:
        fill = "begins empty" if mount.kind is MountKind.TMPFS else "the image's files are not copied in"
    more = [
        "read-only" if mount.read_only else "",
        fill,
        mount.propagation,
        f"SELinux {mount.relabel}" if mount.relabel else "",
        *mount.options,
        f"size={size(mount.size_bytes)}" if mount.size_bytes else "",
        f"mode={mount.mode:04o}" if mount.mode is not None else "",
        "" if mount.recursive else "without the mounts below",
        "made where it is missing" if mount.create_source else "",
    ]
    said = ", ".join(part for part in more if part)
    inside = f"{source} -> {mount.destination}" if source else mount.destination
    return f"{mount.kind} {inside}" + (f" ({said})" if said else "")


def describe_network(joined: NetworkAttachment) -> str:
    """What was asked for of one network."""
    more = [
        f"aliases {words(joined.aliases)}" if joined.aliases else "",
        joined.ipv4,
        joined.ipv6,
        f"mac {joined.mac}" if joined.mac else "",
        f"interface {joined.interface}" if joined.interface else "",
        *(f"{key}={shown(key, joined.options[key])}" for key in sorted(joined.options)),
    ]
    said = ", ".join(part for part in more if part)
    return joined.network + (f" ({said})" if said else "")


def describe_device(device: DeviceSpec) -> str:
    """A device node as both command lines write it."""
    return f"{device.host_path}:{device.container_path}:{device.permissions}"


def describe_ulimit(limit: Ulimit) -> str:
    """A limit, soft before hard."""
    return f"{count(limit.soft)}, hard {count(limit.hard)}"


def describe_throttle(limit: Throttle) -> str:
    """A limit of one block device."""
    unit = {"weight": ""}.get(limit.kind, "/s")
    return f"{limit.path}: {size(limit.rate) if limit.kind.endswith('bps') else limit.rate}{unit}"


def text_of_startup(check: HealthSpec | None) -> str:
    """Podman's startup check."""
    return argv(check.test) if check is not None else "-"
