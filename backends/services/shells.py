"""Which shell a container has: looked for in it, remembered for its image. Runs nothing else."""

from __future__ import annotations

from backends.engine import Engine
from backends.model.container import Container, ContainerState
from backends.model.errors import Conflict, Unsupported
from backends.model.ids import ImageKey

SHELLS = ("bash", "zsh", "fish", "ash", "sh")
"""The friendlier ones first; what the user has on this machine says nothing about the container."""
_ELSEWHERE = ("/busybox/sh", "/bin/bash", "/bin/sh", "/usr/bin/bash")
"""Where images without a PATH to it have one (the debug images of distroless: /busybox)."""
_ASK = f"for shell in {' '.join(SHELLS)}; do command -v $shell >/dev/null 2>&1 && echo $shell && exit; done"


class Shells:
    """The shells of images, as they are found."""

    def __init__(self) -> None:
        self._known: dict[ImageKey, str] = {}

    async def shell_of(self, engine: Engine, container: Container) -> str:
        """The program to run. Conflict where the container does not run, Unsupported where it has no shell."""
        if container.state is not ContainerState.RUNNING:
            raise Conflict(
                f"{container.name} is {container.state.value}; a shell needs one that is running",
                hint="start or unpause it first",
                engine=engine.id,
            )
        image = ImageKey(container.key.engine, container.image_id)
        shell = self._known.get(image) or await self._look(engine, container)
        if container.image_id:  # a cluster does not always say it
            self._known[image] = shell
        return shell

    async def _look(self, engine: Engine, container: Container) -> str:
        try:
            asked = await engine.execute(container.key.id, ["sh", "-c", _ASK])
        except Unsupported:
            asked = None  # it has no sh, or none that speaks so much
        found = asked.stdout.decode("utf-8", "replace").strip() if asked is not None and asked.exit_code == 0 else ""
        if found in SHELLS:
            return found
        for shell in (*SHELLS, *_ELSEWHERE):
            try:
                tried = await engine.execute(container.key.id, [shell, "-c", "exit 0"])
            except Unsupported:
                continue
            if tried.exit_code == 0:
                return shell
        raise Unsupported(
            f"There is no shell in {container.name}",
            detail=f"tried {', '.join((*SHELLS, *_ELSEWHERE))}",
            hint="run one of its own programs with `x` or `tranship exec`, or copy its files out with `tranship cp`",
            engine=engine.id,
        )


__all__ = ["SHELLS", "Shells"]
