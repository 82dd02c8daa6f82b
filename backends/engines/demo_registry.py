"""The demo's registries: one world of published images for all hosts; one of them wants a login. No network."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from backends.engines.demo_images import BuildStep, DemoImage, build
from backends.model.transfer import Credentials, Platform

PRIVATE_HOST = "registry.example.com"
"""Whoever is logged in there may pull and push; the demo knows one account."""
ACCOUNT = Credentials("demo", "demo")
_MIB = 1 << 20
_DEBIAN = BuildStep("ADD rootfs.tar.xz / # debian bookworm", 117 * _MIB)
_UBUNTU = BuildStep("ADD file: / # ubuntu 24.04", 76 * _MIB)
_CUDA = (
    _UBUNTU,
    BuildStep("ENV NVARCH=x86_64 CUDA_VERSION=12.6.2"),
    BuildStep("RUN apt-get install -y cuda-cudart-12-6 cuda-compat-12-6", 171 * _MIB),
    BuildStep("RUN apt-get install -y cuda-libraries-12-6 libcublas-12-6 libnccl2", 2_410 * _MIB),
)
_PUBLISHED_AT = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)
BOTH = (Platform("linux", "amd64"), Platform("linux", "arm64"))


@dataclass(frozen=True, slots=True)
class Published:
    """An image of a registry. stars: as Docker Hub counts them; None elsewhere."""

    steps: tuple[BuildStep, ...]
    description: str
    stars: int | None = None
    platforms: tuple[Platform, ...] = BOTH


CATALOGUE: dict[str, Published] = {
    "docker.io/library/alpine:latest": Published((BuildStep("ADD alpine.tar.gz /", 8 * _MIB),), "Small Linux", 11_200),
    "docker.io/library/python:3.12-slim": Published(
        (_DEBIAN, BuildStep("RUN make install # python", 41 * _MIB), BuildStep("RUN pip install pip", 12 * _MIB)),
        "Python, without build tools",
        9_800,
    ),
    "docker.io/vllm/vllm-openai:v0.7.0": Published(
        (*_CUDA, BuildStep("RUN pip install vllm flashinfer", 7_020 * _MIB), BuildStep("COPY examples /", 3 * _MIB)),
        "Inference server for large language models",
        210,
        BOTH[:1],
    ),
    "ghcr.io/huggingface/text-generation-inference:3.0": Published(
        (*_CUDA, BuildStep("COPY --from=builder /usr/src/server", 4_480 * _MIB)), "Text generation server", None
    ),
    "nvcr.io/nvidia/pytorch:24.10-py3": Published(
        (
            *_CUDA,
            BuildStep("RUN pip install torch", 5_900 * _MIB),
            BuildStep("RUN pip install apex dali transformer-engine", 2_600 * _MIB),
            BuildStep("COPY workspace /workspace", 22 * _MIB),
        ),
        "PyTorch as NVIDIA builds it",
        None,
    ),
    f"{PRIVATE_HOST}/team/embedder:1.0": Published(
        (*_CUDA, BuildStep("RUN pip install sentence-transformers", 3_140 * _MIB)), "Ours; needs a login", None
    ),
}


@dataclass(slots=True)
class DemoRegistry:
    """What is published. pushed: by the engines of the demo, by full name."""

    catalogue: dict[str, Published] = field(default_factory=lambda: dict(CATALOGUE))
    pushed: dict[str, DemoImage] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Of all images."""
        return sorted({*self.catalogue, *self.pushed})

    def description(self, name: str) -> tuple[str, int | None]:
        """Words, and stars."""
        published = self.catalogue.get(name)
        return (published.description, published.stars) if published else ("", None)

    def platforms(self, name: str) -> tuple[Platform, ...]:
        """() where there is no such image."""
        if name in self.pushed:
            return (_platform_of(self.pushed[name]),)
        return self.catalogue[name].platforms if name in self.catalogue else ()

    def image(self, name: str, platform: Platform) -> DemoImage | None:
        """The image for a platform, None where there is none."""
        if not any((one.os, one.architecture) == (platform.os, platform.architecture) for one in self.platforms(name)):
            return None
        if name in self.pushed:
            return replace(self.pushed[name], tags=[name])
        settings = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["sh"]}
        made = build([name], self.catalogue[name].steps, settings, _PUBLISHED_AT)
        if platform == BOTH[0]:
            return made
        config = json.loads(made.config) | {"architecture": platform.architecture}
        return replace(made, config=json.dumps(config, sort_keys=True).encode())


def _platform_of(image: DemoImage) -> Platform:
    config = json.loads(image.config)
    return Platform(str(config.get("os", "")), str(config.get("architecture", "")))


__all__ = ["ACCOUNT", "PRIVATE_HOST", "DemoRegistry", "Published"]
