"""Demo engines of which one container's image holds files, hides some of them and has some twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from backends.engines.demo import DemoEngine
from backends.engines.demo_images import build, committed
from tests.unit.layers.images import Content, hard, layer

NAME = "rag-redis"
KB = bytes(1000)
Engines = Callable[..., tuple[DemoEngine, DemoEngine]]

SMALL: list[tuple[str, dict[str, Content]]] = [
    ("RUN apt-get update && apt-get install -y redis", {"usr/bin/redis": KB * 9, "usr/bin/sh": KB, "etc/conf": KB * 2}),
    ("RUN rm /usr/bin/sh && tune", {"usr/bin/.wh.sh": b"", "etc/conf": KB * 3, "[bold]evil\x1b[2J": b"x"}),
    ("COPY a /a", {"a/b/c": KB * 4, "a/b/d": hard("a/b/c")}),
]
SITE = "opt/venv/lib/python3.12/site-packages"
LARGE: list[tuple[str, dict[str, Content]]] = [
    ("ADD rootfs.tar.xz /", {**{f"usr/bin/tool{n:02}": KB * (n + 1) for n in range(20)}, "etc/hosts": KB}),
    (
        "RUN /bin/sh -c apt-get update && apt-get install -y python3 && pip install torch # buildkit",
        {
            "var/lib/apt/lists/deb.debian.org_main": KB * 1400,
            "root/.cache/pip/http-v2/torch": KB * 1700,
            f"{SITE}/torch/lib/libtorch_cuda.so": KB * 2100,
            f"{SITE}/torch/__init__.py": KB * 12,
            f"{SITE}/nvidia/cublas/lib/libcublas.so.12": KB * 1300,
            "usr/local/cuda/lib64/libcublas.so.12.4": KB * 1300,
        },
    ),
    ("COPY . /app", {"app/.git/HEAD": KB, "app/.git/objects/pack": KB * 1100, "app/serve.py": KB * 3}),
    ("RUN rm -rf /root/.cache && chmod +x /app/serve.py", {"root/.wh..cache": b"", "app/serve.py": KB * 3}),
]


def with_held(engines: Engines, layers: list[tuple[str, dict[str, Content]]]) -> Engines:
    """The same engines, the container NAME with an image of these layers."""

    def held(**timing: float) -> tuple[DemoEngine, DemoEngine]:
        docker, podman = engines(**timing)
        for engine in (docker, podman):
            for container in engine.world.containers.values():
                if container.spec.name == NAME:
                    image = build(["quay.io/test/held:1"], [], {"Env": []}, container.created_at)
                    for command, files in layers:
                        image = committed(image, layer(files), command, container.created_at)
                        if command == layers[0][0]:  # the base lies in the other engine too
                            for other in (one for one in (docker, podman) if one is not engine):
                                other.actions.add_image(replace(image, tags=["quay.io/test/base:1"]))
                    image.tags = ["quay.io/test/held:1"]
                    engine.actions.add_image(image)
                    container.image_id = image.id
        return docker, podman

    return held
