"""Volumes and ports of a move, turned one by one; and the box in which that is done."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App

from backends.model.plan import Choices, PortChoice, VolumeChoice
from widgets.line import plain
from widgets.move_parts import (
    ANY_FREE,
    Parts,
    part_rows,
    port_chosen,
    ports_words,
    turned,
    volumes_words,
    with_port,
    with_volume,
)
from widgets.part_picker import PartPicker
from widgets.text import width_of

PARTS = Parts({"data": "/data", "cache": "/cache"}, (80, 8080))
COPY, SHARE, SKIP = VolumeChoice.COPY, VolumeChoice.SHARE, VolumeChoice.SKIP

ports = st.dictionaries(st.sampled_from(PARTS.ports), st.sampled_from([ANY_FREE, 80, 81, 8080, 9000]))
volumes = st.dictionaries(st.sampled_from(list(PARTS.volumes)), st.sampled_from(list(VolumeChoice)))
bases = st.builds(
    Choices, volume=st.sampled_from(list(VolumeChoice)), port=st.sampled_from([PortChoice.SAME, PortChoice.RANDOM])
)


@given(bases, ports, volumes)
def test_each_part_is_what_was_last_chosen_of_it(
    base: Choices, new: dict[int, int], what: dict[str, VolumeChoice]
) -> None:
    choices = base
    for port, chosen in new.items():
        choices = with_port(choices, PARTS, port, chosen)
    for volume, choice in what.items():
        choices = with_volume(choices, PARTS, volume, choice)
    for port in PARTS.ports:
        assert port_chosen(choices, port) == new.get(port, port_chosen(base, port))
    for volume in PARTS.volumes:
        assert choices.for_volume(volume) is what.get(volume, base.volume)


def test_what_is_alike_is_one_choice() -> None:
    both = with_volume(with_volume(Choices(), PARTS, "data", SKIP), PARTS, "cache", SKIP)
    assert both == Choices(volume=SKIP)
    free = with_port(with_port(Choices(), PARTS, 80, ANY_FREE), PARTS, 8080, ANY_FREE)
    assert free == Choices(port=PortChoice.RANDOM)
    assert with_port(free, PARTS, 80, 80) == Choices(port=PortChoice.REMAP, port_map={8080: ANY_FREE})
    assert with_port(with_port(Choices(), PARTS, 80, 81), PARTS, 80, 80) == Choices()


def test_turning_a_row_comes_round() -> None:
    for row in part_rows(Choices(), PARTS, 70):
        choices, seen = Choices(), []
        for _ in range(2 if row.port is not None else 3):
            choices = turned(choices, PARTS, row, 1)
            seen.append(choices)
        assert choices == Choices()
        assert row.idle or seen[0] != Choices()
        assert row.idle or turned(seen[0], PARTS, row, -1) == Choices()


def test_in_short() -> None:
    one = with_volume(Choices(), PARTS, "cache", SHARE)
    assert volumes_words(one) == "copied, 1 otherwise"
    assert volumes_words(Choices(volume=SKIP)) == "empty"
    assert ports_words(with_port(Choices(), PARTS, 80, ANY_FREE)) == "80:any free"
    assert ports_words(Choices(port=PortChoice.REMAP, port_map={1: 2, 3: 4, 5: 6})) == "3 others"


def test_rows_fit_and_are_inert() -> None:
    parts = Parts({"v" * 90 + "\x1b[2J": "/" + "x" * 90}, (80,))
    for width in (40, 66, 120):
        for row in part_rows(Choices(), parts, width):
            assert width_of(plain(row.text)) <= width
            assert "\x1b" not in plain(row.text)


class _Box(App[None]):
    """Opens the box and keeps its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Choices | None] = []

    def on_mount(self) -> None:
        self.push_screen(PartPicker("Volumes and ports of web", PARTS, Choices()), self.answers.append)


async def test_the_box_is_worked_by_keys() -> None:
    app = _Box()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", "down", "space", "left", "left")  # both shared; then cache copied, empty
        await pilot.press("down", "9", "0", "0", "0", "0", "down", "enter")  # a fifth 0 would be no port
        assert isinstance(app.screen, PartPicker)
        shown = [plain(row.text) for row in app.screen.rows]
        assert any(one.split()[:2] == ["80", "9000"] for one in shown)
        await pilot.press("escape")
    assert app.answers == [
        Choices(volume=SHARE, volumes={"cache": SKIP}, port=PortChoice.REMAP, port_map={80: 9000, 8080: ANY_FREE})
    ]


async def test_digits_can_be_taken_back_and_are_nothing_to_a_volume() -> None:
    app = _Box()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7", "down", "down", "0", "9", "1", "backspace", "backspace", "q")
    assert app.answers == [Choices()]
