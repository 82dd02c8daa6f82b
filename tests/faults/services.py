"""Engines of a test's own that can be killed, or whose store is small, as sides of a ground. Holds no test."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable
from typing import Any, Self, cast

from backends.engine import Engine
from backends.model.ids import EngineKind
from tests.faults.ground import Side
from tests.private import PrivateEngine
from tests.real import RealEngines


def killable(private: PrivateEngine, real: RealEngines, kind: EngineKind) -> Side:
    """A private service. Podman's shares the store with the shared one, whose command line needs no service."""

    def podman(*argv: str) -> str:
        return real.cli("podman", *argv)

    return Side(kind, private.url, private.cli if kind is EngineKind.DOCKER else podman)


class Small(PrivateEngine):
    """A service whose store holds only so much: a tmpfs that the engines alone see."""

    KIND: EngineKind
    STORE: str

    def __init__(self, real: RealEngines, size_mb: int) -> None:
        super().__init__(self.KIND.value, real)
        self._real = real
        self._size_mb = size_mb
        self.store = self.folder / self.STORE

    def _inside(self, *argv: str) -> str:
        """Run a program beside the engines."""
        program = [str(self._real.bin / "engines-exec"), "env", "PODMAN_IGNORE_CGROUPSV1_WARNING=1", *argv]
        done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        try:
            done.check_returncode()
        except subprocess.CalledProcessError as error:
            error.add_note(done.stderr)
            raise
        return done.stdout

    def __enter__(self) -> Self:
        self.store.mkdir()
        self._inside("mount", "-t", "tmpfs", "-o", f"size={self._size_mb}m", "tmpfs", str(self.store))
        super().__enter__()
        return self

    def close(self) -> None:
        """End it for good, and take its store away: what it holds is gone with it."""
        self.kill()
        self._inside("umount", "-R", "-l", str(self.store))
        super().close()

    def ask(self, *argv: str) -> str:
        """Its own command line."""
        return self.cli(*argv)

    def side(self) -> Side:
        """As a side of a ground."""
        return Side(self.KIND, self.url, self.ask)

    def free_bytes(self) -> int:
        """What is left in its store."""
        free, block = self._inside("stat", "-f", "-c", "%a %S", str(self.store)).split()
        return int(free) * int(block)

    def fill(self, leaving_bytes: int) -> None:
        """Take room away from it, as another program on its disk would."""
        size = self.free_bytes() - leaving_bytes
        self._inside("fallocate", "-l", str(size), str(self.store / "of-another"))

    def empty(self) -> None:
        """Give that room back."""
        self._inside("rm", "-f", str(self.store / "of-another"))


class SmallDocker(Small):
    """A Docker. Tranship looks for its room on this machine, where its tmpfs is not seen."""

    KIND = EngineKind.DOCKER
    STORE = "data"


class SmallPodman(Small):
    """A Podman, which is asked by its store and not by its service."""

    KIND = EngineKind.PODMAN
    STORE = "store"

    @property
    def _podman(self) -> list[str]:
        # Locks of its own: by default all Podmans of a machine share one table, and an instance whose store is full
        # frees a lock twice, which may be another's by then.
        conf = self.folder / "own.conf"
        conf.write_text('[engine]\nlock_type = "file"\n')
        own = ["--root", str(self.store), "--runroot", str(self.folder / "run"), "--tmpdir", str(self.folder / "tmp")]
        return ["env", f"CONTAINERS_CONF_OVERRIDE={conf}", "podman", *own]

    def _argv(self) -> list[str]:
        begun = [str(self._real.bin / "engines-exec"), "env", "PODMAN_IGNORE_CGROUPSV1_WARNING=1"]
        return [*begun, *self._podman, "system", "service", "-t", "0", self.url]

    def ask(self, *argv: str) -> str:
        """Its own command line."""
        return self._inside(*self._podman, *argv)


class Midway:
    """Strikes once when so much of a stream has gone into an engine, or when a call has done its work.

    call: "import_image", "import_volume" (at `after_bytes` of the stream), or any plain call (when it has returned).
    """

    def __init__(self, call: str, strike: Callable[[], Any], after_bytes: int = 0) -> None:
        self._call = call
        self._strike = strike
        self._after_bytes = after_bytes
        self.struck = False

    def wrap(self, inner: Engine) -> Engine:
        """The engine, watched."""
        return cast(Engine, _Watched(inner, self))

    async def strike(self) -> None:
        """Once."""
        if not self.struck:
            self.struck = True
            await self._strike()

    def watches(self, name: str) -> bool:
        """Whether it waits for that call."""
        return name == self._call

    async def stream(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same, up to the strike and on."""
        passed = 0
        async for chunk in chunks:
            passed += len(chunk)
            if passed > self._after_bytes:
                await self.strike()
            yield chunk


class _Watched:
    def __init__(self, inner: Engine, midway: Midway) -> None:
        self._inner = inner
        self._midway = midway

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if not self._midway.watches(name):
            return real

        async def image(archive: AsyncIterator[bytes]) -> Any:
            return await real(self._midway.stream(archive))

        async def volume(name: str, archive: AsyncIterator[bytes], *, via_image: str) -> Any:
            return await real(name, self._midway.stream(archive), via_image=via_image)

        async def plain(*args: Any, **more: Any) -> Any:
            answer = await real(*args, **more)
            await self._midway.strike()
            return answer

        return {"import_image": image, "import_volume": volume}.get(name, plain)


__all__ = ["Midway", "Small", "SmallDocker", "SmallPodman", "killable"]
