"""Building on every adapter: the same folder, the same steps, the same image; what fails says why; a cancel ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from backends.layers.cache import LayerCache
from backends.layers.reading import read_image
from backends.model.build import BuildEvent, ContextSent, ImageBuilt, OutputLine, StepBegun, StepCached
from backends.model.errors import BackendError, Conflict, NotFound, Unsupported
from backends.model.ids import EngineKind
from backends.services.builds import BuildWish, build_image
from backends.services.fleet import Fleet
from tests.contract.lab import BUSYBOX, Lab, eventually
from tests.thorough import ON

pytestmark = pytest.mark.one_podman


@pytest.fixture
async def fleet(lab: Lab) -> AsyncIterator[Fleet]:
    """The engine as the only one of a fleet. The lab closes it."""
    made = Fleet([lab.engine])
    await made.start()
    assert await made.ready(15)
    yield made
    await made.close()


def folder(tmp_path: Path, text: str, **files: str) -> Path:
    """A folder to build. files: by name, "_" for a dot."""
    made = tmp_path / "folder"
    made.mkdir(exist_ok=True)
    for name, content in files.items():
        (made / name.replace("_", ".")).write_text(content)
    (made / "Containerfile").write_text(text)
    return made


async def test_stages_arguments_output_cache_and_what_the_image_holds(lab: Lab, fleet: Fleet, tmp_path: Path) -> None:
    name, second = (lab.owns_image(f"docker.io/tranship-test/{lab.name()}:{tag}") for tag in (1, 2))
    text = (
        f"FROM {BUSYBOX} AS first\nARG WHO=nobody\nRUN echo hello $WHO && echo $WHO > /who\n"
        f"FROM {BUSYBOX}\nCOPY --from=first /who /who\nCOPY . /all/\n"
    )
    source = folder(tmp_path, text, kept_txt="kept", left_out="left", _dockerignore="*.out\n")
    told: list[BuildEvent] = []
    wish = BuildWish(source, (name, second), arguments={"WHO": lab.name()}, labels=lab.label)
    key = (await build_image(fleet, lab.engine.id, wish, told.append)).key
    lab.owns_image(key.id)

    assert isinstance(told[-1], ImageBuilt)
    assert told[-1].image == key.id == (await lab.engine.image_facts(name)).key.id
    assert (await lab.engine.image_facts(second)).key.id == key.id
    assert [one.complete for one in told if isinstance(one, ContextSent)][-1:] == [True]
    steps = [one.step.instruction for one in told if isinstance(one, StepBegun)]
    words = [step.split()[0] for step in steps]
    assert words[:6] == ["FROM", "ARG", "RUN", "FROM", "COPY", "COPY"], "more where the labels are steps of their own"
    assert f"hello {wish.arguments['WHO']}" in [one.text for one in told if isinstance(one, OutputLine)]
    config = await lab.engine.image_config(name)
    assert config.labels.items() >= lab.label.items()
    assert config.platform.startswith("linux/")
    assert config.command == (await lab.engine.image_config(BUSYBOX)).command != ()
    contents = await read_image(lab.engine, name, LayerCache(tmp_path / "cache"), lambda _progress: None)
    held = {child.name: child for child in (await asyncio.to_thread(contents.tree)).children}
    assert held["who"].size_bytes == len(wish.arguments["WHO"]) + 1
    assert {child.name for child in held["all"].children} >= {"kept.txt"}
    assert "left.out" not in {child.name for child in held["all"].children}

    again: list[BuildEvent] = []
    other = lab.owns_image((await build_image(fleet, lab.engine.id, wish, again.append)).key.id)
    before, after = await lab.engine.image_facts(key.id), await lab.engine.image_facts(other)
    assert after.diff_ids == before.diff_ids
    assert sum(isinstance(one, StepCached) for one in again) >= 3


async def test_what_fails_says_which_step_where_and_why(lab: Lab, fleet: Fleet, tmp_path: Path) -> None:
    async def why(text: str, **more: object) -> BackendError:
        wish = BuildWish(folder(tmp_path, text), cache=False, **more)  # type: ignore[arg-type]
        with pytest.raises(BackendError) as caught:
            await build_image(fleet, lab.engine.id, wish, lambda _event: None)
        assert caught.value.engine == lab.engine.id
        return caught.value

    error = await why(f"FROM {BUSYBOX}\n# words\nRUN echo before it fails \\\n  && exit 3\nRUN true\n")
    assert isinstance(error, Conflict)
    assert error.title.startswith("Containerfile, line 3: step 2 of 3 ended with code 3: RUN echo before")
    assert error.detail.startswith("before it fails")
    error = await why(f"FROM {BUSYBOX}\nRUNN true\n")
    assert isinstance(error, Conflict)
    assert "RUNN" in error.title
    assert "ine 2" in error.title
    error = await why("FROM 127.0.0.1:5000/tranship-test/there-is-none:1\nRUN true\n")
    assert isinstance(error, NotFound)
    assert "no base image 127.0.0.1:5000/tranship-test/there-is-none:1" in error.title
    error = await why(f"FROM {BUSYBOX}\nCOPY absent /absent\n")
    assert isinstance(error, NotFound)
    assert "absent is not in the build context" in error.title
    error = await why(f"FROM {BUSYBOX}\n", target="third")
    assert isinstance(error, NotFound)
    assert "“third”" in error.title
    assert error.hint
    if lab.engine.id.kind is EngineKind.DOCKER:  # by BuildKit
        secret = await why(f"FROM {BUSYBOX}\nRUN --mount=type=secret,id=x,target=/x true\n")
        assert isinstance(secret, Unsupported)
        assert "buildx" in secret.hint
        error = await why(f"FROM {BUSYBOX}\nARG A=1\nRUN <<END\necho before $A\nexit 3\nEND\n")
        assert error.title.startswith("Containerfile, line 3: step 2 of 2 ended with code 3: RUN <<END")
        assert error.detail.startswith("before 1")
        error = await why(f"FROM {BUSYBOX}\nCOPY --link absent /absent\n")
        assert "absent is not in the build context" in error.title
        error = await why("FROM 127.0.0.1:5000/tranship-test/there-is-none:1\nARG TARGETARCH\n")
        assert "no base image 127.0.0.1:5000/tranship-test/there-is-none:1" in error.title


async def test_what_only_newer_builders_know(lab: Lab, fleet: Fleet, tmp_path: Path) -> None:
    if lab.engine.id.kind is not EngineKind.DOCKER and (lab.engine.id.kind is EngineKind.DEMO or not ON):
        pytest.skip("the demo has no such builder; Podman has one for all, a thorough run tries it")
    text = (
        f"FROM {BUSYBOX} AS first\nARG WORD=none\nRUN --mount=type=cache,target=/kept <<END\n"
        f"echo said $WORD | tee /kept/word > /word\ncat /word\nEND\n"
        f"FROM {BUSYBOX}\nARG TARGETARCH\nRUN echo for $TARGETARCH\nCOPY --from=first --chmod=600 /word /word\n"
    )
    name = lab.owns_image(f"docker.io/tranship-test/{lab.name()}:1")
    wish = BuildWish(folder(tmp_path, text), (name,), arguments={"WORD": lab.name()}, labels=lab.label, cache=False)
    told: list[BuildEvent] = []
    lab.owns_image((await build_image(fleet, lab.engine.id, wish, told.append)).key.id)
    lines = [one.text for one in told if isinstance(one, OutputLine)]
    assert f"said {wish.arguments['WORD']}" in lines
    assert [line for line in lines if line.startswith("for ") and len(line) > 4], "the builder's own argument"
    steps = [one.step for one in told if isinstance(one, StepBegun)]
    assert wish.arguments["WORD"] not in repr(steps)
    assert {step.stage for step in steps} == {1, 2}
    contents = await read_image(lab.engine, name, LayerCache(tmp_path / "cache"), lambda _progress: None)
    held = {child.name: child for child in (await asyncio.to_thread(contents.tree)).children}
    assert held["word"].mode == 0o600


def running(mark: str) -> list[str]:
    """Processes of this machine that were given the mark as a word: the engines' are seen from here."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            words = place.read_bytes().decode("utf-8", "replace").replace("\0", " ")
            found += [words] if mark in words else []
    return found


@pytest.mark.parametrize("newer", [False, True])
async def test_a_cancelled_build_leaves_nothing_running(lab: Lab, fleet: Fleet, tmp_path: Path, newer: bool) -> None:
    if newer and lab.engine.id.kind is not EngineKind.DOCKER:
        pytest.skip("the other engines have one builder")
    if lab.engine.id.kind is EngineKind.DEMO:
        lab.engine.faults.hang("build_step")  # type: ignore[attr-defined]
    mark = lab.name()
    name = lab.owns_image(f"docker.io/tranship-test/{mark}:1")
    source = folder(tmp_path, f"FROM {BUSYBOX}\n{'ARG TARGETARCH' * newer}\nRUN echo {mark}; sleep 3000; echo {mark}\n")
    begun = asyncio.Event()

    def look(event: BuildEvent) -> None:
        if isinstance(event, OutputLine) and mark in event.text:
            begun.set()

    task = asyncio.create_task(build_image(fleet, lab.engine.id, BuildWish(source, (name,), cache=False), look))
    if lab.engine.id.kind is not EngineKind.DEMO:
        await asyncio.wait_for(begun.wait(), 20)
        assert await asyncio.to_thread(running, mark), "it can be seen while it runs"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async def quiet() -> bool:
        helpers = await lab.helpers()
        return not helpers and not await asyncio.to_thread(running, mark)

    await eventually(quiet)
    with pytest.raises(NotFound):
        await lab.engine.image_facts(name)
