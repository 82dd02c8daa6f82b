"""Layers joined by the config's own word, statistics by differences, errors in plain words, a tar's root."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.engines.podman_errors import explain
from backends.engines.podman_images import clean_command, image_facts, layer_report, listed_image
from backends.engines.podman_stats import StatsMeter
from backends.engines.podman_volumes import root_owner
from backends.model.errors import BackendError, Conflict, NotFound, Unsupported
from backends.model.values import Missing
from tests.unit.podman.recorded import ENGINE, recorded


def test_layers_are_joined_with_their_diff_ids() -> None:
    image = recorded("rootful", "image-web")
    report = layer_report(image, recorded("rootful", "history-web"), "test/web:1", ENGINE)
    assert [layer.diff_id for layer in report.layers if not layer.empty] == image["RootFS"]["Layers"]
    assert report.layers[0].command == "COPY busybox /bin/busybox"
    assert report.layers[0].size_bytes == 2027008
    assert report.layers[-1].empty
    assert report.architecture == "amd64"


def test_a_layer_of_size_0_is_still_a_layer() -> None:
    image, history = recorded("rootful", "image-web"), recorded("rootful", "history-web")
    for entry in history:
        entry["Size"] = 0
    report = layer_report(image, history, "x", ENGINE)
    assert sum(not layer.empty for layer in report.layers) == len(image["RootFS"]["Layers"])


def test_layers_without_a_step_follow_unnamed() -> None:
    image = recorded("rootful", "image-web")
    image["History"] = None
    report = layer_report(image, [], "x", ENGINE)
    assert [layer.size_bytes for layer in report.layers] == [None] * 10


def test_images() -> None:
    image = listed_image(recorded("rootful", "images")[0], ENGINE)
    assert image.tags == ("docker.io/test/busybox:1",)
    facts = image_facts(recorded("rootful", "image-busybox"), ENGINE)
    assert facts.config_digest == f"sha256:{image.key.id}"
    assert len(facts.diff_ids) == 3


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("RUN /bin/sh -c echo a # buildkit", "RUN echo a"),
        ('/bin/sh -c #(nop)  CMD ["x"]', 'CMD ["x"]'),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("COPY a b # buildkit", "COPY a b"),
    ],
)
def test_history_reads_as_a_dockerfile(text: str, clean: str) -> None:
    assert clean_command(text) == clean


def _sample(nano: int, at_s: int, rx: int) -> Any:
    batch = recorded("rootful", "stats")
    batch["Stats"] = batch["Stats"][:1]
    entry = batch["Stats"][0]
    entry |= {"CPUNano": nano, "SystemNano": at_s * 10**9}
    entry["Network"]["eth0"]["RxBytes"] = rx
    return batch


def test_rates_are_differences_and_the_first_sample_has_none() -> None:
    wanted = recorded("rootful", "stats")["Stats"][0]["ContainerID"]
    meter = StatsMeter(ENGINE, [wanted], lambda: 5.0)
    (first,) = meter.readings(_sample(10**9, 100, 50))
    assert isinstance(first.cpu_percent, Missing)
    assert first.memory_bytes == 53248
    (second,) = meter.readings(_sample(2 * 10**9, 102, 250))
    assert second.cpu_percent == pytest.approx(50.0)
    assert second.net_rx_bytes_per_s == pytest.approx(100.0)
    (third,) = meter.readings(_sample(10**6, 104, 250))
    assert isinstance(third.cpu_percent, Missing), "a counter that went back gives no rate"
    assert meter.readings({"Stats": None}) == []


def test_only_those_wanted() -> None:
    assert StatsMeter(ENGINE, ["other"], lambda: 0.0).readings(recorded("rootful", "stats")) == []


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("volume with name x already exists: volume already exists", Conflict),
        ("updating …: UNIQUE constraint failed: ContainerConfig.Name", Conflict),
        ('"exited" is not running, can\'t pause: container state improper', Conflict),
        ("can not pause containers on rootless containers with cgroup V1: this container does not have a cgroup",
         Unsupported),
        ("setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=7", NotFound),
        ('Unable to delete image "72" by ID with more than one tag ([a b]): please force removal', Conflict),
        ("no such image: docker.io/test/nope:1: image not known", NotFound),
        ("failed in inspect image 604abcc295e8: layer not known", NotFound),
        ("pasta failed with exit code 1:\nFailed to bind port 18200 (Address already in use)", Conflict),
    ],
)  # fmt: skip
def test_libpods_words(message: str, kind: type[BackendError]) -> None:
    error = explain(ENGINE)(500, message)
    assert type(error) is kind
    assert error is not None
    assert error.detail == message
    assert error.engine == ENGINE


def test_other_words_are_left_to_the_status() -> None:
    assert explain(ENGINE)(500, "boom") is None


def _tar(name: str, uid: int, *, form: int) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as tar:
        info = tarfile.TarInfo(name)
        info.type, info.uid, info.gid, info.mtime = tarfile.DIRTYPE, uid, 44, 1
        if form == tarfile.PAX_FORMAT:
            info.pax_headers = {"SCHILY.xattr.user.a": "b"}
        tar.addfile(info)
        tar.addfile(tarfile.TarInfo("./x"))
    return data.getvalue()


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("name", ["./", "."])
def test_the_roots_owner(name: str, form: int) -> None:
    assert root_owner(_tar(name, 3_000_000, form=form)) == "3000000:44"
    assert root_owner(_tar("./a", 33, form=form)) is None


@given(st.binary(max_size=2000))
def test_garbage_has_no_root(data: bytes) -> None:
    owner = root_owner(data)
    assert owner is None or ":" in owner
