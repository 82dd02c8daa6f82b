"""The demo's builder: a Containerfile's steps over a context in memory, with the demo's own few programs. Does no I/O.

It knows FROM, ARG, ENV, LABEL, COPY, ADD, RUN, WORKDIR, USER, CMD, ENTRYPOINT and EXPOSE, stages and a cache.
"""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import shlex
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from string import Template
from typing import Any

from backends.containerfile import Instruction, instructions
from backends.engines.build_lines import Output, failure
from backends.engines.demo_actions import env_of
from backends.engines.demo_files import Files, Layer, layer_tar, rootfs
from backends.engines.demo_images import DemoImage, configured
from backends.engines.demo_shell import NoSuchProgram, Place, run
from backends.engines.demo_volumes import Entry, folder
from backends.engines.demo_world import DemoWorld
from backends.model.build import BuildEvent, BuildSpec, BuildStep, ImageBuilt, OutputLine, StepBegun, StepCached
from backends.model.errors import BackendError, NotFound, Protocol

_WORDS = frozenset({"FROM", "ARG", "ENV", "LABEL", "COPY", "ADD", "RUN", "WORKDIR", "USER", "CMD", "ENTRYPOINT"})
_SILENT = frozenset({"EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "SHELL", "ONBUILD", "MAINTAINER"})
"""Known, and nothing to the demo but a line of history."""


@dataclass(slots=True)
class _Stage:
    """One stage while it is built."""

    image: DemoImage
    name: str = ""
    arguments: dict[str, str] = field(default_factory=dict)


class DemoBuild:
    """One build. cache: images of steps that were done before, by what they are made of; it is added to."""

    def __init__(self, world: DemoWorld, spec: BuildSpec, context: bytes, cache: dict[str, DemoImage]) -> None:
        self._world = world
        self._spec = spec
        self._cache = cache
        self._files = _unpacked(context)
        self._stages: list[_Stage] = []
        self._given: dict[str, str] = {}
        self._output = Output()
        self._step: BuildStep | None = None

    def steps(self) -> Iterator[BuildEvent]:
        """Do one step after the other. Raises why one fails."""
        todo = self._wanted()
        for number, one in enumerate(todo, 1):
            self._step = BuildStep(number, len(todo), one.text)
            self._output.begin()
            yield StepBegun(self._step)
            yield from self._do(one)
        image = self._stages[-1].image
        if self._spec.labels:
            labels = {**(image.settings.get("Labels") or {}), **self._spec.labels}
            image = self._kept(configured(image, "LABEL", self._now(), {"Labels": labels}))
        else:
            image = self._kept(image)
        yield ImageBuilt(image.id)

    def _now(self) -> datetime:
        return self._world.clock()

    def _kept(self, image: DemoImage) -> DemoImage:
        self._world.check_room(sum(map(len, image.layers)))
        return self._world.images.setdefault(image.id, image)

    def _fail(self, words: str) -> BackendError:
        return failure(words, self._step, self._output, self._world.engine)

    def _wanted(self) -> list[Instruction]:
        content = self._files.get("/" + self._spec.containerfile)
        if content is None:
            raise NotFound(f"There is no {self._spec.containerfile} in the context", engine=self._world.engine)
        found = list(instructions(content.content.decode("utf-8", "replace")))
        if not found:
            raise self._fail("the Containerfile cannot be empty")
        for one in found:
            word = one.text.split()[0].upper()
            if word not in _WORDS | _SILENT:
                raise self._fail(f"parse error on line {one.line}: unknown instruction: {word}")
        if not self._spec.target:
            return found
        for at, one in enumerate(found):
            if one.text.upper().startswith("FROM ") and one.text.split()[-1] == self._spec.target:
                after = [n for n, later in enumerate(found) if n > at and later.text.upper().startswith("FROM ")]
                return found[: after[0]] if after else found
        raise self._fail(f'target stage "{self._spec.target}" could not be found')

    def _do(self, one: Instruction) -> Iterator[BuildEvent]:
        word, _, rest = one.text.partition(" ")
        word = word.upper()
        if word == "FROM":
            self._begin_stage(rest)
        elif word == "ARG":
            name, _, value = rest.partition("=")
            known = self._stages[-1].arguments if self._stages else self._given
            known[name] = self._spec.arguments.get(name, value)
        else:
            if not self._stages:
                raise self._fail("no build stage in current context")
            stage = self._stages[-1]
            sign = self._sign(stage, one.text)
            if self._spec.cache and sign in self._cache:
                stage.image = self._cache[sign]
                yield StepCached()
                return
            try:
                yield from self._change(stage, word, rest, one.text)
            except ValueError as error:  # quotes that do not end, JSON that is none, nothing to copy
                raise self._fail(f"parse error on line {one.line}: {error}") from error
            self._cache[sign] = stage.image

    def _begin_stage(self, rest: str) -> None:
        words = [word for word in rest.split() if not word.startswith("--")]
        if not words:
            raise self._fail("FROM requires either one or three arguments")
        reference = self._expanded(words[0], self._given)
        earlier = next((stage for stage in self._stages if stage.name and stage.name == reference), None)
        try:
            image = earlier.image if earlier else self._world.image(reference)
        except NotFound as error:
            raise self._fail(f"manifest unknown: {reference}") from error
        base = DemoImage(image.config, image.layers)
        self._stages.append(_Stage(base, words[2] if len(words) > 2 else "", dict(self._given)))

    def _sign(self, stage: _Stage, text: str) -> str:
        """What a step is made of: the image before, its words, the arguments, the files that it may copy."""
        parts = [stage.image.id, text, repr(sorted(stage.arguments.items()))]
        if text.upper().startswith(("COPY", "ADD")):
            parts += [f"{path}:{hashlib.sha256(entry.content).hexdigest()}" for path, entry in self._files.items()]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    @staticmethod
    def _expanded(text: str, known: Mapping[str, str]) -> str:
        return Template(text).safe_substitute(known)

    def _change(self, stage: _Stage, word: str, rest: str, text: str) -> Iterator[BuildEvent]:
        if word == "RUN":
            yield from self._run(stage, rest, text)
        elif word in {"COPY", "ADD"}:
            self._copy(stage, rest, text)
        else:
            said = self._expanded(rest, {**env_of(stage.image), **stage.arguments})
            stage.image = configured(stage.image, text, self._now(), _settings(stage.image, word, said))

    def _place(self, stage: _Stage, layer: Layer) -> Files:
        return Files(self._world.engine, rootfs(stage.image.layers), layer, {})

    def _run(self, stage: _Stage, script: str, text: str) -> Iterator[BuildEvent]:
        layer: Layer = {}
        env = {**env_of(stage.image), **stage.arguments}
        place = Place(self._place(stage, layer), env, "build", stage.image.settings.get("WorkingDir") or "/")
        try:
            done = run(["sh", "-c", self._expanded(script, env)], place)
            code, said = done.exit_code, done.stdout + done.stderr
        except NoSuchProgram as unknown:
            code, said = 127, f"/bin/sh: {unknown}: not found".encode("utf-8", "surrogateescape")
        for line in [*self._output.feed(said.decode("utf-8", "replace")), *self._output.end()]:
            yield OutputLine(line)
        if code:
            raise self._fail(f"The command returned a non-zero code: {code}")
        stage.image = configured(stage.image, text, self._now(), {}, layer_tar(layer))

    def _copy(self, stage: _Stage, rest: str, text: str) -> None:
        words = shlex.split(rest)
        options = [word for word in words if word.startswith("--")]
        *sources, target = [self._expanded(word, stage.arguments) for word in words if word not in options]
        there: Mapping[str, Entry] = self._files
        for option in options:
            if option.startswith("--from="):
                there = self._from(option.removeprefix("--from="))
        layer: Layer = {}
        files = self._place(stage, layer)
        top = posixpath.normpath(posixpath.join(stage.image.settings.get("WorkingDir") or "/", target))
        for one in sources:
            path = posixpath.normpath("/" + one.lstrip("/"))
            if path != "/" and path not in there:
                raise self._fail(f"excluded by .dockerignore: stat {one}: file does not exist")
            into_folder = target.endswith("/") or len(sources) > 1 or files.get(top) is not None
            _lay(files, there, path, top, into_folder=into_folder)
        stage.image = configured(stage.image, text, self._now(), {}, layer_tar(layer))

    def _from(self, name: str) -> Mapping[str, Entry]:
        for at, stage in enumerate(self._stages):
            if name in {stage.name, str(at)}:
                return rootfs(stage.image.layers)
        return rootfs(self._world.image(name).layers)


def _lay(files: Files, there: Mapping[str, Entry], path: str, top: str, *, into_folder: bool) -> None:
    """As COPY has it: of a folder its content, a file under the target's name or into it."""
    entry = there.get(path)
    if entry is not None and not entry.head.isdir():
        files.put(posixpath.join(top, posixpath.basename(path)) if into_folder else top, entry)
        return
    if files.get(top) is None:
        files.put(top, Entry(folder(top)))
    for one, found in sorted(there.items()):
        if one != path and one.startswith(path.rstrip("/") + "/"):
            files.put(posixpath.normpath(f"{top}/{posixpath.relpath(one, path)}"), found)


def _unpacked(context: bytes) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(context), mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                path = posixpath.normpath("/" + member.name.lstrip("/"))
                found[path] = Entry(member, content.read() if content else b"")
                while (path := posixpath.dirname(path)) != "/":
                    found.setdefault(path, Entry(folder(path)))
    except (tarfile.TarError, EOFError) as broken:
        raise Protocol("The build context is no tar", detail=str(broken)) from broken
    return found


def _settings(image: DemoImage, word: str, said: str) -> dict[str, Any]:
    """What an instruction changes of the configuration."""
    held = image.settings
    match word:
        case "ENV":
            name, _, value = said.replace(" ", "=", 1).partition("=") if "=" not in said else ("", "", "")
            pairs = {name: value} if name else dict(part.split("=", 1) for part in shlex.split(said) if "=" in part)
            return {"Env": [f"{key}={value}" for key, value in {**env_of(image), **pairs}.items()]}
        case "LABEL":
            pairs = dict(part.split("=", 1) for part in shlex.split(said) if "=" in part)
            return {"Labels": {**(held.get("Labels") or {}), **pairs}}
        case "WORKDIR":
            return {"WorkingDir": posixpath.normpath(posixpath.join(held.get("WorkingDir") or "/", said))}
        case "USER":
            return {"User": said}
        case "CMD" | "ENTRYPOINT":
            argv = json.loads(said) if said.startswith("[") else ["/bin/sh", "-c", said]
            return {"Cmd" if word == "CMD" else "Entrypoint": argv}
    return {}


__all__ = ["DemoBuild"]
