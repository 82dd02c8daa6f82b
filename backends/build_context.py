"""A folder as the context of a build: a tar made as it is read, without what its ignore file names. Knows no engine.

Nothing is spooled and no list of the files is kept. The patterns are matched by docker-py, whose rules are moby's own.
Everything here blocks: `context` reads in threads.
"""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.model.errors import BackendError, Conflict, Denied, NotFound
from backends.streams import read_ahead
from backends.tar.write import member_header

PIECE_BYTES = 1 << 20
_BLOCK = 512
_END = bytes(2 * _BLOCK)
NAMES = ("Containerfile", "Dockerfile")
"""What a Containerfile is called where none is named, in Podman's order."""
_IGNORE = (".containerignore", ".dockerignore")
_KINDS = {stat.S_IFREG: b"0", stat.S_IFLNK: b"2", stat.S_IFDIR: b"5", stat.S_IFIFO: b"6"}


@dataclass(frozen=True, slots=True)
class Source:
    """A folder to build. file: its Containerfile; name: what that is called in the context. text: what it says.

    ignored: the patterns of its ignore file. extra: files that take the place of the folder's own, or stand beside.
    """

    folder: Path
    file: Path
    name: str
    text: str
    ignored: tuple[str, ...]
    extra: Mapping[str, bytes]


def source(folder: Path, file: Path | None = None) -> Source:
    """The folder with its Containerfile (file: another one, from the present folder on, or inside the folder).

    Raises NotFound where one of them is not there, Denied where it cannot be read.
    """
    try:
        root = folder.absolute()
    except OSError as error:
        raise NotFound("The current folder is no more", hint="cd to one that is there.") from error
    if not root.is_dir():
        raise NotFound(f"There is no folder {root}", hint="Name the folder that is to be built.")
    found = _containerfile(root, file)
    text = _text(found)
    patterns = _patterns(root, found)
    try:
        name = found.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        name = f".containerfile.{uuid.uuid4().hex[:12]}"
        rules = "\n".join([*patterns, name]).encode()  # it is no part of what may be copied
        ignore = [one for one in _IGNORE if (root / one).exists()] or [_IGNORE[1]]
        return Source(root, found, name, text, tuple(patterns), {name: text.encode(), **dict.fromkeys(ignore, rules)})
    return Source(root, found, name, text, tuple(patterns), {})


def _containerfile(root: Path, file: Path | None) -> Path:
    candidates = [root / name for name in NAMES] if file is None else [file.absolute(), root / file]
    for path in candidates:
        if path.is_file():
            return path
    if file is not None:
        raise NotFound(f"There is no file {file}", hint="Name the Containerfile from here on, or from the folder on.")
    hint = "Name the file with -f, or another folder."
    raise NotFound(f"There is no Containerfile and no Dockerfile in {root}", hint=hint)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise _unreadable(path, error) from error


def _patterns(root: Path, file: Path) -> list[str]:
    """Of the first ignore file there is: the Containerfile's own, then the folder's."""
    for path in (*(file.with_name(file.name + ending) for ending in _IGNORE), *(root / name for name in _IGNORE)):
        if path.is_file():
            lines = (line.strip() for line in _text(path).splitlines())
            return [line for line in lines if line and not line.startswith("#")]
    return []


def _unreadable(path: Path, error: OSError) -> BackendError:
    words = error.strerror or str(error)
    return Denied(f"{path} cannot be read", detail=words, hint="Change its mode, or name it in .dockerignore.")


def context(of: Source) -> AsyncGenerator[bytes, None]:
    """The tar, in pieces of about a MiB. Raises Denied for a file that cannot be read, Conflict where one changes."""
    return read_ahead(_pieces(of))


def _pieces(of: Source) -> Generator[bytes, None, None]:
    held: list[bytes] = []
    count = 0
    for part in _members(of):
        held.append(part)
        count += len(part)
        if count >= PIECE_BYTES:
            yield b"".join(held)
            held, count = [], 0
    yield b"".join([*held, _END])


def _members(of: Source) -> Iterator[bytes]:
    from docker.utils.build import PatternMatcher

    for name, content in of.extra.items():
        yield member_header(name.encode(), b"0", mode=0o644, uid=0, gid=0, size=len(content), mtime_ns=0)
        yield content + bytes(-len(content) % _BLOCK)
    # Builders read these two themselves; whether a step may copy them is decided there.
    keep = [f"!{name}" for name in (of.name, *_IGNORE)]
    try:
        for path in PatternMatcher([*of.ignored, *keep]).walk(str(of.folder)):
            if path not in of.extra:
                yield from _member(of.folder / path, os.fsencode(path))
    except OSError as error:
        raise _unreadable(Path(os.fsdecode(error.filename or of.folder)), error) from error


def _member(path: Path, name: bytes) -> Iterator[bytes]:
    """Owners are left out: a build gives its files owners of its own."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return  # it went while the folder was read
    kind = _KINDS.get(stat.S_IFMT(facts.st_mode))
    if kind is None:
        return  # a socket or a device: no build can use it
    link = os.fsencode(os.readlink(path)) if kind == b"2" else b""
    size = facts.st_size if kind == b"0" else 0
    mtime_ns = facts.st_mtime_ns // 1_000_000_000 * 1_000_000_000
    name = name + b"/" if kind == b"5" else name
    head = member_header(
        name, kind, mode=stat.S_IMODE(facts.st_mode), uid=0, gid=0, size=size, mtime_ns=mtime_ns, link=link
    )
    if not size:
        yield head
        return
    with path.open("rb", buffering=0) as file:
        yield head  # now that it can be read
        yield from _content(file.read, size, path)


def _content(read: Callable[[int], bytes], size: int, path: Path) -> Iterator[bytes]:
    left = size
    while left:
        piece = read(min(left, PIECE_BYTES))
        if not piece:
            raise Conflict(f"{path} became shorter while it was read", hint="Build again when nothing writes to it.")
        left -= len(piece)
        yield piece
    yield bytes(-size % _BLOCK)


__all__ = ["NAMES", "Source", "context", "source"]
