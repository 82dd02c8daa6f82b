"""History and diff-IDs: the report always holds every diff-ID, in order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.docker_history import Makes, layer_report, makes_layer, readable
from backends.model.ids import EngineId, EngineKind, ImageKey
from tests.unit.docker.recorded import recorded

KEY = ImageKey(EngineId(EngineKind.DOCKER, "docker"), "a" * 64)


@pytest.mark.parametrize(("name", "filled"), [("busybox", 3), ("web", 10), ("python", 1)])
def test_recorded_images(name: str, filled: int) -> None:
    image = recorded(f"image_{name}.26.1")
    report = layer_report(KEY, "x", image, recorded(f"history_{name}.26.1"))
    assert [layer.diff_id for layer in report.layers if not layer.empty] == image["RootFS"]["Layers"]
    assert sum(not layer.empty for layer in report.layers) == filled
    assert not any("not certain" in layer.comment for layer in report.layers)
    assert report.total_bytes == image["Size"]


def test_a_run_that_wrote_nothing_made_a_layer() -> None:
    report = layer_report(KEY, "x", recorded("image_busybox.26.1"), recorded("history_busybox.26.1"))
    install = next(layer for layer in report.layers if "--install" in layer.command)
    assert install.size_bytes == 0
    assert not install.empty


@pytest.mark.parametrize(
    ("text", "size", "made", "shown"),
    [
        ('/bin/sh -c #(nop)  CMD ["sh"]', 0, Makes.NO, 'CMD ["sh"]'),
        ("/bin/sh -c #(nop) ADD file:ab in / ", 77, Makes.YES, "ADD file:ab in /"),
        ("/bin/sh -c #(nop) COPY file:ab in / ", 0, Makes.YES, "COPY file:ab in /"),
        ("/bin/sh -c #(nop) WORKDIR /x", 0, Makes.MAYBE, "WORKDIR /x"),
        ("WORKDIR /x", 0, Makes.MAYBE, "WORKDIR /x"),
        ("/bin/sh -c apt-get update", 0, Makes.YES, "RUN apt-get update"),
        ("|1 A=b /bin/sh -c make", 0, Makes.YES, "RUN make"),
        ("RUN |1 A=b /bin/sh -c make # buildkit", 0, Makes.YES, "RUN make"),
        ("RUN /bin/sh -c a   &&\tb # buildkit", 5, Makes.YES, "RUN a && b"),
        ("COPY a b # buildkit", 0, Makes.YES, "COPY a b"),
        ("ENV A=b", 0, Makes.NO, "ENV A=b"),
        ("bazel build ...", 0, Makes.YES, "bazel build ..."),
        ("", 0, Makes.MAYBE, ""),
        ("", 9, Makes.YES, ""),
    ],
)
def test_steps(text: str, size: int, made: Makes, shown: str) -> None:
    assert makes_layer({"CreatedBy": text, "Size": size}) is made
    assert readable(text) == shown


STEP = st.fixed_dictionaries(
    {
        "CreatedBy": st.sampled_from(
            ["", "RUN x", "ENV a=b", "WORKDIR /x", '/bin/sh -c #(nop)  CMD ["x"]', "COPY a b # buildkit"]
        )
        | st.text(),
        "Size": st.sampled_from([0, 0, 5]),
        "Created": st.integers(0, 1 << 31),
        "Comment": st.sampled_from(["", "buildkit.dockerfile.v0"]),
    }
)


@given(st.lists(STEP, max_size=12), st.integers(0, 12))
def test_no_diff_id_is_lost_or_moved(history: list[dict[str, Any]], count: int) -> None:
    diff_ids = [f"sha256:{number:064x}" for number in range(count)]
    report = layer_report(KEY, "x", {"RootFS": {"Layers": diff_ids}}, history)
    assert [layer.diff_id for layer in report.layers if not layer.empty] == diff_ids
    assert len(report.layers) >= len(history)


@given(
    st.lists(st.tuples(st.sampled_from(["RUN x # buildkit", "ENV a=b", "COPY a b"]), st.integers(0, 1)), max_size=12)
)
def test_plain_histories_are_exact(steps: list[tuple[str, int]]) -> None:
    history = [{"CreatedBy": text, "Size": size if text != "ENV a=b" else 0} for text, size in reversed(steps)]
    filled = [text for text, _ in steps if text != "ENV a=b"]
    diff_ids = [f"sha256:{number:064x}" for number in range(len(filled))]
    report = layer_report(KEY, "x", {"RootFS": {"Layers": diff_ids}}, history)
    assert [readable(text) for text, _ in steps] == [layer.command for layer in report.layers]
    assert all(layer.empty == layer.command.startswith("ENV") for layer in report.layers)
    assert not any(layer.comment for layer in report.layers)
