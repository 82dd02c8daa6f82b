"""Finds the layers in an image's archive as it passes by, by their content. Asks no engine; keeps no file's content.

A member is a layer where its plain bytes have the digest of one that is wanted: so all forms are read alike, Docker's
archive and OCI layouts, whatever they call their files and in whatever order these come. Blocks: run it in a thread.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection

from backends.layers.pace import Stopped
from backends.layers.table import LayerTable, TableWalk
from backends.layers.unpack import Unpacker, unpacker
from backends.model.errors import BackendError, Protocol
from backends.tar import Member, Walk

_NAMED = re.compile(rb"(?:^|/)([0-9a-f]{64})(?:\.tar)?$")
"""What Docker from version 25 on, and Podman, call a plain layer: its diff-ID."""
_HEAD = 4
_REGULAR = b"0"


class _Layer:
    """One member that may be a layer."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._first = b""
        self._unpacker: Unpacker | None = None
        self._sum = hashlib.sha256()
        self._walk = TableWalk()
        self._skipped = False
        self.error: BackendError | None = None

    def feed(self, data: bytes) -> None:
        if self._skipped:
            return
        if self._unpacker is None:
            data = self._first + data
            if len(data) < _HEAD:
                self._first = data
                return
            self._skipped = data[:1] in (b"{", b"[")  # a manifest, a configuration
            self._unpacker = unpacker(data[:_HEAD])
        if not self._skipped:
            self._pass(self._unpacker, data)

    def _pass(self, opened: Unpacker, data: bytes) -> None:
        try:
            for piece in opened.feed(data):
                if self._stopped():
                    raise Stopped
                self._sum.update(piece)
                if self.error is None:
                    self._read(piece)
        except Protocol as damaged:
            self._skipped, self.error = True, damaged

    def _read(self, piece: bytes) -> None:
        try:
            self._walk.feed(piece)
        except Protocol as broken:
            self.error = broken

    def finish(self) -> LayerTable | None:
        """The layer with its diff-ID; None where this is none. `error` says what hinders its use."""
        if self._skipped or self._unpacker is None:
            return None
        if not self._unpacker.finished:
            self.error = Protocol("A compressed layer is cut short")
            return None
        if self.error is None and self._walk.cut:
            self.error = Protocol("A layer is cut short")
        self._walk.table.diff_id = f"sha256:{self._sum.hexdigest()}"
        return self._walk.table


class ArchiveWalk(Walk):
    """Told of an archive's bytes, it finds the layers with these diff-IDs.

    known: diff-IDs that are passed over where a file's name tells them.
    found: called with each as soon as it has passed whole. stopped: asked between two pieces; then Stopped is raised.
    """

    def __init__(
        self,
        wanted: Collection[str],
        known: Collection[str],
        found: Callable[[LayerTable], None],
        stopped: Callable[[], bool],
    ) -> None:
        super().__init__()
        self.lacking = set(wanted)
        self._known = set(known)
        self._found = found
        self._stopped = stopped
        self._layer: _Layer | None = None
        self._error: BackendError | None = None

    def begin(self, member: Member) -> None:
        self._layer = None
        if member.kind != _REGULAR or not member.size:
            return
        named = _NAMED.search(member.name)
        if named is None or f"sha256:{named[1].decode()}" not in self._known:
            self._layer = _Layer(self._stopped)

    def content(self, piece: memoryview) -> None:
        if self._layer is not None:
            self._layer.feed(bytes(piece))

    def end(self) -> None:
        layer, self._layer = self._layer, None
        if layer is None:
            return
        table = layer.finish()
        if table is None or table.diff_id not in self.lacking:
            # Other files are no layers and need not be readable; but if a layer is missing then, this may be why.
            self._error = self._error or (layer.error if table is None else None)
            return
        if layer.error is not None:
            raise layer.error
        self.lacking.discard(table.diff_id)
        self._known.add(table.diff_id)
        self._found(table)

    def close(self) -> None:
        """All has passed. Raises Protocol where a layer has not."""
        if not self.lacking:
            return
        if self._error is not None:
            raise self._error
        if self.cut:
            raise Protocol("The engine's image archive is cut short", hint="Try again")
        raise Protocol(
            "The image's archive lacks some of its layers, or they are not what the engine says",
            detail=", ".join(sorted(self.lacking)),
        )


__all__ = ["ArchiveWalk"]
