"""The log: bounded, follows or stands still, keeps colours and nothing else of what escapes say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from textual.app import App, ComposeResult

from backends.model.container import LogLine, LogStream
from widgets.log_filter import LogFilter, pattern_of, searched
from widgets.log_view import LogView
from widgets.sgr import LONGEST, plain_text, styled_parts


def lines(first: int, count: int) -> list[LogLine]:
    """Numbered lines."""
    return [LogLine(LogStream.STDOUT, f"line {number}") for number in range(first, first + count)]


class Host(App[None]):
    """An app of one log of at most 100 lines."""

    def __init__(self) -> None:
        super().__init__()
        self.log_view = LogView(max_lines=100)
        self.told: list[bool] = []

    def compose(self) -> ComposeResult:
        yield self.log_view

    def on_mount(self) -> None:
        self.log_view.focus()

    def on_log_view_follow_changed(self, event: LogView.FollowChanged) -> None:
        self.told.append(event.following)

    def shown(self) -> list[str]:
        """What the log shows, line by line."""
        return [self.log_view.render_line(y).text.strip() for y in range(self.log_view.size.height)]

    def follows(self) -> bool:
        """Whether the log follows its end."""
        return self.log_view.following


async def test_it_follows_its_end_and_is_bounded() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)):
        app.log_view.append(lines(0, 250))
        assert (app.log_view.line_count, app.log_view.entries[0]) == (100, *lines(150, 1))
        assert app.shown() == [f"line {number}" for number in range(240, 250)]
        app.log_view.append(lines(250, 1))
        assert app.shown()[-1] == "line 250"


async def test_lines_that_come_do_not_lay_the_screen_out_anew() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        app.log_view.append(lines(0, 20))
        await pilot.pause()
        laid_out: list[object] = []
        app.screen.screen_layout_refresh_signal.subscribe(app.log_view, laid_out.append)
        app.log_view.append(lines(20, 30))
        await pilot.pause()
        bar = app.log_view.vertical_scrollbar
        assert (bar.window_virtual_size, bar.position, app.log_view.max_scroll_y) == (50, 40, 40)
        assert app.shown()[-1] == "line 49"
        assert laid_out == []
        await pilot.resize_terminal(40, 20)
        await pilot.pause()
        assert laid_out, "the signal tells of what is laid out"
        assert (bar.window_virtual_size, bar.window_size, app.log_view.max_scroll_y) == (50, 20, 30)
        assert app.shown()[-1] == "line 49"


async def test_scrolling_up_stands_still_while_lines_come_and_end_follows_again() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        app.log_view.append(lines(0, 100))
        await pilot.press("pageup")
        await pilot.wait_for_animation()
        assert not app.follows()
        top = app.shown()[0]
        app.log_view.append(lines(100, 30))
        assert app.shown()[0] == top
        assert app.shown()[-1] == "▼ 30 new lines · End follows"
        await pilot.press("end")
        assert app.follows()
        assert app.shown()[-1] == "line 129"
        assert app.told == [False, True]


async def test_search_finds_counts_and_goes_round() -> None:
    app = Host()
    async with app.run_test(size=(40, 5)):
        app.log_view.append(lines(0, 60))
        app.log_view.append([LogLine(LogStream.STDERR, "\x1b[31mLI\x1b[0mNE 5x")])
        assert await app.log_view.search("Line 5") == 12
        app.log_view.append(lines(500, 1))
        app.log_view.set_following(False)
        app.log_view.set_scroll(None, 0)
        for expected in ("line 5", "line 50"):
            app.log_view.next_match()
            assert expected in app.shown()
        app.log_view.previous_match()
        app.log_view.previous_match()
        assert app.shown()[-1] == "line 500"
        assert await app.log_view.search("") == 0


async def test_what_is_found_is_counted_on_while_lines_come_go_and_are_filtered() -> None:
    app = Host()
    async with app.run_test(size=(40, 5)):
        view = app.log_view
        view.append(lines(0, 60))
        assert await view.search("line 5") == view.found_count == 11
        view.append(lines(500, 20))
        assert view.found_count == 31
        view.append(lines(600, 45))
        assert view.found_count == 30, "the line 5 went at the front"
        view.set_filter(LogFilter(pattern_of("9$")))
        await view.lay_out()
        assert view.found_count == 3
        view.append(lines(5559, 1))
        assert view.found_count == 4
        view.set_filter(LogFilter())
        await view.lay_out()
        assert view.found_count == 31
        view.clear()
        assert view.found_count is None


async def test_stderr_and_notes_are_marked_by_signs() -> None:
    app = Host()
    async with app.run_test(size=(40, 3)):
        app.log_view.append([LogLine(LogStream.STDERR, "bad"), LogLine(LogStream.STDOUT, "good")])
        app.log_view.show_note("the stream \x1b[2Jbroke", bad=True)
        assert app.shown() == ["▎ bad", "good", "✕ the stream broke"]
        app.log_view.clear()
        assert app.shown() == ["No line has come yet.", "", ""]


async def test_that_nothing_is_in_sight_is_said() -> None:
    async with Host().run_test(size=(60, 10)) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
        view = app.log_view
        assert app.shown() == ["No line has come yet.", *[""] * 9]
        view.append(lines(0, 30))
        view.show_note("end of log")
        assert not any("filter" in line for line in app.shown())
        view.set_filter(LogFilter(pattern_of("nowhere")))
        await view.lay_out()
        assert app.shown()[:3] == ["· end of log", "Not one of 30 lines fits the filter.", ""]
        view.append([LogLine(LogStream.STDOUT, "nowhere else")])
        assert app.shown()[:3] == ["· end of log", "nowhere else", ""]


async def test_long_lines_are_read_sideways() -> None:
    app = Host()
    async with app.run_test(size=(20, 2)) as pilot:
        app.log_view.append([LogLine(LogStream.STDOUT, "0123456789" * 9)])
        await pilot.press("right")
        assert app.log_view.render_line(0).text.startswith("  678901")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m plain", [("red", Style(color="color(1)")), (" plain", Style.null())]),
        ("\x1b[1;38;5;208mx", [("x", Style(bold=True, color="color(208)"))]),
        ("\x1b[38;2;1;2;3mx", [("x", Style(color="#010203"))]),
        ("\x1b[8mhidden\x1b[5mblink", [("hidden", Style.null()), ("blink", Style.null())]),
        ("a\x1b[2Jb\x1b]0;t\x07c", [("abc", Style.null())]),
        ("  1%|\r 42%|\r", [(" 42%|", Style.null())]),
        ("a\tb", [("a       b", Style.null())]),
    ],
)
def test_colours_stay_and_other_escapes_go(text: str, expected: list[tuple[str, Style]]) -> None:
    assert styled_parts(text) == expected


@given(st.text(alphabet=st.sampled_from("\x1b[];:0123456789mHJ\r\t\x07ab語\u202e"), max_size=80))
def test_no_escape_survives_any_log_line(text: str) -> None:
    shown = "".join(part for part, _ in styled_parts(text))
    assert not set(shown) & set("\x1b\r\t\x07\n\u202e")
    assert not set(plain_text(text)) & set("\x1b\r\t\x07\n\u202e")


def test_a_line_that_was_written_over_is_searched_by_what_is_drawn() -> None:
    progress = "".join(f"{step:4}% of it\r" for step in range(1000)) + "done"
    assert len(progress) > LONGEST
    assert searched(progress) == "".join(part for part, _ in styled_parts(progress)) == "done"


def test_a_huge_line_is_cut_before_it_is_drawn() -> None:
    assert sum(len(part) for part, _ in styled_parts("x" * 1_000_000)) == LONGEST + 1
