"""Files of volumes copied to this machine, by way of an image of their engine. Changes no volume, overwrites nothing
unasked."""

from __future__ import annotations

import asyncio
import posixpath
from pathlib import Path

from backends.model.errors import NotFound, Unsupported
from backends.model.files import FileKind
from backends.model.stores import StoreKey
from backends.services.browse import VolumeBrowser, absolute
from backends.services.fleet import Fleet
from backends.services.stores import operation_key
from backends.services.unpacking import Copied, Report, local_target, received


async def copy_out_of_volume(
    fleet: Fleet,
    key: StoreKey,
    path: str,
    destination: Path,
    report: Report,
    *,
    browser: VolumeBrowser,
    overwrite: bool = False,
) -> Copied:
    """Copy a file or folder of a volume to this machine; it appears when it is complete. path: the volume being "/".

    Of a folder the engine may have to send the whole volume. Raises NotFound where nothing is there, Unsupported where
    no image of the engine will do, what `local_target` and `received` raise, and the engine's own errors.
    """
    top, engine = absolute(path), fleet.engine(key.engine)
    name = posixpath.basename(top) or key.name
    target = await asyncio.to_thread(local_target, destination, name, overwrite=overwrite)
    plan = {"from": top, "to": str(target)}
    with fleet.operations.beside("volume.copy_out", operation_key("volume", key), key.name, changes=False, plan=plan):
        above = await browser.folder(engine, key.name, posixpath.dirname(top))
        entry = next((one for one in above.entries if one.name == name), None)
        if top != "/" and entry is None:
            raise NotFound(f"there is no {top} in the volume {key.name}", engine=engine.id)
        alone = (f".{top}",) if entry is not None and entry.kind is FileKind.FILE else ()
        below = tuple(part for part in top.split("/") if part)
        for image in await browser.images(engine):
            try:
                stream = engine.export_volume(key.name, via_image=image, paths=alone)
                return await received(stream, target, report, whole=top == "/", overwrite=overwrite, below=below)
            except Unsupported as error:  # it has no tar
                refusal = error
        raise refusal


__all__ = ["copy_out_of_volume"]
