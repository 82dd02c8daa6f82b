"""From a draft to the recipe, or to what is wrong with each of its texts. Pure: files and variables come from outside.

Over a base (the recipe of a container that is to be made again) only what the draft says otherwise is changed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from backends.draft import words
from backends.draft.draft import MASK, Draft, draft_from
from backends.model.container import NO_LABELS, Port
from backends.model.reference import full_reference, is_image_id
from backends.model.settings import HealthSpec, NetworkAttachment, NetworkingSpec, Ulimit
from backends.model.wish import KEEP, GpuWish, read_wish
from backends.model.workload import MountSpec, RestartPolicy, WorkloadSpec

T = TypeVar("T")

Place = tuple[str, int]
"""A field's id, and which of its texts."""

_MODES = frozenset({"bridge", "none", "host", "pasta", "slirp4netns", "private"})
_IPC = frozenset({"host", "private", "shareable", "none"})


@dataclass(frozen=True, slots=True)
class Around:
    """What a draft refers to outside itself. read_file: the text of a file, raises OSError. home: of "~"; folder: of
    "."; both of the engine's machine, "" where that is another one."""

    environ: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    read_file: Callable[[str], str] = lambda path: ""  # noqa: ARG005 - no files
    home: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What became of a draft. wrong: a sentence by place. gpus: the wish, which the caller gives (`backends.giving`).

    file_variables: those that came from files, by which a command line need not say them.
    """

    spec: WorkloadSpec
    wrong: Mapping[Place, str]
    gpus: GpuWish = KEEP
    file_variables: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    notes: tuple[str, ...] = ()


class _Reader:
    """Reads texts and gathers what is wrong."""

    def __init__(self, draft: Draft, base: WorkloadSpec | None) -> None:
        self.draft = draft
        self.base = base
        self.before = draft_from(base) if base is not None else Draft()
        self.wrong: dict[Place, str] = {}

    def same(self, name: str) -> bool:
        """Whether the field says what the base says."""
        return self.base is not None and self.draft.all(name) == self.before.all(name)

    def one(self, name: str, read: Callable[[str], T], absent: T, before: T | None = None) -> T:
        """The value of a field with one text. before: the base's, which stays where the text is the same."""
        if before is not None and self.same(name):
            return before
        text = self.draft.one(name)
        if not text:
            return absent
        try:
            return read(text)
        except ValueError as error:
            self.wrong[(name, 0)] = str(error)
            return absent

    def many(self, name: str, read: Callable[[str], tuple[T, ...]]) -> list[tuple[int, T]]:
        """The values of a field with many, each with the place of its text."""
        found: list[tuple[int, T]] = []
        for place, text in enumerate(self.draft.all(name)):
            try:
                found.extend((place, one) for one in read(text))
            except ValueError as error:
                self.wrong[(name, place)] = str(error)
        return found


def read_draft(draft: Draft, around: Around, base: WorkloadSpec | None = None) -> Read:
    """The recipe of a draft, as far as it can be read, and what is wrong."""
    reader = _Reader(draft, base)
    start = base if base is not None else WorkloadSpec("", "")
    image = _image(reader)
    env, from_files, notes = _variables(reader, around)
    limits = replace(
        start.resources,
        ulimits=_once(reader, "ulimits", reader.many("ulimits", _ulimits), lambda one: one.name),
        pids_limit=reader.one("pids", words.read_pids, None, start.resources.pids_limit),
    )
    spaces = replace(
        start.namespaces,
        ipc=reader.one("ipc", _ipc, "", start.namespaces.ipc),
        shm_bytes=reader.one("shm_size", words.read_size, None, start.namespaces.shm_bytes),
    )
    spec = replace(
        start,
        name=reader.one("name", words.read_name, ""),
        image=image,
        image_id=start.image_id if base is not None and image == base.image else "",
        command=reader.one("command", _argv, None, start.command),
        env=env,
        user=reader.one("user", str.strip, None, start.user),
        workdir=reader.one("workdir", _folder, None, start.workdir),
        ports=_ports(reader),
        mounts=_mounts(reader, around),
        restart=reader.one("restart", words.read_restart, RestartPolicy()),
        memory_bytes=reader.one("memory", words.read_memory, 0, start.memory_bytes),
        cpus_nano=reader.one("cpus", words.read_cpus, 0, start.cpus_nano),
        network=start.network if reader.same("network") else _network(reader, start.network),
        namespaces=spaces,
        resources=limits,
        health=start.health if reader.same("health") and reader.same("health_start") else _health(reader),
        unmapped=(),
    )
    if not draft.one("image"):
        reader.wrong[("image", 0)] = "say which image it runs"
    if not draft.one("name"):
        reader.wrong[("name", 0)] = "say what it is to be called"
    own = spaces.shm_bytes is None or (reader.same("ipc") and reader.same("shm_size"))
    if spaces.ipc in {"host", "none"} and not own:
        reader.wrong[("shm_size", 0)] = f"with ipc {spaces.ipc} it has no /dev/shm of its own; leave one of the two out"
    return Read(spec, reader.wrong, reader.one("gpus", read_wish, KEEP), from_files, notes)


def _image(reader: _Reader) -> str:
    text = reader.draft.one("image").strip()
    if not text or (reader.base is not None and text == reader.base.image):
        return text
    return reader.one("image", lambda said: said if is_image_id(said) else full_reference(said), text)


def _argv(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"{str(error).lower()}; quote words as in a shell") from None


def _folder(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is no folder inside: it begins with /")
    return text


def _ipc(text: str) -> str:
    mode, colon, partner = text.partition(":")
    if text not in _IPC and not (mode == "container" and colon and partner):
        raise ValueError(f"{text!r} is no IPC mode; say {', '.join(sorted(_IPC))}, or container:NAME")
    return text


def _ulimits(text: str) -> tuple[Ulimit, ...]:
    return (words.read_ulimit(text),)


def _once(reader: _Reader, name: str, found: list[tuple[int, T]], key: Callable[[T], object]) -> tuple[T, ...]:
    """The values, in order; what is said twice is wrong."""
    seen: set[object] = set()
    for place, value in found:
        if key(value) in seen:
            reader.wrong[(name, place)] = f"{key(value)} is said twice"
        seen.add(key(value))
    return tuple(value for _, value in found)


def _ports(reader: _Reader) -> tuple[Port, ...]:
    base = reader.base.ports if reader.base is not None else ()
    if reader.same("ports"):
        return base
    unpublished = tuple(port for port in base if port.host_port is None)
    found = reader.many("ports", words.read_ports)
    outside = [(place, port) for place, port in found if port.host_port]
    _once(reader, "ports", outside, lambda port: f"port {port.host_ip + ':' if port.host_ip else ''}{port.host_port}")
    inside = {(port.container_port, port.protocol) for _, port in found}
    exposed = tuple(port for port in unpublished if (port.container_port, port.protocol) not in inside)
    return tuple(sorted((*(port for _, port in found), *exposed)))


def _mounts(reader: _Reader, around: Around) -> tuple[MountSpec, ...]:
    known = {words.mount_text(mount): mount for mount in (reader.base.mounts if reader.base is not None else ())}

    def read(text: str) -> tuple[MountSpec, ...]:
        if text in known:
            return (known[text],)
        return (words.read_mount(_absolute(text, around)),)

    return _once(reader, "mounts", reader.many("mounts", read), lambda mount: mount.destination)


def _absolute(text: str, around: Around) -> str:
    """Paths that begin with ~ or . written out."""
    source, colon, rest = text.partition(":")
    for sign, place in (("~", around.home), (".", around.folder)):
        if source == sign or source.startswith(f"{sign}/"):
            if not place:
                raise ValueError(f"{source!r}: the engine is on another machine; write the whole path there")
            return f"{place}{source[len(sign) :]}{colon}{rest}"
    return text


def _variables(reader: _Reader, around: Around) -> tuple[dict[str, str], dict[str, str], tuple[str, ...]]:
    """All variables, those of files, and notes on those that have no value here."""
    env: dict[str, str] = {}
    from_files: dict[str, str] = {}
    absent: list[str] = []

    def take(name: str, value: str | None, into: dict[str, str]) -> None:
        given = around.environ.get(name) if value is None else value
        if value == MASK and reader.base is not None:
            given = reader.base.env.get(name, value)
        if given is None:
            absent.append(f"{name} has no value in your environment: it is not set")
        else:
            into[name] = given

    def of_file(path: str) -> tuple[tuple[str, str | None], ...]:
        try:
            return tuple(words.read_variables(around.read_file(path)))
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not UTF-8 text") from None

    for _, (name, value) in reader.many("env_files", of_file):
        take(name, value, from_files)
    env.update(from_files)
    for _, (name, value) in reader.many("env", lambda text: (words.read_variable(text),)):
        take(name, value, env)
    return env, from_files, tuple(absent)


def _network(reader: _Reader, before: NetworkingSpec) -> NetworkingSpec:
    """Another network than the base's; its names (DNS, hosts) stay."""
    kept = replace(before, mode="", networks=(), mac="")
    said = reader.draft.one("network").split()
    if not said:
        return kept
    word = said[0]
    if len(said) == 1 and (word.partition(":")[0] in _MODES or word.startswith("container:")):
        return replace(kept, mode=word)
    if any(":" in name for name in said):
        reader.wrong[("network", 0)] = f"{' '.join(said)!r} is no network"
    return replace(kept, mode="bridge", networks=tuple(NetworkAttachment(name) for name in said))


def _health(reader: _Reader) -> HealthSpec | None:
    text = reader.draft.one("health").strip()
    start_ns = reader.one("health_start", words.read_duration, 0)
    if not text:
        return None
    if text == "none":
        return HealthSpec(("NONE",))
    base = reader.base.health if reader.base is not None and reader.same("health") else None
    return replace(base or HealthSpec(("CMD-SHELL", text)), start_period_ns=start_ns)


__all__ = ["Around", "Place", "Read", "read_draft"]
