"""What of an image is certainly not needed when it runs, or certainly there twice, by paths and sizes. Pure.

A hint is given only where the path alone is proof (a package manager's cache), or size and content are (weights, twice
the same library). Sources: pip's, conda's and apt's manuals on their caches; git's repository layout; the wheels
nvidia-*-cu12, which bring the CUDA libraries into site-packages/nvidia.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import count

from backends.layers.grow import text
from backends.layers.overlay import Overlay, Spot
from backends.layers.table import Entry
from backends.model.image_files import LayerHint

LEAST_BYTES = 1 << 20
"""Smaller things are not worth a line."""
WEIGHT_BYTES = 64 << 20

_FOLDERS = (
    (re.compile(rb"(?:root|home/[^/]+)/\.cache/pip"), "pip's cache", "pip install --no-cache-dir …"),
    (re.compile(rb"(?:root|home/[^/]+)/\.cache/uv"), "uv's cache", "RUN --mount=type=cache,target=/root/.cache/uv …"),
    (
        re.compile(rb"(?:root|home/[^/]+)/\.cache/huggingface"),
        "Hugging Face's cache, with models and data",
        "mount it at run: --volume hf-cache:/root/.cache/huggingface",
    ),
    (
        re.compile(rb"var/lib/apt/lists"),
        "apt's package lists",
        "RUN apt-get update && apt-get install … && rm -rf /var/lib/apt/lists/*",
    ),
    (re.compile(rb"var/cache/apt"), "apt's cache", "RUN apt-get install … && apt-get clean"),
    (re.compile(rb"var/cache/(?:dnf|yum)"), "dnf's cache", "RUN dnf install … && dnf clean all"),
)
_WEIGHTS = re.compile(rb"\.(?:safetensors|gguf|ggml|ckpt|pth|pt|onnx|h5)$|^(?:pytorch_model|model)[^/]*\.bin$")
_CUDA = re.compile(
    rb"^(lib(?:cudart|cublas|cublasLt|cudnn[a-z_]*|cufft|curand|cusolver|cusparse|cusparseLt|nccl|nvrtc|nvjitlink)"
    rb"(?:_static)?\.(?:so|a))(?:\.\d+)*$",
    re.IGNORECASE,
)


def hints_of(overlay: Overlay) -> tuple[LayerHint, ...]:
    """All hints of an image, largest first. overlay: all its layers."""
    found: list[LayerHint] = [*_again(overlay)]
    libraries: dict[bytes, list[Spot]] = {}
    stack = [overlay.root]
    for _ in overlay.pace.over(count()):
        if not stack:
            break
        spot = stack.pop()
        if overlay.kind(spot) <= Entry.FOLDER:
            hint = _folder(overlay, spot)
            if hint is None:
                stack.extend(child for child in (spot.children or {}).values() if child.alive)
            elif hint.size_bytes >= LEAST_BYTES:
                found.append(hint)
        elif overlay.kind(spot) == Entry.FILE:
            size = overlay.size_bytes(spot)
            if size >= WEIGHT_BYTES and _WEIGHTS.search(spot.name):
                found.append(
                    _hint("model weights in the image", spot, size, "mount them at run: --volume models:/models")
                )
            library = _CUDA.match(spot.name)
            if library and size >= LEAST_BYTES:
                libraries.setdefault(library[1], []).append(spot)
    found.extend(_twice(overlay, libraries))
    return tuple(sorted(found, key=lambda hint: (-hint.size_bytes, hint.path)))


def _folder(overlay: Overlay, spot: Spot) -> LayerHint | None:
    """A folder that as a whole need not be there."""
    if spot.parent is None:
        return None
    children = spot.children or {}
    if spot.name == b".git" and {b"HEAD", b"objects"} <= children.keys():
        return _hint("a git repository's history", spot, _visible(overlay, [spot]), "echo .git >> .dockerignore")
    if spot.name == b"pkgs" and b"conda-meta" in (spot.parent.children or {}):
        again = "RUN conda install … && conda clean --all --yes"
        return _hint("conda's package cache", spot, _visible(overlay, [spot]), again)
    if spot.name not in _LAST_PARTS:
        return None
    path = spot.path()
    for pattern, title, remedy in _FOLDERS:
        if pattern.fullmatch(path):
            return _hint(title, spot, _visible(overlay, [spot]), remedy)
    return None


_LAST_PARTS = frozenset({b"pip", b"uv", b"huggingface", b"lists", b"apt", b"dnf", b"yum"})


def _hint(title: str, spot: Spot, size_bytes: int, remedy: str) -> LayerHint:
    return LayerHint(title, "/" + text(spot.path()), size_bytes, remedy)


def _visible(overlay: Overlay, tops: Iterable[Spot]) -> int:
    return sum(overlay.size_bytes(spot) for top in tops for spot in top.below() if spot.alive)


def _twice(overlay: Overlay, libraries: dict[bytes, list[Spot]]) -> Iterator[LayerHint]:
    """CUDA libraries that stand in several folders; the largest copy counts as the one that is needed."""
    doubled = [(name, spots) for name, spots in libraries.items() if len({spot.parent for spot in spots}) > 1]
    for name, spots in doubled:
        sizes = sorted(overlay.size_bytes(spot) for spot in spots)
        others = min(spots, key=lambda spot: (overlay.size_bytes(spot), spot.path()))
        folders = len({spot.parent for spot in spots})
        yield LayerHint(
            f"{text(name)} in {folders} folders",
            "/" + text(others.path()),
            sum(sizes[:-1]),
            "FROM nvidia/cuda:…-base (without libraries), where Python wheels bring them",
        )


def _again(overlay: Overlay) -> Iterator[LayerHint]:
    """Layers that hold files once more whose content did not change."""
    for layer, size_bytes in enumerate(overlay.again_bytes):
        if size_bytes >= LEAST_BYTES:
            yield LayerHint(
                f"layer {layer + 1} holds files again that are the same below",
                "/",
                size_bytes,
                "COPY --chmod=… --chown=… in place of RUN chmod, chown",
            )


__all__ = ["LEAST_BYTES", "WEIGHT_BYTES", "hints_of"]
