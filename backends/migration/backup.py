"""Writes a container into one file: recipe, image, volumes, networks. The source runs afterwards as before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from backends.engine import Engine
from backends.migration.backup_contents import (
    CHANGES,
    FORMAT,
    SPEC,
    VOLUMES,
    Contents,
    StoredFiles,
    StoredVolume,
    listing,
)
from backends.migration.backup_file import BackupWriter
from backends.migration.backup_rest import at_rest
from backends.migration.backup_source import BackupFacts, carried_changes, look
from backends.migration.manifest import ManifestTap
from backends.migration.oci import ImageIntake
from backends.migration.progress import Flow, Meter, metered
from backends.migration.tools import tool_image
from backends.migration.unbroken import ended, stoppable, unbroken
from backends.model.codec import to_json
from backends.model.events import Phase
from backends.model.image import ImageFacts
from backends.model.plan import LayerChoice, Step, StepKind, StepProgress
from backends.model.workload import Volume

BATCH_BYTES = 1 << 20
"""Bytes that go to a thread at once: hashing and writing them takes about 2 ms."""
_LONGEST_NAME = 80
"""A volume's name up to this length is the name of its member; longer ones go by number."""

OnUpdate = Callable[[StepProgress], None]
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was written. downtime_s: for how long the source did not run, None where it was not stopped.

    notes: what should be known of it.
    """

    path: Path
    size_bytes: int
    contents: Contents
    duration_s: float
    downtime_s: float | None
    notes: tuple[str, ...] = ()


class _Steps:
    """Says where the backup is."""

    def __init__(self, steps: list[Step], on_update: OnUpdate) -> None:
        self._steps = steps
        self._on_update = on_update
        self._index = -1

    def next(self, kind: StepKind) -> None:
        """The step before is done, this one begins."""
        self.done()
        self._index += 1
        assert self._steps[self._index].kind is kind
        self._say(Phase.STARTED)

    def done(self) -> None:
        """The step is done."""
        if self._index >= 0:
            self._say(Phase.DONE)

    def flow(self, flow: Flow) -> None:
        """Bytes pass."""
        self._say(Phase.PROGRESS, flow)

    def _say(self, phase: Phase, flow: Flow | None = None) -> None:
        step = self._steps[self._index]
        progress = StepProgress(self._index, len(self._steps), step, phase, step.title)
        if flow is not None:
            progress = replace(
                progress,
                done_bytes=flow.done_bytes,
                total_bytes=flow.total_bytes,
                bytes_per_s=flow.bytes_per_s,
                eta_s=flow.eta_s,
            )
        self._on_update(progress)


def _steps(facts: BackupFacts, layer: LayerChoice, stops: bool) -> list[Step]:
    name = facts.container.name
    image = Step(StepKind.IMAGE, f"write image {facts.reference or facts.image.key.short}", facts.reference)
    image = replace(image, total_bytes=facts.image.size_bytes or None)
    return [
        *([] if layer is LayerChoice.COMMIT else [image]),
        *([Step(StepKind.STOP_SOURCE, f"stop {name} on {facts.engine}", name)] if stops else []),
        *([replace(image, title=f"make an image of {name} and write it")] if layer is LayerChoice.COMMIT else []),
        *(Step(StepKind.VOLUME, f"write volume {volume.name}", volume.name) for volume in facts.volumes),
        *([Step(StepKind.FILES, f"write what {name} has changed", name)] if layer is LayerChoice.CHANGES else []),
        *([Step(StepKind.START, f"start {name} again", name)] if stops else []),
        Step(StepKind.VERIFY, "read the file back", name),
    ]


class _Backup:
    """One backup under way."""

    def __init__(
        self, engine: Engine, facts: BackupFacts, writer: BackupWriter, layer: LayerChoice, steps: _Steps
    ) -> None:
        self._engine = engine
        self._facts = facts
        self._writer = writer
        self._layer = layer
        self._steps = steps
        self._tool = ""
        self.image = facts.image
        self.spec = facts.spec
        self.reference = facts.reference
        self.volumes: list[StoredVolume] = []
        self.changes: list[StoredFiles] = []

    async def _in_thread(self, work: Callable[..., _Result], *parts: object) -> _Result:
        """The file is only touched by one thread at a time, and never after we have gone."""
        return await unbroken(asyncio.to_thread(work, *parts))

    async def _pour(
        self, chunks: AsyncIterator[bytes], total: int | None, into: Callable[[bytes], None], tap: ManifestTap | None
    ) -> None:
        """A stream of the engine into the file. into: called in a thread with about a MiB at once."""
        batch = bytearray()
        meter = Meter(total)
        async with aclosing(metered(chunks, meter, self._steps.flow, tap.feed if tap else None)) as stream:
            async for chunk in stream:
                batch += chunk
                if len(batch) >= BATCH_BYTES:
                    await self._in_thread(into, bytes(batch))
                    batch.clear()
        await self._in_thread(into, bytes(batch))
        self._steps.flow(meter.flow())

    async def write_image(self, image: ImageFacts, reference: str) -> None:
        """The image's blobs and the OCI layout around them."""
        self.image = image
        intake = ImageIntake(self._writer)
        async with self._engine.export_image(image.key.id) as chunks:
            await self._pour(chunks, image.size_bytes or None, intake.feed, None)
        await self._in_thread(intake.finish, image, reference)

    async def write_commit(self) -> None:
        """An image that is made of the container, and is taken away from the engine again."""
        name = self._facts.container.name.lower()
        reference = f"localhost/tranship-backup/{name}:{datetime.now(UTC):%Y%m%d-%H%M%S}"
        commit = self._engine.commit_container(self._facts.container.key.id, reference)
        committing = asyncio.create_task(commit, name="commit")
        try:
            await ended(committing)
            made = committing.result()
            await self.write_image(await self._engine.image_facts(made), reference)
        finally:
            if committing.exception() is None:  # it was made, perhaps for one who was cancelled meanwhile
                await unbroken(self._engine.remove_image(reference))
        self.spec = replace(self.spec, image=reference, image_id=self.image.key.id)
        self.reference = reference

    async def write_volume(self, volume: Volume) -> None:
        """A volume's tar and the facts of its files."""
        if not self._tool:
            self._tool = await tool_image(self._engine, volume.name, self._facts.image.key.id)
        label = volume.name if len(volume.name) <= _LONGEST_NAME else f"number-{len(self.volumes)}"
        self._writer.begin()
        async with (
            ManifestTap() as tap,
            self._engine.export_volume(volume.name, via_image=self._tool) as chunks,
        ):
            await self._pour(chunks, None, self._writer.write, tap)
            manifest = await tap.finish()
        content = self._writer.end(f"{VOLUMES}{label}.tar")

        def write_listing() -> str:
            self._writer.begin()
            for text in listing(manifest):
                self._writer.write(text)
            return self._writer.end(f"{VOLUMES}{label}.files.jsonl").name

        listed = await self._in_thread(write_listing)
        digest = await asyncio.to_thread(manifest.digest)
        entries, content_bytes = len(manifest.files), manifest.content_bytes
        self.volumes.append(StoredVolume(volume, content.name, listed, entries, content_bytes, digest))

    async def write_changes(self) -> None:
        """Each file and folder that the container has added or changed, as a tar of its own."""
        container = self._facts.container.key.id
        for path in carried_changes(await self._engine.changed_paths(container)):
            self._writer.begin()
            async with self._engine.read_files(container, path.path) as chunks:
                await self._pour(chunks, None, self._writer.write, None)
            member = self._writer.end(f"{CHANGES}{len(self.changes)}.tar")
            self.changes.append(StoredFiles(path, member.name))

    async def write_resting(self) -> None:
        """All that is read while the source does not run."""
        if self._layer is LayerChoice.COMMIT:
            self._steps.next(StepKind.IMAGE)
            await self.write_commit()
        for volume in self._facts.volumes:
            self._steps.next(StepKind.VOLUME)
            await self.write_volume(volume)
        if self._layer is LayerChoice.CHANGES:
            self._steps.next(StepKind.FILES)
            await self.write_changes()


async def back_up(
    engine: Engine,
    container: str,
    path: Path,
    *,
    version: str,
    state_dir: Path,
    layer: LayerChoice = LayerChoice.DISCARD,
    live: bool = False,
    on_update: OnUpdate = lambda _progress: None,
) -> BackupReport:
    """Write a container into a file that must not exist yet, 0600: it holds the environment in clear text.

    container: id or name. version: of Tranship, noted in the file. state_dir: a journal is kept there. layer: what
    becomes of the files that it has changed outside its volumes. live: it is not stopped while its volumes are read.

    The file appears when it is complete, on disk and read back. Whatever happens, a source that ran runs again.
    Raises Conflict where the file exists, Refused where the container cannot be backed up so, Denied where the file
    cannot be written, Protocol where what the engine sends is not what it announced, and the engine's errors.
    """
    clock = asyncio.get_running_loop().time
    begun = clock()
    facts = await look(engine, container, live=live)
    stops = facts.container.state.alive and not live
    steps = _Steps(_steps(facts, layer, stops), on_update)
    writer = await unbroken(asyncio.to_thread(BackupWriter, path))
    downtime_s: float | None = None
    try:
        work = _Backup(engine, facts, writer, layer, steps)
        if layer is not LayerChoice.COMMIT:
            steps.next(StepKind.IMAGE)
            await work.write_image(facts.image, facts.reference)
        if stops:
            steps.next(StepKind.STOP_SOURCE)
            stopped_at = clock()
            async with at_rest(engine, facts, state_dir, lambda: steps.next(StepKind.START)):
                await work.write_resting()
            downtime_s = clock() - stopped_at
        else:
            await work.write_resting()
        steps.next(StepKind.VERIFY)
        contents, size_bytes = await _finish(writer, work, facts, version, live=live and facts.container.state.alive)
        steps.done()
    finally:
        await unbroken(asyncio.to_thread(writer.close))
    return BackupReport(path, size_bytes, contents, clock() - begun, downtime_s, facts.notes)


async def _finish(
    writer: BackupWriter, work: _Backup, facts: BackupFacts, version: str, *, live: bool
) -> tuple[Contents, int]:
    """Recipe, list of contents, seal; then the whole file is read back. Returns its size too, in bytes."""

    def finish(stopped: Callable[[], bool]) -> tuple[Contents, int]:
        writer.add(SPEC, to_json(work.spec).encode())
        contents = Contents(
            format=FORMAT,
            version=version,
            created_at=datetime.now(UTC),
            engine=facts.engine,
            info=facts.info,
            container=facts.container,
            image=work.image,
            reference=work.reference,
            digests=facts.digests if work.image.key == facts.image.key else (),
            volumes=tuple(work.volumes),
            networks=facts.networks,
            live=live,
            committed=work.image.key != facts.image.key,
            changes=tuple(work.changes),
            members=tuple(writer.members),
        )
        return contents, writer.finish(to_json(contents).encode(), stopped)

    return await stoppable(finish, "seal backup")
