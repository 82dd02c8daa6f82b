"""JSON of what an image's layers hold, waste and how two images differ. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.model.image import LayerReport
from backends.model.image_comparison import ImageComparison
from backends.model.image_files import FileNode, LayerHint, Mark, WasteReport
from tui.cli.layers_table import paths


def contents(
    layer_bytes: Sequence[int],
    waste: WasteReport,
    hints: Sequence[LayerHint],
    tree: FileNode | None,
    failed: Sequence[str] | None,
) -> dict[str, Any]:
    """What was found in the layers. files_bytes: of each that has files, base first.

    "files" is there with --files, "failed" with thresholds.
    """
    told: dict[str, Any] = {
        "files_bytes": list(layer_bytes),
        "waste": {
            "total_bytes": waste.total_bytes,
            "wasted_bytes": waste.wasted_bytes,
            "wasted_share": waste.wasted_share,
            "efficiency": waste.efficiency,
            "offenders": [
                {
                    "path": bad.path,
                    "wasted_bytes": bad.wasted_bytes,
                    "times": bad.times,
                    "files": bad.files,
                    "removed": bad.removed,
                }
                for bad in waste.offenders
            ],
        },
        "hints": [
            {"title": hint.title, "path": hint.path, "size_bytes": hint.size_bytes, "remedy": hint.remedy}
            for hint in hints
        ],
    }
    if tree is not None:
        told["files"] = [_file(path, node) for path, node in paths(tree) if node.mark is not Mark.REMOVED]
    if failed is not None:
        told["failed"] = list(failed)
    return told


def _file(path: str, node: FileNode) -> dict[str, Any]:
    return {
        "path": path,
        "kind": node.kind.value,
        "size_bytes": node.size_bytes,
        "mode": f"{node.mode:04o}",
        "uid": node.uid,
        "gid": node.gid,
        "mtime_s": node.mtime_s,
        "link": node.link or None,
        "layer": node.layer,
    }


def image(report: LayerReport) -> dict[str, Any]:
    """Which of two."""
    return {"engine": report.key.engine.name, "image_id": report.key.id, "reference": report.reference}


def against(found: ImageComparison) -> dict[str, Any]:
    """What the second has differently: files, largest first; layers; configuration, without values of variables."""
    return {
        "differences": [
            {
                "path": one.path,
                "mark": one.mark.value,
                "first_bytes": one.first_bytes,
                "second_bytes": one.second_bytes,
                "files": one.files,
            }
            for one in found.files
        ],
        "layers": [
            {
                "diff_id": one.layer.diff_id,
                "command": one.layer.command,
                "size_bytes": one.layer.size_bytes,
                "mark": one.mark.value,
            }
            for one in found.layers
        ],
        "config": [
            {"setting": one.setting, "mark": one.mark.value, "first": one.first, "second": one.second}
            for one in found.config
        ],
    }
