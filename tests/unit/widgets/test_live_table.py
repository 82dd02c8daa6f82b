"""The table in a terminal without a screen: keyed cursor, marks, mouse, and which lines are drawn again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region

from widgets.line import Span, line
from widgets.live_table import LiveTable
from widgets.table_layout import Column
from widgets.table_rows import LazyCells, Row, index_of, looks_same, nearest_survivor, step

COLUMNS = (Column("name", "NAME", 8, flex=1), Column("value", "VALUE", 6, align="right"))


def row(key: str, value: object = 0, *, heading: bool = False) -> Row:
    """A row that shows its key and a value."""
    return Row(key, (line(key), line(str(value))), heading=heading)


class Host(App[None]):
    """An app of one table that notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.table = LiveTable(COLUMNS, empty="Nothing here")
        self.told: list[tuple[str, object]] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()

    def on_live_table_row_highlighted(self, event: LiveTable.RowHighlighted) -> None:
        self.told.append(("highlighted", event.key))

    def on_live_table_row_selected(self, event: LiveTable.RowSelected) -> None:
        self.told.append(("selected", event.key))

    def on_live_table_header_selected(self, event: LiveTable.HeaderSelected) -> None:
        self.told.append(("header", event.column))

    def on_live_table_marks_changed(self, event: LiveTable.MarksChanged) -> None:
        self.told.append(("marks", event.keys))

    def last(self) -> tuple[str, object]:
        """What was told last."""
        return self.told[-1]

    def at(self) -> Hashable:
        """The cursor's key."""
        return self.table.cursor_key

    def marks(self) -> tuple[Hashable, ...]:
        """The marked keys."""
        return self.table.marked_keys

    def screen_lines(self) -> list[str]:
        """What the table shows, line by line."""
        return [self.table.render_line(y).text.rstrip() for y in range(self.table.size.height)]


def rows(*keys: str) -> list[Row]:
    """Plain rows of these keys."""
    return [row(key) for key in keys]


async def test_the_cursor_stays_on_its_key_through_order_refresh_and_removal() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.show_rows(rows("a", "b", "c", "d"))
        await pilot.press("down")
        assert app.at() == "b"
        app.table.show_rows(rows("d", "c", "b", "a"))
        assert app.at() == "b"
        app.table.show_rows(rows("d", "c", "a"))
        assert app.at() == "a"
        app.table.show_rows(rows("d"))
        assert app.at() == "d"
        app.table.show_rows([])
        assert app.at() is None
        await pilot.pause()
        assert [key for name, key in app.told if name == "highlighted"] == ["a", "b", "a", "d", None]


async def test_keys_move_page_mark_and_select_and_skip_headings() -> None:
    app = Host()
    async with app.run_test(size=(40, 6)) as pilot:
        app.table.show_rows([row("one", heading=True), *rows("a", "b"), row("two", heading=True), *rows(*"cdefghij")])
        assert app.at() == "a"
        await pilot.press("j", "j")
        assert app.at() == "c"
        await pilot.press("up")
        assert app.at() == "b"
        await pilot.press("end")
        assert app.at() == "j"
        assert app.screen_lines()[-1].startswith("▌  j")
        await pilot.press("pageup")
        assert app.at() == "f"
        await pilot.press("g")
        assert app.at() == "a"
        assert app.screen_lines()[1].startswith("  one ──")
        await pilot.press("space", "space", "enter")
        assert app.marks() == ("a", "b")
        assert app.last() == ("selected", "c")
        app.table.show_rows(rows("b", "c"))
        assert app.marks() == ("b",)
        app.table.clear_marks()
        await pilot.pause()
        assert app.last() == ("marks", ())


async def test_mouse_sorts_moves_and_chooses() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.show_rows(rows("a", "b", "c"))
        await pilot.click(LiveTable, offset=(5, 0))
        assert app.last() == ("header", "name")
        await pilot.click(LiveTable, offset=(5, 2))
        assert app.at() == "b"
        await pilot.click(LiveTable, offset=(5, 3), times=2)
        assert app.last() == ("selected", "c")


async def test_only_lines_that_changed_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Host()
    async with app.run_test(size=(40, 8)) as pilot:
        many = [row(f"k{n:03}", n) for n in range(200)]
        app.table.show_rows(many)
        await pilot.pause()
        drawn: list[Region] = []
        monkeypatch.setattr(app.table, "refresh", lambda *regions, **_: drawn.extend(regions))
        changed = list(many)
        changed[2], changed[150] = row("k002", "new"), row("k150", "out of sight")
        app.table.show_rows(changed)
        assert [region.y for region in drawn] == [3]
        app.table.show_rows([row(entry.key, plain_value(entry)) for entry in changed])  # type: ignore[arg-type]
        assert len(drawn) == 1


def plain_value(entry: Row) -> str:
    """The text of a row's second cell."""
    return entry.cells[1][0].text


async def test_signs_show_cursor_mark_sort_and_emptiness_without_colour() -> None:
    app = Host()
    async with app.run_test(size=(30, 6)) as pilot:
        await pilot.pause()
        assert app.screen_lines()[2] == "   Nothing here"
        app.table.show_rows(rows("a", "b"))
        app.table.set_sort("value", True)
        await pilot.press("space")
        assert app.screen_lines()[:3] == [
            "   NAME                ▼VALUE",
            " ✓ a                        0",
            "▌  b                        0",
        ]


async def test_no_color_reverses_the_cursor_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Host()
    async with app.run_test(size=(30, 6)) as pilot:
        app.table.show_rows(rows("a", "b"))
        await pilot.pause()
        assert all(segment.style is not None and segment.style.reverse for segment in app.table.render_line(1))
        assert not any(segment.style is not None and segment.style.reverse for segment in app.table.render_line(2))


async def test_every_line_has_the_full_width() -> None:
    app = Host()
    async with app.run_test(size=(33, 12)) as pilot:
        app.table.show_rows([row("データ前処理パイプラインの長い名前", "x" * 50), row("h", heading=True), *rows("a")])
        await pilot.pause()
        assert {app.table.render_line(y).cell_length for y in range(12)} == {app.table.size.width}


async def test_the_scrollbar_hides_no_cell() -> None:
    app = Host()
    async with app.run_test(size=(30, 5)) as pilot:
        app.table.show_rows([row(f"k{n}", n) for n in range(20)])
        await pilot.pause()
        assert app.table.show_vertical_scrollbar
        assert app.table.render_line(0).cell_length == 29
        app.table.show_rows(rows("a"))
        await pilot.pause()
        assert app.table.render_line(1).cell_length == 30


KEYS = st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=1), unique=True, max_size=8)


@given(KEYS, KEYS, st.integers(min_value=-1, max_value=9))
def test_a_neighbour_is_found_wherever_one_is_left(old: list[str], new: list[str], position: int) -> None:
    found = nearest_survivor(rows(*old), position, index_of(rows(*new)))
    assert (found is None) == (not new)
    assert found is None or found in new


@given(st.lists(st.booleans(), max_size=8), st.integers(min_value=-1, max_value=9), st.integers(-9, 9))
def test_a_step_never_lands_on_a_heading(headings: list[bool], position: int, by: int) -> None:
    entries: Sequence[Row] = [row(str(n), heading=heading) for n, heading in enumerate(headings)]
    landed = step(entries, position, by)
    assert (landed == -1) == all(headings)
    assert landed == -1 or not entries[landed].heading


def test_headings_have_no_place_in_the_index() -> None:
    found: Sequence[Hashable] = list(index_of([row("h", heading=True), row("a")]))
    assert found == ["a"]


def test_what_is_drawn_alike_is_not_drawn_again() -> None:
    def told(percent: object) -> tuple[tuple[Span, ...], ...]:
        return (line(f"{percent:.0f}%"),)

    one, alike, other = (Row("a", LazyCells(told, percent)) for percent in (1.01, 1.02, 2.0))
    assert one != alike
    assert looks_same(one, alike)
    assert not looks_same(one, other)
    assert not looks_same(one, one._replace(stale=True))
    assert not looks_same(one, one._replace(key="b"))
    assert not looks_same(one, None)
    assert looks_same(None, None)
